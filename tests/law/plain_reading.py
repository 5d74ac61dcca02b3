"""docs/packs.md read aloud: a second way to the same answer, slow and plain.

It shares nothing with the first but the parsed conditions. It folds nothing, remembers nothing, and asks every law anew
about every case.

Truths are 0 false, 1 unknown, 2 true. Whatever is not settled (several homes, an age between two bounds) is tried out
value by value: what holds for all of them is true, what holds for none is false, anything else is unknown.
"""

from __future__ import annotations

import operator
from calendar import monthrange
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from comity.law.conditions import All, Condition, Constant, GroupName, Named, Not, Parameter, Some, Test
from comity.law.lawbook import Law, Lawbook, Rule
from comity.law.places import Places
from comity.law.vocabulary import Facts, Value

ABOUT_THE_USE = ("use.", "data.", "org.", "actor.")
STRICTNESS = {"permit": 0, "ask": 1, "deny": 2}
COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "is": operator.eq, "==": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "in": lambda value, words: value in words,
}  # fmt: skip


@dataclass
class Reading:
    """What came out: the verdict, the ids that decided, each law's answer and the obligations in a comparable form."""

    verdict: str
    because: tuple[str, ...]
    laws: dict[str, tuple[str, bool]]
    obligations: set[tuple[object, ...]]


@dataclass
class Said:
    """What one law says: ids, each with the verdict it alone would lead to, and the requirements it attaches."""

    reasons: list[tuple[str, str]] = field(default_factory=list)
    requires: list[tuple[Rule, bool]] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        return strictest(weight for _, weight in self.reasons)


def read_plainly(book: Lawbook, facts: Facts, day: date) -> Reading:
    """Decide one case as a patient reader would."""
    known = {name: fact.absent for name, fact in book.vocabulary.facts.items()} | facts
    homes = homes_of(book, known)
    everywhere = Case(book, known, day, homes)
    reasons, answers, requires = [], {}, []
    for law in everywhere.laws:
        governs = everywhere.governs(law)
        if not governs:
            continue
        said = Case(book, known, day, where_it_may_govern(everywhere, law), asked=law.id).ask(law)
        if governs == 1:
            said.reasons = [(rule, "ask" if weight == "deny" else weight) for rule, weight in said.reasons]
        answers[law.id] = said.verdict, governs == 2
        reasons += said.reasons
        requires += [(rule, certain and governs == 2) for rule, certain in said.requires]
    obligations, clashes = merged(book, requires)
    reasons += [(f"clash:{kind}", "ask") for kind in clashes]
    reasons += [(name, "ask") for name in everywhere.without_a_law()]
    verdict = strictest(weight for _, weight in reasons) if answers else "ask"
    because = sorted({rule for rule, weight in reasons if weight == verdict})
    return Reading(verdict, tuple(because), answers, obligations)


def strictest(verdicts: Iterable[str]) -> str:
    return max(verdicts, key=STRICTNESS.__getitem__, default="permit")


def homes_of(book: Lawbook, facts: Facts) -> frozenset[str]:
    """Return every place the person may live in; with no evidence, every place there is."""
    homes = facts["person.home"]
    places = book.vocabulary.places
    return spread(places, homes if isinstance(homes, frozenset) and homes else places.countries)


def spread(places: Places, codes: Iterable[str]) -> frozenset[str]:
    """Return the places that some codes mean: a country that is split means all its parts."""
    return frozenset(part for code in codes for part in places.subdivisions.get(code) or (code,))


def members(places: Places, name: str, day: date) -> frozenset[str]:
    """Return who belongs to a group on a day."""
    group = places.groups[name]
    own = {m.place for m in group.members if (m.start or date.min) <= day < (m.until or date.max)}
    return spread(places, own).union(*(members(places, other, day) for other in group.includes))


def speaks_of_uses(law: Law) -> bool:
    """Tell whether a law has anything to decide; one of duties alone has not."""
    return bool(law.covers or law.slots or [rule for rule in law.rules if rule.effect != "duty"])


def where_it_may_govern(case: Case, law: Law) -> frozenset[str]:
    """Return the homes in which a law may govern, whoever the person is: it is asked as things are there."""
    strangers = {name: value if name.startswith(ABOUT_THE_USE) else None for name, value in case.facts.items()}
    return frozenset(
        home for home in case.homes if Case(case.book, strangers, case.day, frozenset({home})).governs(law)
    )


@dataclass
class Case:
    """One person, one use, one day; `homes` are where the person may live, `asked` the law that is taken to govern."""

    book: Lawbook
    facts: Facts
    day: date
    homes: frozenset[str]
    asked: str = ""

    @cached_property
    def laws(self) -> list[Law]:
        return [law for law in self.book.laws if in_force(law.span.start, law.span.until, self.day)]

    @cached_property
    def every_rule(self) -> list[tuple[Law, Rule]]:
        return [(law, rule) for law in self.laws for rule in self.rules(law)]

    def rules(self, law: Law) -> list[Rule]:
        return [
            rule for rule in law.rules if rule.effect != "duty" and in_force(rule.span.start, rule.span.until, self.day)
        ]

    # ------------------------------------------------------------ conditions

    def governs(self, law: Law) -> int:
        """Return how far a law governs: not at all where it does in none of the homes, taken one by one."""
        if len(self.homes) > 1 and not where_it_may_govern(self, law):
            return 0
        return self.truth(law, law.governs, loosens=False) if speaks_of_uses(law) else 0

    def truth(self, law: Law, condition: Condition, *, loosens: bool) -> int:
        """Return how far a condition of a law holds; `loosens`: its being true would make the answer milder."""
        match condition:
            case Constant(truth=settled):
                return settled
            case Not(part=part):
                return 2 - self.truth(law, part, loosens=not loosens)
            case All(parts=parts):
                return min(self.truth(law, part, loosens=loosens) for part in parts)
            case Some(parts=parts):
                return max(self.truth(law, part, loosens=loosens) for part in parts)
            case Named(name=name):
                return self.defined(law, name, loosens=loosens)
            case Test(operand=Parameter(name=name)):
                return self.parameter(law, condition, name, loosens=loosens)
            case Test():
                return self.test(condition)
        raise AssertionError(condition)

    def defined(self, law: Law, name: str, *, loosens: bool) -> int:
        for item in law.definitions:
            if short(item.id) == name and in_force(item.span.start, item.span.until, self.day):
                found = self.truth(law, item.when, loosens=loosens)
                return min(found, 1) if loosens and not item.confirmed else found
        return 1

    def parameter(self, law: Law, test: Test, name: str, *, loosens: bool) -> int:
        """Try the parameter's value in each place the person may live in."""
        found = set()
        for home in self.homes:
            [values] = [item.values for item in law.parameters if short(item.id) == name]
            valid = [value for value in values if in_force(value.span.start, value.span.until, self.day)]
            own = [value for value in valid if value.places is not None and home in value.places]
            rest = [value for value in valid if value.places is None]
            if not own + rest:
                found.add(1)
                continue
            value = (own + rest)[0]
            truth = self.test(Test(test.fact, test.operator, value.value, test.span))
            found.add(min(truth, 1) if loosens and not value.confirmed else truth)
        return found.pop() if len(found) == 1 else 1

    def test(self, test: Test) -> int:
        operand: object = test.operand
        kind = self.book.vocabulary.facts[test.fact].kind
        if isinstance(operand, GroupName):
            operand = members(self.book.vocabulary.places, operand.name, self.day)
        elif kind == "place":
            operand = spread(self.book.vocabulary.places, operand)  # type: ignore[arg-type]
        candidates = self.candidates(test)
        if candidates is None:
            return 1
        answers = {COMPARE[test.operator](value, operand) for value in candidates}
        if test.fact == "org.place":  # lists all the places we are in: one of them will do
            return 2 if True in answers else 0
        return 1 if len(answers) == 2 else 2 if True in answers else 0

    def candidates(self, test: Test) -> Iterable[object] | None:
        """Return every value that a fact may have, or None where nothing is known of it."""
        if test.fact == "person.home":
            return self.homes
        value = self.facts[test.fact]
        match value:
            case None:
                return None
            case frozenset():
                return spread(self.book.vocabulary.places, value)
            case (int(low), int(high)):
                return range(low, high + 1)
            case date():
                return [whole_units(value, self.day, test.span)]
        return [value]

    # ------------------------------------------------------------ rules

    def holds(self, law: Law, rule: Rule) -> int:
        """Return how far a rule's own condition holds; the unconfirmed ones that loosen are possible at best."""
        loosens = self.loosens(rule)
        found = self.truth(law, rule.when, loosens=loosens)
        return min(found, 1) if loosens and not rule.confirmed else found

    def loosens(self, rule: Rule) -> bool:
        """Tell whether a rule makes the answer milder: a ground, or an exception to what is strict."""
        lifted = [item for law in self.book.laws for item in law.rules if item.id in rule.exception_to]
        return rule.effect == "ground" or any(not self.loosens(item) for item in lifted)

    def stands(self, law: Law, rule: Rule) -> int:
        """Return how far a rule holds after what lifts it: as much as no exception does."""
        return min(self.holds(law, rule), *(2 - self.counts(*exception) for exception in self.exceptions(rule)), 2)

    def exceptions(self, rule: Rule) -> list[tuple[Law, Rule]]:
        return [(law, item) for law, item in self.every_rule if rule.id in item.exception_to]

    def counts(self, law: Law, rule: Rule) -> int:
        """Return how far a ground or an exception counts: as far as its law governs and nothing lifts it."""
        return min(self.stands(law, rule), 2 if law.id == self.asked else self.governs(law))

    def grounds(self, slot: str) -> list[tuple[Law, Rule]]:
        return [
            (law, rule) for law, rule in self.every_rule if rule.effect == "ground" and slot in {rule.slot, *rule.fills}
        ]

    # ------------------------------------------------------------ one law

    def ask(self, law: Law) -> Said:
        """Return what a law says, taken that it governs."""
        said = Said()
        for rule in self.rules(law):
            stands = self.stands(law, rule)
            if rule.effect == "forbid" and stands:
                said.reasons.append((rule.id, "deny" if stands == 2 else "ask"))
            if rule.effect == "refer" and stands:
                said.reasons.append((rule.id, "ask"))
            if rule.effect == "require" and stands:
                said.requires.append((rule, stands == 2))
                said.reasons += [(rule.id, "ask") for fact in rule.needs if self.facts[fact] is None]
            if rule.effect in {"forbid", "refer"} and not stands and self.holds(law, rule):
                said.reasons += [(item.id, "permit") for _, item in self.lifting(rule)]
        for slot in law.slots:
            said.reasons += self.slot(law, slot.id, slot.applies)
        if self.covers(law) != 2:
            said.reasons.append((f"{law.id}:not-covered", "ask"))
        return said

    def lifting(self, rule: Rule) -> list[tuple[Law, Rule]]:
        return [exception for exception in self.exceptions(rule) if self.counts(*exception) == 2]

    def slot(self, law: Law, name: str, applies: Condition) -> list[tuple[str, str]]:
        needed = self.truth(law, applies, loosens=False)
        if not needed:
            return []
        counting = {rule.id: self.counts(own, rule) for own, rule in self.grounds(name)}
        filled = max(counting.values(), default=0)
        if filled == 2:
            return [(rule, "permit") for rule, counts in counting.items() if counts == 2]
        return [(name, "deny" if needed == 2 and not filled else "ask")]

    def covers(self, law: Law) -> int:
        """Return whether each place in question, with this operation and channel, is in a cell that the law covers."""
        best = 0
        for cell in law.covers:
            wanted = (("use.operation", cell.operations), ("use.channel", cell.channels), ("person.home", cell.places))
            found = [self.test(Test(fact, "in", words)) for fact, words in wanted if words is not None]
            best = max(best, min([2, *found]))
        return best

    def without_a_law(self) -> list[str]:
        """Return the places in which no law that protects the people there governs and covers the use."""
        bare = [home for home in sorted(self.homes) if not self.protected(home)]
        if not bare:
            return []
        return ["no-law:anywhere" if len(bare) > 5 else "no-law:" + "|".join(bare)]

    def protected(self, home: str) -> bool:
        there = Case(self.book, self.facts, self.day, frozenset({home}))
        return any(
            home in territory(self.book.vocabulary.places, law, self.day)
            and there.governs(law) == there.covers(law) == 2
            for law in self.laws
        )


def territory(places: Places, law: Law, day: date) -> frozenset[str]:
    found: set[str] = set()
    for word in law.territory:
        found |= members(places, word, day) if word in places.groups else spread(places, [word])
    return frozenset(found)


def in_force(start: date, until: date | None, day: date) -> bool:
    return start <= day and (until is None or day < until)


def short(name: str) -> str:
    return name.split("/", 1)[1].replace("-", "_")


def whole_units(start: date, day: date, span: str) -> int:
    """Return how many whole days, months or years lie between two days; fewer than none before the start."""
    if span == "days":
        return (day - start).days
    months = (day.year - start.year) * 12 + day.month - start.month
    last = monthrange(day.year, day.month)[1]
    if day.day < min(start.day, last):  # the month that ends today has not been whole yet
        months -= 1
    return months // 12 if span == "years" else months


# ---------------------------------------------------------------- obligations


def merged(book: Lawbook, requires: list[tuple[Rule, bool]]) -> tuple[set[tuple[object, ...]], list[str]]:
    """Merge obligations kind by kind, and name the kinds that cannot be met."""
    found: set[tuple[object, ...]] = set()
    clashes: list[str] = []
    for kind, about in book.obligations.items():
        mine = [(rule, certain) for rule, certain in requires if rule.obligation and rule.obligation.kind == kind]
        if not mine:
            continue
        parameters: dict[str, object] = {}
        for name, parameter in about.parameters.items():
            told = [rule.obligation.parameters for rule, _ in mine if rule.obligation]
            given = [values[name] for values in told if name in values]
            if given:
                parameters[name] = joined(parameter.merge, given)
        impossible = [name for name, value in parameters.items() if value is None]
        if "from" in parameters and "until" in parameters and str(parameters["from"]) >= str(parameters["until"]):
            impossible.append("from")
        clashes += [kind for _ in impossible]
        rules = tuple(sorted({rule.id for rule, _ in mine}))
        found.add((kind, plain(parameters), rules, any(certain for _, certain in mine)))
    return found, clashes


def joined(how: str, values: list[Value | tuple[str, ...]]) -> object:
    words = [set(value) for value in values if isinstance(value, tuple)]
    match how:
        case "union":
            return frozenset().union(*words)
        case "intersect":
            return frozenset(set.intersection(*words)) or None
        case "any":
            return any(values)
        case "least":
            return min(values)  # type: ignore[type-var]
        case "most":
            return max(values)  # type: ignore[type-var]
    return values[0] if len(set(values)) == 1 else None


def plain(parameters: Mapping[str, object]) -> tuple[tuple[str, object], ...]:
    """Return parameters so that they can be compared: order is nothing, lists of words are sets."""
    return tuple(
        sorted((name, frozenset(value) if isinstance(value, tuple) else value) for name, value in parameters.items())
    )
