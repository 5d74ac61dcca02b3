"""The answer as one HTML page that a marketer can forward to a lawyer.

No script, no request to anywhere, and nothing of any person: no cell of the file but country texts nobody understood.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from comity.check import as_json
from comity.check.report import count, counted, share
from comity.law import Verdict

if TYPE_CHECKING:
    from comity.check.answers import Answer
    from comity.check.as_json import CureTold, Missing, Obstacle, Split

MOST_HOMES = 14  # in the chart; the table below it has them all
MOST_REASONS = 8  # in the chart
MOST_PLACES = 8
THINNEST = 0.8  # per cent of a bar's length: a single person is still seen
MOST_ROWS = 200  # row numbers of unread rows that are written out

# Every sentence of the page but the columns' and the law's own, in one place.
SAYS: Final = {
    "title": "{use}: who may, who may not, and why",
    "what": "{file} · {people} · {dialect}",
    "when": "as of {day} · {laws} in {packs} asked",
    "permit": "Permit",
    "deny": "Deny",
    "ask": "Ask",
    "permit-says": "each with what the law asks to accompany it",
    "deny-says": "the law forbids it, for the reasons below",
    "ask-says": "something is missing or unsettled; no until it is settled",
    "shares": "{permit} permit, {deny} deny, {ask} ask",
    "by-home": "Where they live",
    "by-home-says": "The largest homes by verdict. Every home is in the table below.",
    "by-home-rest": "and {people} in {homes}",
    "all-homes": "Every home, and the laws that stand in the way",
    "top-reasons": "What stands in the way most",
    "top-reasons-says": "People under each reason; somebody with two reasons counts in both.",
    "why-not": "Why not",
    "why-not-says": "Everything that forbids the use, with the rules of all laws that say so.",
    "to-ask": "What to ask",
    "to-ask-says": "What keeps a verdict open. Somebody who may live anywhere is counted under the first line alone.",
    "open": "Rules that leave it open",
    "open-says": "The rules that could not be settled for the people who are asked about.",
    "carry": "What each permitted message must carry",
    "by-law": "What each law answers",
    "by-law-says": "For the people whom it governs or may govern. The strictest answer of all laws is the verdict.",
    "rests": "What the answer rests on",
    "assumed": "Assumed",
    "assumed-says": "Nobody said so; the verdicts hold only if it is so.",
    "nothing-assumed": "Nothing was assumed about you.",
    "absent": "Not recorded",
    "absent-says": "What it was taken to mean that the file says nothing of a fact, and why.",
    "columns": "Columns",
    "columns-says": "What each column of the file was read as.",
    "not-read": "Rows that were not read",
    "not-read-says": "They count as ask; ask.csv has them with the reason.",
    "packs": "Law packs",
    "packs-says": "The exact rules that were asked, by the hash of their text.",
    "blind": "Blind spots",
    "blind-says": "What these laws say and their packs do not. A lawyer reads these first.",
    "notes": "Notes",
    "close": "Comity tells what its law packs say and where they are blind; it is not a lawyer.",
    "reason": "Reason",
    "where": "Where",
    "people": "People",
    "rows": "Rows",
    "cure": "What would make it lawful",
    "frees": "would free {n}",
    "frees-nobody": "frees nobody by itself",
    "question": "Question",
    "asked-by": "Asked by",
    "obligation": "Obligation",
    "rules": "Rules",
    "law": "Law",
    "home": "Home",
    "fact": "Fact",
    "taken-as": "Taken as",
    "because": "Because",
    "column": "Column",
    "read-as": "Read as",
    "not-understood": "Not understood",
    "row": "Row",
    "why": "Why",
    "pack": "Pack",
    "version": "Version",
    "hash": "SHA-256",
    "stopped-by": "Laws that deny or ask",
    "unconfirmed": "unconfirmed",
    "unconfirmed-says": "not yet compared with the source",
    "everywhere": "everywhere",
    "more": "and {n} more",
    "anywhere": "Not known",
    "either": "{homes} (either)",
    "home-unknown": "Where do they live? The file gives no country, no state and no phone prefix",
    "home-vague": "Where exactly do they live? The law differs from one part to another",
    "hints": "Weak evidence points to {places}.",
    "not-covered": "No law pack covers the place where they live",
    "conflict": "The evidence of home disagrees; the law of each place was applied",
    "unresolved": "Nobody understood these names of places",
    "perhaps": "for {n} of them the law may ask it",
    "ignored": "Ignored",
    "nothing": "none",
    "and-more-rows": "and {rows}; ask.csv has them all",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One line of a chart: a name, how many people, and the parts of its bar in per cent of the longest."""

    name: str
    people: int
    parts: tuple[tuple[str, float, float], ...]  # class, from, width
    verdicts: Mapping[Verdict, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One line of what to ask."""

    says: str
    where: str
    people: int
    detail: str = ""
    citations: tuple[str, ...] = ()


def render_page(answer: Answer) -> str:
    """Return the whole page."""
    environment = Environment(
        loader=PackageLoader("comity.check"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        count=count,
        counted=lambda number, things: counted(things, number),
        frees=frees,
        ignored=as_json.ignored,
        link=link,
        places=lambda places: _places(answer, places),
    )
    denied = as_json.obstacles(answer, Verdict.DENY)
    asked = as_json.obstacles(answer, Verdict.ASK)
    homes = as_json.by_home(answer)
    book = answer.plan.book
    return environment.get_template("report.html").render(
        says=SAYS,
        answer=answer,
        verdicts=tuple(Verdict),
        share=lambda people: share(people, answer.rows),
        parts=_parts(answer.by_verdict, answer.rows),
        packs=as_json.packs_with(book, answer.laws_asked),
        home_bars=_home_bars(answer, homes),
        more_homes=homes[MOST_HOMES:],
        reason_bars=_reason_bars((*denied, *asked)),
        denied=denied,
        asked=_open_rules(asked),
        questions=_questions(answer),
        carried=as_json.carried(answer),
        homes=[(_home(answer, split), split, _laws(answer, split)) for split in homes],
        laws=[(book.law(split.name), split) for split in as_json.by_law(answer)],
        absent=_absent(answer),
        unread=max(len(answer.rejects) - MOST_ROWS, 0),
        blind=[law for law in as_json.laws_asked(answer) if law.blind_spots],
        kept=answer.rejects[:MOST_ROWS],
        home_name=lambda obstacle: _where(answer, obstacle),
        bare=as_json.bare,
    )


def frees(cure: CureTold) -> str:
    """Return how many people a cure frees, in words; nothing for advice that no fact settles."""
    if cure.frees is None:
        return ""
    return SAYS["frees" if cure.frees else "frees-nobody"].format(n=count(cure.frees))


def link(address: str) -> str:
    """Return an address if it is one of the web; nothing else becomes a link."""
    return address if address.startswith(("https://", "http://")) else ""


# ---------------------------------------------------------------- charts


def _parts(counted: Mapping[Verdict, int], whole: int) -> tuple[tuple[str, float, float], ...]:
    parts, start = [], 0.0
    for verdict in Verdict:
        width = 100 * counted[verdict] / whole if whole else 0.0
        if width:
            parts.append((verdict.value, round(start, 3), round(max(width, THINNEST), 3)))
        start += width
    return tuple(parts)


def _home_bars(answer: Answer, homes: Sequence[Split]) -> tuple[Bar, ...]:
    lines = [(_home(answer, split), split.verdicts) for split in homes[:MOST_HOMES]]
    longest = max((sum(verdicts.values()) for _, verdicts in lines), default=0)
    return tuple(
        Bar(name=name, people=sum(verdicts.values()), parts=_parts(verdicts, longest), verdicts=verdicts)
        for name, verdicts in lines
    )


def _reason_bars(obstacles: Sequence[Obstacle]) -> tuple[Bar, ...]:
    most = sorted(obstacles, key=lambda obstacle: -obstacle.people)[:MOST_REASONS]
    longest = most[0].people if most else 0
    return tuple(
        Bar(
            name=obstacle.says,
            people=obstacle.people,
            parts=_parts(counted, longest),
            verdicts=counted,
        )
        for obstacle in most
        for counted in [{verdict: obstacle.people * (verdict is obstacle.weight) for verdict in Verdict}]
    )


# ---------------------------------------------------------------- tables


def _open_rules(asked: Sequence[Obstacle]) -> tuple[Obstacle, ...]:
    return tuple(obstacle for obstacle in asked if obstacle.kind != "no-law")


def _questions(answer: Answer) -> tuple[Question, ...]:
    """Return what to ask, the most people first."""
    unknown, hints = as_json.home_unknown(answer)
    detail = SAYS["hints"].format(places=_counted(hints)) if hints else ""
    found = [Question(says=SAYS["home-unknown"], where=SAYS["anywhere"], people=unknown, detail=detail)]
    vague = as_json.home_vague(answer)
    found.append(Question(says=SAYS["home-vague"], where=_counted(vague), people=sum(vague.values())))
    uncovered = as_json.uncovered_places(answer)
    placeless = as_json.people_told(answer, "no-law") - as_json.people_anywhere(answer)
    found.append(Question(says=SAYS["not-covered"], where=_counted(uncovered), people=placeless))
    conflicts = as_json.conflicts(answer)
    found.append(Question(says=SAYS["conflict"], where=_counted(conflicts), people=sum(conflicts.values())))
    found += [_asked(answer, missing) for missing in as_json.questions(answer)]
    found += [
        Question(
            says=item.says,
            where=_where(answer, item),
            people=item.people,
            citations=tuple(cite for cite, _ in item.citations),
        )
        for item in as_json.unsettled(answer)
    ]
    return tuple(sorted((question for question in found if question.people), key=lambda question: -question.people))


def _asked(answer: Answer, missing: Missing) -> Question:
    return Question(
        says=missing.says,
        where=_places(answer, missing.places),
        people=missing.people,
        detail=", ".join(missing.facts),
        citations=missing.citations,
    )


def _counted(homes: Mapping[str, int]) -> str:
    """Return homes with their numbers, the most people first: 'India 402, Switzerland / Italy 37'."""
    named = {" / ".join(map(as_json.place_name, codes.split("|"))): people for codes, people in homes.items()}
    most = sorted(named.items(), key=lambda item: (-item[1], item[0]))
    return _shortened([f"{name} {count(people)}" for name, people in most])


def _places(answer: Answer, places: Mapping[str, int]) -> str:
    """Return the names of places, the most people first."""
    codes = as_json.countries(answer, places)
    return _shortened([as_json.place_name(code) if code else SAYS["anywhere"] for code in codes])


def _shortened(words: Sequence[str]) -> str:
    rest = len(words) - MOST_PLACES
    return ", ".join([*words[:MOST_PLACES], *([SAYS["more"].format(n=count(rest))] if rest > 0 else [])])


def _where(answer: Answer, obstacle: Obstacle) -> str:
    everywhere = obstacle.everywhere and len(obstacle.places) > MOST_PLACES
    return SAYS["everywhere"] if everywhere else _places(answer, obstacle.places)


def _home(answer: Answer, split: Split) -> str:
    homes = as_json.countries(answer, split.name.split("|")) if split.name else ()
    if not homes:
        return SAYS["anywhere"]
    names = ", ".join(as_json.place_name(home) for home in homes)
    return SAYS["either"].format(homes=names) if len(homes) > 1 else names


def _laws(answer: Answer, split: Split) -> tuple[tuple[str, int], ...]:
    """Return the laws that deny or ask about people of a home, with how many; not for those who may live anywhere."""
    return tuple((answer.plan.book.law(law).name, people) for law, people in split.stopped_by.items())


def _absent(answer: Answer) -> tuple[tuple[str, str, str, str], ...]:
    """Return each fact that was taken as absent: its name, meaning, value and the reason."""
    facts = answer.plan.book.vocabulary.facts
    return tuple(
        (name, facts[name].means, as_json.value_in_words(value), facts[name].why_absent or as_json.SAYS["declared"])
        for name, value in as_json.taken_as_absent(answer).items()
    )
