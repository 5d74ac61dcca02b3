"""The whole answer as a reader sees it, counted once for the terminal, the page and programs, and its JSON form.

Somebody who is denied is told what forbids it; somebody who is asked about, what is open; somebody who may live
anywhere, only that, because what else is open depends on it. Every count here is of people told so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from comity.law import Verdict
from comity.law.conditions import tests
from comity.law.decisions import shown

if TYPE_CHECKING:
    from comity.check.answers import Answer, ColumnRead, Group
    from comity.law import Lawbook, Plan, Reason
    from comity.law.lawbook import Law, Obligation, Pack
    from comity.law.obligations import Merged

SCHEMA: Final = "comity.check/1"
"""The version of the JSON form; answer.schema.json describes it."""

HOME: Final = "person.home"
ANYWHERE: Final = "no-law:anywhere"
NO_LAW: Final = "no-law:"

OPT_OUTS: Final = frozenset(
    {"person.objected", "person.opt_out_signal", "consent.opted_out", "consent.opted_out_on", "consent.withdrawn"}
)
EVIDENCE: Final = {
    "consent.given_on": "the day",
    "consent.wording_kept": "the wording",
    "consent.source_kept": "the form or place",
    "consent.express": "whether it was express",
}

# Every sentence of this module, in one place.
SAYS: Final = {
    "no-law": "No law pack covers this place",
    "not-covered": "A law governs here whose rules for this case are not encoded",
    "home-narrower": "Where exactly do they live? The law differs between the places that are possible",
    "opted-out": "Opted out, objected, or took a consent back",
    "opt-outs-unknown": "Nothing says whether they opted out, objected, or took a consent back",
    "evidence": "A consent is marked, but its evidence is not on file: {parts}",
    "not-known": "Not known: {means}",
    "between": "between {opens} and {closes} their time",
    "not-before": "not before {opens} their time",
    "not-after": "not after {closes} their time",
    "to": "{first} to {last}",
    "parameter": "{means}: {value}",
    "quoted": "“{word}”",
    "declared": "declared by the source",
    "unknown": "not known",
    "yes": "yes",
    "no": "no",
}
DAYS: Final = {
    "mon": "Monday", "tue": "Tuesday", "wed": "Wednesday", "thu": "Thursday", "fri": "Friday", "sat": "Saturday",
    "sun": "Sunday", "holiday": "public holidays",
}  # fmt: skip


Heap = list[tuple["Group", list["Reason"]]]
"""Groups of people with those of their reasons that a reader sees as one."""

# ---------------------------------------------------------------- what is told to whom


@dataclass(frozen=True, slots=True, kw_only=True)
class CureTold:
    """What would lift an obstacle, and how many of its people it frees by itself.

    None where the cure is advice that no fact settles, so that nobody can be counted.
    """

    cure: str
    says: str
    frees: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTold:
    """One rule of an obstacle with the people it concerns."""

    reason: Reason
    people: int
    house: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """What a reader sees as one reason: the rules of several laws that make the same trouble."""

    says: str
    kind: str
    weight: Verdict
    people: int
    places: Mapping[str, int]
    everywhere: bool  # a house rule is among them, so the places are only where somebody happened to live
    rules: tuple[RuleTold, ...]  # the laws' before our own, then the most people first
    cures: tuple[CureTold, ...]

    @property
    def citations(self) -> tuple[tuple[str, bool], ...]:
        """What the rules cite, each once, with whether it is confirmed."""
        return tuple(
            dict.fromkeys((told.reason.cite, told.reason.confirmed) for told in self.rules if told.reason.cite)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Facts whose want keeps a verdict open, in words, with the people who would be settled by knowing them."""

    facts: tuple[str, ...]
    says: str
    people: int
    places: Mapping[str, int]
    citations: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """One obligation in one form, and how many permitted people's messages must carry it."""

    kind: str
    says: str
    words: str  # its parameters in words, which may be none
    sentence: str  # the obligation and its parameters together, without a full stop
    parameters: Mapping[str, object]
    rules: tuple[str, ...]
    people: int
    perhaps: int  # of these, those for whom the law may ask it, and it is better done
    places: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The people of one home, or under one law, by verdict."""

    name: str
    verdicts: Mapping[Verdict, int]
    conflict: bool = False
    stopped_by: Mapping[str, int] = field(default_factory=dict)  # of a home: law -> people it denies or asks about

    @property
    def people(self) -> int:
        """All of them."""
        return sum(self.verdicts.values())


def told(group: Group) -> tuple[Reason, ...]:
    """Return the reasons that the people of a group are told: see the head of this module."""
    verdict = group.finding.verdict
    decisive = tuple(reason for reason in group.finding.reasons if reason.weight is verdict is not Verdict.PERMIT)
    return tuple(reason for reason in decisive if reason.rule == ANYWHERE) or decisive


def lives_anywhere(group: Group) -> bool:
    """Tell whether these people are asked about because nobody knows where they live."""
    return any(reason.rule == ANYWHERE for reason in told(group))


def obstacles(
    answer: Answer, weight: Verdict, reasons_of: Callable[[Group], Iterable[Reason]] = told
) -> tuple[Obstacle, ...]:
    """Return what stands against the use with this weight, the most people first."""
    sorter = _Sorter(answer)
    heaps: dict[Hashable, Heap] = {}
    for group in answer.groups:
        alike: dict[Hashable, list[Reason]] = {}
        for reason in reasons_of(group):
            if reason.weight is weight:
                alike.setdefault(sorter.key(reason), []).append(reason)
        for key, reasons in alike.items():
            heaps.setdefault(key, []).append((group, reasons))
    found = [_obstacle(answer, sorter, key, heap) for key, heap in heaps.items()]
    return tuple(sorted(found, key=lambda obstacle: -obstacle.people))


class _Sorter:
    """Tells which reasons a reader sees as one, and whom a cure may free."""

    OPTED_OUT: Final = ("opted-out",)
    UNCOVERED: Final = ("no-law",)
    NOT_ENCODED: Final = ("not-covered",)
    TITLES: Final[Mapping[Hashable, str]] = {
        OPTED_OUT: SAYS["opted-out"],
        UNCOVERED: SAYS["no-law"],
        NOT_ENCODED: SAYS["not-covered"],
    }

    def __init__(self, answer: Answer) -> None:
        self.facts = {
            rule.id: frozenset(test.fact for test in tests(condition)) - {HOME}
            for folded in answer.plan.laws
            for rule, condition in folded.rules
        }

    def key(self, reason: Reason) -> Hashable:
        facts = self.facts.get(reason.rule, frozenset())
        on_consent = any(fact.startswith("consent.") and fact not in OPT_OUTS for fact in facts)
        match reason.kind:
            case "no-law" if reason.rule != ANYWHERE:
                return self.UNCOVERED
            case "not-covered":
                return self.NOT_ENCODED
            case "forbidden" if on_consent:
                return reason.kind, reason.cures
            case "forbidden" if facts & OPT_OUTS:
                return self.OPTED_OUT
            case "forbidden":
                return reason.kind, reason.cures, facts
            case "may-be-forbidden":
                return reason.kind, reason.cures, reason.missing
        return reason.kind, reason.cures, reason.says


def _obstacle(answer: Answer, sorter: _Sorter, key: Hashable, heap: Heap) -> Obstacle:
    people: Counter[str] = Counter()
    first: dict[str, Reason] = {}
    for group, reasons in heap:
        for reason in reasons:
            people[reason.rule] += group.people
            first.setdefault(reason.rule, reason)
    houses = {law.id for law in answer.plan.book.laws if law.is_house}
    rules = [
        RuleTold(reason=first[rule], people=count, house=first[rule].law in houses) for rule, count in people.items()
    ]
    rules.sort(key=lambda rule: (rule.house, -rule.people))
    lead = rules[0].reason
    return Obstacle(
        says=sorter.TITLES.get(key) or bare(lead.says),
        kind=lead.kind,
        weight=lead.weight,
        people=sum(group.people for group, _ in heap),
        places=_places_under(answer.plan, heap),
        everywhere=any(rule.house for rule in rules),
        rules=tuple(rules),
        cures=_cures(answer, heap),
    )


def _cures(answer: Answer, heap: Heap) -> tuple[CureTold, ...]:
    """Return what would lift an obstacle, and how many of its people each cure frees."""
    named: Counter[str] = Counter()
    freed: Counter[str] = Counter()
    for group, reasons in heap:
        cures = {cure for reason in reasons for cure in reason.cures}
        named.update(dict.fromkeys(cures, group.people))
        freed.update({cure: group.freed.get(cure, 0) for cure in cures})
    known = answer.plan.book.cures
    told = [
        CureTold(cure=cure, says=known[cure].says, frees=freed[cure] if known[cure].sets else None)
        for cure, _ in sorted(named.items(), key=lambda item: (-item[1], item[0]))
    ]
    return tuple(sorted(told, key=lambda cure: -(cure.frees or 0)))


def _places(groups: Iterable[Group]) -> Mapping[str, int]:
    """Count people by place, the most first; whoever may live in several places counts in each, '' is nowhere known."""
    found: Counter[str] = Counter()
    for group in groups:
        for place in group.homes.split("|"):
            found[place] += group.people
    return dict(found.most_common())


def _places_under(plan: Plan, heap: Heap) -> Mapping[str, int]:
    """Count people by place; of several possible homes only those that a law among their reasons protects."""
    found: Counter[str] = Counter()
    for group, reasons in heap:
        homes = group.homes.split("|")
        protected = frozenset[str]().union(*(_protected(plan, reason.law) for reason in reasons))
        found.update(dict.fromkeys([home for home in homes if _overlap(plan, home, protected)] or homes, group.people))
    return dict(found.most_common())


def _overlap(plan: Plan, home: str, places: frozenset[str]) -> bool:
    return bool(home) and not places.isdisjoint(plan.book.vocabulary.places.expand([home]))


@lru_cache(maxsize=1024)
def _protected(plan: Plan, law: str) -> frozenset[str]:
    """Return the places whose people a law protects on the day; none for our own rules, nor where no law is named."""
    places = plan.book.vocabulary.places
    words = plan.book.law(law).territory if law else ()
    groups = (places.group(word, plan.day) if word in places.groups else places.expand([word]) for word in words)
    return frozenset[str]().union(*groups)


# ---------------------------------------------------------------- what to ask


def missing_facts(answer: Answer) -> tuple[Missing, ...]:
    """Return every missing fact by itself, the most people first."""
    return _missing(answer, lambda fact: fact)


def questions(answer: Answer) -> tuple[Missing, ...]:
    """Return the missing facts as one would ask for them: the evidence of a consent together, and all opt-outs."""
    return _missing(answer, lambda fact: "evidence" if fact in EVIDENCE else "opt-outs" if fact in OPT_OUTS else fact)


def _missing(answer: Answer, name: Callable[[str], str]) -> tuple[Missing, ...]:
    heaps: dict[str, list[Group]] = {}
    facts: dict[str, set[str]] = {}
    cites: dict[str, Counter[str]] = {}
    for group in answer.groups:
        wanted: dict[str, list[Reason]] = {}
        for reason in told(group):
            for fact in reason.missing:
                if fact != HOME or not (group.conflict or reason.rule == ANYWHERE):  # these are told apart
                    facts.setdefault(name(fact), set()).add(fact)
                    wanted.setdefault(name(fact), []).append(reason)
        for question, reasons in wanted.items():
            heaps.setdefault(question, []).append(group)
            cites.setdefault(question, Counter()).update(
                dict.fromkeys((reason.cite for reason in reasons), group.people)
            )
    found = [
        Missing(
            facts=tuple(sorted(facts[question])),
            says=_question(answer.plan.book, question, facts[question]),
            people=sum(group.people for group in heap),
            places=_places(heap),
            citations=tuple(cite for cite, _ in cites[question].most_common() if cite),
        )
        for question, heap in heaps.items()
    ]
    return tuple(sorted(found, key=lambda missing: -missing.people))


def _question(book: Lawbook, question: str, facts: set[str]) -> str:
    if question == "evidence":
        return SAYS["evidence"].format(parts=", ".join(words for fact, words in EVIDENCE.items() if fact in facts))
    if question == "opt-outs":
        return SAYS["opt-outs-unknown"]
    if question == HOME:
        return SAYS["home-narrower"]
    return SAYS["not-known"].format(means=uncapped(bare(book.vocabulary.facts[question].means)))


def people_told(answer: Answer, kind: str) -> int:
    """Count those who are told a reason of this kind, each once."""
    return sum(group.people for group in answer.groups if any(reason.kind == kind for reason in told(group)))


def people_anywhere(answer: Answer) -> int:
    """Count those who are asked about because nobody knows where they live."""
    return sum(group.people for group in answer.groups if lives_anywhere(group))


def home_unknown(answer: Answer) -> tuple[int, Mapping[str, int]]:
    """Return how many are asked about for want of any home, and the places that weak evidence points to."""
    lost = [group for group in answer.groups if lives_anywhere(group) and not group.homes]
    hints: Counter[str] = Counter()
    for group in lost:
        hints[group.hint] += group.people
    return sum(group.people for group in lost), {place: people for place, people in hints.most_common() if place}


def home_vague(answer: Answer) -> Mapping[str, int]:
    """Return homes too wide to be answered for, as a country whose states differ, with their people."""
    found: Counter[str] = Counter()
    for group in answer.groups:
        if lives_anywhere(group) and group.homes and not group.conflict:
            found["|".join(countries(answer, group.homes.split("|")))] += group.people
    return dict(found.most_common())


def uncovered_places(answer: Answer) -> Mapping[str, int]:
    """Return the places that no law pack covers, with the people who (may) live there, the most first."""
    found: Counter[str] = Counter()
    for group in answer.groups:
        for reason in told(group):
            if reason.kind == "no-law" and reason.rule != ANYWHERE:
                found.update(dict.fromkeys(reason.rule.removeprefix(NO_LAW).split("|"), group.people))
    return dict(found.most_common())


def conflicts(answer: Answer, verdicts: Iterable[Verdict] = (Verdict.ASK,)) -> Mapping[str, int]:
    """Return the homes between which the evidence cannot choose, with the people of these verdicts."""
    wanted = frozenset(verdicts)
    found: Counter[str] = Counter()
    for group in answer.groups:
        if group.conflict and group.finding.verdict in wanted:
            found[group.homes] += group.people
    return dict(found.most_common())


def unsettled(answer: Answer) -> tuple[Obstacle, ...]:
    """Return what no fact settles: a human decides, a law is not encoded for this case, obligations contradict."""
    return obstacles(answer, Verdict.ASK, _unsettled)


def _unsettled(group: Group) -> Iterator[Reason]:
    """Yield these reasons; where no pack covers the place, that is told, and not once more by each law."""
    placeless = any(reason.kind == "no-law" for reason in told(group))
    kinds = {"human-decides", "obligations-clash"} | (set() if placeless else {"not-covered"})
    yield from (reason for reason in told(group) if reason.kind in kinds)


# ---------------------------------------------------------------- what a permitted message carries


def carried(answer: Answer) -> tuple[Carried, ...]:
    """Return the obligations of those who are permitted, the most people first; forms of one kind stand together."""
    heaps: dict[tuple[str, str], list[tuple[Group, Merged]]] = {}
    for group in answer.groups:
        if group.finding.verdict is Verdict.PERMIT:
            for item in group.finding.obligations:
                form = item.kind, repr(sorted(item.parameters.items()))
                heaps.setdefault(form, []).append((group, item))
    found = [_carried(answer.plan.book, heap) for heap in heaps.values()]
    totals: Counter[str] = Counter()
    for told_so in found:
        totals[told_so.kind] += told_so.people
    return tuple(sorted(found, key=lambda item: (-totals[item.kind], item.kind, -item.people)))


def _carried(book: Lawbook, heap: list[tuple[Group, Merged]]) -> Carried:
    first = heap[0][1]
    return Carried(
        kind=first.kind,
        says=first.says,
        words=parameters_in_words(book, first),
        sentence=obligation_in_words(book, first),
        parameters=first.parameters,
        rules=tuple(dict.fromkeys(rule for _, item in heap for rule in item.rules)),
        people=sum(group.people for group, _ in heap),
        perhaps=sum(group.people for group, item in heap if not item.certain),
        places=_places(group for group, _ in heap),
    )


def obligation_in_words(book: Lawbook, item: Merged | Obligation) -> str:
    """Return an obligation with its parameters, without a full stop; hours speak for themselves."""
    words, says = parameters_in_words(book, item), bare(book.obligations[item.kind].says)
    if {"from", "until"} & item.parameters.keys():
        return words[0].upper() + words[1:]
    return f"{says} ({words})" if words else says


def parameters_in_words(book: Lawbook, item: Merged | Obligation) -> str:
    """Return an obligation's parameters in words: 'between 08:00 and 20:00 their time, Monday to Saturday'."""
    parameters, known = item.parameters, book.obligations[item.kind].parameters
    words = [_hours(parameters.get("from"), parameters.get("until"))]
    for name, value in parameters.items():
        match known[name].kind:
            case "flag" if value:
                words.append(known[name].means)
            case "number":
                words.append(measured(value, known[name].means))
            case "words":
                quoted = ", ".join(SAYS["quoted"].format(word=word) for word in _words(value))
                words.append(SAYS["parameter"].format(means=known[name].means, value=quoted))
            case "days":
                words.append(days_in_words(_words(value)))
    return ", ".join(filter(None, words))


def _words(value: object) -> tuple[str, ...]:
    return tuple(str(word) for word in value) if isinstance(value, (tuple, list)) else (str(value),)


def _hours(opens: object, closes: object) -> str:
    match opens is not None, closes is not None:
        case True, True:
            return SAYS["between"].format(opens=opens, closes=closes)
        case True, False:
            return SAYS["not-before"].format(opens=opens)
        case False, True:
            return SAYS["not-after"].format(closes=closes)
    return ""


def days_in_words(days: tuple[str, ...]) -> str:
    """Return days in the order of the week; three or more in a row as 'Monday to Saturday'."""
    order = list(DAYS)
    week = sorted((day for day in days if day in DAYS), key=order.index)
    runs: list[list[str]] = []
    for day in week:
        if runs and day != "holiday" and order.index(day) == order.index(runs[-1][-1]) + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    told_so = (
        [SAYS["to"].format(first=DAYS[run[0]], last=DAYS[run[-1]])] if len(run) > 2 else [DAYS[day] for day in run]  # noqa: PLR2004 - two days read best side by side
        for run in runs
    )
    return ", ".join(words for run in told_so for words in run)


# ---------------------------------------------------------------- by home, by law, and what the answer rests on


def by_home(answer: Answer) -> tuple[Split, ...]:
    """Return the people of each home by verdict, the most first."""
    verdicts: dict[tuple[str, bool], Counter[Verdict]] = {}
    stopped: dict[tuple[str, bool], Counter[str]] = {}
    for group in answer.groups:
        home = group.homes, group.conflict
        verdicts.setdefault(home, _no_verdicts())[group.finding.verdict] += group.people
        laws = dict.fromkeys((reason.law for reason in told(group) if reason.law), group.people)
        stopped.setdefault(home, Counter()).update(laws)
    splits = (
        Split(name=home, conflict=conflict, verdicts=counts, stopped_by=dict(stopped[home, conflict].most_common()))
        for (home, conflict), counts in verdicts.items()
    )
    return tuple(sorted(splits, key=lambda split: (-split.people, split.name)))


def by_law(answer: Answer) -> tuple[Split, ...]:
    """Return, by law, what it answers for those whom it governs or may govern, the most people first."""
    verdicts: dict[str, Counter[Verdict]] = {}
    for group in answer.groups:
        for law in group.finding.laws:
            verdicts.setdefault(law.law, _no_verdicts())[law.verdict] += group.people
    splits = (Split(name=law, verdicts=counts) for law, counts in verdicts.items())
    return tuple(sorted(splits, key=lambda split: (-split.people, split.name)))


def _no_verdicts() -> Counter[Verdict]:
    return Counter(dict.fromkeys(Verdict, 0))


def laws_asked(answer: Answer) -> tuple[Law, ...]:
    """Return the laws that governed, or possibly governed, somebody."""
    asked = set(answer.laws_asked)
    return tuple(law for law in answer.plan.book.laws if law.id in asked)


def packs_with(book: Lawbook, laws: Iterable[str]) -> tuple[Pack, ...]:
    """Return the packs that hold the laws with these ids."""
    holding = {book.law(law).pack for law in laws}
    return tuple(pack for pack in book.packs if pack.id in holding)


def taken_as_absent(answer: Answer) -> Mapping[str, object]:
    """Return the facts that nobody recorded for somebody here, and what their absence was taken to mean."""
    found = {name: value for group in answer.groups for name, value in group.decision.absent.items()}
    return dict(sorted(found.items()))


def use_facts(plan: Plan) -> Mapping[str, object]:
    """Return what is known of the use and of us, beyond what absence means."""
    facts = plan.book.vocabulary.facts
    return {
        name: value for name, value in sorted(plan.fixed.items()) if value is not None and value != facts[name].absent
    }


# ---------------------------------------------------------------- words


def bare(sentence: str) -> str:
    """Return a sentence without its full stop."""
    return sentence.strip().removesuffix(".")


def uncapped(sentence: str) -> str:
    """Return a sentence with a small first letter, unless its first word is an abbreviation."""
    return sentence if sentence[1:2].isupper() else sentence[:1].lower() + sentence[1:]


def columns_json(columns: Iterable[ColumnRead]) -> list[dict[str, Any]]:
    """Return what was understood of every column as JSON values."""
    return [
        {
            "header": column.header,
            "role": column.role,
            "says": column.says,
            "fact": column.fact,
            "unreadable": column.unreadable,
        }
        for column in columns
    ]


def measured(number: object, unit: str) -> str:
    """Return '5 years' and '1 year': a unit is a plural, and may have words behind it."""
    first, *rest = unit.split(" ")
    shown_so = f"{number:,}" if isinstance(number, int | float) else str(number)
    return " ".join([shown_so, first.removesuffix("s") if number == 1 else first, *rest])


def value_in_words(value: object) -> str:
    """Return a fact's value as a reader sees it."""
    match shown(value):
        case None:
            return SAYS["unknown"]
        case bool(truth):
            return SAYS["yes" if truth else "no"]
        case list(words):
            return ", ".join(str(word) for word in words)
        case {"min": low, **rest}:
            high = rest.get("max")
            return f"{low}+" if high is None else f"{low}-{high}" if low != high else f"{low}"
        case other:
            return str(other)


def ignored(column: ColumnRead) -> bool:
    """Tell whether a column plays no part."""
    return column.role in {"ignore", "ignored"}


@cache
def place_name(code: str, *, chinese: bool = False) -> str:
    """Return a place's name ('Germany', 'United States, CA'); the code itself where it has none."""
    country, _, part = code.partition("-")
    name = _names("place_names_zh.tsv" if chinese else "place_names.tsv").get(country, country)
    return f"{name}, {part}" if part else name


@cache
def _names(table: str) -> dict[str, str]:
    """Return the countries' names by code, as `tools/home_data.py` wrote them down."""
    text = (files("comity.check") / "data" / table).read_text("utf-8")
    return dict(line.split("\t") for line in text.splitlines() if not line.startswith("#"))


def countries(answer: Answer, codes: Iterable[str]) -> tuple[str, ...]:
    """Return places in the order given, the states of a split country told as the country where there are several."""
    split = answer.plan.book.vocabulary.places.subdivisions
    found: dict[str, list[str]] = {}
    for code in codes:
        country = code.partition("-")[0]
        found.setdefault(country if country in split else code, []).append(code)
    return tuple(codes[0] if len(codes) == 1 else country for country, codes in found.items())


# ---------------------------------------------------------------- for programs


def answer_json(answer: Answer) -> dict[str, Any]:
    """Return the answer as JSON values. No cell of the file is in it but the country texts nobody understood."""
    book = answer.plan.book
    return {
        "schema": SCHEMA,
        "file": answer.file,
        "dialect": answer.dialect,
        "day": answer.plan.day.isoformat(),
        "use": {"says": answer.use, "facts": {name: shown(value) for name, value in use_facts(answer.plan).items()}},
        "headline": answer.headline,
        "counts": {
            "rows": answer.rows,
            "decided": answer.people,
            **{verdict.value: answer.by_verdict[verdict] for verdict in Verdict},
            "not_read": len(answer.rejects),
        },
        "by_home": [
            {"home": split.name, "conflict": split.conflict, **_split(split), "stopped_by": dict(split.stopped_by)}
            for split in by_home(answer)
        ],
        "by_law": [{"law": split.name, "name": book.law(split.name).name, **_split(split)} for split in by_law(answer)],
        "reasons": [
            _obstacle_json(obstacle)
            for weight in (Verdict.DENY, Verdict.ASK)
            for obstacle in obstacles(answer, weight)
        ],
        "cures": [
            {"cure": freed.cure, "says": freed.says, "frees": freed.people}
            for freed in sorted(answer.freed.values(), key=lambda freed: -freed.people)
        ],
        "missing": [
            {"fact": item.facts[0], "means": book.vocabulary.facts[item.facts[0]].means, "people": item.people}
            for item in missing_facts(answer)
        ],
        "home_unknown": _home_unknown(answer),
        "home_vague": [{"homes": homes.split("|"), "people": people} for homes, people in home_vague(answer).items()],
        "not_covered": [{"place": place, "people": people} for place, people in uncovered_places(answer).items()],
        "conflicts": [
            {"homes": homes.split("|"), "people": people} for homes, people in conflicts(answer, Verdict).items()
        ],
        "unresolved_places": [{"text": text, "rows": rows} for text, rows in _most(answer.unresolved_places)],
        "obligations": [
            {
                "kind": item.kind, "says": item.says, "words": item.words,
                "parameters": {name: shown(value) for name, value in item.parameters.items()},
                "people": item.people, "perhaps": item.perhaps, "rules": list(item.rules),
            }
            for item in carried(answer)
        ],
        "absent": [
            {"fact": name, "taken_as": shown(value), "why": book.vocabulary.facts[name].why_absent or SAYS["declared"]}
            for name, value in taken_as_absent(answer).items()
        ],
        "assumed": [{"fact": name, "says": says} for name, says in sorted(answer.plan.assumed.items())],
        "columns": columns_json(answer.columns),
        "not_read": [{"row": reject.row, "why": reject.why} for reject in answer.rejects],
        "packs": [
            {"pack": pack.id, "version": pack.version, "sha256": pack.sha256}
            for pack in packs_with(book, answer.laws_asked)
        ],
        "blind_spots": [
            {"law": law.id, "says": list(law.blind_spots)} for law in laws_asked(answer) if law.blind_spots
        ],
        "notes": list(answer.notes),
    }  # fmt: skip


def _split(split: Split) -> dict[str, int]:
    return {"people": split.people, **{verdict.value: split.verdicts[verdict] for verdict in Verdict}}


def _home_unknown(answer: Answer) -> dict[str, Any]:
    people, hints = home_unknown(answer)
    return {"people": people, "weak_evidence": [{"place": place, "people": count} for place, count in hints.items()]}


def _obstacle_json(obstacle: Obstacle) -> dict[str, Any]:
    return {
        "says": obstacle.says, "kind": obstacle.kind, "weight": obstacle.weight.value, "people": obstacle.people,
        "places": [{"place": place, "people": people} for place, people in obstacle.places.items()],
        "rules": [
            {
                "law": rule.reason.law, "rule": rule.reason.rule, "says": rule.reason.says, "cite": rule.reason.cite,
                "url": rule.reason.url, "confidence": "confirmed" if rule.reason.confirmed else "unconfirmed",
                "missing": list(rule.reason.missing), "people": rule.people,
            }
            for rule in obstacle.rules
        ],
        "cures": [
            {"cure": cure.cure, "says": cure.says, "frees": cure.frees}
            for cure in obstacle.cures
        ],
    }  # fmt: skip


def _most(counted: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    yield from sorted(counted.items(), key=lambda item: (-item[1], item[0]))
