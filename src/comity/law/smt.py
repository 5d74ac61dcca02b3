"""The law as terms for Z3: each condition twice, as possibly and as certainly true, and what all laws answer together.

`Terms` has a variable for every fact and turns conditions into terms; `LawTerms` and `SettingTerms` say in terms what
`deciding` says in Python, word for word: a test holds the two together. Nothing here decides; `proving` asks.

Z3 is in an extra, and is imported when the first term is made.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from comity.law.conditions import (
    All,
    Capped,
    Condition,
    Constant,
    Not,
    Same,
    Some,
    Test,
    all_of,
    not_of,
    tests,
)
from comity.law.folding import HOME, OUR_PLACE, FoldedLaw, LocalPlan, Plan, _Folder, latest_day
from comity.law.lawbook import Law, Lawbook, ObligationParameter, Rule
from comity.law.vocabulary import OPEN_AGE, Fact, Facts, Value, Vocabulary

if TYPE_CHECKING:
    from types import ModuleType

Term = Any
"""A Boolean term of Z3, or a plain truth where it is settled."""

Parts = tuple[frozenset[str], ...]
"""The parts into which the tests of a place fact divide the world: no test tells two places of one part apart."""


class NoProver(ImportError):
    """Z3 is not installed."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A condition in terms: when it is possibly true, and when certainly."""

    possible: Term
    certain: Term


def load_z3() -> ModuleType:
    """Return the prover. Raises NoProver, which says how to install it."""
    try:
        import z3
    except ImportError:
        raise NoProver(
            "to prove needs an extra that is not installed: pip install 'comity[prove]'", name="z3"
        ) from None
    module: ModuleType = z3
    return module


# ---------------------------------------------------------------- terms that settle themselves where they can


def every(terms: Iterable[Term]) -> Term:
    """Return the and of terms."""
    return _joined(terms, ends=False, join="And")


def either(terms: Iterable[Term]) -> Term:
    """Return the or of terms."""
    return _joined(terms, ends=True, join="Or")


def _joined(terms: Iterable[Term], *, ends: bool, join: str) -> Term:
    found: dict[int, Term] = {}
    for term in terms:
        if term is ends:
            return ends
        if term is not (not ends):
            found[term.get_id()] = term
    kept = list(found.values())
    return (not ends) if not kept else kept[0] if len(kept) == 1 else getattr(load_z3(), join)(kept)


def negated(term: Term) -> Term:
    """Return the not of a term."""
    return not term if isinstance(term, bool) else load_z3().Not(term)


# ---------------------------------------------------------------- the law of one day, with every fact left open


class _OpenFolder(_Folder):
    """Folds by the day alone: facts about the use and about us stay open, as those of the person always are."""

    def our_place(self, test: Test) -> Condition:
        """Leave open where we are."""
        return test

    def dated(self, test: Test) -> Condition:
        """Keep "so many whole months ago" in its own unit, so that the law of two days can be seen to be the same."""
        whole = math.ceil(test.operand)  # type: ignore[arg-type]
        exact = whole == test.operand

        def at_least(units: int) -> Condition:
            return Test(test.fact, ">=", units, test.span)

        match test.operator:
            case ">=":
                return at_least(whole)
            case "<":
                return not_of(at_least(whole))
            case ">":
                return at_least(whole + exact)
            case "<=":
                return not_of(at_least(whole + exact))
        return all_of([at_least(whole), not_of(at_least(whole + 1))]) if exact else Constant(0)


def fold_open(book: Lawbook, day: date) -> Plan:
    """Fold all laws in force on `day`, with every fact of the use and of us left open."""
    folder = _OpenFolder(book, day, {})
    laws = tuple(folded for law in book.laws if law.span.holds(day) and (folded := folder.law(law)) is not None)
    absent = {name: fact.absent for name, fact in book.vocabulary.facts.items()}
    return Plan(book, day, {}, absent, {}, laws)


def fold_condition(book: Lawbook, law: Law, condition: Condition, day: date) -> Condition:
    """Fold one condition, with the definitions and parameters of `law`, as `fold_open` does."""
    return _OpenFolder(book, day, {}).condition(law, condition, loosens=False)


def conditions_of(folded: FoldedLaw) -> Iterator[Condition]:
    """Yield every condition of a law."""
    yield folded.governs
    yield folded.covers
    yield from (condition for _, condition in folded.slots)
    yield from (condition for _, condition in folded.rules)


def shape(folded: FoldedLaw) -> Hashable:
    """Return what decides in a law: two laws of the same shape answer alike."""
    return (
        folded.law.id, folded.governs, folded.covers,
        tuple((slot.id, applies) for slot, applies in folded.slots),
        tuple((rule.id, rule.span.start, condition) for rule, condition in folded.rules), folded.needed,
    )  # fmt: skip


# ---------------------------------------------------------------- facts


class Terms:
    """A variable for every fact of a person, of a use and of us, and conditions in terms of them.

    `parts` divides the world for each place fact. A date is known by the spans that have passed since: which of these
    are longer is a matter of the day, and `order` says it.
    """

    def __init__(self, vocabulary: Vocabulary, parts: Mapping[str, Parts]) -> None:
        self.vocabulary = vocabulary
        self.parts = parts
        self.spans: dict[str, dict[tuple[int, str], Term]] = {}
        self._variables: dict[str, Term] = {}
        self._axioms: dict[str, list[Term]] = {}
        self._pairs: dict[Condition, Pair] = {}
        self._undoubted: dict[Condition, Pair] = {}
        self._twinned: tuple[int, list[tuple[Term, Term]]] = (0, [])

    @property
    def size(self) -> int:
        """How many variables there are."""
        return len(self._variables)

    def pair(self, condition: Condition, *, doubt: bool = True) -> Pair:
        """Return a folded condition in terms; without `doubt`, as if all that is unconfirmed were confirmed."""
        memory = self._pairs if doubt else self._undoubted
        if condition not in memory:
            memory[condition] = self._pair(condition, doubt=doubt)
        return memory[condition]

    def _pair(self, condition: Condition, *, doubt: bool) -> Pair:
        match condition:
            case Test():
                return self._test(condition)
            case Constant(truth=truth):
                return Pair(truth > 0, truth > 1)
            case Not(part=part):
                inner = self.pair(part, doubt=doubt)
                return Pair(negated(inner.certain), negated(inner.possible))
            case Capped(part=part):
                inner = self.pair(part, doubt=doubt)
                return Pair(inner.possible, certain=False) if doubt else inner
            case All(parts=parts):
                inners = [self.pair(part, doubt=doubt) for part in parts]
                return Pair(every(one.possible for one in inners), every(one.certain for one in inners))
            case Some(parts=parts):
                inners = [self.pair(part, doubt=doubt) for part in parts]
                return Pair(either(one.possible for one in inners), either(one.certain for one in inners))
            case Same(parts=parts):  # false if none may be, true if all are
                inners = [self.pair(part, doubt=doubt) for part in parts]
                return Pair(either(one.possible for one in inners), every(one.certain for one in inners))
        raise AssertionError(condition)

    def known(self, name: str) -> Term:
        """Return when a fact is known."""
        self._declared(name)
        return self._variable(f"{name} is known")

    def axioms(self, day: date) -> Term:
        """Return what is true of the facts of anybody on `day`."""
        return load_z3().And(*(term for terms in self._axioms.values() for term in terms), *self.order(day))

    def lengths(self, day: date) -> Hashable:
        """Return which spans of any fact are longer than which on `day`."""
        return tuple((name, _ranked(spans, day)) for name, spans in sorted(self.spans.items()))

    def order(self, day: date) -> Iterator[Term]:
        """Yield that of two spans the longer has passed only if the shorter has."""
        for spans in self.spans.values():
            ordered = sorted(spans, key=lambda span: latest_day(day, *span))
            for longer, shorter in pairwise(ordered):
                yield load_z3().Implies(spans[longer], spans[shorter])
                if latest_day(day, *longer) == latest_day(day, *shorter):
                    yield load_z3().Implies(spans[shorter], spans[longer])

    # Each kind of fact has its variables, what is true of them, and its comparisons.

    def _variable(self, name: str) -> Term:
        if name not in self._variables:
            self._variables[name] = load_z3().Bool(name)
        return self._variables[name]

    def _test(self, test: Test) -> Pair:
        fact = self.vocabulary.facts[test.fact]
        self._declared(test.fact)
        known = self.known(test.fact)
        if fact.kind == "age":
            possible, certain = self._age(test)
        elif fact.kind == "place":
            possible, certain = self._place(test)
        else:
            possible = certain = self._compared(fact, test)
        return Pair(either([negated(known), possible]), every([known, certain]))

    def _compared(self, fact: Fact, test: Test) -> Term:
        match fact.kind:
            case "bool":
                return self._variable(f"{test.fact} is true")
            case "choice":
                words = test.operand if isinstance(test.operand, frozenset) else {test.operand}
                return either(self._variable(f"{test.fact} is {word}") for word in fact.choices if word in words)
            case "date":
                return self._passed(test)
        return _comparison(load_z3().Real(f"{test.fact} number"), test.operator, test.operand)

    def _passed(self, test: Test) -> Term:
        """Return that at least so many units have passed since a date."""
        span = (int(test.operand), test.span)  # type: ignore[arg-type]
        return self.spans[test.fact].setdefault(span, self._variable(f"{test.fact} is {span[0]} {span[1]} ago"))

    def _age(self, test: Test) -> tuple[Term, Term]:
        low, high = self._bounds(test.fact)
        if test.operator == "==":
            both = every([low == test.operand, high == test.operand])
            return every([low <= test.operand, high >= test.operand]), both
        ends = [_comparison(end, test.operator, test.operand) for end in (low, high)]
        return either(ends), every(ends)

    def _place(self, test: Test) -> tuple[Term, Term]:
        inside: list[Term] = []
        outside: list[Term] = []
        for part in self.parts[test.fact]:
            within = part & test.operand  # type: ignore[operator]
            if within and within != part:
                raise AssertionError(f"{test} cuts a part of the world in two")
            (inside if within else outside).append(self._variable(f"{test.fact} has {min(part)}"))
        if test.fact == OUR_PLACE:  # all our places, not candidates for one
            return either(inside), either(inside)
        return either(inside), negated(either(outside))

    def _bounds(self, name: str) -> tuple[Term, Term]:
        return load_z3().Int(f"{name} at least"), load_z3().Int(f"{name} at most")

    def _declared(self, name: str) -> None:
        """Say once what is true of a fact's variables."""
        if name not in self._axioms:
            self._axioms[name] = []
            if self.vocabulary.facts[name].kind == "date":
                self.spans[name] = {}
            self._axioms[name] = list(self._truths(self.vocabulary.facts[name]))

    def _truths(self, fact: Fact) -> Iterator[Term]:
        known, z3 = self._variable(f"{fact.name} is known"), load_z3()
        match fact.kind:
            case "choice":
                words = [self._variable(f"{fact.name} is {word}") for word in fact.choices]
                yield z3.AtMost(*words, 1)
                yield known == z3.Or(words)
            case "number":
                yield z3.Real(f"{fact.name} number") >= 0
            case "age":
                low, high = self._bounds(fact.name)
                yield z3.And(low >= 0, low <= high, high <= OPEN_AGE)
            case "place":
                yield z3.Or([self._variable(f"{fact.name} has {min(part)}") for part in self.parts[fact.name]])

    # From a model of Z3 back to facts.

    def facts(self, model: Any, day: date, *, other: bool = False) -> Facts:  # noqa: ANN401  (a model of Z3)
        """Return facts as a model has them, of the first person or the other: None for what is unknown there."""

        def said(term: Term) -> Any:  # noqa: ANN401  (a value of Z3)
            return model.eval(self.other(term) if other else term, model_completion=True)

        return {name: self._value(self.vocabulary.facts[name], said, day) for name in self._axioms}

    def _value(self, fact: Fact, said: Callable[[Term], Any], day: date) -> Value:
        def yes(words: str) -> bool:
            return bool(said(self._variable(f"{fact.name} {words}")))

        if not yes("is known"):
            return None
        match fact.kind:
            case "bool":
                return yes("is true")
            case "choice":
                return next(word for word in fact.choices if yes(f"is {word}"))
            case "date":
                return self._day(fact, day, yes)
            case "age":
                low, high = (said(end).as_long() for end in self._bounds(fact.name))
                return low, high
            case "place":
                return frozenset(min(part) for part in self.parts[fact.name] if yes(f"has {min(part)}"))
        number = said(load_z3().Real(f"{fact.name} number")).as_fraction()
        return int(number) if number.denominator == 1 else float(number)

    def _day(self, fact: Fact, day: date, yes: Callable[[str], bool]) -> date:
        """Return the earliest day by which no other span has passed than those that have."""
        ends = sorted((latest_day(day, *span), span) for span in self.spans[fact.name])
        passed = [end for end, (units, unit) in ends if yes(f"is {units} {unit} ago")]
        return passed[0] if passed else ends[-1][0] + timedelta(days=1) if ends else day

    # Two people, of whom the second is like the first but for something.

    def other(self, term: Term) -> Term:
        """Return a term about a second person and use."""
        return term if isinstance(term, bool) else load_z3().substitute(term, *self._twins())

    def _twins(self) -> list[tuple[Term, Term]]:
        """Return each variable and that of the second person."""
        if self._twinned[0] != self.size:
            self._twinned = self.size, self._made_twins()
        return self._twinned[1]

    def _made_twins(self) -> list[tuple[Term, Term]]:
        z3 = load_z3()
        pairs = [(one, z3.Bool(f"other {name}")) for name, one in self._variables.items()]
        for name in self._axioms:
            kind = self.vocabulary.facts[name].kind
            if kind == "number":
                pairs.append((z3.Real(f"{name} number"), z3.Real(f"other {name} number")))
            elif kind == "age":
                pairs += [(end, z3.Int(f"other {end}")) for end in self._bounds(name)]
        return pairs

    def alike(self, name: str) -> Term:
        """Return that the two have the same value of a fact, both known or both unknown."""
        same = [self.known(name) == self.other(self.known(name)), *(self._equal(name))]
        return load_z3().And(same)

    def narrower(self, name: str) -> Term:
        """Return that of the second no less is known of a fact, and nothing else."""
        z3, known = load_z3(), self.known(name)
        match self.vocabulary.facts[name].kind:
            case "age":
                low, high = self._bounds(name)
                inside = [self.other(low) >= low, self.other(high) <= high]
            case "place" if name != OUR_PLACE:
                mine = [self._variable(f"{name} has {min(part)}") for part in self.parts[name]]
                inside = [z3.Implies(self.other(one), one) for one in mine]
            case _:
                inside = list(self._equal(name))
        return z3.Implies(known, z3.And(self.other(known), *inside))

    def _equal(self, name: str) -> Iterator[Term]:
        return (term == self.other(term) for term in self._values(name))

    def _values(self, name: str) -> list[Term]:
        """Return the variables of a fact's value."""
        fact = self.vocabulary.facts[name]
        match fact.kind:
            case "bool":
                return [self._variable(f"{name} is true")]
            case "choice":
                return [self._variable(f"{name} is {word}") for word in fact.choices]
            case "date":
                return list(self.spans[name].values())
            case "age":
                return [*self._bounds(name)]
            case "place":
                return [self._variable(f"{name} has {min(part)}") for part in self.parts[name]]
        return [load_z3().Real(f"{name} number")]

    def is_value(self, name: str, value: Value) -> Term:
        """Return that a fact is known to be just this."""
        fact, z3 = self.vocabulary.facts[name], load_z3()
        known = self.known(name)
        match fact.kind:
            case "bool":
                return z3.And(known, self._variable(f"{name} is true") == bool(value))
            case "choice":
                return self._variable(f"{name} is {value}")
            case "age":
                low, high = self._bounds(name)
                return z3.And(known, low == value[0], high == value[1])  # type: ignore[index]
            case "number":
                return z3.And(known, z3.Real(f"{name} number") == value)
            case "place":
                places = self.vocabulary.places.expand(value)  # type: ignore[arg-type]
                return z3.And(
                    known,
                    *(self._variable(f"{name} has {min(part)}") == bool(part & places) for part in self.parts[name]),
                )
        raise AssertionError(f"the day of {name} has no one value in terms")

    def is_not_known(self, name: str) -> Term:
        """Return that nothing is known of a fact."""
        return negated(self.known(name))

    def is_day(self, name: str, value: date, day: date) -> Term:
        """Return that a date fact is known to be this day, as seen on `day`."""
        known, z3 = self.known(name), load_z3()
        passed = (term == (value <= latest_day(day, *span)) for span, term in self.spans[name].items())
        return z3.And(known, *passed)

    @property
    def names(self) -> list[str]:
        """The facts that some term speaks of."""
        return list(self._axioms)


def lengths(asked: Iterable[Test], day: date) -> Hashable:
    """Return which spans of these tests are longer than which on `day`; of days with the same, one stands for all."""
    spans: dict[str, set[tuple[int, str]]] = {}
    for test in asked:
        if test.span:
            spans.setdefault(test.fact, set()).add((int(test.operand), test.span))  # type: ignore[arg-type]
    return tuple((name, _ranked(found, day)) for name, found in sorted(spans.items()))


def _ranked(spans: Iterable[tuple[int, str]], day: date) -> Hashable:
    """Return spans by how long they are on `day`, those of one length together."""
    by_end: dict[date, list[tuple[int, str]]] = {}
    for span in sorted(spans):
        by_end.setdefault(latest_day(day, *span), []).append(span)
    return tuple(tuple(by_end[end]) for end in sorted(by_end))


def _comparison(value: Term, operator: str, operand: object) -> Term:
    match operator:
        case "<":
            return value < operand
        case "<=":
            return value <= operand
        case ">":
            return value > operand
        case ">=":
            return value >= operand
    return value == operand


def terms_of(vocabulary: Vocabulary, plans: Iterable[Plan], others: Iterable[Condition] = ()) -> Terms:
    """Return the variables of some plans and of other folded conditions, each of their tests in terms."""
    conditions = dict.fromkeys(part for plan in plans for law in plan.laws for part in conditions_of(law))
    conditions |= dict.fromkeys(others)
    asked = [test for test in dict.fromkeys(test for part in conditions for test in tests(part)) if test.fact != HOME]
    sets: dict[str, list[frozenset[str]]] = {
        name: [] for name, fact in vocabulary.facts.items() if fact.kind == "place" and name != HOME
    }
    for test in asked:
        if test.fact in sets and isinstance(test.operand, frozenset):
            sets[test.fact].append(test.operand)
    terms = Terms(vocabulary, {name: _divided(vocabulary.places.every, found) for name, found in sets.items()})
    for test in asked:
        terms.pair(test)
    return terms


def _divided(every_place: frozenset[str], sets: Iterable[frozenset[str]]) -> Parts:
    distinct = list(dict.fromkeys(sets))
    parts: dict[tuple[bool, ...], set[str]] = {}
    for place in sorted(every_place):
        parts.setdefault(tuple(place in one for one in distinct), set()).add(place)
    return tuple(frozenset(part) for part in parts.values())


# ---------------------------------------------------------------- what the laws answer


class LawTerms:
    """What one law answers if it governs, where somebody lives: `deciding._LawCase` in terms."""

    def __init__(
        self,
        terms: Terms,
        plan: LocalPlan,
        folded: FoldedLaw,
        *,
        doubt: bool = True,
        without: frozenset[str] = frozenset(),
    ) -> None:
        self.terms = terms
        self.plan = plan
        self.folded = folded
        self.doubt = doubt
        self.without = without
        self._force: dict[str, Pair] = {}

    def pair(self, condition: Condition) -> Pair:
        """Return a condition in terms."""
        return self.terms.pair(condition, doubt=self.doubt)

    def governs(self, law_id: str) -> Pair:
        """Return when a law governs, for what it lends to this one; this one does."""
        if law_id == self.folded.law.id:
            return Pair(possible=True, certain=True)
        return self.pair(self.plan.by_law[law_id].governs)

    def force(self, rule: Rule, condition: Condition) -> Pair:
        """Return how far a rule holds once the exceptions that lift it are counted."""
        if rule.id not in self._force:
            own = self.pair(condition)
            lifts = [self.lifts(*exception) for exception in self.plan.exceptions.get(rule.id, ())]
            self._force[rule.id] = Pair(
                every([own.possible, *(negated(one.certain) for one in lifts)]),
                every([own.certain, *(negated(one.possible) for one in lifts)]),
            )
        return self._force[rule.id]

    def lifts(self, rule: Rule, condition: Condition) -> Pair:
        """Return how far an exception or a ground counts: as far as its law governs and nothing lifts it."""
        if rule.law in self.without:
            return Pair(possible=False, certain=False)
        force, governs = self.force(rule, condition), self.governs(rule.law)
        return Pair(every([force.possible, governs.possible]), every([force.certain, governs.certain]))

    def filled(self, slot_id: str) -> Pair:
        """Return how far a slot is filled."""
        grounds = [self.lifts(*ground) for ground in self.plan.grounds.get(slot_id, ())]
        return Pair(either(one.possible for one in grounds), either(one.certain for one in grounds))

    @cached_property
    def slots(self) -> dict[str, tuple[Pair, Pair]]:
        """When each slot applies and when it is filled, by its id."""
        return {slot.id: (self.pair(applies), self.filled(slot.id)) for slot, applies in self.folded.slots}

    @cached_property
    def denies(self) -> Term:
        """When the law certainly forbids, or a slot is certainly empty."""
        forbidden = [self.force(*pair).certain for pair in self._with("forbid")]
        empty = [every([needed.certain, negated(filled.possible)]) for needed, filled in self.slots.values()]
        return either([*forbidden, *empty])

    @cached_property
    def doubts(self) -> Term:
        """When anything speaks against, certain or not."""
        against = [self.force(*pair).possible for pair in (*self._with("forbid"), *self._with("refer"))]
        unmet = [every([self.force(*pair).possible, self._unmet(pair[0])]) for pair in self._with("require")]
        open_slots = [every([needed.possible, negated(filled.certain)]) for needed, filled in self.slots.values()]
        return either([*against, *unmet, *open_slots, negated(self.pair(self.folded.covers).certain)])

    def _with(self, effect: str) -> Iterator[tuple[Rule, Condition]]:
        return (pair for pair in self.folded.rules if pair[0].effect == effect)

    def _unmet(self, rule: Rule) -> Term:
        """Return when a fact is missing that the rule's obligation cannot be met without."""
        wanting = (test.fact for test in self.folded.needed if test.fact in rule.needs)
        return either(len(self.plan.homes) > 1 if fact == HOME else self.terms.is_not_known(fact) for fact in wanting)

    @cached_property
    def wanted(self) -> list[tuple[Rule, Term]]:
        """The rules that want something to accompany the use, and when they possibly do."""
        return [(rule, self.force(rule, condition).possible) for rule, condition in self._with("require")]


class SettingTerms:
    """What all laws answer together for people who may live in just these places: `deciding.find` in terms.

    Without `doubt`, as if all that is unconfirmed were confirmed; the laws of `without` are left out.
    """

    def __init__(
        self, terms: Terms, plan: LocalPlan, *, doubt: bool = True, without: frozenset[str] = frozenset()
    ) -> None:
        self.terms = terms
        self.plan = plan
        asked = [folded.law.id for folded in plan.laws if folded.law.id not in without]
        inner = {law_id: plan.inner[law_id] for law_id in asked}
        self.laws = {
            law_id: LawTerms(terms, there, there.by_law[law_id], doubt=doubt, without=without)
            for law_id, there in inner.items()
        }
        self.governs = {law_id: terms.pair(plan.by_law[law_id].governs, doubt=doubt) for law_id in asked}

    @cached_property
    def permit(self) -> Term:
        """When all laws together permit."""
        agreed = [either([negated(self.governs[one].possible), negated(law.doubts)]) for one, law in self.laws.items()]
        covered = [self.terms.pair(condition).certain for condition in self.plan.uncovered_homes.values()]
        any_law = either(pair.possible for pair in self.governs.values())
        return every([any_law, *agreed, *covered, negated(self.clash)])

    @cached_property
    def deny(self) -> Term:
        """When a law that certainly governs denies."""
        return either(every([self.governs[one].certain, law.denies]) for one, law in self.laws.items())

    def verdict(self, word: str, law_id: str = "") -> Term:
        """Return when the verdict of all laws, or of one, is this: permit, deny, ask, or silent of one."""
        if law_id and law_id not in self.laws:
            return word == "silent"
        permit, deny = (self.permit, self.deny) if not law_id else self._of_one(law_id)
        governs = self.governs[law_id].possible if law_id else True
        match word:
            case "permit":
                return permit
            case "deny":
                return deny
            case "silent":
                return negated(governs)
        return every([governs, negated(permit), negated(deny)])

    def _of_one(self, law_id: str) -> tuple[Term, Term]:
        law, governs = self.laws[law_id], self.governs[law_id]
        return every([governs.possible, negated(law.doubts)]), every([governs.certain, law.denies])

    @cached_property
    def clash(self) -> Term:
        """When obligations cannot be met together."""
        by_kind: dict[str, list[tuple[Rule, Term]]] = {}
        for law_id, law in self.laws.items():
            for rule, wanted in law.wanted:
                if rule.obligation is not None:
                    term = every([self.governs[law_id].possible, wanted])
                    by_kind.setdefault(rule.obligation.kind, []).append((rule, term))
        return either(self._clash(kind, wanted) for kind, wanted in by_kind.items())

    def _clash(self, kind: str, wanted: list[tuple[Rule, Term]]) -> Term:
        found, clock = [], {}
        for name, parameter in self.plan.plan.book.obligations[kind].parameters.items():
            values = [(rule.obligation.parameters.get(name), term) for rule, term in wanted if rule.obligation]
            said = [(value, term) for value, term in values if value is not None]
            if parameter.merge == "same":
                found += [every([one, two]) for a, one in said for b, two in said if a != b]
            elif parameter.merge == "intersect" and said:
                found.append(_nothing_shared(said))
            if name in {"from", "until"}:
                clock[name] = _merged(parameter, said)
        closed = (
            every([opens, closes])
            for start, opens in clock.get("from", {}).items()
            for end, closes in clock.get("until", {}).items()
            if start >= end
        )
        return either([*found, *closed])


def _nothing_shared(said: list[tuple[Any, Term]]) -> Term:
    """Return when sets that are wanted have no member in common."""
    members = dict.fromkeys(word for value, _ in said for word in value)
    lost = [either(term for value, term in said if word not in value) for word in members]
    return every([either(term for _, term in said), *lost])


def _merged(parameter: ObligationParameter, said: list[tuple[Any, Term]]) -> dict[str, Term]:
    """Return each value that a clock time may come to, and when it does."""
    found = {}
    for value in dict.fromkeys(value for value, _ in said):
        wanted = either(term for other, term in said if other == value)
        beaten = either(term for other, term in said if _beats(parameter.merge, other, value))
        found[str(value)] = every([wanted, negated(beaten)])
    return found


def _beats(merge: str, other: Any, value: Any) -> bool:  # noqa: ANN401  (values of one parameter)
    if merge == "most":
        return bool(other > value)
    return bool(other < value) if merge == "least" else bool(other != value)
