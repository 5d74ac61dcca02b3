"""Must we? What an event makes us owe, to whom and by which day, and what would stop, pause or extend it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import cast

from comity.law.clocks import Almanac, read_almanac
from comity.law.conditions import FALSE, TRUE, UNKNOWN, Condition, Truth, names, tests
from comity.law.due_days import DueDay, cited
from comity.law.events import scenes, settled
from comity.law.folding import HOME, OUR_PLACE, World
from comity.law.lawbook import Duty, Law, Lawbook, Rule, Stop
from comity.law.loading import SHIPPED
from comity.law.owed import Longer, Owed, State
from comity.law.severity import Severity, enisa
from comity.law.vocabulary import Facts

__all__ = ["Longer", "Owed", "State", "must", "owed_by", "settled", "severity"]

ABOUT_A_USE = frozenset({"opt-out-received", "consent-withdrawn", "transfer-planned"})
"""Events that are about some use of data; the others are about the data that we hold, whatever we use them for."""


def must(
    book: Lawbook, facts: Mapping[str, object], *, day: date | None = None, packs: Path = SHIPPED
) -> tuple[Owed, ...]:
    """Return what the event in `facts` (event.kind, event.on, …) makes us owe, the earliest day first.

    `day` is the day on which the law is asked, the event's own where none is given; for records whose purpose has
    ended, give today, for what is kept today is judged by the law of today. Raises FactError where the event or its day
    is not given, or facts contradict each other.
    """
    read = settled(book.vocabulary.read(facts))
    almanac = _shipped_almanac() if packs == SHIPPED else read_almanac(packs)
    return owed_by(book, book.laws, read, day or cast("date", read["event.on"]), almanac)


@cache
def _shipped_almanac() -> Almanac:
    """Return the calendars that come with Comity, read once: to read them takes ten times as long as one question."""
    return read_almanac(SHIPPED)


def owed_by(book: Lawbook, laws: Iterable[Law], facts: Facts, day: date, almanac: Almanac) -> tuple[Owed, ...]:
    """Return what some laws make us owe; `facts` are settled."""
    listed = tuple(laws)
    found = [owed for scene in scenes(facts) for owed in _owed_in(book, listed, scene, day, almanac)]
    return _with_keeping(_merged(found), facts)


def severity(facts: Facts) -> Severity | None:
    """Return the severity of a breach by ENISA's method, where all of its inputs are given."""
    return enisa(facts)


# ---------------------------------------------------------------- which duties


def _owed_in(book: Lawbook, laws: Iterable[Law], facts: Facts, day: date, almanac: Almanac) -> Iterator[Owed]:
    world = World(book, facts, day)
    for law in laws:
        for rule in law.rules if law.span.holds(day) else ():
            if rule.duty is not None and rule.span.holds(day) and rule.duty.event == facts["event.kind"]:
                owed = _Asking(book, world, law, rule, rule.duty, facts, almanac, day).owed()
                if owed is not None:
                    yield owed


@dataclass(frozen=True, slots=True)
class _Asking:
    """One rule, asked about one event."""

    book: Lawbook
    world: World
    law: Law
    rule: Rule
    duty: Duty
    facts: Facts
    almanac: Almanac
    day: date

    def owed(self) -> Owed | None:
        conditions = self.conditions()
        arises = min(self.world.truth(self.law, condition) for condition in conditions)
        if arises == FALSE:
            return None
        stops = [(stop, self.holds(stop)) for stop in self.duty.stops]
        stopped = [stop for stop, truth in stops if truth == TRUE]
        doubtful = [stop for stop, truth in stops if truth not in {TRUE, FALSE}]
        wanted = [*conditions, *(stop.when for stop in doubtful)]
        missing = frozenset[str]().union(*(self.world.wanting(self.law, condition) for condition in wanted))
        certain = arises == TRUE and not doubtful
        duty, rule = self.duty, self.rule
        notes = [f"Not owed: {cited(stop.says, stop.cite)}" for stop in stopped]
        notes += [f"Ends where: {cited(stop.says, stop.cite)}" for stop, truth in stops if self.still_can(stop, truth)]
        notes += _assessed(self.facts) if duty.act == "assess" and duty.event == "breach-discovered" else []
        plain = Owed(
            rule=rule.id, law=rule.law, says=rule.says, cite=rule.cited(self.day), url=rule.source.url,
            confirmed=rule.confirmed, act=duty.act, to=duty.to, body=duty.body, what=duty.what,
            contents=duty.contents, state="stopped" if stopped else "owed" if certain else "possible", due=None,
            at_once=False, missing=tuple(sorted(missing)), notes=tuple(notes), places=_places(self.facts),
        )  # fmt: skip
        return DueDay(duty, self.law, self.world, self.facts, self.almanac, self.holidays_of).set(plain)

    def still_can(self, stop: Stop, truth: Truth) -> bool:
        """Tell whether a stop may still come: not where somebody said that it does not hold."""
        stated = not list(names(stop.when)) and all(test.fact in self.facts for test in tests(stop.when))
        return truth != TRUE and not (truth == FALSE and stated)

    def holds(self, stop: Stop) -> Truth:
        """Return how far a stop holds; one that is unconfirmed possibly at best."""
        found = self.world.truth(self.law, stop.when, loosens=True)
        return found if stop.confirmed else min(found, UNKNOWN)

    def conditions(self) -> tuple[Condition, Condition]:
        binds = self.law.governs if self.law.binds is None else self.law.binds
        return (self.law.governs if self.duty.event in ABOUT_A_USE else binds, self.rule.when)

    @property
    def holidays_of(self) -> tuple[str, ...]:
        """The places whose holidays may count: ours and the person's, as far as the law's territory reaches."""
        places = self.book.vocabulary.places
        groups = (
            places.group(word, cast("date", self.facts["event.on"])) if word in places.groups else places.expand([word])
            for word in self.law.territory
        )
        territory = frozenset[str]().union(*groups)
        ours = _set(self.facts.get(OUR_PLACE)) & territory
        return tuple(
            sorted(ours or _set(self.facts.get(HOME)) & territory or territory & self.almanac.calendars.keys())
        )


def _assessed(facts: Facts) -> list[str]:
    """Return what the facts say of how severe a breach is, each step shown."""
    found, notes = enisa(facts), []
    if found is not None:
        notes.append(f"Severity {found.band}, by ENISA's method: {'; '.join(found.steps)}")
        many = _more(facts.get("event.persons"))
        notes += ["Noted and not scored: more than 100 people are concerned"] if many else []
        notes += ["Noted and not scored: the data are unintelligible"] if facts.get("event.unreadable") else []
        if facts.get("event.risk") == "unlikely" and found.risk:
            notes.append(f"The risk on record (unlikely) does not fit a {found.band} severity: look at both again")
    factors = [f"{words} {facts[name]}" for name, words in FACTORS.items() if facts.get(name) is not None]
    return [*notes, f"Factors: {', '.join(factors)}"] if factors else notes


FACTORS = {
    "event.factor_data": "the data",
    "event.factor_recipient": "who got them",
    "event.factor_acquired": "whether they were seen",
    "event.factor_mitigated": "what risk is left",
}
MANY = 100


def _more(persons: object) -> bool:
    return isinstance(persons, int) and persons > MANY


def _set(value: object) -> frozenset[str]:
    return value if isinstance(value, frozenset) else frozenset()


def _places(facts: Facts) -> tuple[str, ...]:
    return tuple(sorted(_set(facts.get(HOME)))) if facts.get("event.persons_in") else ()


# ---------------------------------------------------------------- all of them together


def _merged(found: Iterable[Owed]) -> list[Owed]:
    """Say once what several places make us owe alike."""
    alike: dict[tuple[object, ...], Owed] = {}
    for owed in found:
        key = (owed.rule, owed.state, owed.due.day if owed.due else owed.earliest)
        if key in alike:
            places = tuple(sorted({*alike[key].places, *owed.places}))
            missing = tuple(sorted({*alike[key].missing, *owed.missing}))
            owed = replace(alike[key], places=places, missing=missing)  # noqa: PLW2901  (the two become one)
        alike[key] = owed
    order = {"owed": 0, "possible": 0, "stopped": 1}
    return sorted(alike.values(), key=lambda owed: (order[owed.state], owed.day, owed.rule))


def _with_keeping(found: list[Owed], facts: Facts) -> tuple[Owed, ...]:
    """Let the longest duty to keep these records win over duties to delete them earlier: for storage only.

    A duty to keep that is only possible is named, for what is deleted does not come back.
    """
    keeps = [owed for owed in found if owed.act == "keep" and owed.state != "stopped"]
    named = facts.get("event.records") not in {None, "everything"}
    return tuple(_kept(owed, keeps, named=named) if owed.act == "delete" else owed for owed in found)


def _kept(owed: Owed, keeps: Sequence[Owed], *, named: bool) -> Owed:
    longer = [keep for keep in keeps if keep.day > owed.day and not keep.at_once]
    if owed.state == "stopped" or not longer:
        return owed
    if not named:
        says = "Before deleting, name the records (event.records): some must be kept, see below."
        return replace(owed, notes=(*owed.notes, says))
    certain = [keep for keep in longer if keep.state == "owed" and keep.due is not None]
    doubtful = [keep for keep in longer if keep not in certain]
    notes = tuple(
        f"Before deleting: {keep.rule} may keep these records until {keep.day}; say {', '.join(keep.missing)}."
        for keep in doubtful
    )
    owed = replace(owed, notes=(*owed.notes, *notes))
    if not certain:
        return owed
    longest = max(certain, key=lambda keep: keep.day)
    return replace(owed, kept_until=longest.day, kept_by=longest.rule)
