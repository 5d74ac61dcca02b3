"""What changes between two days, or two versions of the packs: which rules and numbers, and for whom.

A change is shown with a witness: the fewest facts for which the law answers differently because of just this change. It
is looked for among the packs' own stories and what makes the changed condition true; so a change without a witness is
not proved to be without effect.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from itertools import islice
from typing import Literal, TypeVar, cast

from comity.law.asking import decide
from comity.law.cases import Case
from comity.law.clocks import Almanac
from comity.law.conditions import All, Condition, Constant, GroupName, Named, Not, Parameter, Some, Test, names, tests
from comity.law.duties import owed_by
from comity.law.duty_cases import DutyCase
from comity.law.folding import FIXED_NAMESPACES, add_months, fold
from comity.law.lawbook import DatedParameter, Definition, Law, Lawbook, Rule, Span
from comity.law.lint import family
from comity.law.owed import Owed
from comity.law.vocabulary import Facts, Value

Kind = Literal["rule", "definition", "parameter", "text"]
How = Literal["begins", "ends", "changes", "is cited anew"]

Item = TypeVar("Item", Rule, Definition)

MOST_SITUATIONS = 12
MOST_TRIED = 400
MOST_FOUND = 5
FEW = 4
FOREVER = Span(start=date.min)


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """The fewest facts for which a change matters, and what is answered before and after it; or a story's text."""

    facts: Facts
    before: str
    after: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One rule, definition or parameter that is another one on the later day; `before` and `after` say it in words."""

    kind: Kind
    id: str
    law: str
    how: How
    before: str
    after: str
    cite: str
    witness: Witness | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """The law on one side of a comparison: the packs, and the day on which they are asked."""

    book: Lawbook
    day: date

    def laws(self) -> dict[str, Law]:
        """Return the laws in force, by id."""
        return {law.id: law for law in self.book.laws if law.span.holds(self.day)}


@dataclass(frozen=True)
class Comparison:
    """Two sides, with the stories among which witnesses are looked for."""

    before: Side
    after: Side
    cases: Sequence[Case]
    duty_cases: Sequence[DutyCase]
    almanac: Almanac
    packs: Collection[str] = field(default=())  # of these alone; of all where none is named

    def changes(self) -> Iterator[Change]:
        """Yield every change, law by law, each with its witness where one is found."""
        old, new = self.before.laws(), self.after.laws()
        for law_id in sorted(old.keys() | new.keys()):
            law = new.get(law_id) or old[law_id]
            if not self.packs or {law.pack, law.id} & set(self.packs):
                yield from self.of_law(law_id, old.get(law_id), new.get(law_id))

    def of_law(self, law_id: str, old: Law | None, new: Law | None) -> Iterator[Change]:
        rules = _changed(_rules(old, self.before.day), _rules(new, self.after.day))
        definitions = _changed(_definitions(old, self.before.day), _definitions(new, self.after.day))
        for rule_id, one, other in rules:
            yield self.of_rule(law_id, rule_id, one, other)
        for item_id, first, second in definitions:
            if first is not None and second is not None:  # one that begins or ends does so for the rules that use it
                yield self.of_definition(law_id, item_id, first, second)
        yield from self.of_parameters(law_id, old, new)

    def of_rule(self, law_id: str, rule_id: str, old: Rule | None, new: Rule | None) -> Change:
        how: How = "begins" if old is None else "ends" if new is None else "changes"
        if old is not None and new is not None and _core(old) == _core(new):
            how = "is cited anew"
        found = Change(
            kind="rule", id=rule_id, law=law_id, how=how, before=_says(old), after=_says(new),
            cite=(new or cast("Rule", old)).source.cite,
        )  # fmt: skip
        return replace(found, witness=_Search(self, found, [item for item in (old, new) if item]).witness())

    def of_definition(self, law_id: str, item_id: str, old: Definition, new: Definition) -> Change:
        found = Change(
            kind="definition", id=item_id, law=law_id, how="changes", before=old.says, after=new.says,
            cite=new.source.cite,
        )  # fmt: skip
        name = item_id.partition("/")[2].replace("-", "_")
        return replace(
            found, witness=_Search(self, found, self.using(law_id, lambda one: name in set(names(one)))).witness()
        )

    def of_parameters(self, law_id: str, old: Law | None, new: Law | None) -> Iterator[Change]:
        earlier = {item.id: item for item in old.parameters} if old else {}
        later = {item.id: item for item in new.parameters} if new else {}
        for item_id in sorted(earlier.keys() & later.keys()):
            was, now = (
                _values(item[item_id], side.day) for item, side in ((earlier, self.before), (later, self.after))
            )
            if was != now:
                words = [", ".join(f"{value:,} {place}".strip() for place, value in values) for values in (was, now)]
                found = Change(
                    kind="parameter", id=item_id, law=law_id, how="changes", before=words[0], after=words[1],
                    cite=later[item_id].source.cite,
                )  # fmt: skip
                name = item_id.partition("/")[2].replace("-", "_")
                uses = self.using(law_id, lambda one, name=name: _uses(one, name))  # type: ignore[misc]
                yield replace(found, witness=_Search(self, found, uses).witness())

    def using(self, law_id: str, uses: Callable[[Condition], bool]) -> list[Rule]:
        """Return the rules of a law, on the later side, whose conditions use something."""
        law = self.after.laws().get(law_id)
        return [rule for rule in law.rules if rule.span.holds(self.after.day) and uses(rule.when)] if law else []


def _uses(condition: Condition, name: str) -> bool:
    return any(isinstance(test.operand, Parameter) and test.operand.name == name for test in tests(condition))


def _rules(law: Law | None, day: date) -> dict[str, Rule]:
    return {rule.id: rule for rule in law.rules if rule.span.holds(day)} if law else {}


def _definitions(law: Law | None, day: date) -> dict[str, Definition]:
    return {item.id: item for item in law.definitions if item.span.holds(day)} if law else {}


def _changed(old: Mapping[str, Item], new: Mapping[str, Item]) -> Iterator[tuple[str, Item | None, Item | None]]:
    for item_id in sorted(old.keys() | new.keys()):
        one, other = old.get(item_id), new.get(item_id)
        if one is None or other is None or _shown(one) != _shown(other):
            yield item_id, one, other


def _shown(item: Rule | Definition) -> tuple[object, ...]:
    return (_core(item) if isinstance(item, Rule) else item.when, item.says, item.source.cite)


def _core(rule: Rule) -> Rule:
    """Return what of a rule can change an answer."""
    return replace(
        rule, source=replace(rule.source, file="", line=0, cite="", url="", row=""), span=FOREVER, announced=None,
        checked=None, review_by=None, says="",
    )  # fmt: skip


def _says(rule: Rule | None) -> str:
    return f"{rule.says} ({rule.source.cite})" if rule else ""


def _values(parameter: DatedParameter, day: date) -> tuple[tuple[str, float], ...]:
    held = [dated for dated in parameter.values if dated.span.holds(day)]
    return tuple(sorted((", ".join(sorted(dated.places or ())), dated.value) for dated in held))


# ---------------------------------------------------------------- witnesses

PLAIN = frozenset(
    {
        "person.home",
        "org.place",
        "use.operation",
        "use.purpose",
        "use.channel",
        "event.kind",
        "event.on",
        "event.request",
    }
)
"""Facts without which nobody would understand a witness."""


def _weakness(before: str, after: str) -> int:
    """Rank a pair of answers: a plain yes and a plain no tell more than a question or silence."""
    return sum(answer.startswith(word) for answer in (before, after) for word in ("ask", "silent", "nothing"))


@dataclass(frozen=True)
class _Search:
    """Looks for the fewest facts for which one change makes a difference."""

    comparison: Comparison
    change: Change
    rules: Sequence[Rule]

    def witness(self) -> Witness | None:
        """Return the smallest of the first few that are found."""
        duties = any(rule.duty is not None for rule in self.rules)
        tell = self.duties_differ if duties else self.decisions_differ
        found = []
        for facts in islice(self.duty_facts() if duties else self.use_facts(), MOST_TRIED):
            answers = tell(facts)
            if answers is not None:
                found.append((facts, answers))
            if len(found) == MOST_FOUND:
                break
        small = [(self.smaller(facts, answers, tell), answers) for facts, answers in found]
        if not small:
            return None
        facts, (before, after) = min(small, key=lambda one: (_weakness(*one[1]), len(one[0]), sorted(one[0])))
        return Witness(facts=facts, before=before, after=after)

    def smaller(self, facts: Facts, answers: tuple[str, str], tell: Callable[[Facts], tuple[str, str] | None]) -> Facts:
        """Leave out every fact that is not needed for these answers; who, where and what for stay."""
        for name in sorted(facts.keys() - PLAIN):
            fewer = {key: value for key, value in facts.items() if key != name}
            if tell(fewer) == answers:
                facts = fewer
        return facts

    # ------------------------------------------------ what is answered

    @cached_property
    def sides(self) -> tuple[Side, Side, Side]:
        """The law before, the law after, and the law after without this change; each with the laws tied to this one."""
        before, after = self.comparison.before, self.comparison.after
        tied = family(after.book if self.change.law in after.laws() else before.book, self.law)
        wanted = {item.id for item in tied.laws}

        def small(book: Lawbook) -> Lawbook:
            return replace(book, laws=tuple(item for item in book.laws if item.id in wanted))

        without = tuple(self.undone(item) if item.id == self.change.law else item for item in after.book.laws)
        if self.change.law not in {item.id for item in without}:
            without = (*without, before.laws()[self.change.law])
        return (
            Side(small(before.book), before.day),
            Side(small(after.book), after.day),
            Side(small(replace(after.book, laws=without)), after.day),
        )

    def undone(self, law: Law) -> Law:
        """Return the law of the later side as if this one change had not come."""
        old, change = self.comparison.before.laws().get(law.id), self.change
        if change.kind == "rule":
            kept = [rule for rule in law.rules if rule.id != change.id]
            back = _rules(old, self.comparison.before.day).get(change.id)
            return replace(law, rules=tuple([*kept, replace(back, span=FOREVER)] if back else kept))
        if change.kind == "definition":
            rest = [item for item in law.definitions if item.id != change.id]
            was = _definitions(old, self.comparison.before.day).get(change.id)
            return replace(law, definitions=tuple([*rest, replace(was, span=FOREVER)] if was else rest))
        parameters = tuple(self.as_before(item) if item.id == change.id else item for item in law.parameters)
        return replace(law, parameters=parameters)

    def as_before(self, parameter: DatedParameter) -> DatedParameter:
        day = self.comparison.before.day
        values = tuple(replace(dated, span=FOREVER) for dated in parameter.values if dated.span.holds(day))
        return replace(parameter, values=values)

    def decisions_differ(self, facts: Facts) -> tuple[str, str] | None:
        """Return the answers before and after where this change makes them differ."""
        before, after, without = (self.answer(side, facts) for side in self.sides)
        if self.change.how == "is cited anew":
            cited = self.change.id in after[1] and self.change.id in before[1]
            return (f"{before[0]}, citing the old article", f"{after[0]}, citing the new") if cited else None
        if after[0] in {without[0], before[0]}:
            return None
        return before[0], after[0]

    def answer(self, side: Side, facts: Facts) -> tuple[str, frozenset[str]]:
        """Return what the law of the change answers, and the rules it names."""
        facts = side.book.vocabulary.read(facts)  # as `may` would have them
        fixed = {name: value for name, value in facts.items() if name.partition(".")[0] in FIXED_NAMESPACES}
        decision = decide(fold(side.book, fixed, side.day), facts)
        own = next((item.verdict.value for item in decision.finding.laws if item.law == self.change.law), "silent")
        kinds = {
            f"must come with {item.kind}" for item in decision.finding.obligations if _by(item.rules, self.change.law)
        }
        said = ", ".join([own, *sorted(kinds)]) if own == "permit" else own
        return said, frozenset(reason.rule for reason in decision.reasons)

    def duties_differ(self, facts: Facts) -> tuple[str, str] | None:
        if facts.get("event.kind") is None or facts.get("event.on") is None:
            return None
        before, after, without = (self.owed(side, facts) for side in self.sides)
        return None if after in {without, before} else (before, after)

    def owed(self, side: Side, facts: Facts) -> str:
        """Return in words what the law of the change makes us owe."""
        law = side.laws().get(self.change.law)
        items = owed_by(side.book, [law], facts, side.day, self.comparison.almanac) if law else ()
        told = (
            _told(item, cited=self.change.how == "is cited anew")
            for item in items
            if self.change.kind != "rule" or item.rule == self.change.id
        )
        return "; ".join(told) or "nothing"

    # ------------------------------------------------ whom to ask about

    def use_facts(self) -> Iterator[Facts]:
        """Yield facts to try: the stories of the law, as they are and with what makes the changed condition true."""
        stories = [case.facts for case in self.comparison.cases if case.law == self.change.law]
        yield from stories
        governed = list(islice(_Making(self.comparison.after, self.law).true(self.law.governs, wanted=True), FEW))
        for situation in self.situations():
            yield from ({**facts, **situation} for facts in (*governed, *stories))

    def duty_facts(self) -> Iterator[Facts]:
        stories = [case.facts for case in self.comparison.duty_cases if case.law == self.change.law]
        yield from stories
        for situation in self.situations():
            yield from ({**facts, **situation} for facts in stories)

    def situations(self) -> Iterator[Facts]:
        """Yield what makes a changed condition hold, and what makes it fail."""
        making = _Making(self.comparison.after, self.law)
        for wanted in (True, False):
            for rule in self.rules:
                yield from islice(making.true(rule.when, wanted=wanted), MOST_SITUATIONS)

    @property
    def law(self) -> Law:
        """The law of the change, as it is on the later side if it is there."""
        laws = self.comparison.after.laws()
        return laws.get(self.change.law) or self.comparison.before.laws()[self.change.law]


def _told(item: Owed, *, cited: bool) -> str:
    """Return a duty in words; with its citation only where nothing else changes."""
    day = (
        "at once"
        if item.at_once
        else f"by {item.due.day}"
        if item.due
        else f"by a day not known yet ({', '.join(item.missing)})"
    )
    later = f" or {item.due.later}" if item.due and item.due.later else ""
    longer = "".join(f", extendable to {one.to}" for one in item.longer if not one.counted)
    state = "" if item.state == "owed" else f" [{item.state}]"
    return f"{item.act} to {item.to} {day}{later}{longer}{state}" + (f" ({item.cite})" if cited else "")


def _by(rules: Iterable[str], law: str) -> bool:
    return any(rule.startswith(law + "/") for rule in rules)


@dataclass(frozen=True, slots=True)
class _Making:
    """Makes facts for which a condition of a law holds, or does not."""

    side: Side
    law: Law

    def true(self, condition: Condition, *, wanted: bool) -> Iterator[Facts]:
        """Yield facts that settle a condition as wanted."""
        match condition:
            case Not(part=part):
                yield from self.true(part, wanted=not wanted)
            case Constant(truth=truth):
                yield from [{}] if bool(truth) == wanted else []
            case Named(name=name):
                for item in self.law.definitions:
                    if item.id.partition("/")[2].replace("-", "_") == name and item.span.holds(self.side.day):
                        yield from self.true(item.when, wanted=wanted)
            case All(parts=parts) | Some(parts=parts):
                yield from self.several(parts, every=isinstance(condition, All) == wanted, wanted=wanted)
            case Test():
                yield from ({condition.fact: value} for value in self.values(condition, wanted=wanted))

    def several(self, parts: Sequence[Condition], *, every: bool, wanted: bool) -> Iterator[Facts]:
        if not every:
            for part in parts:
                yield from self.true(part, wanted=wanted)
            return
        if not parts:
            yield {}
            return
        for first in islice(self.true(parts[0], wanted=wanted), MOST_SITUATIONS):
            for rest in self.several(parts[1:], every=True, wanted=wanted):
                if all(rest.get(name, value) == value for name, value in first.items()):
                    yield {**first, **rest}

    def values(self, test: Test, *, wanted: bool) -> Iterator[Value]:
        """Yield values of the test's fact for which it is as wanted."""
        vocabulary = self.side.book.vocabulary
        fact, operand = vocabulary.facts[test.fact], test.operand
        if isinstance(operand, Parameter):
            operand = self.number(operand.name)
        if isinstance(operand, GroupName):
            operand = vocabulary.places.group(operand.name, self.side.day)
        if fact.kind == "bool":
            yield (operand is True) == wanted
        elif fact.kind == "choice":
            inside = operand if isinstance(operand, frozenset) else frozenset({operand})
            yield from (word for word in fact.choices if (word in inside) == wanted)
        elif fact.kind == "place" and isinstance(operand, frozenset):
            yield from (frozenset({code}) for code in sorted(operand)[:2]) if wanted else (frozenset({"BR"}),)
        elif isinstance(operand, (int, float)):
            yield from self.around(test, operand, wanted=wanted)

    def around(self, test: Test, operand: float, *, wanted: bool) -> Iterator[Value]:
        near = [int(operand) - 1, int(operand), int(operand) + 1]
        right = (number for number in near if number >= 0 and _holds(number, test.operator, operand) == wanted)
        kind = self.side.book.vocabulary.facts[test.fact].kind
        for number in right:
            yield _ago(self.side.day, number, test.span) if test.span else (number, number) if kind == "age" else number

    def number(self, name: str) -> float:
        for item in self.law.parameters:
            if item.id.partition("/")[2].replace("-", "_") == name:
                dated = next((one for one in item.values if one.span.holds(self.side.day)), item.values[-1])
                return dated.value
        return 0


def _holds(number: float, operator: str, operand: float) -> bool:
    return {
        "<": number < operand, "<=": number <= operand, ">": number > operand, ">=": number >= operand,
        "==": number == operand,
    }.get(operator, False)  # fmt: skip


def _ago(day: date, number: int, span: str) -> date:
    return day - timedelta(days=number) if span == "days" else add_months(day, -number * (12 if span == "years" else 1))
