"""One decision with its full explanation, against Cedar and CEL given the same rules for the same place.

The rules are those that folding leaves for one use and one place, so all three start from the same. Neither peer knows
an unknown fact from a false one: each rule becomes two of theirs, one for "certainly" and one for "possibly". What
they are not asked for is the rest of a decision: exceptions, grounds, several laws, obligations, citations and missing
facts.
"""

from __future__ import annotations

import gc
import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from statistics import mean, median
from typing import Any

import cedarpy
import cel

from comity.law import Lawbook, Plan, fold
from comity.law.asking import FEW, Asker, asker, signature_of
from comity.law.conditions import FALSE, TRUE, UNKNOWN, All, Capped, Condition, Constant, Not, Some, Test, truth
from comity.law.folding import HOME, test_truth
from comity.law.vocabulary import Facts
from tests.law import people

PLACES = ("DE", "FR", "US-CA", "CN")
AGREED = 400
"""People in each place on whom all three must agree, rule by rule, before anything is timed."""

Raw = dict[str, object]


@dataclass(frozen=True)
class Tongue:
    """How one peer's language writes a fact, its presence and a set; the rest they write alike."""

    fact: str
    has: str
    among: str

    def both(self, condition: Condition, absent: Facts) -> tuple[str, str]:
        """Return when a folded condition is certainly true, and when it is possibly true."""
        match condition:
            case Constant(truth=settled):
                return _word(settled == TRUE), _word(settled != FALSE)
            case Test():
                return self.test(condition, test_truth(condition, absent[condition.fact]))
            case Not(part=part):
                certain, possible = self.both(part, absent)
                return f"!({possible})", f"!({certain})"
            case Capped(part=part):
                return "false", self.both(part, absent)[1]
            case All(parts=parts) | Some(parts=parts):
                sign = " && " if isinstance(condition, All) else " || "
                pairs = [self.both(part, absent) for part in parts]
                return tuple("(" + sign.join(side) + ")" for side in zip(*pairs, strict=True))  # type: ignore[return-value]
        raise AssertionError(condition)  # in one place nothing else is left

    def test(self, test: Test, when_absent: int) -> tuple[str, str]:
        certain, possible = self.compared(test)
        has = self.has.format(name=_names(test.fact)[0])
        return (
            f"(!{has} || {certain})" if when_absent == TRUE else f"({has} && {certain})",
            f"({has} && {possible})" if when_absent == FALSE else f"(!{has} || {possible})",
        )

    def compared(self, test: Test) -> tuple[str, str]:
        """Return the comparison of a fact that is there; an age is two numbers, of which either may be the true one."""
        low, high = (self.fact.format(name=name) for name in _names(test.fact))
        operand = json.dumps(_raw(test.operand))
        if test.operator == "is":
            return low, low
        if test.operator == "in":
            inside = self.among.format(fact=low, words=operand)
            return inside, inside
        if low == high:
            return (f"({low} {test.operator} {operand})",) * 2
        if test.operator == "==":
            return f"({low} == {operand} && {high} == {operand})", f"({low} <= {operand} && {operand} <= {high})"
        weak, strong = (low, high) if test.operator in {"<", "<="} else (high, low)
        return f"({strong} {test.operator} {operand})", f"({weak} {test.operator} {operand})"


CEDAR = Tongue("context.{name}", "(context has {name})", "{words}.contains({fact})")
CEL = Tongue("f.{name}", "has(f.{name})", "({fact} in {words})")


@dataclass(frozen=True)
class Here:
    """The law folded for one use and one place, and people who live there."""

    plan: Plan
    place: str
    people: Sequence[Facts]

    @cached_property
    def homes(self) -> frozenset[str]:
        """The place as the engine takes it."""
        return frozenset({self.place})

    @cached_property
    def rules(self) -> list[tuple[str, Condition]]:
        """Every rule that folding left here."""
        return [(rule.id, condition) for law in self.plan.at(self.homes).laws for rule, condition in law.rules]

    @cached_property
    def asker(self) -> Asker:
        """Our decision for one person after another: asked often enough to be compiled."""
        for _ in range(FEW):
            asker(self.plan, self.homes)
        return asker(self.plan, self.homes)

    @cached_property
    def raw(self) -> list[Raw]:
        """Each person's facts as the peers take them, no more than the rules here read."""
        read = set(self.plan.at(self.homes).facts_read) - {HOME}
        return [_raw_facts({name: value for name, value in facts.items() if name in read}) for facts in self.people]

    def expressions(self, tongue: Tongue) -> list[str]:
        """Return two expressions a rule: certainly, possibly."""
        return [side for _, condition in self.rules for side in tongue.both(condition, self.plan.absent)]

    def ours(self, facts: Facts) -> list[bool]:
        """Return what we find of each rule, in the order of `expressions`."""
        local = self.plan.at(self.homes)
        known = local.truths(signature_of(self.plan, local, facts))
        found = [truth(condition, known) for _, condition in self.rules]
        return [side for one in found for side in (one == TRUE, one >= UNKNOWN)]

    def forget(self) -> None:
        """Forget every kind of person seen here."""
        local = self.plan.at(self.homes)
        for memory in ("memory", "law_answers", "said", "findings"):
            local.__dict__.get(memory, {}).clear()


class Cedar:
    """The rules as one set of policies, read beforehand; a person is a context in JSON, written beforehand."""

    def __init__(self, here: Here) -> None:
        head = "permit(principal, action, resource) when"
        expressions = here.expressions(CEDAR)
        self.policies = cedarpy.PolicySet.from_str("\n".join(f"{head} {{ {one} }};" for one in expressions))
        self.entities = cedarpy.Entities.from_json_str("[]")
        self.count = len(expressions)
        request = {"principal": 'User::"us"', "action": 'Action::"contact"', "resource": 'Person::"one"'}
        self.asked = [{**request, "context": json.dumps(raw)} for raw in here.raw]

    def decide(self, request: Mapping[str, object]) -> object:
        return cedarpy.is_authorized(request, self.policies, self.entities)

    def found(self, request: Mapping[str, object]) -> list[bool]:
        """Return which policies held."""
        diagnostics = cedarpy.is_authorized(request, self.policies, self.entities).diagnostics
        assert not diagnostics.errors, diagnostics.errors
        held = {int(name.removeprefix("policy")) for name in diagnostics.reasons}
        return [number in held for number in range(self.count)]


class Cel:
    """The rules as one list of expressions, compiled beforehand and evaluated together; a person is a dictionary."""

    def __init__(self, here: Here) -> None:
        self.program = cel.compile("[" + ", ".join(here.expressions(CEL)) + "]")
        self.asked = [{"f": raw} for raw in here.raw]

    def decide(self, context: Mapping[str, object]) -> object:
        return self.program.execute(context)

    found = decide


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Microseconds a decision in one place: medians over the people, then over the rounds."""

    place: str
    rules: int
    ours: float  # a kind of person seen before
    cold: float  # a kind of person never seen, nothing remembered
    mean: float  # the whole population once, from nothing remembered to the end
    cedar: float
    cel: float


def measure(book: Lawbook, *, day: date, count: int, rounds: int) -> list[Figures]:
    """Time one decision in each place, ours and theirs in turn."""
    use = book.vocabulary.read({**people.US, **people.USES["marketing by e-mail"]})
    plan = fold(book, use, day)
    return [_measure(Here(plan, place, _people(book, place, count)), rounds) for place in PLACES]


def _measure(here: Here, rounds: int) -> Figures:
    cedar, program = Cedar(here), Cel(here)
    for facts, request, context in list(zip(here.people, cedar.asked, program.asked, strict=True))[:AGREED]:
        ours = here.ours(facts)
        assert ours == cedar.found(request) == program.found(context), (here.place, facts)
    found: dict[str, list[float]] = {name: [] for name in ("ours", "cold", "mean", "cedar", "cel")}
    for _ in range(rounds):
        here.forget()
        found["mean"].append(mean(_times(here.asker, here.people)))
        found["ours"].append(median(_times(here.asker, here.people)))
        found["cedar"].append(median(_times(cedar.decide, cedar.asked[:AGREED])))
        found["cel"].append(median(_times(program.decide, program.asked[:AGREED])))
        found["cold"].append(median(_times(here.asker, here.people[:AGREED], here.forget)))
    return Figures(place=here.place, rules=len(here.rules), **{name: median(times) for name, times in found.items()})


def _times(
    decide: Callable[[Any], object], asked: Sequence[object], before: Callable[[], None] = lambda: None
) -> list[float]:
    """Return the microseconds of each decision; the collector of garbage waits, as `timeit` has it."""
    gc.collect()
    gc.disable()
    times = []
    for one in asked:
        before()
        started = time.perf_counter_ns()
        decide(one)
        times.append((time.perf_counter_ns() - started) / 1000)
    gc.enable()
    return times


def _people(book: Lawbook, place: str, count: int) -> list[Facts]:
    """Return people of one place, half of them well documented; facts checked by the vocabulary already."""
    dice = random.Random(7)
    drawn = [people.person(book, dice) if number % 2 else people.willing(book, dice) for number in range(count)]
    return [facts | {HOME: frozenset({place})} for facts in drawn]


def _names(fact: str) -> tuple[str, str]:
    """Return the fields in which the peers find a fact: the least and the most of an age, else the one value twice."""
    name = fact.replace(".", "_")
    return (f"{name}_low", f"{name}_high") if fact in {"person.age", "person.known_age"} else (name, name)


def _raw_facts(facts: Facts) -> Raw:
    raw: Raw = {}
    for fact, value in facts.items():
        name = fact.replace(".", "_")
        if isinstance(value, tuple):
            raw[f"{name}_low"], raw[f"{name}_high"] = value
        else:
            raw[name] = _raw(value)
    return raw


def _raw(value: object) -> object:
    """Return a day as its number and a set as a list: neither peer has days that are cheap to compare."""
    if isinstance(value, date):
        return value.toordinal()
    return sorted(value) if isinstance(value, frozenset) else value


def _word(settled: bool) -> str:  # noqa: FBT001 (a truth is what it is about)
    return "true" if settled else "false"
