"""Whether the stories of a pack's duties would notice if a duty were wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TypeVar

from comity.law.clocks import Almanac, read_period
from comity.law.conditions import FALSE, TRUE, UNKNOWN, Constant
from comity.law.duties import owed_by
from comity.law.duty_cases import DutyCase, problems_of
from comity.law.folding import World
from comity.law.lawbook import Duty, Extension, Law, Lawbook, Pause, Rule, Stop
from comity.law.lint import Mutant, Problem, conjuncts, mutations

Part = TypeVar("Part", Pause, Extension, Stop)

WANTED = {
    "fires": "a story that fires it",
    "misses": "one that just misses it",
    "unknown": "one in which it is unknown",
}


def lint_duties(book: Lawbook, cases: Sequence[DutyCase]) -> list[Problem]:
    """Return the duties that want a story."""
    by_law: dict[str, list[DutyCase]] = defaultdict(list)
    for case in cases:
        by_law[case.law].append(case)
    return [problem for law in book.laws for problem in _unseen(book, law, by_law[law.id])]


def _unseen(book: Lawbook, law: Law, cases: Sequence[DutyCase]) -> Iterator[Problem]:
    duties = [rule for rule in law.rules if rule.duty is not None]
    seen: dict[str, set[str]] = defaultdict(set)
    for case in cases if duties else ():
        world = World(book, case.facts, case.day)
        for rule in duties:
            if rule.duty is not None and rule.span.holds(case.day) and rule.duty.event == case.facts["event.kind"]:
                seen[_key(rule)].add(_kind(world, law, rule))
    for rule in duties:
        kinds = ("fires",) if isinstance(rule.when, Constant) else tuple(WANTED)
        missing = [WANTED[kind] for kind in kinds if kind not in seen[_key(rule)]]
        if missing:
            what = f"its cases want {', '.join(missing)}"
            yield Problem(rule.source.file, rule.source.line, rule.id, what)


def _key(rule: Rule) -> str:
    return f"{rule.id} {rule.span.start}"


def _kind(world: World, law: Law, rule: Rule) -> str:
    whole = world.truth(law, rule.when)
    if whole == TRUE:
        return "fires"
    if whole == UNKNOWN:
        return "unknown"
    failing = sum(world.truth(law, part) == FALSE for part in conjuncts(rule.when))
    return "misses" if failing == 1 else "fails"


# ---------------------------------------------------------------- mutation


@dataclass(frozen=True, slots=True)
class _Story:
    """A case with what its law owes as it stands."""

    case: DutyCase
    owed: tuple[object, ...]


def mutate_duties(book: Lawbook, cases: Sequence[DutyCase], almanac: Almanac) -> Iterator[Mutant]:
    """Change each duty in one place and see whether a story notices: its condition, its period, each of its parts."""
    for law in book.laws:
        own = [case for case in cases if case.law == law.id]
        for rule in (rule for rule in law.rules if rule.duty is not None):
            alone = replace(law, rules=(rule,))
            stories = [
                _Story(case, owed_by(book, [alone], case.facts, case.day, almanac))
                for case in own
                if rule.duty is not None and rule.span.holds(case.day) and case.facts["event.kind"] == rule.duty.event
            ]
            for change, mutant in _changed(rule):
                yield Mutant(rule.id, change, _noticed(book, law, rule, mutant, stories, almanac))


def _noticed(  # noqa: PLR0917 (the law, what was changed in it, and who may notice)
    book: Lawbook, law: Law, rule: Rule, mutant: Rule, stories: Sequence[_Story], almanac: Almanac
) -> str:
    alone = replace(law, rules=(mutant,))
    whole = replace(law, rules=tuple(mutant if item is rule else item for item in law.rules))
    for story in stories:
        case = story.case
        touched = owed_by(book, [alone], case.facts, case.day, almanac) != story.owed
        if touched and problems_of(book, whole, case, almanac):
            return case.name
    return ""


def _changed(rule: Rule) -> Iterator[tuple[str, Rule]]:
    if not isinstance(rule.when, Constant):
        for change, condition in mutations(rule.when):
            yield change, replace(rule, when=condition)
    if rule.duty is not None:
        for change, duty in _changed_duty(rule.duty):
            yield change, replace(rule, duty=duty)


def _changed_duty(duty: Duty) -> Iterator[tuple[str, Duty]]:
    yield from _other_day(duty)
    for number in range(len(duty.pauses)):
        yield f"pause {number + 1} taken away", replace(duty, pauses=_without(duty.pauses, number))
    for number in range(len(duty.extensions)):
        yield f"extension {number + 1} taken away", replace(duty, extensions=_without(duty.extensions, number))
    for number in range(len(duty.stops)):
        yield f"stop {number + 1} taken away", replace(duty, stops=_without(duty.stops, number))
    if duty.year_end:
        yield "not from the year's end", replace(duty, year_end=False)
    if duty.unless_done:
        yield "owed though done", replace(duty, unless_done=False)
    if duty.not_after:
        yield "not brought forward", replace(duty, not_after=())


def _without(parts: tuple[Part, ...], number: int) -> tuple[Part, ...]:
    return parts[:number] + parts[number + 1 :]


def _other_day(duty: Duty) -> Iterator[tuple[str, Duty]]:
    if duty.within:
        yield "within one more", replace(duty, within=_longer(duty.within))
    if duty.before:
        yield "before one more", replace(duty, before=_longer(duty.before))
    if duty.opens:
        yield "opens one more", replace(duty, opens=_longer(duty.opens))
    if isinstance(duty.by, date):
        yield "by a day later", replace(duty, by=duty.by + timedelta(days=1))
    elif duty.by:
        yield "by another day", replace(duty, by="06-15" if duty.by != "06-15" else "06-16")
    if not any((duty.within, duty.by, duty.before, duty.opens)):
        yield "not at once", replace(duty, within="10 days")


def _longer(text: str) -> str:
    period = read_period(text)
    return str(replace(period, number=period.number + 1))
