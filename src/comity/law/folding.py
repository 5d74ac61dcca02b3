"""Fold the law for one use on one day: dates, definitions, parameters and all we know of the use and of ourselves.

What remains are conditions on the person, which `LocalPlan` settles for the places the person may live in.
"""

from __future__ import annotations

import math
from calendar import monthrange
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Final

from comity.law.conditions import (
    ALWAYS,
    FALSE,
    NEVER,
    TRUE,
    UNKNOWN,
    All,
    ByPlace,
    Capped,
    Condition,
    Constant,
    GroupName,
    Named,
    Not,
    Parameter,
    Same,
    Some,
    Test,
    Truth,
    all_of,
    capped,
    not_of,
    same_of,
    some_of,
    tests,
    truth,
    wanting,
)
from comity.law.lawbook import Cell, Law, Lawbook, Rule, Slot
from comity.law.vocabulary import Facts, Value

_BITS: Final = (0, 2, 3)  # false, unknown, true as the two bits of a signature
_TRUTHS: Final = (FALSE, UNKNOWN, UNKNOWN, TRUE)  # and back

FIXED_NAMESPACES = frozenset({"use", "data", "org", "actor", "event"})
"""Facts about the use and about us; the rest are facts about the person."""

TESTS_A_WORD: Final = 31
"""A signature is kept in words: two bits a test, 62 bits a BIGINT that no engine takes for a sign."""

HOME: Final = "person.home"
OUR_PLACE: Final = "org.place"

WHERE_THE_PERSON_LIVES: Final = frozenset({"the person's home"})
"""As org.place: we are taken to be established only where each person lives."""


@dataclass(frozen=True, slots=True)
class FoldedLaw:
    """A law in force, its conditions folded."""

    law: Law
    governs: Condition
    covers: Condition
    slots: tuple[tuple[Slot, Condition], ...]
    rules: tuple[tuple[Rule, Condition], ...]
    needed: tuple[Test, ...] = ()  # settled if the fact is known that an obligation cannot be met without


@dataclass(frozen=True, slots=True)
class LocalLaw:
    """A law where somebody lives, and every test of that person's other facts in it."""

    folded: FoldedLaw
    tests: tuple[Test, ...]


@dataclass(eq=False)
class Plan:
    """The law folded for one use by one entity on one day, to be asked about many people.

    `fixed` are the facts about the use and about us, `absent` what a missing fact about a person means here,
    `assumed` the facts nobody stated, with the words in which the decision says so.
    """

    book: Lawbook
    day: date
    fixed: Facts
    absent: Facts
    assumed: Mapping[str, str]
    laws: tuple[FoldedLaw, ...]
    index: dict[Test, int] = field(default_factory=dict)  # each test of a person's fact has two bits of the signature
    _local: dict[frozenset[str], LocalPlan] = field(default_factory=dict)
    _asked: dict[frozenset[str] | None, LocalPlan] = field(default_factory=dict)
    _covered: dict[str, Condition] = field(default_factory=dict)
    _governs: dict[tuple[str, str], Condition] = field(default_factory=dict)
    _at: dict[tuple[str, frozenset[Hashable]], LocalLaw] = field(default_factory=dict)
    _laws_of: dict[str, frozenset[str]] = field(default_factory=dict)
    _sides: dict[tuple[str, str], Hashable] = field(default_factory=dict)
    _placed: dict[str, tuple[Test | ByPlace, ...]] = field(default_factory=dict)
    _there: dict[Hashable, LawThere] = field(default_factory=dict)

    def at(self, homes: frozenset[str] | None) -> LocalPlan:
        """Return the plan for people who live in one of `homes`; None or nothing means anywhere."""
        if homes not in self._asked:
            places = self.book.vocabulary.places
            key = places.expand(homes) if homes else places.every
            if key not in self._local:
                self._local[key] = LocalPlan(self, key)
            self._asked[homes] = self._local[key]
        return self._asked[homes]

    def governs_at(self, folded: FoldedLaw, home: str) -> Condition:
        """Return when a law governs for somebody who lives in just this place."""
        key = (folded.law.id, home)
        if key not in self._governs:
            self._governs[key] = _local(folded.governs, frozenset({home}))
        return self._governs[key]

    def laws_of(self, home: str) -> frozenset[str]:
        """Return the ids of the laws that can govern for somebody who lives in just this place."""
        if home not in self._laws_of:
            laws = (folded for folded in self.laws if self.governs_at(folded, home) != NEVER)
            self._laws_of[home] = frozenset(folded.law.id for folded in laws)
        return self._laws_of[home]

    def law_at(self, folded: FoldedLaw, homes: frozenset[str]) -> LocalLaw:
        """Return a law for people who live in one of these places; many sets of places are the same to it."""
        key = (folded.law.id, frozenset(self._side(folded, home) for home in homes))
        if key not in self._at:
            local = _local_law(folded, homes)
            asked = (test for condition in _conditions(local) for test in tests(condition))
            self._at[key] = LocalLaw(local, tuple(dict.fromkeys(asked)))
        return self._at[key]

    def _side(self, folded: FoldedLaw, home: str) -> Hashable:
        """Return what a law makes of a home; two homes with the same are one to it."""
        key = (folded.law.id, home)
        if key not in self._sides:
            if folded.law.id not in self._placed:
                self._placed[folded.law.id] = tuple(dict.fromkeys(_placed(folded)))
            parts = self._placed[folded.law.id]
            self._sides[key] = tuple(
                _set_truth(frozenset({home}), part.operand) if isinstance(part, Test) else dict(part.own).get(home)
                for part in parts
            )
        return self._sides[key]

    @cached_property
    def tests(self) -> tuple[Test, ...]:
        """Every test of a person's fact that the law may make, wherever the person lives."""
        found = (test for folded in self.laws for condition in _conditions(folded) for test in tests(condition))
        return tuple(dict.fromkeys(test for test in found if test.fact != HOME))

    @cached_property
    def territories(self) -> Mapping[str, frozenset[str]]:
        """The places whose people each law protects, by its id."""
        places = self.book.vocabulary.places
        return {
            folded.law.id: frozenset[str]().union(
                *(
                    places.group(word, self.day) if word in places.groups else places.expand([word])
                    for word in folded.law.territory
                )
            )
            for folded in self.laws
        }

    def covered(self, home: str) -> Condition:
        """Return when some law that protects the people of `home` governs there and covers this use."""
        if home not in self._covered:
            here = frozenset({home})
            protecting = [folded for folded in self.laws if home in self.territories[folded.law.id]]
            self._covered[home] = some_of(
                [all_of([self.governs_at(folded, home), _local(folded.covers, here)]) for folded in protecting]
            )
        return self._covered[home]

    def position(self, test: Test) -> int:
        """Return the test's place in the signature, giving it one if it has none."""
        return self.index.setdefault(test, len(self.index))

    def care(self, asked: Iterable[Test]) -> int:
        """Return the bits of a signature that these tests set."""
        return sum(3 << (2 * self.position(test)) for test in asked)

    def truths(self, asked: Iterable[Test], signature: int) -> Mapping[Test, Truth]:
        """Read the truth of each of these tests out of a signature (bit pairs: 0 false, 2 unknown, 3 true)."""
        return {test: _TRUTHS[signature >> (2 * self.position(test)) & 3] for test in asked}

    def there(self, outer: FoldedLaw, inner: LocalPlan) -> LawThere:
        """Return a law that may govern in some of the places where a person may live; `inner` is for just these."""
        law_id = outer.law.id
        lending = (id(folded) for folded in inner.laws if folded.law.id in self._lending[law_id])
        key = (id(outer), len(inner.homes) == 1, *lending)  # `_at` keeps the folded laws
        if key not in self._there:
            self._there[key] = LawThere(outer.governs, inner, law_id)
        return self._there[key]

    @cached_property
    def _lending(self) -> Mapping[str, frozenset[str]]:
        """The laws whose exceptions and grounds bear on each law, by its id: its own, and those of others."""
        owner = {rule.id: folded.law.id for folded in self.laws for rule, _ in folded.rules}
        owner |= {slot.id: folded.law.id for folded in self.laws for slot, _ in folded.slots}
        lent: dict[str, set[str]] = {folded.law.id: {folded.law.id} for folded in self.laws}
        for folded in self.laws:
            for rule, _ in folded.rules:
                for target in (*rule.exception_to, rule.slot, *rule.fills):
                    if target in owner:
                        lent[owner[target]].add(folded.law.id)
        return {law_id: _reached(law_id, lent) for law_id in lent}

    @cached_property
    def tests_of(self) -> Mapping[str, tuple[Test, ...]]:
        """Every test of each fact."""
        found: dict[str, tuple[Test, ...]] = {}
        for test in self.tests:
            found[test.fact] = (*found.get(test.fact, ()), test)
        return found

    @cached_property
    def bits(self) -> Mapping[tuple[str, Value], int]:
        """The bits of a signature that one value of a fact sets, wherever the person lives."""
        return _Bits(self)


class _Bits(dict[tuple[str, Value], int]):
    """Remembers what each value of each fact says to every test of it."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan

    def __missing__(self, key: tuple[str, Value]) -> int:
        fact, value = key
        truths = ((self.plan.position(test), test_truth(test, value)) for test in self.plan.tests_of[fact])
        self[key] = found = sum(_BITS[truth] << (2 * position) for position, truth in truths)
        return found


class LocalPlan:
    """A plan for people who may live in just these places: what is left are tests of their other facts.

    A law is asked as things are where it governs: for somebody who lives in Germany or France, German law is asked
    about somebody in Germany. `inner` has the plan for just the places in which each law may govern.
    """

    def __init__(self, plan: Plan, homes: frozenset[str]) -> None:
        self.plan = plan
        self.homes = homes
        governing = frozenset[str]().union(*(plan.laws_of(home) for home in homes))
        local = [plan.law_at(folded, homes) for folded in plan.laws if folded.law.id in governing]
        self.laws = tuple(one.folded for one in local)
        self.uncovered_homes = {home: plan.covered(home) for home in sorted(homes)}
        of_homes = (test for condition in self.uncovered_homes.values() for test in tests(condition))
        self.tests_of_homes = tuple(dict.fromkeys(of_homes))
        self.care_of_homes = plan.care(self.tests_of_homes)
        self.own_tests = tuple(dict.fromkeys([*(test for one in local for test in one.tests), *self.tests_of_homes]))

    @cached_property
    def inner(self) -> Mapping[str, LocalPlan]:
        """The plan to ask each law in: the places in which it may govern, and no others."""
        if len(self.homes) == 1:
            return {folded.law.id: self for folded in self.laws}
        found = {}
        for folded in (folded for folded in self.plan.laws if folded.law.id in self.by_law):
            here = frozenset(home for home in self.homes if folded.law.id in self.plan.laws_of(home))
            found[folded.law.id] = self if here == self.homes else self.plan.at(here)
        return found

    @cached_property
    def tests(self) -> tuple[Test, ...]:
        """Every test of a person's facts that decides, whichever of the places is their home."""
        plans = dict.fromkeys([self, *self.inner.values()])
        return tuple(dict.fromkeys(test for plan in plans for test in plan.own_tests))

    @cached_property
    def facts_read(self) -> tuple[str, ...]:
        """The person's facts that the tests look at, and the home."""
        return tuple(sorted({*self.facts_tested, HOME}))

    @cached_property
    def facts_tested(self) -> tuple[str, ...]:
        """The person's facts that the tests look at."""
        return tuple(dict.fromkeys(test.fact for test in self.tests))

    @cached_property
    def positions(self) -> tuple[int, ...]:
        """Where each test stands in a signature."""
        return tuple(self.plan.position(test) for test in self.tests)

    @cached_property
    def care(self) -> int:
        """The bits of a signature that matter here."""
        return self.plan.care(self.tests)

    @cached_property
    def exceptions(self) -> Mapping[str, tuple[tuple[Rule, Condition], ...]]:
        """The exceptions that lift each rule, by the id of the rule lifted."""
        return self._linked("except", lambda rule: rule.exception_to)

    @cached_property
    def grounds(self) -> Mapping[str, tuple[tuple[Rule, Condition], ...]]:
        """The grounds that fill each slot, of whichever law, by the slot's id."""
        return self._linked("ground", lambda rule: (rule.slot, *rule.fills))

    def _linked(
        self, effect: str, targets: Callable[[Rule], tuple[str, ...]]
    ) -> Mapping[str, tuple[tuple[Rule, Condition], ...]]:
        found: dict[str, tuple[tuple[Rule, Condition], ...]] = {}
        for folded in self.laws:
            for rule, condition in folded.rules:
                for target in targets(rule) if rule.effect == effect else ():
                    found[target] = (*found.get(target, ()), (rule, condition))
        return found

    @cached_property
    def asked(self) -> tuple[LawThere, ...]:
        """The laws that may govern here, each with all that bears on its answer."""
        return tuple(self.plan.there(folded, self.inner[folded.law.id]) for folded in self.laws)

    def bearing_on(self, folded: FoldedLaw) -> list[Condition]:
        """Return every condition that the answer of a law can depend on, exceptions and grounds of others included."""
        conditions, seen = list(_conditions(folded)), set()
        waiting = [rule.id for rule, _ in folded.rules]
        for slot, _ in folded.slots:
            for rule, condition in self.grounds.get(slot.id, ()):
                conditions += [condition, self.by_law[rule.law].governs]
                waiting.append(rule.id)
        while waiting:
            target = waiting.pop()
            if target not in seen:
                seen.add(target)
                for rule, condition in self.exceptions.get(target, ()):
                    conditions += [condition, self.by_law[rule.law].governs]
                    waiting.append(rule.id)
        return conditions

    @cached_property
    def by_law(self) -> Mapping[str, FoldedLaw]:
        """Each law that may govern here, by its id."""
        return {folded.law.id: folded for folded in self.laws}

    def truths(self, signature: int) -> Mapping[Test, Truth]:
        """Read the truth of each test out of a signature (bit pairs: 0 false, 2 unknown, 3 true)."""
        return self.plan.truths(self.tests, signature)


class LawThere:
    """One law as it is asked about people who may live in some places, and what it said of whom.

    Many places are the same to it, so it is shared by all plans that differ in nothing that bears on its answer.
    """

    def __init__(self, governs: Condition, plan: LocalPlan, law_id: str) -> None:
        self.governs = governs  # for the places where the person may live
        self.plan = plan  # for those of them in which the law may govern
        self.folded = plan.by_law[law_id]
        bearing = [governs, *plan.bearing_on(self.folded)]
        self.tests = tuple(dict.fromkeys(test for condition in bearing for test in tests(condition)))
        self.care = plan.plan.care(self.tests)

    def truths(self, signature: int) -> Mapping[Test, Truth]:
        """Read the truth of each test that bears on the answer out of a signature."""
        return self.plan.plan.truths(self.tests, signature)


def fold(
    book: Lawbook,
    facts: Facts,
    day: date,
    *,
    absent: Mapping[str, Value] | None = None,
    assumed: Mapping[str, str] | None = None,
    index: dict[Test, int] | None = None,
) -> Plan:
    """Fold all laws in force on `day` for the use and the entity that `facts` describe.

    `absent` overrides what a missing fact of a person means (a source that is complete for opt-outs);
    `index` lets several plans share one signature.
    """
    default = {name: fact.absent for name, fact in book.vocabulary.facts.items()} | dict(absent or {})
    fixed: Facts = {
        name: facts.get(name, default[name])
        for name, fact in book.vocabulary.facts.items()
        if fact.namespace in FIXED_NAMESPACES
    }
    folder = _Folder(book, day, fixed)
    laws = tuple(folded for law in book.laws if law.span.holds(day) and (folded := folder.law(law)) is not None)
    row_defaults = {name: value for name, value in default.items() if name not in fixed}
    return Plan(book, day, fixed, row_defaults, assumed or {}, laws, {} if index is None else index)


def test_truth(test: Test, value: Value) -> Truth:
    """Return the truth of a folded test for one value; unknown for None."""
    if value is None:
        return UNKNOWN
    operand = test.operand
    if isinstance(value, frozenset):
        return _set_truth(value, operand)
    if test.operator == "in":
        return TRUE if value in operand else FALSE  # type: ignore[operator]
    if isinstance(value, tuple):
        low, high = (_compare(bound, test.operator, operand) for bound in value)
        if test.operator == "==":
            return TRUE if low and high else UNKNOWN if value[0] < operand < value[1] or low or high else FALSE  # type: ignore[operator]
        return TRUE if low and high else UNKNOWN if low or high else FALSE
    return TRUE if _compare(value, test.operator, operand) else FALSE


def _set_truth(candidates: frozenset[str], operand: object) -> Truth:
    inside = candidates & operand if isinstance(operand, frozenset) else frozenset()
    return TRUE if inside == candidates else UNKNOWN if inside else FALSE


def _compare(value: object, operator: str, operand: object) -> bool:
    match operator:
        case "is" | "==":
            return value == operand
        case "<":
            return value < operand  # type: ignore[operator, no-any-return]
        case "<=":
            return value <= operand  # type: ignore[operator, no-any-return]
        case ">":
            return value > operand  # type: ignore[operator, no-any-return]
    return value >= operand  # type: ignore[operator, no-any-return]


@dataclass(frozen=True)
class _Folder:
    """Folds the conditions of one law after another for a day and the facts known beforehand."""

    book: Lawbook
    day: date
    fixed: Facts
    defined: dict[tuple[str, str, bool], Condition] = field(default_factory=dict)

    @cached_property
    def milder(self) -> frozenset[str]:
        """The rules whose being true makes the verdict milder: grounds, and exceptions to whatever does not."""
        milder = {rule.id for rule in self.book.rules() if rule.effect == "ground"}
        waiting = {rule.id: rule.exception_to for rule in self.book.rules() if rule.effect == "except"}
        while ready := {name: lifted for name, lifted in waiting.items() if waiting.keys().isdisjoint(lifted)}:
            milder |= {name for name, lifted in ready.items() if not milder.issuperset(lifted)}
            waiting = {name: lifted for name, lifted in waiting.items() if name not in ready}
        return frozenset(milder)

    def law(self, law: Law) -> FoldedLaw | None:
        """Fold one law; None where it has nothing to say about this use, wherever the person lives."""
        governs = self.condition(law, law.governs, loosens=False) if law.decides else NEVER
        if governs == NEVER:
            return None
        rules = []
        for rule in law.rules:
            if rule.span.holds(self.day) and rule.effect != "duty":
                loosens = rule.id in self.milder
                condition = self.condition(law, rule.when, loosens=loosens)
                if condition != NEVER:
                    rules.append((rule, capped(condition) if loosens and not rule.confirmed else condition))
        return FoldedLaw(
            law=law,
            governs=governs,
            covers=some_of([self.cell(cell) for cell in law.covers]),
            slots=tuple((slot, self.condition(law, slot.applies, loosens=False)) for slot in law.slots),
            rules=tuple(rules),
            needed=tuple(self.known(fact) for fact in dict.fromkeys(fact for rule, _ in rules for fact in rule.needs)),
        )

    def known(self, fact: str) -> Test:
        """Return a comparison that is settled, one way or the other, exactly if `fact` is known."""
        match self.book.vocabulary.facts[fact].kind:
            case "bool":
                return Test(fact, "is", operand=True)
            case "choice":
                return Test(fact, "==", self.book.vocabulary.facts[fact].choices[0])
            case "date":
                return Test(fact, "<=", self.day)
            case "place":
                return Test(fact, "in", self.book.vocabulary.places.every)
        return Test(fact, ">=", 0)

    def cell(self, cell: Cell) -> Condition:
        wanted = (("use.operation", cell.operations), ("use.channel", cell.channels), (HOME, cell.places))
        return all_of([self.test(Test(fact, "in", words)) for fact, words in wanted if words is not None])

    def condition(self, law: Law, condition: Condition, *, loosens: bool) -> Condition:
        """Fold a condition; `loosens` says that its being true makes the verdict milder."""
        match condition:
            case Test(operand=Parameter(name=name)):
                return self.parameter(law, condition, name, loosens=loosens)
            case Test():
                return self.test(condition)
            case Named(name=name):
                key = (law.id, name, loosens)
                if key not in self.defined:
                    self.defined[key] = self.definition(law, name, loosens=loosens)
                return self.defined[key]
            case Not(part=part):
                return not_of(self.condition(law, part, loosens=not loosens))
            case All(parts=parts):
                return all_of([self.condition(law, part, loosens=loosens) for part in parts])
            case Some(parts=parts):
                return some_of([self.condition(law, part, loosens=loosens) for part in parts])
        return condition

    def definition(self, law: Law, name: str, *, loosens: bool) -> Condition:
        for item in law.definitions:
            if item.id.partition("/")[2].replace("-", "_") == name and item.span.holds(self.day):
                inner = self.condition(law, item.when, loosens=loosens)
                return capped(inner) if loosens and not item.confirmed else inner
        return Constant(UNKNOWN)  # no version in force today: unknown, so that nothing is permitted by it

    def parameter(self, law: Law, test: Test, name: str, *, loosens: bool) -> Condition:
        found = next(item for item in law.parameters if item.id.partition("/")[2].replace("-", "_") == name)
        named = sorted({place for dated in found.values if dated.places is not None for place in dated.places})

        def at(place: str) -> Condition:
            dated = found.at(self.day, place)
            if dated is None:
                return Constant(UNKNOWN)
            part = self.test(Test(test.fact, test.operator, dated.value, test.span))
            return capped(part) if loosens and not dated.confirmed else part

        general = at("")
        return ByPlace(tuple((place, at(place)) for place in named), general) if named else general

    def test(self, test: Test) -> Condition:
        places = self.book.vocabulary.places
        if isinstance(test.operand, GroupName):
            test = Test(test.fact, "in", places.group(test.operand.name, self.day))
        elif isinstance(test.operand, frozenset) and self.book.vocabulary.facts[test.fact].kind == "place":
            test = Test(test.fact, "in", places.expand(test.operand))
        if test.fact == OUR_PLACE:
            return self.our_place(test)
        if test.span:
            return self.dated(test)
        return self.settled(test)

    def our_place(self, test: Test) -> Condition:
        value = self.fixed[OUR_PLACE]
        if value == WHERE_THE_PERSON_LIVES:
            return Test(HOME, "in", test.operand)
        if not isinstance(value, frozenset):
            return Constant(UNKNOWN, OUR_PLACE)
        established = self.book.vocabulary.places.expand(value) & test.operand  # type: ignore[operator]
        return ALWAYS if established else NEVER

    def settled(self, test: Test) -> Condition:
        if test.fact not in self.fixed:
            return test
        value = self.fixed[test.fact]
        if isinstance(value, frozenset):
            value = self.book.vocabulary.places.expand(value)
        found = test_truth(test, value)
        return Constant(found, test.fact if found == UNKNOWN else "")

    def dated(self, test: Test) -> Condition:
        """Turn "so many whole months ago" into a comparison with a day."""
        whole = math.ceil(test.operand)  # type: ignore[arg-type]
        exact = whole == test.operand

        def at_least(units: int) -> Condition:
            return self.settled(Test(test.fact, "<=", latest_day(self.day, units, test.span)))

        match test.operator:
            case ">=":
                return at_least(whole)
            case "<":
                return not_of(at_least(whole))
            case ">":
                return at_least(whole + exact)
            case "<=":
                return not_of(at_least(whole + exact))
        return all_of([at_least(whole), not_of(at_least(whole + 1))]) if exact else NEVER


class World:
    """One case with all its facts: any condition of any law is settled, or unknown for want of named facts."""

    def __init__(self, book: Lawbook, facts: Facts, day: date) -> None:
        known: Facts = {name: fact.absent for name, fact in book.vocabulary.facts.items()} | facts
        places, homes = book.vocabulary.places, known[HOME]
        self.homes = places.expand(homes) if isinstance(homes, frozenset) else places.every
        known[HOME] = self.homes
        self._folder = _Folder(book, day, known)

    def truth(self, law: Law, condition: Condition, *, loosens: bool = False) -> Truth:
        """Return how far a condition of `law` holds; `loosens` says that its being true makes the verdict milder."""
        return truth(self._settled(law, condition, loosens=loosens), {})

    def wanting(self, law: Law, condition: Condition) -> frozenset[str]:
        """Return the facts for want of which a condition of `law` is unknown."""
        return wanting(self._settled(law, condition), {})

    def _settled(self, law: Law, condition: Condition, *, loosens: bool = False) -> Condition:
        return _local(self._folder.condition(law, condition, loosens=loosens), self.homes)


def latest_day(day: date, units: int, span: str) -> date:
    """Return the latest day from which at least `units` whole days, months or years have passed on `day`."""
    if span == "days":
        return day - timedelta(days=units)
    months = units * (12 if span == "years" else 1)
    cut = add_months(day, -months)
    while add_months(cut + timedelta(days=1), months) <= day:
        cut += timedelta(days=1)
    return cut


def add_months(day: date, months: int) -> date:
    """Return the same-numbered day `months` later, or the last day of that month where there is none."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _reached(start: str, steps: Mapping[str, Iterable[str]]) -> frozenset[str]:
    """Return whatever can be reached from `start`, itself included."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        here = waiting.pop()
        if here not in found:
            found.add(here)
            waiting += steps[here]
    return frozenset(found)


def _conditions(folded: FoldedLaw) -> Iterable[Condition]:
    yield folded.governs
    yield folded.covers
    yield from (condition for _, condition in folded.slots)
    yield from (condition for _, condition in folded.rules)
    yield from (
        test for test in folded.needed if test.fact.partition(".")[0] not in FIXED_NAMESPACES and test.fact != HOME
    )


def _local_law(folded: FoldedLaw, homes: frozenset[str]) -> FoldedLaw:
    rules = ((rule, _local(condition, homes)) for rule, condition in folded.rules)
    return FoldedLaw(
        law=folded.law,
        governs=_local(folded.governs, homes),
        covers=_local(folded.covers, homes),
        slots=tuple((slot, _local(condition, homes)) for slot, condition in folded.slots),
        rules=tuple((rule, condition) for rule, condition in rules if condition != NEVER),
        needed=folded.needed,
    )


def _placed(folded: FoldedLaw) -> Iterator[Test | ByPlace]:
    """Yield every part of a law that depends on where the person lives."""
    waiting = [*_conditions(folded)]
    while waiting:
        match waiting.pop():
            case (Test(fact="person.home") | ByPlace()) as part:
                yield part
            case Not(part=part) | Capped(part=part):
                waiting.append(part)
            case All(parts=parts) | Some(parts=parts) | Same(parts=parts):
                waiting += parts


def _local(condition: Condition, homes: frozenset[str]) -> Condition:
    """Settle what depends on where the person lives."""
    match condition:
        case Test(fact="person.home", operand=operand):
            found = _set_truth(homes, operand)
            return Constant(found, HOME if found == UNKNOWN else "")
        case ByPlace(own=own, general=general):
            by_place = dict(own)
            return same_of([_local(by_place.get(home, general), homes) for home in sorted(homes)])
        case Not(part=part):
            return not_of(_local(part, homes))
        case Capped(part=part):
            return capped(_local(part, homes))
        case All(parts=parts):
            return all_of([_local(part, homes) for part in parts])
        case Some(parts=parts):
            return some_of([_local(part, homes) for part in parts])
        case Same(parts=parts):
            return same_of([_local(part, homes) for part in parts])
    return condition
