"""Whether a pack is fit to be published.

Every rule has its three stories, its source and its day; and the stories would notice if a condition were wrong
(mutation).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from comity.law.cases import Case, try_case
from comity.law.conditions import ALWAYS, FALSE, TRUE, UNKNOWN, All, Condition, Constant, Not, Truth
from comity.law.folding import FIXED_NAMESPACES, HOME, World, fold
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
    if not rule.source.row and rule.law != "house":
        yield _problem(rule, "it has no 'row'; name the row of the fact sheet it was made from")
    if rule.effect == "forbid" and not rule.cures:
        yield _problem(rule, 'a forbid says what would lift it: cure = ["…"], or ["respect"] where nothing does')


def _law_problems(law: Law) -> Iterator[Problem]:
    if law.decides and not law.covers:
        yield Problem(law.source.file, law.source.line, law.id, "it covers nothing, so it can never permit")
    if not law.blind_spots:
        yield Problem(law.source.file, law.source.line, law.id, "it names no blind spot; every law has some")


def _problem(rule: Rule, what: str) -> Problem:
    return Problem(rule.source.file, rule.source.line, rule.id, what)


def _story_problems(book: Lawbook, law: Law, cases: Sequence[Case]) -> Iterator[Problem]:
    """Yield the rules that want a story: one that fires the rule, one that just misses it, one where it is unknown."""
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
    """Change each conjunct of each rule's condition, drop it or turn it round, and see whether a story notices.

    The stories are those of the rule's law and of the laws whose rules it lifts or whose slots it fills. Each is
    decided by these laws alone (`family`), and only where the change makes the rule's truth another one: else nothing
    can differ.
    """
    families: dict[tuple[str, ...], tuple[Lawbook, list[_Scene]]] = {}
    for law in book.laws:
        small = family(book, law)
        key = tuple(item.id for item in small.laws)
        if key not in families:
            families[key] = small, [_Scene(small, case) for case in cases if case.law in key]
        yield from _law_mutants(law, *families[key])


def _law_mutants(law: Law, small: Lawbook, scenes: Sequence[_Scene]) -> Iterator[Mutant]:
    for position, rule in enumerate(law.rules):
        if rule.effect != "duty" and not isinstance(rule.when, Constant):
            reached = _reached(small, rule)
            near = [scene for scene in scenes if scene.case.law in reached and rule.span.holds(scene.case.day)]
            yield from _mutants(small, law, position, [(scene, scene.truths(law, rule)) for scene in near])


def _mutants(book: Lawbook, law: Law, position: int, near: Sequence[tuple[_Scene, _Truths]]) -> Iterator[Mutant]:
    rule = law.rules[position]
    for number, (change, condition) in enumerate(mutations(rule.when)):
        changed = replace(law, rules=(*law.rules[:position], replace(rule, when=condition), *law.rules[position + 1 :]))
        other = replace(book, laws=tuple(changed if item.id == law.id else item for item in book.laws))
        touched = (scene.case for scene, truths in near if any(place[number] != whole for whole, place in truths))
        yield Mutant(rule.id, change, _first_failing(other, touched))


def mutations(condition: Condition) -> Iterator[tuple[str, Condition]]:
    """Yield each condition that differs in one conjunct: dropped, or turned round."""
    parts = conjuncts(condition)
    for number, part in enumerate(parts):
        others = (*parts[:number], *parts[number + 1 :])
        yield f"conjunct {number + 1} dropped", All(others) if others else ALWAYS
        turned = part.part if isinstance(part, Not) else Not(part)
        yield f"conjunct {number + 1} turned round", All((*others, turned)) if others else turned


def family(book: Lawbook, law: Law) -> Lawbook:
    """Return a book of one law and of all that exceptions and filled slots tie to it, directly or not."""
    owner = {rule.id: item.id for item in book.laws for rule in item.rules}
    owner |= {slot.id: item.id for item in book.laws for slot in item.slots}
    pairs = [
        (item.id, owner[name])
        for item in book.laws
        for rule in item.rules
        for name in (*rule.exception_to, *rule.fills)
    ]
    found = {law.id}
    while more := {other for pair in pairs if found.intersection(pair) for other in pair} - found:
        found |= more
    return replace(book, laws=tuple(item for item in book.laws if item.id in found))


def _reached(book: Lawbook, rule: Rule) -> set[str]:
    """Return the laws whose answer a rule can change: its own, and what it lifts or fills, if by another exception."""
    waiting, seen = [rule.id], {rule.id, *rule.fills}
    while waiting:
        lifted = {name for item in book.rules() if item.id == waiting[-1] for name in item.exception_to} - seen
        waiting = [*waiting[:-1], *lifted]
        seen |= lifted
    return {name.partition("/")[0].partition(":")[0] for name in seen}


_Truths = list[tuple[Truth, list[Truth]]]
"""For each set of places in which a law of the story is asked: the truth of a rule, and that of each of its mutants."""


class _Scene:
    """A story and the few laws that are asked about it."""

    def __init__(self, book: Lawbook, case: Case) -> None:
        self.book = book
        self.case = replace(case, overall="")

    @cached_property
    def worlds(self) -> list[World]:
        """The story as each law sees it: in the places where that law may govern."""
        case = self.case
        fixed = {name: value for name, value in case.facts.items() if name.partition(".")[0] in FIXED_NAMESPACES}
        homes = case.facts.get(HOME)
        local = fold(self.book, fixed, case.day).at(homes if isinstance(homes, frozenset) else None)
        places = dict.fromkeys([local.homes, *(inner.homes for inner in local.inner.values())])
        return [World(self.book, {**case.facts, HOME: here}, case.day) for here in places] if local.laws else []

    def truths(self, law: Law, rule: Rule) -> _Truths:
        """Return how far a rule and each of its mutants holds, wherever some law asks for it."""
        loosens = rule.effect in {"ground", "except"}
        parts = conjuncts(rule.when)
        turned = [part.part if isinstance(part, Not) else Not(part) for part in parts]
        found = []
        for world in self.worlds:
            plain = [world.truth(law, part, loosens=loosens) for part in parts]
            other = [world.truth(law, part, loosens=loosens) for part in turned]
            mutants = []
            for number in range(len(parts)):
                rest = min([TRUE, *plain[:number], *plain[number + 1 :]])
                mutants += [rest, min(rest, other[number])]
            found.append((min(plain), mutants))
        return found


def _first_failing(book: Lawbook, cases: Iterable[Case]) -> str:
    for case in cases:
        if try_case(book, case).problems:
            return case.name
    return ""
