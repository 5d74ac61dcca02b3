"""By which day one duty is owed: its start, what pauses or extends it, what brings it forward."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import cast

from comity.law.clocks import Almanac, ClockError, Due, Period, joined, read_period, said, shifted
from comity.law.conditions import TRUE
from comity.law.folding import World
from comity.law.lawbook import Duty, Extension, Law, Pause
from comity.law.owed import Longer, Owed
from comity.law.vocabulary import Facts

STANDING = frozenset({"restart", "exclude"})
"""Pauses during which no day can be named: the clock stands still."""

PAUSED = {
    "restart": "The clock starts anew",
    "exclude": "Days that do not count",
    "may-exclude": "Days that may not count",
    "hold": "Waits where there is cause",
}


@dataclass(frozen=True)
class DueDay:
    """Sets the day of one duty of one law, for one event."""

    duty: Duty
    law: Law
    world: World
    facts: Facts
    almanac: Almanac
    places: tuple[str, ...]  # whose holidays count

    def set(self, owed: Owed) -> Owed:
        """Return the duty with its day, or with what is missing for it."""
        owed = replace(owed, notes=(*owed.notes, *map(_paused, self.duty.pauses)))
        if not any((self.duty.within, self.duty.by, self.duty.before, self.duty.opens)):
            return self.at_once(owed)
        missing = tuple(sorted({*owed.missing, *self.wanting}))
        try:
            due = self.due
            if self.wanting:
                return replace(owed, earliest=due.day, missing=missing)
            owed = replace(owed, due=due, opens=self.opening(due))
        except ClockError as error:
            notes = (*owed.notes, f"The day cannot be counted: {error}. Work to the earliest that it can be.")
            return replace(owed, earliest=self.at_least, notes=notes, missing=missing)
        return self.done(self.no_later(self.extended(owed)))

    def fact(self, name: str) -> date | None:
        """Return a date fact, None where it is not given."""
        value = self.facts.get(name)
        return value if isinstance(value, date) else None

    @property
    def on(self) -> date:
        """The day of the event."""
        return cast("date", self.fact("event.on"))

    # ------------------------------------------------ from when

    @cached_property
    def first(self) -> date:
        """The day from which it counts if nothing pauses it."""
        return max((day for day in map(self.fact, self.duty.start) if day is not None), default=self.on)

    @cached_property
    def wanting(self) -> tuple[str, ...]:
        """The date facts without which no day can be named."""
        starts = () if any(self.fact(name) for name in self.duty.start) else self.duty.start
        return (*starts, *(one.until for one in self.running if one.effect in STANDING and not self.fact(one.until)))

    @cached_property
    def running(self) -> list[Pause]:
        """The pauses that began in time: once the day has passed, none brings it back."""
        begun = ((one, self.fact(one.start)) for one in self.duty.pauses if self.holds(one))
        return [one for one, day in begun if day is not None and day <= self.last_day]

    def holds(self, pause: Pause) -> bool:
        """Tell whether the condition of a pause certainly holds."""
        return self.world.truth(self.law, pause.when) == TRUE

    @cached_property
    def last_day(self) -> date:
        """The day if nothing pauses it; where no calendar tells, the latest that it can be."""
        try:
            return self.plain(self.first).day
        except ClockError:
            return date.max

    @cached_property
    def start(self) -> date:
        """The day from which it counts, where a pause has made it start anew."""
        anew = (self.fact(one.until) or self.fact(one.start) for one in self.running if one.effect == "restart")
        return max([self.first, *(day for day in anew if day is not None)])

    def left_out(self, effect: str) -> int:
        """Return how many days after the start lie in pauses of a kind, each day once."""
        days: set[date] = set()
        for one in (one for one in self.running if one.effect == effect):
            begin, end = self.fact(one.start), self.fact(one.until)
            if begin is not None and end is not None:
                begin = max(begin, self.start)
                days |= {begin + timedelta(days=number) for number in range((end - begin).days + 1)}
        return len(days)

    # ------------------------------------------------ to when

    @cached_property
    def due(self) -> Due:
        """The day, the pauses that are over taken into account."""
        due = self.held(self.plain(self.start, self.left_out("exclude")))
        optional = self.left_out("may-exclude")
        if not optional:
            return due
        later = self.plain(self.start, optional)
        latest = later.later or later.day
        if latest <= due.day:
            return due
        pause = "the day of the pause does" if optional == 1 else f"the {optional} days of the pause do"
        step = f"if {pause} not count it ends on {said(latest)}: the earlier is due"
        return replace(due, later=latest, steps=(*due.steps, step))

    def held(self, due: Due) -> Due:
        """Return the day, or the end of what holds us back if that is later."""
        ends = [day for one in self.running if one.effect == "hold" and (day := self.fact(one.until)) is not None]
        if not ends or max(ends) <= due.day:
            return due
        return Due(max(ends), (*due.steps, f"held back until {said(max(ends))}"))

    def at_once(self, owed: Owed) -> Owed:
        """Return a duty without a period: owed at once, or when what holds us back is over."""
        holds = [one for one in self.duty.pauses if one.effect == "hold" and self.holds(one)]
        ends = [day for one in holds if (day := self.fact(one.until)) is not None]
        if not ends or max(ends) <= self.on:
            return replace(owed, at_once=True)
        return replace(owed, due=Due(max(ends), (f"held back until {said(max(ends))}",)))

    @property
    def at_least(self) -> date | None:
        """A day that no calendar can make too late; None where nobody can tell."""
        period = read_period(self.duty.within) if self.duty.within else None
        if period is None:
            return None
        return shifted(self.start, period) if period.unit != "hours" else self.start

    def plain(self, start: date, added: int = 0) -> Due:
        duty = self.duty
        if duty.year_end:
            start = date(start.year, 12, 31)
        if isinstance(duty.by, date):
            return Due(duty.by, (f"{said(duty.by)} is the day that the law names",))
        if duty.by:
            return _next(duty.by, start)
        if duty.before:
            return self.almanac.before(start, read_period(duty.before), place=next(iter(self.places), ""))
        if not duty.within:
            return Due(start, (f"{said(start)} is the day itself",))
        return self.within(start, read_period(duty.within), added)

    def within(self, start: date, period: Period, added: int = 0) -> Due:
        reckoning = self.duty.counts or self.law.counts or "us"
        moment = self.facts.get("event.at")
        exact = period.unit == "hours" and isinstance(moment, datetime) and moment.date() == start
        needs_place = self.almanac.reckoning(reckoning).calendar == "place" or period.calendar in {"eu", "uk"}
        begin = moment if exact and isinstance(moment, datetime) else start
        return self.almanac.due(begin, period, reckoning, places=self.places if needs_place else (), added=added)

    def opening(self, due: Due) -> date | None:
        if not self.duty.opens:
            return None
        return self.almanac.before(due.day, read_period(self.duty.opens), place=next(iter(self.places), "")).day

    # ------------------------------------------------ longer, or sooner

    def extended(self, owed: Owed) -> Owed:
        """Return the duty with what could extend it, and the later day where something did."""
        for extension in self.duty.extensions:
            try:
                owed = self.with_extension(owed, extension)
            except ClockError as error:
                owed = replace(owed, notes=(*owed.notes, f"The extension cannot be counted: {error}."))
        return owed

    def with_extension(self, owed: Owed, extension: Extension) -> Owed:
        due, by = cast("Due", owed.due), read_period(extension.by)
        readings = self.readings(due, by)
        first, latest = min(one.day for one in readings), max(one.later or one.day for one in readings)
        latest += timedelta(days=self.left_out("may-exclude"))
        notice = extension.notice or self.duty.within
        tell_by = self.within(self.start, read_period(notice)).day if notice else due.day
        told, allowed = self.fact(extension.told), self.world.truth(self.law, extension.when) == TRUE
        counted = allowed and told is not None and told <= tell_by
        longer = Longer(
            says=extension.says, cite=extension.cite, to=first, tell_by=tell_by, contents=extension.contents,
            counted=counted, told=told,
        )  # fmt: skip
        owed = replace(owed, longer=(*owed.longer, longer))
        if not counted:
            return owed
        steps = [*due.steps, f"extended by {by}: {said(first)} ({extension.cite or owed.cite})"]
        if latest > first:
            steps.append(f"counted another way it is {said(latest)}: the earlier is due")
        return replace(owed, due=Due(first, tuple(steps), later=latest if latest > first else None))

    def readings(self, due: Due, by: Period) -> list[Due]:
        """Return where an extension ends: counted on from the end that it extends, and with it as one period."""
        own = read_period(self.duty.within) if self.duty.within else None
        added = self.left_out("exclude")
        whole_days = own is not None and own.unit not in {"hours", "working days"}
        chained = self.within(shifted(self.start, own) if own and whole_days else due.day, by, added)
        whole = joined(own, by) if own else None
        return [chained, self.within(self.start, whole, added)] if whole else [chained]

    def done(self, owed: Owed) -> Owed:
        """Return the duty as not owed where the whole matter was closed before its day and the law asks no more."""
        on = self.fact("event.done_on")
        if not self.duty.unless_done or on is None or owed.due is None or on > owed.due.day:
            return owed
        return replace(owed, state="stopped", notes=(f"Not owed: all was done on {said(on)}.", *owed.notes))

    def no_later(self, owed: Owed) -> Owed:
        """Return the duty with an earlier day where something happened that brings it forward."""
        known = [(day, name) for name in self.duty.not_after if (day := self.fact(name)) is not None]
        if owed.due is None or not known or min(known)[0] >= owed.due.day:
            return owed
        day, name = min(known)
        return replace(owed, due=Due(day, (*owed.due.steps, f"but no later than {said(day)} ({name})")))


def _paused(pause: Pause) -> str:
    return f"{PAUSED[pause.effect]}: {cited(pause.says, pause.cite)}"


def cited(says: str, cite: str) -> str:
    """Return a sentence with its citation behind it."""
    return f"{says} ({cite})" if cite else says


def _next(by: str, start: date) -> Due:
    month, number = (int(part) for part in by.split("-"))
    year = start.year + (date(start.year, month, number) <= start)
    day = date(year, month, number)
    return Due(day, (f"{said(day)} is the next {by} after {said(start)}",))
