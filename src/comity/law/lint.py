"""Is a pack fit to be published? Every rule has its three stories, its source and its day; and the stories would notice if
a condition were wrong (mutation).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from comity.law.cases import Case, try_case
from comity.law.conditions import ALWAYS, FALSE, TRUE, UNKNOWN, All, Condition, Constant, Not
from comity.law.folding import World
from comity.law.lawbook import Law, Lawbook, Rule


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a pack, where, and what to do."""

    file: str
    line: int
    rule: str
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule}: {self.what}"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A rule whose condition was changed in one place, and whether some story noticed."""

    rule: str
    change: str
    caught_by: str


def lint(book: Lawbook, cases: Sequence[Case]) -> list[Problem]:
    """Return what is wrong with the packs beyond what loading already refuses."""
    problems = [problem for rule in book.rules() for problem in _rule_problems(rule)]
    by_law: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        by_law[case.law].append(case)
    for law in book.laws:
        problems += _law_problems(law)
        problems += _story_problems(book, law, by_law[law.id])
    return problems


def _rule_problems(rule: Rule) -> Iterator[Problem]:
    if rule.checked is None:
        yield _problem(rule, "it has no 'checked'; name the day somebody last compared it with its source")
    if not rule.source.row and not rule.law == "house":
        yield _problem(rule, "it has no 'row'; name the row of the fact sheet it was made from")
    if rule.effect == "forbid" and not rule.cures:
        yield _problem(rule, 'a forbid says what would lift it: cure = ["…"], or ["respect"] where nothing does')


def _law_problems(law: Law) -> Iterator[Problem]:
    if not law.covers:
        yield Problem(law.source.file, law.source.line, law.id, "it covers nothing, so it can never permit")
    if not law.blind_spots:
        yield Problem(law.source.file, law.source.line, law.id, "it names no blind spot; every law has some")


def _problem(rule: Rule, what: str) -> Problem:
    return Problem(rule.source.file, rule.source.line, rule.id, what)


def _story_problems(book: Lawbook, law: Law, cases: Sequence[Case]) -> Iterator[Problem]:
    """Yield the rules for which a story is wanting: one that fires it, one that just misses it, one where it is unknown."""
    seen: dict[str, set[str]] = defaultdict(set)
    for case in cases:
        world = World(book, case.facts, case.day)
        governs = world.truth(law, law.governs)
        for rule in law.rules:
            if rule.span.holds(case.day) and governs != FALSE:
                seen[f"{rule.id} {rule.span.start}"].add(_kind(world, law, rule))
    wanted = {
        "fires": "a story that fires it",
        "misses": "one that just misses it",
        "unknown": "one in which it is unknown",
    }
    for rule in law.rules:
        if rule.effect == "duty":
            continue
        kinds = ("fires",) if isinstance(rule.when, Constant) else tuple(wanted)
        missing = [wanted[kind] for kind in kinds if kind not in seen[f"{rule.id} {rule.span.start}"]]
        if missing:
            yield _problem(rule, f"its cases want {', '.join(missing)}")


def _kind(world: World, law: Law, rule: Rule) -> str:
    """Tell whether the rule fires in a story, is unknown, just misses (one conjunct fails) or fails more widely."""
    whole = world.truth(law, rule.when)
    if whole == TRUE:
        return "fires"
    if whole == UNKNOWN:
        return "unknown"
    failing = sum(world.truth(law, part) == FALSE for part in conjuncts(rule.when))
    return "misses" if failing == 1 else "fails"


def conjuncts(condition: Condition) -> tuple[Condition, ...]:
    """Return the parts of a condition that must all hold."""
    return condition.parts if isinstance(condition, All) else (condition,)


def mutate(book: Lawbook, cases: Sequence[Case]) -> Iterator[Mutant]:
    """Change each conjunct of each rule's condition, drop it or turn it round, and see whether a story notices."""
    for law in book.laws:
        stories = [case for case in cases if case.law == law.id]
        relatives = _relatives(book, law)
        for position, rule in enumerate(law.rules):
            if rule.effect != "duty" and not isinstance(rule.when, Constant):
                in_days = [case for case in stories if rule.span.holds(case.day)]
                for change, condition in mutations(rule.when):
                    changed = replace(law, rules=_with(law.rules, position, replace(rule, when=condition)))
                    small = replace(book, laws=(changed, *relatives))
                    yield Mutant(rule.id, change, _first_failing(small, in_days))


def _with(rules: tuple[Rule, ...], position: int, rule: Rule) -> tuple[Rule, ...]:
    return (*rules[:position], rule, *rules[position + 1 :])


def mutations(condition: Condition) -> Iterator[tuple[str, Condition]]:
    """Yield each condition that differs in one conjunct: dropped, or turned round."""
    parts = conjuncts(condition)
    for number, part in enumerate(parts):
        others = (*parts[:number], *parts[number + 1 :])
        yield f"conjunct {number + 1} dropped", All(others) if others else ALWAYS
        turned = part.part if isinstance(part, Not) else Not(part)
        yield f"conjunct {number + 1} turned round", All((*others, turned)) if others else turned


def _first_failing(book: Lawbook, cases: Iterable[Case]) -> str:
    for case in cases:
        if try_case(book, replace(case, overall="")).problems:
            return case.name
    return ""


def _relatives(book: Lawbook, law: Law) -> tuple[Law, ...]:
    """Return the other laws whose exceptions and grounds reach into this one."""
    mine = {rule.id for rule in law.rules} | {slot.id for slot in law.slots}
    found: list[Law] = []
    for other in book.laws:
        if other.id != law.id and any({*rule.exception_to, *rule.fills} & mine for rule in other.rules):
            found.append(other)
    return tuple(found)
