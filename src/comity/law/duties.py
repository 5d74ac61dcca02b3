"""Must we? What an event makes us owe, to whom and by which day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from comity.law.clocks import Due, due, read_calendars, read_period
from comity.law.conditions import FALSE, TRUE
from comity.law.folding import World
from comity.law.lawbook import Law, Lawbook, Rule
from comity.law.loading import SHIPPED
from comity.law.vocabulary import FactError, Facts

ABOUT_A_USE = frozenset({"opt-out-received", "consent-withdrawn", "transfer-planned"})
"""Events that are about some use of data; the others are about the data that we hold, whatever we use them for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """One duty that an event brought about; `missing` are facts without which it is not certain that it did."""

    rule: str
    law: str
    says: str
    cite: str
    url: str
    to: str
    what: str
    contents: tuple[str, ...]
    due: Due | None  # None: at once
    certain: bool
    missing: tuple[str, ...]


def must(book: Lawbook, facts: Mapping[str, object], *, day: date, packs: Path = SHIPPED) -> tuple[Owed, ...]:
    """Return what the event in `facts` (event.kind, event.on, …) makes us owe, the earliest day first.

    `day` is the day on which the law is asked. Raises FactError where the event or its day is not given.
    """
    read = book.vocabulary.read(facts)
    for name in ("event.kind", "event.on"):
        if read.get(name) is None:
            raise FactError(f"a duty starts with an event; say {name} ({book.vocabulary.facts[name].means})")
    calendars = read_calendars(packs / "calendars.toml")
    world = World(book, read, day)
    found = []
    for law in book.laws:
        for rule in law.rules if law.span.holds(day) else ():
            if rule.duty is None or not rule.span.holds(day) or rule.duty.event != read["event.kind"]:
                continue
            arises = _arises(world, law, rule)
            if arises is not None:
                within = rule.duty.within
                clock = due(_start(read), read_period(within), calendars) if within else None
                found.append(_owed(arises, rule, clock))
    return tuple(sorted(found, key=lambda owed: (owed.due.day if owed.due else date.min, owed.rule)))


def _start(facts: Facts) -> date:
    start = facts["event.on"]
    if not isinstance(start, date):
        raise FactError("event.on is the day of the event")
    return start


def _arises(world: World, law: Law, rule: Rule) -> tuple[bool, tuple[str, ...]] | None:
    """Return whether the duty is certain and what is missing, or None where it does not arise."""
    assert rule.duty is not None  # noqa: S101  (must asks only rules that have one)
    governs = law.governs if law.binds is None or rule.duty.event in ABOUT_A_USE else law.binds
    conditions = (governs, rule.when)
    arises = min(world.truth(law, condition) for condition in conditions)
    if arises == FALSE:
        return None
    missing = frozenset().union(*(world.wanting(law, condition) for condition in conditions))
    return arises == TRUE, tuple(sorted(missing))


def _owed(arises: tuple[bool, tuple[str, ...]], rule: Rule, clock: Due | None) -> Owed:
    certain, missing = arises
    duty = rule.duty
    assert duty is not None  # noqa: S101  (must asked only rules that have one)
    return Owed(
        rule=rule.id, law=rule.law, says=rule.says, cite=rule.source.cite, url=rule.source.url, to=duty.to,
        what=duty.what, contents=duty.contents, due=clock, certain=certain, missing=missing,
    )  # fmt: skip
