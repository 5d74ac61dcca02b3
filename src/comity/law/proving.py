"""What is true of the law for everybody, proved: on every interval between dates of change, for every person and use.

A proof quantifies over every fact of the person, of the use and of us, each known or unknown, for people who live in
one place, in each place that some law covers, on the first day of each interval. It says nothing of people whose home
is a set of several places; the property tests do. Each counterexample is put to `may` before it is shown.

What folding guarantees (no rule out of force, no two values of a parameter on one day) is checked when packs are
loaded, and not claimed here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from comity.law.asking import may
from comity.law.conditions import NEVER, TRUE, Condition, ConditionError, Parameter, Test, names, parse, tests
from comity.law.decisions import Decision
from comity.law.folding import FIXED_NAMESPACES, HOME, FoldedLaw, LocalPlan, World, _local
from comity.law.lawbook import Law, Lawbook, PackError, Rule, Span, Verdict
from comity.law.smt import (
    LawTerms,
    Pair,
    SettingTerms,
    Term,
    Terms,
    either,
    every,
    fold_condition,
    fold_open,
    lengths,
    load_z3,
    negated,
    shape,
    terms_of,
)
from comity.law.vocabulary import FactError, Facts, nearest

FIRST_DAY = date(2018, 1, 1)
"""Nothing is proved about the days before."""

INVARIANT_KEYS = frozenset("name says where use law from verdict".split())
VERDICTS = ("permit", "deny", "ask", "silent")
REFUSALS = {
    "person.objected": "an objection",
    "consent.opted_out": "an opt-out",
    "consent.withdrawn": "a withdrawn consent",
}
MARKETING: Facts = {
    "use.operation": "contact", "use.purpose": "marketing", "use.confirms_opt_out": False, "use.legal_duty": False,
    "use.contract_needs_it": False,
}  # fmt: skip
"""Marketing that nothing obliges anybody to."""
PERSON = frozenset({"person", "consent", "relation"})


class EncodingDisagrees(AssertionError):
    """The terms and `may` answer differently: a fault of Comity, never of a pack."""


# ---------------------------------------------------------------- what authors of packs add


@dataclass(frozen=True, kw_only=True, slots=True)
class Invariant:
    """What an author of packs holds to be true of everybody: `invariants.toml`."""

    name: str
    says: str
    file: str
    where: Condition
    use: Facts
    law: str
    since: date
    always: bool
    verdict: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Absence:
    """A fact whose absence may be milder than what is recorded, where a condition is possibly true, and why."""

    fact: str
    says: str
    where: Condition


@dataclass(frozen=True, kw_only=True, slots=True)
class Invariants:
    """All that authors of packs listed."""

    listed: tuple[Invariant, ...]
    absences: tuple[Absence, ...]


def read_invariants(book: Lawbook, root: Path) -> Invariants:
    """Read `invariants.toml` of the packs' folder and of each pack. Raises PackError with file and name."""
    listed: list[Invariant] = []
    absences: list[Absence] = []
    for path in (root / "invariants.toml", *sorted(root.glob("*/invariants.toml"))):
        if path.exists():
            file = path.relative_to(root).as_posix()
            tables = _tables(path, file)
            listed += [_invariant(book, table, file) for table in tables.get("invariant", [])]
            absences += [_absence(book, table, file) for table in tables.get("absence", [])]
    for one in listed:
        if sum(other.name == one.name for other in listed) > 1:
            raise PackError(f"two invariants are called {one.name!r}", file=one.file)
    return Invariants(listed=tuple(listed), absences=tuple(absences))


def _tables(path: Path, file: str) -> dict[str, Any]:
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise PackError(f"it is not TOML: {error}", file=file) from None
    for key in tables:
        if key not in {"invariant", "absence"}:
            raise PackError(f"unknown table {key!r}; there are [[invariant]] and [[absence]]", file=file)
    return tables


def _absence(book: Lawbook, table: Mapping[str, Any], file: str) -> Absence:
    def wrong(what: str) -> PackError:
        return PackError(what, file=file, rule=f"absence of {table.get('fact', '?')}")

    if not {"fact", "says"} <= table.keys() <= {"fact", "says", "where"}:
        raise wrong("an [[absence]] has a 'fact', 'says' (the reason) and, if only there, 'where'")
    try:
        fact = book.vocabulary.fact(table["fact"]).name
    except FactError as error:
        raise wrong(str(error)) from None
    where = _where(book, table.get("where", "True"), "", wrong)
    if any(test.span or book.vocabulary.facts[test.fact].kind == "place" for test in tests(where)):
        raise wrong("where: it must be the same on every day and in every place, so it asks for neither")
    return Absence(fact=fact, says=table["says"], where=where)


def _invariant(book: Lawbook, table: Mapping[str, Any], file: str) -> Invariant:
    name = str(table.get("name", "invariant"))

    def wrong(what: str) -> PackError:
        return PackError(what, file=file, rule=name)

    for key in table:
        if key not in INVARIANT_KEYS:
            raise wrong(f"unknown key {key!r}{nearest(key, INVARIANT_KEYS)}")
    for key in ("name", "says", "where", "verdict"):
        if not isinstance(table.get(key), str):
            raise wrong(f"it has no {key!r}")
    law = table.get("law", "")
    if law and law not in {item.id for item in book.laws}:
        raise wrong(f"no law is called {law!r}{nearest(law, [item.id for item in book.laws])}")
    how, _, verdict = table["verdict"].partition(" ")
    if how not in {"always", "never"} or verdict not in VERDICTS or (verdict == "silent" and not law):
        raise wrong('verdict is "always" or "never" and then permit, deny or ask, or silent where a law is named')
    since = table.get("from", book.law(law).span.start if law else FIRST_DAY)
    if not isinstance(since, date) or isinstance(since, datetime):
        raise wrong("'from' must be a day, such as 2020-01-01 (without quotes)")
    return Invariant(
        name=name, says=table["says"], file=file, where=_where(book, table["where"], law, wrong),
        use=_use(book, table.get("use", {}), wrong), law=law, since=since, always=how == "always", verdict=verdict,
    )  # fmt: skip


def _where(book: Lawbook, text: str, law: str, wrong: Callable[[str], PackError]) -> Condition:
    try:
        condition = parse(text, book.vocabulary)
    except ConditionError as error:
        raise wrong(f"where: {error}") from None
    named = [*names(condition), *(_parameter_of(test.operand) for test in tests(condition))]
    own = book.law(law) if law else None
    known = [*(item.id for item in own.definitions), *(item.id for item in own.parameters)] if own else []
    short = {name.partition("/")[2].replace("-", "_") for name in known}
    for name in filter(None, named):
        if name not in short:
            raise wrong(f"where: {name} is no definition or parameter of {law or 'any law: name one with law = '}")
    return condition


def _parameter_of(operand: object) -> str:
    return operand.name if isinstance(operand, Parameter) else ""


def _use(book: Lawbook, given: object, wrong: Callable[[str], PackError]) -> Facts:
    if not isinstance(given, Mapping):
        raise wrong("""'use' must be a table: use = { "use.channel" = "email" }""")
    try:
        facts = book.vocabulary.read(given)
    except FactError as error:
        raise wrong(str(error)) from None
    for name, value in facts.items():
        if name.partition(".")[0] not in FIXED_NAMESPACES or value is None or isinstance(value, date):
            raise wrong(f"use has known facts of the use and of us; {name} belongs into 'where'")
    return facts


# ---------------------------------------------------------------- what comes out


@dataclass(frozen=True, kw_only=True, slots=True)
class Counterexample:
    """Facts for which an invariant does not hold, as `may` confirmed; no facts where nothing at all does something."""

    says: str
    day: date
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """One invariant: what it was proved over, or why it does not hold."""

    name: str
    says: str
    intervals: int
    places: int
    questions: int
    failures: tuple[Counterexample, ...] = ()

    @property
    def holds(self) -> bool:
        """Tell whether it was proved."""
        return not self.failures


@dataclass(frozen=True, kw_only=True, slots=True)
class Unstopped:
    """Marketing that the laws of some places, without the house rules, permit to people who refused it."""

    channel: str
    places: tuple[str, ...]
    refusals: tuple[str, ...]
    only_business: bool
    cites: tuple[str, ...]
    day: date
    facts: Mapping[str, object]


# ---------------------------------------------------------------- days and places


def dates_of_change(book: Lawbook, since: date = FIRST_DAY) -> list[date]:
    """Return the first day of every interval in which no law, rule, number or group of places changes."""
    spans = [span for law in book.laws for span in _spans(law)]
    changes = {day for span in spans for day in (span.start, span.until)}
    members = (member for group in book.vocabulary.places.groups.values() for member in group.members)
    changes |= {day for member in members for day in (member.start, member.until)}
    return sorted({since, *(day for day in changes if day is not None and day > since)})


def _spans(law: Law) -> Iterator[Span]:
    yield law.span
    yield from (rule.span for rule in law.rules if rule.effect != "duty")
    yield from (definition.span for definition in law.definitions)
    yield from (dated.span for parameter in law.parameters for dated in parameter.values)


@dataclass(frozen=True, slots=True)
class Setting:
    """The law for people who live in one place on one day, and every other day and place in which it is the same."""

    plan: LocalPlan
    same: list[tuple[date, str]]


class Prover:
    """The settings of a lawbook, and one who answers whether a term can be true in them."""

    def __init__(
        self,
        book: Lawbook,
        invariants: Invariants,
        *,
        days: Iterable[date] | None = None,
        homes: Collection[str] = (),
    ) -> None:
        load_z3()  # raises at once where it is not installed
        self.book = book
        self.invariants = invariants
        self.days = sorted(days) if days is not None else dates_of_change(book)
        self.plans = {day: fold_open(book, day) for day in self.days}
        self.homes = [home for home in sorted(book.vocabulary.places.every) if not homes or home in homes]
        self.asked = 0
        self._solvers: dict[Hashable, Any] = {}
        self._answers: dict[Hashable, tuple[object, ...]] = {}
        self._encoded: dict[Hashable, SettingTerms] = {}
        self._folded: dict[Hashable, Condition] = {}

    @cached_property
    def covered(self) -> dict[date, list[str]]:
        """The places that some law covers, on each day."""
        return {day: [home for home in self.homes if plan.covered(home) != NEVER] for day, plan in self.plans.items()}

    @cached_property
    def places(self) -> frozenset[str]:
        """The places that some law covers on some day."""
        return frozenset(home for homes in self.covered.values() for home in homes)

    @cached_property
    def settings(self) -> list[Setting]:
        """Every different law of a day and a place that some law covers."""
        return self._settings((day, home) for day, homes in self.covered.items() for home in homes)

    def _settings(self, cells: Iterable[tuple[date, str]]) -> list[Setting]:
        found: dict[Hashable, Setting] = {}
        for day, home in cells:
            local = self.plans[day].at(frozenset({home}))
            shapes = frozenset(self._shape(folded) for folded in local.laws)
            key = (shapes, local.uncovered_homes[home], lengths(local.own_tests, day))
            found.setdefault(key, Setting(local, [])).same.append((day, home))
        return list(found.values())

    def elsewhere(self, law_id: str, day: date) -> list[Setting]:
        """Return the settings of a day in which a law may govern and no law covers the place."""
        plan = self.plans[day]
        uncovered = (home for home in self.homes if home not in self.covered[day])
        return self._settings((day, home) for home in uncovered if law_id in plan.laws_of(home))

    @cached_property
    def _shapes(self) -> dict[int, tuple[object, int]]:
        return {}

    @cached_property
    def _numbers(self) -> dict[Hashable, int]:
        return {}

    def _shape(self, folded: FoldedLaw) -> int:
        """Return a number for what decides in a law; the law is kept, so that no other comes to have its id."""
        if id(folded) not in self._shapes:
            number = self._numbers.setdefault(shape(folded), len(self._numbers))
            self._shapes[id(folded)] = folded, number
        return self._shapes[id(folded)][1]

    @cached_property
    def terms(self) -> Terms:
        """The variables, and a term for every test of every day."""
        return terms_of(self.book.vocabulary, self.plans.values(), self._of_authors())

    def _of_authors(self) -> Iterator[Condition]:
        """Yield what authors of packs ask for, so that the world is divided by it too."""
        places = self.book.vocabulary.places
        for one in self.invariants.listed:
            yield from (self._fold(one.law, one.where, day) for day in self.days)
            sets = ((name, value) for name, value in one.use.items() if isinstance(value, frozenset))
            yield from (Test(name, "in", places.expand(value)) for name, value in sets)
        yield from (self._fold("", one.where, self.days[0]) for one in self.invariants.absences)

    def encoded(self, setting: Setting, *, doubt: bool = True, without: frozenset[str] = frozenset()) -> SettingTerms:
        """Return what the laws answer in a setting, in terms."""
        key = (id(setting.plan), doubt, without)
        if key not in self._encoded:
            self._encoded[key] = SettingTerms(self.terms, setting.plan, doubt=doubt, without=without)
        return self._encoded[key]

    def where(self, law_id: str, condition: Condition, day: date, home: str) -> Condition:
        """Return what is left of an author's condition for somebody who lives in just this place on this day."""
        return _local(self._fold(law_id, condition, day), frozenset({home}))

    def _fold(self, law_id: str, condition: Condition, day: date) -> Condition:
        key = (law_id, condition, day)
        if key not in self._folded:
            law = self.book.law(law_id) if law_id else self.book.laws[0]
            self._folded[key] = fold_condition(self.book, law, condition, day)
        return self._folded[key]

    def possible(self, term: Term, day: date, *, twins: str = "") -> Any:  # noqa: ANN401  (a model of Z3, or nothing)
        """Return a model in which a term is true on `day`; None where there is none.

        `twins` names what two people have in common, for terms that speak of a second one.
        """
        if isinstance(term, bool) and not term:
            return None
        z3, key = load_z3(), (twins, self.terms.lengths(day), term if isinstance(term, bool) else term.get_id())
        if key not in self._answers:
            solver = self._solver(day, twins)
            solver.push()
            solver.add(term)
            self.asked += 1
            found = solver.check()
            if found == z3.unknown:
                raise EncodingDisagrees(f"the prover gave up: {solver.reason_unknown()}")
            self._answers[key] = solver.model() if found == z3.sat else None, term  # kept: its id is its name
            solver.pop()
        return self._answers[key][0]

    def _solver(self, day: date, twins: str) -> Any:  # noqa: ANN401  (a solver of Z3)
        key = (twins, self.terms.lengths(day), self.terms.size)
        if key not in self._solvers:
            solver = load_z3().Solver()
            axioms = self.terms.axioms(day)
            solver.add(axioms)
            if twins:
                solver.add(self.terms.other(axioms), *self._shared(twins))
            self._solvers[key] = solver
        return self._solvers[key]

    def _shared(self, twins: str) -> Iterator[Term]:
        """Yield what a second person has in common with the first."""
        unrecorded = set(twins.split()[1:])
        for name in self.terms.names:
            if twins == "less known":
                yield self.terms.narrower(name)
            elif name in unrecorded:
                absent = self.terms.is_value(name, self.book.vocabulary.facts[name].absent)
                recorded = self.terms.other(self.terms.known(name))
                yield either([self.terms.alike(name), every([absent, recorded])])
            else:
                yield self.terms.alike(name)

    def facts(self, model: Any, day: date, home: str, *, other: bool = False) -> dict[str, object]:  # noqa: ANN401  (as above)
        """Return the facts of a model, as `may` takes them."""
        return {HOME: frozenset({home}), **self.terms.facts(model, day, other=other)}

    def proof(
        self, name: str, says: str, failures: Iterable[Counterexample], cells: Iterable[tuple[date, str]] | None = None
    ) -> Proof:
        """Return a proof, or what stands against it, with the days and places that it is about; all if not given."""
        self.asked = 0
        found = tuple(failures)
        about = list(cells) if cells is not None else [cell for setting in self.settings for cell in setting.same]
        return Proof(
            name=name, says=says, failures=found, questions=self.asked,
            intervals=len({day for day, _ in about}), places=len({home for _, home in about}),
        )  # fmt: skip


# ---------------------------------------------------------------- counterexamples

Shown = Callable[[Mapping[str, object], date], str]
"""Says in a sentence how facts violate an invariant, as `may` sees it; nothing where they do not."""


def _counterexample(facts: Mapping[str, object], day: date, shown: Shown) -> Counterexample:
    """Return a counterexample that `may` confirms, with no more facts than it takes. Raises EncodingDisagrees."""
    if not shown(facts, day):
        raise EncodingDisagrees(f"the encoding disagrees with `may` on {day}: {facts_file(facts, day)}")
    few = _fewest(facts, lambda fewer: bool(shown(fewer, day)))
    return Counterexample(says=shown(few, day), day=day, facts=few)


def _fewest(facts: Mapping[str, object], still: Callable[[Mapping[str, object]], bool]) -> dict[str, object]:
    """Leave out what is not needed: many facts at once, then fewer."""
    kept = dict(facts)
    unknown = [name for name, value in kept.items() if value is None]
    for names_of in (unknown, [name for name in kept if name != HOME]):
        size = len(names_of)
        while size:
            for start in range(0, len(names_of), size):
                fewer = {name: value for name, value in kept.items() if name not in names_of[start : start + size]}
                if len(fewer) < len(kept) and still(fewer):
                    kept = fewer
            size //= 2
    return kept


def facts_file(facts: Mapping[str, object], day: date, says: str = "") -> str:
    """Return facts as a TOML file that `comity may` accepts."""
    lines = [f"# {line}" for line in says.splitlines()] + [f"# comity may FILE --day {day}"]
    return "\n".join([*lines, *(f'"{name}" = {_toml(value)}' for name, value in sorted(facts.items()))])


def _toml(value: object) -> str:
    match value:
        case None:
            return '"unknown"'
        case bool():
            return "true" if value else "false"
        case (int(low), int(high)):
            return f"{{ min = {low}, max = {high} }}"
        case frozenset():
            words = sorted(value)
            return f'"{words[0]}"' if len(words) == 1 else "[" + ", ".join(f'"{word}"' for word in words) + "]"
        case date():
            return value.isoformat()
        case str():
            return f'"{value}"'
    return str(value)


def _answer(decision: Decision) -> str:
    because = ", ".join(decision.because)
    return f"{decision.verdict.value} ({because})" if because else decision.verdict.value


# ---------------------------------------------------------------- the proofs


def prove(prover: Prover, only: Collection[str] = ()) -> Iterator[Proof]:
    """Prove one invariant after another: those that hold of any packs, then those that their authors listed."""
    built_in: dict[str, Callable[[Prover, str], Proof]] = {
        "unknown-never-permits": unknown_never_permits,
        "absence-is-the-strict-reading": absence_is_strict,
        "no-permit-with-an-empty-slot": no_permit_with_an_empty_slot,
        "every-slot-can-refuse": every_slot_can_refuse,
        "every-forbid-can-fire": lambda prover, name: can_fire(prover, name, "forbid"),
        "every-ground-can-fire": lambda prover, name: can_fire(prover, name, "ground"),
        "no-ground-without-conditions": no_ground_without_conditions,
    }
    for name, proof in built_in.items():
        if not only or name in only:
            yield proof(prover, name)
    for one in prover.invariants.listed:
        if not only or one.name in only:
            yield holds(prover, one)


def holds(prover: Prover, one: Invariant) -> Proof:
    """Prove an invariant of an author of packs."""
    about = list(_about(prover, one))

    def failures() -> Iterator[Counterexample]:
        for setting, cells in about:
            for (where, _), (day, home) in cells.items():
                if model := prover.possible(_violation(prover, setting, one, where), day):
                    yield _counterexample(prover.facts(model, day, home), day, _breaks(prover.book, one))
                    return

    concerned = [
        cell
        for setting, _ in about
        for cell in setting.same
        if cell[0] >= one.since and prover.where(one.law, one.where, *cell) != NEVER
    ]
    return prover.proof(one.name, one.says, failures(), concerned)


Cells = dict[tuple[Condition, Hashable], tuple[date, str]]
"""What an author's condition comes to in a setting, each with a day and place in which it comes to that."""


def _about(prover: Prover, one: Invariant) -> Iterator[tuple[Setting, Cells]]:
    """Yield the settings that an invariant is about; in one its condition may come to several things."""
    for setting in (one_of for one_of in prover.settings if _may_speak(one_of, one)):
        cells: Cells = {}
        for day, home in (cell for cell in setting.same if cell[0] >= one.since):
            where = prover.where(one.law, one.where, day, home)
            asked = list(tests(where))
            ordered = lengths([*setting.plan.own_tests, *asked], day) if any(test.span for test in asked) else ()
            if where != NEVER:
                cells.setdefault((where, ordered), (day, home))
        if cells:
            yield setting, cells


def _may_speak(setting: Setting, one: Invariant) -> bool:
    """Tell whether the law of an invariant has anything to say in a setting; what is never said is not said there."""
    return not one.law or one.always or one.verdict == "silent" or one.law in setting.plan.by_law


def _violation(prover: Prover, setting: Setting, one: Invariant, where: Condition) -> Term:
    verdict = prover.encoded(setting).verdict(one.verdict, one.law)
    use = [prover.terms.is_value(name, value) for name, value in one.use.items()]
    return every([prover.terms.pair(where).certain, *use, negated(verdict) if one.always else verdict])


def _breaks(book: Lawbook, one: Invariant) -> Shown:
    law = book.law(one.law) if one.law else book.laws[0]

    def shown(facts: Mapping[str, object], day: date) -> str:
        read = book.vocabulary.read(facts)
        known = {name: fact.absent for name, fact in book.vocabulary.facts.items()} | read
        if World(book, read, day).truth(law, one.where) != TRUE or any(known[n] != v for n, v in one.use.items()):
            return ""
        decision = may(book, facts, day=day)
        found = decision.verdict.value
        if one.law:
            answers = {answer.law: answer.verdict.value for answer in decision.finding.laws}
            found = answers.get(one.law, "silent")
        if (found == one.verdict) is one.always:
            return ""
        return f"{one.law or 'The answer'}: {found}; all laws: {_answer(decision)}"

    return shown


def unknown_never_permits(prover: Prover, name: str) -> Proof:
    """Prove that what is permitted though something is unknown is permitted whatever that turns out to be."""
    says = "What is permitted while facts are unknown is permitted whatever they turn out to be."

    def failures() -> Iterator[Counterexample]:
        for day, plan in prover.plans.items():
            every_place = prover.book.vocabulary.places.every
            if all(plan.covered(home) != NEVER for home in every_place):
                yield Counterexample(
                    says="Some law covers every place of the world, and a home may be unknown.", day=day
                )
                return
        yield from _twin_failures(prover, "less known", _unknown)

    return prover.proof(name, says, failures())


def absence_is_strict(prover: Prover, name: str) -> Proof:
    """Prove that what is permitted while nobody recorded a fact of a person is permitted whatever the fact is.

    Facts about which the law asks for our knowledge are left out, and the absences that authors of packs listed.
    """
    absences = prover.invariants.absences
    says = "What a fact of the person is taken to be while nobody recorded it is the strictest it can be."
    facts = prover.book.vocabulary.facts.values()
    of_persons = (fact for fact in facts if fact.namespace in PERSON and fact.absent is not None)
    declared = [fact.name for fact in of_persons if not fact.by_knowledge]

    def listed(setting: Setting) -> Term:
        return every(
            either([prover.terms.alike(one.fact), negated(prover.terms.pair(where).possible)])
            for one in absences
            for where in (prover.where("", one.where, *setting.same[0]),)
            if one.fact in prover.terms.names
        )

    def counts(facts: Mapping[str, object], name: str, day: date) -> bool:
        world, law = World(prover.book, prover.book.vocabulary.read(facts), day), prover.book.laws[0]
        return not any(one.fact == name and world.truth(law, one.where) for one in absences)

    failures = _twin_failures(prover, " ".join(["unrecorded", *declared]), _left_out, listed, counts)
    return prover.proof(name, says, failures)


def _unknown(facts: Mapping[str, object], name: str) -> dict[str, object]:
    return {**facts, name: None}


def _left_out(facts: Mapping[str, object], name: str) -> dict[str, object]:
    return {one: value for one, value in facts.items() if one != name}


Without = Callable[[Mapping[str, object], str], dict[str, object]]
"""Takes one fact away."""


Counts = Callable[[Mapping[str, object], str, date], bool]
"""Tells whether one fact of somebody's is among those that an invariant speaks of."""


def _twin_failures(
    prover: Prover,
    twins: str,
    without: Without,
    given: Callable[[Setting], Term] = lambda _: True,
    counts: Counts = lambda *_: True,
) -> Iterator[Counterexample]:
    """Find somebody who is permitted something, and would not be if more were known; `without` takes a fact away."""
    for setting in prover.settings:
        day, home = setting.same[0]
        permit = prover.encoded(setting).permit
        lost = every([permit, negated(prover.terms.other(permit)), given(setting)])
        if model := prover.possible(lost, day, twins=twins):
            less, more = prover.facts(model, day, home), prover.facts(model, day, home, other=True)
            yield _turning(prover, less, more, day, without=without, counts=counts)
            return


def _turning(
    prover: Prover,
    less: dict[str, object],
    more: dict[str, object],
    day: date,
    *,
    without: Without,
    counts: Counts,
) -> Counterexample:
    """Return the one fact with which a permit is lost, and the fewest facts beside it."""

    def shown_with(name: str, value: object) -> Shown:
        def shown(facts: Mapping[str, object], day: date) -> str:
            if not counts(without(facts, name), name, day):
                return ""
            now = may(prover.book, without(facts, name), day=day)
            then = may(prover.book, {**facts, name: value}, day=day)
            lost = now.verdict is Verdict.PERMIT and then.verdict is not Verdict.PERMIT
            return f"permit as it stands; with {name} = {_toml(value)}: {_answer(then)}" if lost else ""

        return shown

    for name in (name for name, value in more.items() if less[name] != value):
        shown = shown_with(name, more[name])
        if shown(less, day):
            found = _counterexample({one: value for one, value in less.items() if one != name}, day, shown)
            return Counterexample(says=found.says, day=day, facts=without(found.facts, name))
        less = {**less, name: more[name]}
    raise EncodingDisagrees(f"the encoding disagrees with `may` on {day}: {facts_file(less, day)}")


def no_permit_with_an_empty_slot(prover: Prover, name: str) -> Proof:
    """Prove that every slot that applies is filled by a ground of which all conditions certainly hold."""
    says = "Nothing is permitted unless a ground fills every slot that applies."

    def failures() -> Iterator[Counterexample]:
        for setting in prover.settings:
            day, home = setting.same[0]
            if model := prover.possible(_permit_with_an_empty_slot(prover, setting), day):
                yield _counterexample(prover.facts(model, day, home), day, _empty_slot(prover.book))
                return

    return prover.proof(name, says, failures())


def _permit_with_an_empty_slot(prover: Prover, setting: Setting) -> Term:
    terms, answers = prover.terms, prover.encoded(setting)
    grounds = [
        (rule, terms.pair(condition).certain, terms.pair(folded.governs).certain)
        for folded in setting.plan.laws
        for rule, condition in folded.rules
        if rule.effect == "ground"
    ]
    empty = []
    for folded in setting.plan.laws:
        for slot, applies in folded.slots:
            filled = either(
                term if rule.law == folded.law.id else every([term, lends])
                for rule, term, lends in grounds
                if slot.id in {rule.slot, *rule.fills}
            )
            governs = terms.pair(folded.governs).possible
            empty.append(every([governs, terms.pair(applies).possible, negated(filled)]))
    return every([answers.permit, either(empty)])


def _empty_slot(book: Lawbook) -> Shown:
    def shown(facts: Mapping[str, object], day: date) -> str:
        if may(book, facts, day=day).verdict is not Verdict.PERMIT:
            return ""
        world = World(book, book.vocabulary.read(facts), day)
        laws = [law for law in book.laws if law.span.holds(day) and world.truth(law, law.governs)]
        held = {
            slot
            for law in laws
            for rule in law.rules
            if rule.effect == "ground" and rule.span.holds(day) and world.truth(law, rule.when, loosens=True) == TRUE
            for slot in (rule.slot, *rule.fills)
        }
        empty = [
            slot.id for law in laws for slot in law.slots if world.truth(law, slot.applies) and slot.id not in held
        ]
        return f"permit, and no ground fills {', '.join(empty)}" if empty else ""

    return shown


Found = tuple[str, date]
"""A rule or a slot, and the first day of an interval."""


def can_fire(prover: Prover, name: str, effect: str) -> Proof:
    """Prove that on every interval somebody exists for whom each rule of this effect holds, no exception lifting it."""
    says = f"For every {effect} in force there is somebody for whom it holds."
    rules = {
        (rule.id, day): rule
        for day in prover.days
        for law in prover.book.laws
        for rule in law.rules
        if law.span.holds(day) and rule.span.holds(day) and rule.effect == effect
    }

    def fires(answers: SettingTerms) -> Iterator[tuple[str, Term]]:
        for law_id, law in answers.laws.items():
            for rule, condition in law.folded.rules:
                if rule.effect == effect:
                    yield rule.id, every([answers.governs[law_id].certain, law.force(rule, condition).certain])

    def failures() -> Iterator[Counterexample]:
        waiting = _never_found(prover, set(rules), fires)
        for rule_id in dict.fromkeys(rule_id for rule_id, _ in sorted(waiting)):
            days = sorted(day for found, day in waiting if found == rule_id)
            yield _nothing(rules[rule_id, days[0]], days)

    return prover.proof(name, says, failures())


def _nothing(rule: Rule, days: list[date]) -> Counterexample:
    when = f"{days[0]}" if len(days) == 1 else f"{days[0]} and {len(days) - 1} later intervals"
    says = f"{rule.id} ({rule.source.file}:{rule.source.line}): no facts whatever make it hold, from {when}"
    return Counterexample(says=says, day=days[0])


def _never_found(
    prover: Prover, waiting: set[Found], wanted: Callable[[SettingTerms], Iterable[tuple[str, Term]]]
) -> set[Found]:
    """Return what is true of nobody in any setting: first of the places that a law covers, then of all others."""
    for setting in prover.settings:
        _strike(prover, setting, waiting, wanted)
    for day in sorted({day for _, day in waiting}):
        for law_id in sorted({found.partition("/")[0].partition(":")[0] for found, on in waiting if on == day}):
            for setting in prover.elsewhere(law_id, day):
                _strike(prover, setting, waiting, wanted)
    return waiting


def _strike(
    prover: Prover, setting: Setting, waiting: set[Found], wanted: Callable[[SettingTerms], Iterable[tuple[str, Term]]]
) -> None:
    days = {day for day, _ in setting.same}
    here = {found for found, day in waiting if day in days}
    if here:
        for found, term in wanted(prover.encoded(setting, doubt=False)):
            if found in here and prover.possible(term, setting.same[0][0]) is not None:
                waiting -= {(found, day) for day in days}


def every_slot_can_refuse(prover: Prover, name: str) -> Proof:
    """Prove that on every interval somebody exists for whom each slot applies and nothing can fill it."""
    says = "For every ground slot there is somebody for whom it applies and stays empty."
    slots = {
        (slot.id, day): law
        for day in prover.days
        for law in prover.book.laws
        for slot in law.slots
        if law.span.holds(day)
    }

    def refuses(answers: SettingTerms) -> Iterator[tuple[str, Term]]:
        for law_id, law in answers.laws.items():
            for slot_id, (needed, filled) in law.slots.items():
                yield slot_id, every([answers.governs[law_id].certain, needed.certain, negated(filled.possible)])

    def failures() -> Iterator[Counterexample]:
        waiting = _never_found(prover, set(slots), refuses)
        for slot_id, day in sorted(waiting):
            if (slot_id, day) == min(found for found in waiting if found[0] == slot_id):
                file = slots[slot_id, day].source.file
                yield Counterexample(says=f"{slot_id} ({file}): it refuses nobody whatever, from {day}", day=day)

    return prover.proof(name, says, failures())


def no_ground_without_conditions(prover: Prover, name: str) -> Proof:
    """Prove that wherever a law governs, somebody exists for whom each of its grounds does not hold."""
    says = "No ground holds for everybody: wherever its law governs, it can fail."

    def failures() -> Iterator[Counterexample]:
        seen = set()
        for setting in prover.settings:
            day, home = setting.same[0]
            answers = prover.encoded(setting, doubt=False)
            for rule, governs, ground in _grounds(answers):
                if rule.id in seen or prover.possible(every([governs, negated(ground.possible)]), day) is not None:
                    continue
                applies = either(needed.certain for law in answers.laws.values() for needed, _ in _slots(law, rule))
                if model := prover.possible(every([governs, applies]), day):
                    seen.add(rule.id)
                    yield _counterexample(prover.facts(model, day, home), day, _fills(prover.book, rule))

    return prover.proof(name, says, failures())


def _grounds(answers: SettingTerms) -> Iterator[tuple[Rule, Term, Pair]]:
    for law_id, law in answers.laws.items():
        for rule, condition in law.folded.rules:
            if rule.effect == "ground":
                yield rule, answers.governs[law_id].certain, law.lifts(rule, condition)


def _slots(law: LawTerms, rule: Rule) -> list[tuple[Pair, Pair]]:
    return [pair for slot_id, pair in law.slots.items() if slot_id in {rule.slot, *rule.fills}]


def _fills(book: Lawbook, ground: Rule) -> Shown:
    def shown(facts: Mapping[str, object], day: date) -> str:
        decision = may(book, facts, day=day)
        filled = {reason.rule for reason in decision.reasons if reason.kind == "ground"}
        doubted = not ground.confirmed and any(reason.kind == "ground-uncertain" for reason in decision.reasons)
        if ground.id not in filled and not doubted:
            return ""
        return f"{ground.id} ({ground.source.file}:{ground.source.line}) is a ground with no more known than this"

    return shown


# ---------------------------------------------------------------- without the house rules


Permitted = tuple[str, tuple[str, ...], bool, dict[str, object]]
"""A channel, the refusals that do not close it, whether it stays open to businesses only, and the facts of somebody."""


def unstopped(prover: Prover, day: date) -> list[Unstopped]:
    """Return the marketing that the laws permit, without the house rules, to people who certainly refused it.

    `day` is the first of an interval.
    """
    bare = replace(prover.book, laws=tuple(law for law in prover.book.laws if not law.is_house))
    found: dict[tuple[str, tuple[str, ...], bool], list[dict[str, object]]] = {}
    for setting in (one for one in prover.settings if any(on == day for on, _ in one.same)):
        homes = [home for on, home in setting.same if on == day]
        for channel, refusals, only_business, facts in _permitted_all_the_same(prover, setting, day):
            here = [{**facts, HOME: frozenset({home})} for home in homes]
            found.setdefault((channel, refusals, only_business), []).extend(here)
    return [_unstopped(bare, day, *found_one) for found_one in sorted(found.items(), key=lambda item: item[0])]


def _unstopped(
    bare: Lawbook, day: date, kind: tuple[str, tuple[str, ...], bool], cases: list[dict[str, object]]
) -> Unstopped:
    channel, refusals, only_business = kind
    fixed: Facts = {**MARKETING, "use.channel": channel, refusals[0]: True}
    known = {name: fact.absent for name, fact in bare.vocabulary.facts.items()}

    def still(fewer: Mapping[str, object]) -> bool:
        same = all({**known, **fewer}[name] == value for name, value in fixed.items())
        return same and may(bare, fewer, day=day).verdict is Verdict.PERMIT

    return Unstopped(
        channel=channel, refusals=refusals, only_business=only_business, day=day, facts=_fewest(cases[0], still),
        places=tuple(sorted(min(facts[HOME]) for facts in cases)),  # type: ignore[call-overload]
        cites=tuple(dict.fromkeys(cite for facts in cases for cite in _cites(bare, facts, day))),
    )  # fmt: skip


def _permitted_all_the_same(prover: Prover, setting: Setting, day: date) -> Iterator[Permitted]:
    terms, house = prover.terms, frozenset(law.id for law in prover.book.laws if law.is_house)
    marketing = [terms.is_value(name, value) for name, value in MARKETING.items()]
    permit = every([prover.encoded(setting, without=house).permit, *marketing])
    refused = {name: every([permit, terms.is_value(name, value=True)]) for name in REFUSALS}
    if prover.possible(either(refused.values()), day) is None:
        return
    for channel in (word for word in prover.book.vocabulary.facts["use.channel"].choices if word != "none"):
        by = terms.is_value("use.channel", channel)
        to_consumers = every([by, terms.is_value("person.capacity", "consumer")])
        for only_business, kind in ((False, to_consumers), (True, by)):
            models = {name: prover.possible(every([term, kind]), day) for name, term in refused.items()}
            open_to = tuple(name for name, model in models.items() if model is not None)
            if open_to:
                yield channel, open_to, only_business, prover.facts(models[open_to[0]], day, min(setting.plan.homes))
                break


def _cites(bare: Lawbook, facts: Mapping[str, object], day: date) -> tuple[str, ...]:
    """Return the laws that protect the person and permit. Raises EncodingDisagrees where `may` does not permit."""
    decision = may(bare, facts, day=day)
    if decision.verdict is not Verdict.PERMIT:
        raise EncodingDisagrees(f"the encoding disagrees with `may` on {day}: {facts_file(facts, day)}")
    home, territories = min(facts[HOME]), decision.plan.territories  # type: ignore[call-overload]
    laws = [answer.law for answer in decision.finding.laws if answer.certain and home in territories[answer.law]]
    return tuple(f"{bare.law(law).name} ({law})" for law in laws)
