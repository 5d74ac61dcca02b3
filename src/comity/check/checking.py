"""The whole check: understand the columns, read each distinct cell once, decide each kind of person once, count."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from comity.check.answers import Answer, ColumnRead, Freed, Group, Reject
from comity.check.coding import BLANK, Coded, Key, Part, People, code_column, key_sql, listed_parts
from comity.check.engines import Engine, Row
from comity.check.entity import Entity
from comity.check.homes import Home
from comity.check.suppression import TABLE
from comity.law import Decision, Lawbook, Plan, Verdict, finding_for, fold
from comity.law.asking import permitted, signature_anywhere
from comity.law.conditions import Test
from comity.law.folding import HOME
from comity.law.lawbook import Cure
from comity.law.vocabulary import Facts

Progress = Callable[[str, float], None]
"""Called with what is being done and how much of the whole is done, from 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What somebody wants to do: the use, who they are, on which day, and what the source is complete for."""

    use: Facts
    entity: Entity
    day: date
    complete_for_opt_outs: bool = False
    says: str = ""  # "Marketing by e-mail"


OPT_OUTS = ("person.objected", "consent.opted_out", "consent.withdrawn", "person.opt_out_signal")
"""What is false for everybody in a source that is complete for opt-outs, unless it says otherwise."""


@dataclass(slots=True)
class Check:
    """One file, its columns coded, ready to be asked about; `groups` and `group_of` fill as people are decided."""

    book: Lawbook
    intent: Intent
    engine: Engine
    parts: Sequence[Part]
    plan: Plan = field(init=False)
    cured: dict[str, Plan] = field(init=False)
    beside: list[Plan] = field(default_factory=list)  # other plans that the same people are to be asked under
    suppressed: frozenset[str] = frozenset()  # addresses and numbers that opted out, from lists
    cells: str = field(init=False)
    coded: list[Coded] = field(default_factory=list)
    key: Key = field(init=False)
    people: People = field(init=False)
    groups: list[Group] = field(default_factory=list)
    group_of: dict[tuple[int, ...], Group] = field(default_factory=dict)  # by the number of a row
    signatures: dict[int, int] = field(default_factory=dict)  # by facts
    cured_signatures: dict[tuple[str, int], int | None] = field(default_factory=dict)  # by cure and facts
    seen_homes: dict[Hashable, Home] = field(default_factory=dict)
    seen_facts: dict[Hashable, Facts] = field(default_factory=dict)
    changes: dict[str, Facts] = field(default_factory=dict)  # what each cure puts on record

    def __post_init__(self) -> None:
        """Fold the law for the use, and once more for each cure that changes the use or us."""
        self.plan = self._folded({})
        self.cured = {}
        for name in _cures_of(self.plan):
            changes = self._changes(self.book.cures[name])
            if any(fact in self.plan.fixed for fact in changes):
                fixed = {fact: value for fact, value in changes.items() if fact in self.plan.fixed}
                self.cured[name] = self._folded(fixed)

    def folded_as(self, book: Lawbook, day: date) -> Plan:
        """Fold other packs, or another day, for the same use; the plan is to be kept in `beside` before coding."""
        return self._folded({}, book=book, day=day)

    def _folded(self, changes: Facts, *, book: Lawbook | None = None, day: date | None = None) -> Plan:
        entity = self.intent.entity
        absent = dict(entity.row_defaults)
        if self.intent.complete_for_opt_outs:
            absent |= dict.fromkeys(OPT_OUTS, False)
        facts = entity.facts | self.intent.use | changes
        return fold(book or self.book, facts, day or self.intent.day, absent=absent, assumed=entity.assumed)

    def tests(self) -> list[Test]:
        """Return every test of a person's fact that any of the plans may make."""
        return list(
            dict.fromkeys(test for plan in (self.plan, *self.cured.values(), *self.beside) for test in plan.tests)
        )

    def code(self, progress: Progress) -> None:
        """Read the distinct cells of each understood column."""
        tests = self.tests()
        if self.suppressed:
            self.engine.keep(TABLE, (("cell", "VARCHAR"),), ((entry,) for entry in sorted(self.suppressed)))
            self.parts = [*self.parts, *listed_parts(self.parts)]
        progress("reading the file", 0.0)
        keys = [key_sql(part, many=self._many(part)) for part in self.parts]
        if not self._code_while_reading(keys, tests, progress):
            self.cells = self.engine.cells(keys)
            self.coded = [code_column(*column, tests) for column in self._distinct(self.cells, progress)]
            self.key = Key(self.coded)
        self.people = People(self.coded)
        self.key.store(self.engine)

    def _code_while_reading(self, keys: Sequence[str], tests: Sequence[Test], progress: Progress) -> bool:
        """Learn the codes from a long file's first rows, so that reading it gives most rows their number at once.

        What the other rows hold is coded afterwards. False where there is nothing to learn from, or where the rest of
        the file belies what was learned.
        """
        first = self.engine.glimpse(keys)
        if not first:
            return False
        self.coded = [code_column(*column, tests).learned() for column in self._distinct(first, progress)]
        self.key = Key(self.coded, learning=True)
        self.key.store(self.engine)
        self.cells = self.engine.cells(keys, self.key)
        for coded, (_, _, counted) in zip(self.coded, self._distinct(self.cells, progress), strict=True):
            if not coded.fits(counted):
                return False
            coded.add(counted)
        return self.key.fits

    def _distinct(self, cells: str, progress: Progress) -> Iterator[tuple[Part, str, list[Row]]]:
        """Yield each column with its distinct cells, and in how many rows each of them stands."""
        names = [f"x{number}" for number in range(len(self.parts))]
        queries = [f"SELECT {name}, COUNT(*) FROM {cells} GROUP BY {name}" for name in names]
        counted = self.engine.in_turn(queries)
        for number, column in enumerate(zip(self.parts, names, counted, strict=True), 1):
            progress(f"reading {column[0].understood.header}", number / (len(self.parts) + 3))
            yield column

    def _many(self, part: Part) -> bool:
        return part.understood.role == "free-text" and self.engine.has_many(f"c{part.number}")

    def decide(self, progress: Progress) -> None:
        """Give every row its number, and decide once for all who have the same home and the same facts."""
        progress("deciding", (len(self.parts) + 1) / (len(self.parts) + 3))
        self.engine.keep_numbers(self.key.query(self.cells))
        words = ", ".join(f"k{number}" for number in range(len(self.key.words)))
        counted = f"SELECT {words}, COUNT(*), MIN(row) AS first FROM numbered GROUP BY {words} ORDER BY first"
        alike: dict[tuple[int, int], tuple[Home, Facts, list[tuple[int, ...]]]] = {}
        for row in self.engine.rows(counted):
            home, facts = self.person(row[:-2])
            alike.setdefault((id(home), id(facts)), (home, facts, []))[2].append(row)
        for home, facts, same in alike.values():
            group = self.group(home, facts, people=sum(row[-2] for row in same), first=same[0][-1])
            self.groups.append(group)
            self.group_of.update((row[:-2], group) for row in same)

    def person(self, numbers: Sequence[int]) -> tuple[Home, Facts]:
        """Return the home and facts behind a row's number."""
        where, what = self.key.halves(numbers)
        home, facts = self.seen_homes.get(where), self.seen_facts.get(what)
        if home is None or facts is None:
            codes = {id(column): code for column, code in self.key.read(numbers)}
            home, facts = self.seen_homes[where], self.seen_facts[what] = self.people.person(codes)
        return home, facts

    def group(self, home: Home, facts: Facts, *, people: int, first: int) -> Group:
        """Decide for people with this home and these facts."""
        if id(facts) not in self.signatures:
            self.signatures[id(facts)] = signature_anywhere(self.plan, facts)
        signature = self.signatures[id(facts)]
        return Group(
            homes=home.text,
            conflict=home.conflict,
            hint=home.hint or "",
            decision=self._decide(home, facts, signature),
            facts=facts,
            signature=signature,
            people=people,
            first_row=first,
        )

    def row(self, row: int) -> Decision | None:
        """Decide one row by its own cells, not by those that stand for its class; None where there is no such row."""
        cells = ", ".join(key_sql(part, many=False) for part in self.parts)
        found = next(self.engine.rows(f"SELECT {cells} FROM RELATION WHERE row = {row}"), None)
        if found is None:
            return None
        own = [self._own(coded, text or "") for coded, text in zip(self.coded, found, strict=True)]
        home, facts = People(own).person({id(column): column.radix - 1 for column in own})
        return self._decide(home, facts, signature_anywhere(self.plan, facts))

    def _decide(self, home: Home, facts: Facts, signature: int) -> Decision:
        homes = home.places or None
        return Decision(self.plan, finding_for(self.plan, homes, signature), {**facts, HOME: homes}, homes)

    def _own(self, coded: Coded, text: str) -> Coded:
        """Return a column of which this one cell is the only value."""
        value = BLANK if coded.part.of_home else coded.part.read(text, coded.order)
        return Coded(coded.part, coded.cell, [text], [value], {}, order=coded.order)

    def freed(self, cure: Cure, group: Group) -> bool:
        """Tell whether a cure would turn the group's verdict to permit."""
        plan = self.cured.get(cure.name, self.plan)
        key = (cure.name, id(group.facts))
        if key not in self.cured_signatures:
            self.cured_signatures[key] = self._signature(plan, self._changes(cure), group.facts)
        signature = self.cured_signatures[key]
        return signature is not None and permitted(plan, group.decision.homes, signature)

    def _changes(self, cure: Cure) -> Facts:
        if cure.name not in self.changes:
            self.changes[cure.name] = _values(self.book, cure, self.intent.day)
        return self.changes[cure.name]

    def _signature(self, plan: Plan, changes: Facts, facts: Facts) -> int | None:
        """Return the signature of facts once a cure is on record; None where no paper undoes what a person said."""
        own = {fact: value for fact, value in changes.items() if fact not in plan.fixed}
        undone = any(value is False and facts.get(fact) is True for fact, value in own.items())
        return None if undone else signature_anywhere(plan, facts | own)


def _cures_of(plan: Plan) -> list[str]:
    """Return the cures that this plan's laws may name, that put something on record."""
    named = {cure for folded in plan.laws for rule, _ in folded.rules for cure in rule.cures}
    named |= {cure for folded in plan.laws for slot, _ in folded.slots for cure in slot.cures}
    return [name for name, cure in plan.book.cures.items() if name in named and cure.sets]


def _values(book: Lawbook, cure: Cure, day: date) -> Facts:
    return book.vocabulary.read({fact: day if value == "today" else value for fact, value in cure.sets.items()})


def answer(
    check: Check,
    *,
    file: str,
    dialect: str,
    columns: Iterable[ColumnRead],
    rejects: Sequence[Reject],
    started: float,
    notes: Sequence[str] = (),
) -> Answer:
    """Put together what was found."""
    groups = merged(check)
    return Answer(
        file=file, dialect=dialect, columns=tuple(_with_unreadable(columns, check.coded)), plan=check.plan,
        use=check.intent.says, headline=check.intent.entity.headline, groups=groups, rejects=tuple(rejects),
        freed=_freed(check, groups), notes=tuple(notes), seconds=time.monotonic() - started,
        unresolved_places=_unresolved(check.coded),
    )  # fmt: skip


def merged(check: Check) -> tuple[Group, ...]:
    """Join the groups whom the law cannot tell apart: the same homes, the same finding."""
    found: dict[tuple[object, ...], list[Group]] = {}
    for group in check.groups:
        key = (group.homes, group.conflict, group.hint, id(group.finding))
        found.setdefault(key, []).append(group)
    return tuple(_merged(check, same) for same in found.values())


def _merged(check: Check, same: Sequence[Group]) -> Group:
    first = min(same, key=lambda group: group.first_row)
    return replace(first, people=sum(group.people for group in same), freed=_freed_of(check, same))


INCURABLE = frozenset({"no-law", "not-covered", "obligations-clash"})
"""Reasons that no paper of ours lifts: none puts a law in the packs, or takes a contradiction out."""


def _freed_of(check: Check, same: Sequence[Group]) -> dict[str, int]:
    """Count, by cure, how many people of groups with one finding it would turn to permit."""
    finding = same[0].finding
    if finding.verdict is Verdict.PERMIT or any(reason.kind in INCURABLE for reason in finding.reasons):
        return {}
    cures = [cure for name in finding.cures if (cure := check.book.cures[name]).sets]
    found = {cure.name: sum(group.people for group in same if check.freed(cure, group)) for cure in cures}
    return {name: people for name, people in found.items() if people}


def _freed(check: Check, groups: Iterable[Group]) -> dict[str, Freed]:
    """Count whom each cure would free in all."""
    totals: Counter[str] = Counter()
    for group in groups:
        totals.update(group.freed)
    return {name: Freed(cure=name, says=check.book.cures[name].says, people=people) for name, people in totals.items()}


def _with_unreadable(columns: Iterable[ColumnRead], coded: Sequence[Coded]) -> Iterable[ColumnRead]:
    by_header: Mapping[str, list[Coded]] = {}
    for column in coded:
        by_header.setdefault(column.part.understood.header, []).append(column)  # type: ignore[attr-defined]
    for read in columns:
        bad = [column for column in by_header.get(read.header, []) if column.unreadable]
        if not bad:
            yield read
        else:
            texts = bad[0].unreadable
            yield ColumnRead(
                header=read.header, role=read.role, says=read.says, fact=read.fact, unreadable=texts.total(),
                example=texts.most_common(1)[0][0][:40],
            )  # fmt: skip


def _unresolved(coded: Iterable[Coded]) -> Mapping[str, int]:
    found: Counter[str] = Counter()
    for column in coded:
        if column.part.understood.role == "home.country":
            found.update(column.unreadable)
    return dict(found.most_common())
