"""The answer in the terminal: calm, aligned, the largest first, the same with and without colour."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.text import Text

from comity.check import as_json
from comity.check.as_json import bare, uncapped
from comity.law import Verdict

if TYPE_CHECKING:
    from rich.console import Console

    from comity.check.answers import Answer, ColumnRead, Reject
    from comity.check.as_json import CureTold, Obstacle, Split
    from comity.law import Decision, Reason

WIDEST = 100  # columns; longer lines are hard to read
MARGIN = 2
WHERE = 14  # columns for places, 'DE FR IT +9'
MOST_REASONS = 10
MOST_CITATIONS = 3
MOST_PLACES = 3
MOST_QUESTIONS = 12
MOST_SPLITS = 8
MOST_NAMED = 6
EVERYWHERE = 4  # a house rule that stopped people in this many places is said to hold everywhere

STYLES: Final = {Verdict.PERMIT: "green", Verdict.DENY: "red", Verdict.ASK: "yellow"}
BARS: Final = {Verdict.PERMIT: "█", Verdict.DENY: "░", Verdict.ASK: "▒"}
PLAIN: Final = str.maketrans("█░▒─·—…§“”’", '#.:---.S""\'')
"""What a terminal without Unicode shows instead."""

UNSEEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What would move the cursor or turn the line around: a header or a cell of somebody's file may hold anything."""

# Every sentence of this module, in one place.
SAYS: Final[Mapping[str, str]] = {
    "what": "{file} · {people} · {dialect}, {understood} of {columns} understood",
    "when": "{use}, as of {day} · {laws} in {packs}",
    "verdict": "{word} {people}  {share}",
    "why-not": "Why not",
    "where": "where",
    "people": "people",
    "cure": "cure: {says}",
    "or": "or: {says}",
    "frees": "would free",
    "everywhere": "everywhere",
    "more": "+{n}",
    "more-reasons": "and {reasons} (report.html and --json have them all)",
    "more-questions": "and {n} more (report.html and --json have them all)",
    "unconfirmed": "{cite} (unconfirmed)",
    "what-to-ask": "What to ask",
    "home": "Where do they live? No country, no state, no phone prefix",
    "vague": "Where exactly do they live? Known is only {homes}",
    "hints": "weak evidence points to {places}",
    "not-covered": "No law pack covers this place: {places}",
    "conflict": "Evidence of home disagrees ({homes}); each law was applied",
    "unresolved": "Places nobody understood: {texts}",
    "rows": "rows",
    "counted": "{name} {n}",
    "others": "{n} more",
    "carry": "What each permitted message must carry",
    "perhaps": "{sentence}, where it may apply",
    "by-home": "By home",
    "by-law": "By law",
    "anywhere": "not known",
    "either": "{homes} (either)",
    "rest": "and {n} more",
    "not-read": "Not read: {rows} ({why}). They are in ask.csv with the reason.",
    "row-why": "{rows}: {why}",
    "row-and": "{rows} and {last}",
    "row-more": "{rows} and {n} more",
    "unreadable": "Cells not understood: {columns}.",
    "unreadable-column": "{header} {n} (such as {example})",
    "hint": (
        "--row 17 explains one row · "
        "--out DIR writes permitted.csv, denied.csv, ask.csv, decisions.parquet, report.html"
    ),
    "close": "Comity tells what its law packs say and where they are blind (comity law list); it is not a lawyer.",
    "under-one": "< 1 %",
    "over-99": "> 99 %",
    "percent": "{n} %",
    # one decision
    "permit": "every law that governs allows it, with what is listed below",
    "deny": "at least one law that governs forbids it",
    "ask": "something is missing or unsettled; until a human has settled it, treat it as no",
    "as-of": "as of {day}",
    "each-law": "What each law answers",
    "may-govern": "may govern",
    "governs": "governs",
    "why": "Why",
    "nothing-against": "Nothing speaks against it, and no ground was asked for.",
    "settles": "would settle it: {facts}",
    "accompany": "What must accompany it",
    "if-permitted": "What would have to accompany it",
    "helps": "What would help",
    "missing": "What is missing",
    "read": "What was read",
    "absent": "Not recorded, so taken as",
    "because": "because: {why}",
    "assumed": "What was assumed",
    "rests": "Packs",
    "pack": "{name} {version} · sha256 {sha}",
    # columns
    "columns": "{understood} of {columns} understood",
    "understood": "Understood",
    "not-understood": "cells not understood: {n}",
    "such-as": "such as {example}",
    "ignored": "Ignored",
}

PLURALS: Final[Mapping[str, tuple[str, str]]] = {
    "laws": ("1 law", "{n} laws"),
    "packs": ("1 pack", "{n} packs"),
    "people": ("1 person", "{n} people"),
    "rows": ("1 row", "{n} rows"),
    "columns": ("1 column", "{n} columns"),
    "reasons": ("1 smaller reason", "{n} smaller reasons"),
    "more-homes": ("1 more home", "{n} more homes"),
    "more-rows": ("1 more row", "{n} more rows"),
}


def print_answer(answer: Answer, console: Console) -> None:
    """Print the answer for a whole file."""
    sheet = _Sheet(console)
    _header(answer, sheet)
    _verdicts(answer, sheet)
    _why_not(answer, sheet)
    _what_to_ask(answer, sheet)
    _what_to_carry(answer, sheet)
    _splits(answer, sheet)
    _closing(answer, sheet)


def print_decision(decision: Decision, console: Console) -> None:
    """Print everything about one decision: what each law answers, every reason, and what it rests on."""
    sheet = _Sheet(console)
    _decided(decision, sheet)
    _each_law(decision, sheet)
    _reasons(decision, sheet)
    _accompany(decision, sheet)
    _help(decision, sheet)
    _rests_on(decision, sheet)
    sheet.gap()
    sheet.write(Text(SAYS["close"], "dim"), wide=True)


def print_columns(columns: Sequence[ColumnRead], console: Console) -> None:
    """Print what was understood of every column, and what was ignored and why."""
    sheet = _Sheet(console)
    understood = [column for column in columns if not as_json.ignored(column)]
    told, of_all = _understood(columns)
    sheet.write(_said("columns", understood=count(told), columns=counted("columns", of_all)))
    for title, some in (
        ("understood", understood),
        ("ignored", [column for column in columns if as_json.ignored(column)]),
    ):
        if some:
            sheet.gap()
            sheet.head(SAYS[title])
            _column_lines(some, sheet)


def _understood(columns: Sequence[ColumnRead]) -> tuple[int, int]:
    """Return how many columns were understood, of how many; one with two meanings is listed twice and counted once."""
    plays = {column.header: False for column in columns}
    for column in columns:
        plays[column.header] |= not as_json.ignored(column)
    return sum(plays.values()), len(plays)


# ---------------------------------------------------------------- the sheet


class _Sheet:
    """Lines within a margin: text on the left that wraps, places and a number on the right that never move."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.width = max(min(console.width, WIDEST) - 2 * MARGIN, 40)
        self.only_ascii = console.options.ascii_only

    def gap(self) -> None:
        self.console.print()

    def write(self, text: Text | str, *, indent: int = 0, wide: bool = False) -> None:
        """Print wrapped text; `wide` lets it use the whole line."""
        width = max(self.console.width - 2 * MARGIN, self.width) if wide else self.width
        for line in self.wrapped(text, width - indent):
            self._print(" " * (MARGIN + indent), line)

    def row(
        self,
        text: Text | str,
        where: str = "",
        number: int | str = "",
        *,
        indent: int = 0,
        where_width: int = WHERE,
        style: str = "",
    ) -> None:
        """Print wrapped text with places and a number beside its first line."""
        right = where.ljust(where_width + len(where) - cell_len(where)) + str(number).rjust(9)
        left = self.width - cell_len(right) - 2
        lines = self.wrapped(text, left - indent) or [Text()]
        first = Text(" " * indent) + lines[0]
        first.pad_right(left - first.cell_len)
        self._print(" " * MARGIN, first + Text(f"  {right}", style))
        for line in lines[1:]:
            self._print(" " * (MARGIN + indent), line)

    def head(self, title: str, where: str = "", number: str = "") -> None:
        """Print the head of a table: its title, what stands on the right, and a line below."""
        self.row(Text(title, "bold"), where, number, style="dim")
        self._print(" " * MARGIN, Text("─" * self.width, "dim"))

    def wrapped(self, text: Text | str, width: int) -> list[Text]:
        text = text.copy() if isinstance(text, Text) else Text(text)
        text.plain = UNSEEN.sub(" ", text.plain)
        lines = text.wrap(self.console, width, overflow="fold")
        for line in lines:
            line.rstrip()
        return list(lines)

    def _print(self, margin: str, line: Text) -> None:
        out = Text(margin) + line
        out.rstrip()
        if self.only_ascii:
            out.plain = out.plain.translate(PLAIN)
        self.console.print(out, soft_wrap=True, highlight=False)


# ---------------------------------------------------------------- the whole file


def _header(answer: Answer, sheet: _Sheet) -> None:
    understood, columns = _understood(answer.columns)
    sheet.gap()
    sheet.write(
        _said(
            "what",
            file=answer.file,
            people=counted("people", answer.rows),
            dialect=answer.dialect,
            understood=count(understood),
            columns=counted("columns", columns),
        )
    )
    packs = as_json.packs_with(answer.plan.book, answer.laws_asked)
    laws, packs_told = counted("laws", len(answer.laws_asked)), counted("packs", len(packs))
    sheet.write(_said("when", use=answer.use, day=answer.plan.day.isoformat(), laws=laws, packs=packs_told))
    sheet.write(answer.headline)


def _verdicts(answer: Answer, sheet: _Sheet) -> None:
    sheet.gap()
    sheet.write(_bar(answer.by_verdict, sheet.width * 7 // 10))
    parts = [
        Text(
            _said("verdict", word=verdict.value, people=count(people), share=share(people, answer.rows)),
            STYLES[verdict],
        )
        for verdict, people in answer.by_verdict.items()
    ]
    sheet.write(Text("      ").join(parts))


def _bar(counted: Mapping[Verdict, int], width: int) -> Text:
    bar = Text()
    for verdict, cells in cells_of(counted, width).items():
        bar.append(BARS[verdict] * cells, STYLES[verdict])
    return bar


def cells_of(counted: Mapping[Verdict, int], width: int) -> Mapping[Verdict, int]:
    """Share out the cells of a bar: at least one for anything that is not nothing, the rest by size."""
    everybody = sum(counted.values())
    cells = {verdict: max(round(width * people / everybody), 1) if people else 0 for verdict, people in counted.items()}
    if everybody:
        cells[max(cells, key=lambda verdict: cells[verdict])] += width - sum(cells.values())
    return cells


def _why_not(answer: Answer, sheet: _Sheet) -> None:
    against = as_json.obstacles(answer, Verdict.DENY)
    if not against:
        return
    sheet.gap()
    sheet.head(SAYS["why-not"], SAYS["where"], SAYS["people"])
    for obstacle in against[:MOST_REASONS]:
        _obstacle(answer, obstacle, sheet)
        for number, cure in enumerate(_worth_telling(obstacle)):
            words = _said("or" if number else "cure", says=uncapped(bare(cure.says)))
            sheet.row(words, *_frees(cure), indent=2)
    if len(against) > MOST_REASONS:
        sheet.write(Text(_said("more-reasons", reasons=counted("reasons", len(against) - MOST_REASONS)), "dim"))


def _worth_telling(obstacle: Obstacle) -> Sequence[CureTold]:
    """Return the two cures that free most; one that frees nobody only where there is no other."""
    useful = [cure for cure in obstacle.cures if cure.frees != 0]
    return (useful or obstacle.cures)[:2]


def _frees(cure: CureTold) -> tuple[str, str]:
    """Return how many a cure frees; nothing for advice."""
    return ("", "") if cure.frees is None else (SAYS["frees"], count(cure.frees))


def _obstacle(answer: Answer, obstacle: Obstacle, sheet: _Sheet) -> None:
    everywhere = obstacle.everywhere and len(obstacle.places) >= EVERYWHERE
    where = SAYS["everywhere"] if everywhere else _places(answer, obstacle.places)
    sheet.row(obstacle.says, where, count(obstacle.people))
    if obstacle.citations:
        sheet.write(_citations(obstacle.citations), indent=2)


def _citations(citations: Sequence[tuple[str, bool]]) -> Text:
    cited = "; ".join(_cited(cite, confirmed=confirmed) for cite, confirmed in citations[:MOST_CITATIONS])
    more = len(citations) - MOST_CITATIONS
    return Text(cited + (f" {_said('more', n=more)}" if more > 0 else ""), "dim italic")


def _cited(cite: str, *, confirmed: bool) -> str:
    return cite if confirmed else _said("unconfirmed", cite=cite)


def _places(answer: Answer, places: Iterable[str], width: int = WHERE) -> str:
    """Return as many places as fit: 'DE FR IT +9'."""
    named = [place or "—" for place in as_json.countries(answer, places)]
    for shown_places in range(min(len(named), MOST_PLACES), 0, -1):
        rest = len(named) - shown_places
        words = " ".join(named[:shown_places]) + (f" {_said('more', n=rest)}" if rest else "")
        if len(words) <= width or shown_places == 1:
            return words
    return ""


def _what_to_ask(answer: Answer, sheet: _Sheet) -> None:
    lines = sorted(_questions(answer), key=lambda line: -line[2])
    if not lines:
        return
    sheet.gap()
    sheet.head(SAYS["what-to-ask"], SAYS["where"], SAYS["people"])
    for says, where, people, below in lines[:MOST_QUESTIONS]:
        sheet.row(says, where, count(people))
        if below:
            sheet.write(Text(below, "dim italic"), indent=2)
    if len(lines) > MOST_QUESTIONS:
        sheet.write(Text(_said("more-questions", n=count(len(lines) - MOST_QUESTIONS)), "dim"))
    if answer.unresolved_places:
        texts = Counter({f"“{text}”": rows for text, rows in answer.unresolved_places.items()})
        rows = sum(answer.unresolved_places.values())
        sheet.row(_said("unresolved", texts=_named(texts)), SAYS["rows"], count(rows))


def _questions(answer: Answer) -> list[tuple[str, str, int, str]]:
    """Return what to ask: the words, where, how many people, and a line to stand below."""
    unknown, hints = as_json.home_unknown(answer)
    uncovered, conflicts = as_json.uncovered_places(answer), as_json.conflicts(answer)
    lines = [(SAYS["home"], "", unknown, _said("hints", places=_named(hints)) if hints else "")]
    vague = as_json.home_vague(answer)
    lines += [(_said("vague", homes=_named(vague)), "", sum(vague.values()), "")]
    lines += [
        (
            _said("not-covered", places=_named(uncovered)),
            "",
            as_json.people_told(answer, "no-law") - as_json.people_anywhere(answer),
            "",
        )
    ]
    lines += [(_said("conflict", homes=_named(conflicts)), "", sum(conflicts.values()), "")]
    for missing in as_json.questions(answer):
        cited = "; ".join(missing.citations[:MOST_CITATIONS])
        lines += [(missing.says, _places(answer, missing.places), missing.people, cited)]
    for obstacle in as_json.unsettled(answer):
        cited = _citations(obstacle.citations).plain
        lines += [(obstacle.says, _places(answer, obstacle.places), obstacle.people, cited)]
    return [line for line in lines if line[2]]


def _named(counted: Mapping[str, int]) -> str:
    """Return names with their counts, the most first: 'IN 402, BR 61'."""
    most = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    words = [_said("counted", name=name, n=count(number)) for name, number in most[:MOST_NAMED]]
    rest = len(most) - MOST_NAMED
    return ", ".join([*words, *([_said("others", n=count(rest))] if rest > 0 else [])])


def _what_to_carry(answer: Answer, sheet: _Sheet) -> None:
    carried = as_json.carried(answer)
    if not carried:
        return
    everybody = answer.by_verdict[Verdict.PERMIT]
    sheet.gap()
    sheet.head(SAYS["carry"], SAYS["where"], SAYS["people"])
    for item in carried:
        words = _said("perhaps", sentence=item.sentence) if item.perhaps == item.people else item.sentence
        where = "" if item.people == everybody else _places(answer, item.places)
        sheet.row(words, where, count(item.people))


def _splits(answer: Answer, sheet: _Sheet) -> None:
    book = answer.plan.book
    homes = [(_home(answer, split), split) for split in as_json.by_home(answer)]
    laws = [(book.law(split.name).name, split) for split in as_json.by_law(answer)]
    for title, splits in (("by-home", homes), ("by-law", laws)):
        if len(splits) > 1:
            sheet.gap()
            _split_table(SAYS[title], splits, sheet)


def _split_table(title: str, splits: Sequence[tuple[str, Split]], sheet: _Sheet) -> None:
    heads = "".join(verdict.value.rjust(9) for verdict in Verdict)
    sheet.row(Text(title, "bold"), heads, SAYS["people"], style="dim")
    sheet.write(Text("─" * sheet.width, "dim"))
    for name, split in splits[:MOST_SPLITS]:
        numbers = "".join(
            (count(split.verdicts[verdict]) if split.verdicts[verdict] else "·").rjust(9) for verdict in Verdict
        )
        sheet.row(name, numbers, count(split.people))
    if len(splits) > MOST_SPLITS:
        rest = splits[MOST_SPLITS:]
        sums = [sum(split.verdicts[verdict] for _, split in rest) for verdict in Verdict]
        numbers = "".join((count(number) if number else "·").rjust(9) for number in sums)
        everybody = count(sum(sums)) if title == SAYS["by-home"] else ""
        sheet.row(Text(_said("rest", n=count(len(rest))), "dim"), numbers if everybody else "", everybody)


def _home(answer: Answer, split: Split) -> str:
    homes = as_json.countries(answer, split.name.split("|")) if split.name else ()
    if not homes:
        return SAYS["anywhere"]
    if len(homes) > 1:
        return _said("either", homes=" ".join(homes))
    return f"{homes[0].ljust(6)} {as_json.place_name(homes[0])}"


def _closing(answer: Answer, sheet: _Sheet) -> None:
    sheet.gap()
    if answer.rejects:
        sheet.write(
            _said("not-read", rows=counted("rows", len(answer.rejects)), why=_rejects(answer.rejects)), wide=True
        )
    unreadable = [column for column in answer.columns if column.unreadable]
    if unreadable:
        sheet.write(_said("unreadable", columns=", ".join(_unreadable(column) for column in unreadable)), wide=True)
    for note in answer.notes:
        sheet.write(note, wide=True)
    sheet.write(Text(SAYS["hint"], "dim"), wide=True)
    sheet.write(Text(SAYS["close"], "dim"), wide=True)


def _rejects(rejects: Sequence[Reject]) -> str:
    """Return '812: broken quoting; 4,410 and 4,411: no readable text'."""
    rows: dict[str, list[str]] = {}
    for reject in rejects:
        rows.setdefault(reject.why, []).append(count(reject.row))
    return "; ".join(_said("row-why", rows=_listed(numbers), why=bare(why)) for why, numbers in rows.items())


def _listed(numbers: Sequence[str]) -> str:
    if len(numbers) > MOST_NAMED:
        first = ", ".join(numbers[:MOST_PLACES])
        return _said("row-more", rows=first, n=count(len(numbers) - MOST_PLACES))
    if len(numbers) > 1:
        return _said("row-and", rows=", ".join(numbers[:-1]), last=numbers[-1])
    return numbers[0]


def _unreadable(column: ColumnRead) -> str:
    return _said("unreadable-column", header=column.header, n=count(column.unreadable), example=repr(column.example))


# ---------------------------------------------------------------- one decision


def _decided(decision: Decision, sheet: _Sheet) -> None:
    plan, verdict = decision.plan, decision.verdict
    use = [
        str(value)
        for name, value in plan.fixed.items()
        if name in {"use.operation", "use.purpose", "use.channel"} and value
    ]
    sheet.gap()
    sheet.write(Text(verdict.value, f"bold {STYLES[verdict]}") + Text(f"  {SAYS[verdict.value]}"))
    sheet.write(Text(" · ".join([*use, _said("as-of", day=plan.day.isoformat())]), "dim"))


def _each_law(decision: Decision, sheet: _Sheet) -> None:
    if not decision.finding.laws:
        return
    sheet.gap()
    sheet.head(SAYS["each-law"])
    for answer in decision.finding.laws:
        says = Text(answer.verdict.value.ljust(8), STYLES[answer.verdict]) + Text(answer.name)
        sheet.row(says, "" if answer.certain else SAYS["may-govern"], style="dim")


def _reasons(decision: Decision, sheet: _Sheet) -> None:
    sheet.gap()
    sheet.head(SAYS["why"])
    if not decision.reasons:
        sheet.write(SAYS["nothing-against"])
    for reason in decision.reasons:
        _reason(reason, sheet)


def _reason(reason: Reason, sheet: _Sheet) -> None:
    for number, line in enumerate(sheet.wrapped(reason.says, sheet.width - 8)):
        label = "" if number else reason.weight.value
        sheet.write(Text(label.ljust(8), STYLES[reason.weight]) + line)
    if reason.cite:
        sheet.write(Text(_cited(reason.cite, confirmed=reason.confirmed), "italic"), indent=8)
    sheet.write(Text(" · ".join(filter(None, [reason.rule, reason.url])), "dim"), indent=8)
    if reason.missing:
        facts = [*reason.missing[:MOST_NAMED], *(["…"] if len(reason.missing) > MOST_NAMED else [])]
        sheet.write(_said("settles", facts=", ".join(facts)), indent=8)


def _accompany(decision: Decision, sheet: _Sheet) -> None:
    if not decision.finding.obligations:
        return
    sheet.gap()
    sheet.head(SAYS["accompany" if decision.verdict is Verdict.PERMIT else "if-permitted"])
    for item in decision.finding.obligations:
        words = as_json.obligation_in_words(decision.plan.book, item)
        sheet.write(words if item.certain else _said("perhaps", sentence=words))
        sheet.write(Text(", ".join(item.rules), "dim"), indent=2)


def _help(decision: Decision, sheet: _Sheet) -> None:
    book = decision.plan.book
    if decision.finding.cures:
        sheet.gap()
        sheet.head(SAYS["helps"])
        for cure in decision.finding.cures:
            sheet.write(book.cures[cure].says)
            rules = [
                reason.rule
                for reason in decision.reasons
                if cure in reason.cures and reason.weight is not Verdict.PERMIT
            ]
            sheet.write(Text(", ".join(rules), "dim"), indent=2)
    if decision.missing:
        sheet.gap()
        sheet.head(SAYS["missing"])
        _facts(sheet, {name: book.vocabulary.facts[name].means for name in decision.missing})


def _rests_on(decision: Decision, sheet: _Sheet) -> None:
    told = decision.as_json()
    read = {name: as_json.value_in_words(value) for name, value in told["facts"].items()}
    absent = {
        item["fact"]: f"{as_json.value_in_words(item['taken_as'])}\n{_said('because', why=item['why'])}"
        for item in told["absent"]
    }
    assumed = {item["fact"]: item["says"] for item in told["assumed"]}
    for title, facts in (("read", read), ("absent", absent), ("assumed", assumed)):
        if facts:
            sheet.gap()
            sheet.head(SAYS[title])
            _facts(sheet, facts)
    sheet.gap()
    sheet.head(SAYS["rests"])
    for pack in told["packs"]:
        sheet.write(_said("pack", name=pack["pack"], version=pack["version"], sha=pack["sha256"]))


def _facts(sheet: _Sheet, facts: Mapping[str, str]) -> None:
    """Print facts by name with what is said of each beside it."""
    left = min(max(cell_len(name) for name in facts) + 2, sheet.width // 2)
    for name, says in facts.items():
        lines = [line for part in says.split("\n") for line in sheet.wrapped(part, sheet.width - left)]
        for number, line in enumerate(lines):
            sheet.write(Text(("" if number else name).ljust(left), "dim") + line)


# ---------------------------------------------------------------- columns


def _column_lines(columns: Sequence[ColumnRead], sheet: _Sheet) -> None:
    left = min(max(cell_len(column.header) for column in columns) + 2, sheet.width // 3)
    for column in columns:
        names = sheet.wrapped(column.header, left - 2) or [Text("—")]
        says = sheet.wrapped(column.says + (f" ({column.fact})" if column.fact else ""), sheet.width - left)
        if column.unreadable:
            such = f", {_said('such-as', example=repr(column.example))}" if column.example else ""
            says += sheet.wrapped(
                Text(_said("not-understood", n=count(column.unreadable)) + such, "yellow"), sheet.width - left
            )
        for number in range(max(len(names), len(says))):
            name = names[number] if number < len(names) else Text()
            name.pad_right(left - name.cell_len)
            sheet.write(name + (says[number] if number < len(says) else Text()))


# ---------------------------------------------------------------- words


def count(number: int) -> str:
    """Return a number of people with its thousands apart."""
    return f"{number:,}"


def share(part: int, whole: int) -> str:
    """Return a share in per cent that never says none or all where it is not so."""
    percent = round(100 * part / whole) if whole else 0
    if part and percent == 0:
        return SAYS["under-one"]
    if part < whole and percent == 100:  # noqa: PLR2004 - all of them
        return SAYS["over-99"]
    return _said("percent", n=percent)


def _said(key: str, **words: object) -> str:
    return SAYS[key].format(**words)


def counted(key: str, number: int) -> str:
    """Return a number of things of PLURALS in words."""
    one, several = PLURALS[key]
    return one if number == 1 else several.format(n=count(number))
