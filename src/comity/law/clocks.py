"""By when: hours, days, months and working days as each law counts them, with the steps of the sum.

A reckoning is a law's way of counting (Regulation 1182/71; Civil Code of China Arts 200-204; the practice of the United
States). Where a law can be read in two ways, the earlier day is the due day and the later one stands beside it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from comity.law.folding import add_months
from comity.law.lawbook import PackError
from comity.law.vocabulary import nearest

Unit = Literal["hours", "days", "working days", "weeks", "months", "years"]

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
OF_THE_PLACE = "place"
"""As a calendar: that of the place, whichever it is."""

TWO_DAYS = {"hours": 48, "days": 2}

_PERIOD = re.compile(r"(\d{1,4}) (hour|day|working day|week|month|year)s?(?: \(([a-z-]+)\))?", re.ASCII)


class ClockError(ValueError):
    """A period cannot be counted: it is not one, or its calendar is not published; the message says which."""


@dataclass(frozen=True, slots=True)
class Period:
    """A number of units; working days name the calendar they are counted in."""

    number: int
    unit: Unit
    calendar: str = ""

    def __str__(self) -> str:
        plural = self.unit if self.number != 1 else self.unit.removesuffix("s")
        return f"{self.number} {plural}" + (f" ({self.calendar})" if self.calendar else "")


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which days are working days, for the years that are published.

    `later` names the calendar of the milder reading, where it is disputed which days count.
    """

    name: str
    cite: str
    weekend: frozenset[int]
    holidays: Mapping[int, frozenset[date]]
    made_up: frozenset[date]
    later: str = ""

    def works(self, day: date) -> bool:
        """Tell whether `day` is a working day. Raises ClockError for a year whose calendar is not published."""
        if day.year not in self.holidays:
            known = f"{min(self.holidays)} to {max(self.holidays)}" if self.holidays else "none"
            raise ClockError(
                f"the calendar {self.name!r} is not published for {day.year} (it has {known}); "
                "add it to calendars.toml when it is"
            )
        return day in self.made_up or (day.weekday() not in self.weekend and day not in self.holidays[day.year])


@dataclass(frozen=True, slots=True)
class Reckoning:
    """How a law counts.

    `calendar` is whose working days count ("place": of the place), `rolls` whether an end on another day moves on,
    `receipt` whether the day of receipt may count as the first, `two_days` whether a short period may have to hold two
    working days.
    """

    name: str
    says: str
    cite: str
    calendar: str = ""
    rolls: bool = False
    receipt: bool = False
    two_days: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """The last day of a period, and how it was counted; `at` the moment for hours, `later` the other reading's day."""

    day: date
    steps: tuple[str, ...]
    at: datetime | None = None
    later: date | None = None


@dataclass(frozen=True, slots=True)
class Almanac:
    """All calendars and reckonings."""

    calendars: Mapping[str, Calendar]
    reckonings: Mapping[str, Reckoning]

    def calendar(self, name: str, place: str = "") -> Calendar:
        """Return the calendar of this name, or of the place. Raises ClockError."""
        if name in {OF_THE_PLACE, "eu", "uk"}:
            country = place.partition("-")[0]
            name = next((one for one in (place, country) if one in self.calendars), place or name)
        if name not in self.calendars:
            raise ClockError(f"no calendar is called {name!r}{nearest(name, self.calendars)}")
        return self.calendars[name]

    def reckoning(self, name: str) -> Reckoning:
        """Return the reckoning of this name. Raises ClockError."""
        if name not in self.reckonings:
            raise ClockError(f"no reckoning is called {name!r}{nearest(name, self.reckonings)}")
        return self.reckonings[name]

    def due(
        self, start: date | datetime, period: Period, reckoning: str, *, places: Iterable[str] = (), added: int = 0
    ) -> Due:
        """Return the last day of `period` after `start`, by the holidays of whichever place makes it come first.

        `added` are days that do not count, put on at the end; the earlier reading has one less. Raises ClockError.
        """
        counted = [_Count(self, self.reckoning(reckoning), place).due(start, period, added) for place in places]
        if not counted:
            return _Count(self, self.reckoning(reckoning), "").due(start, period, added)
        first = min(counted, key=lambda due: due.day)
        latest = max(due.later or due.day for due in counted)
        return replace(first, later=latest if latest > first.day else None)

    def before(self, end: date, period: Period, *, place: str = "") -> Due:
        """Return the day that lies `period` before `end`. Raises ClockError."""
        if period.unit == "working days":
            day, how = end, self.calendar(period.calendar, place)
            for _ in range(period.number):
                day = _step(day, how, -1)
        else:
            day = shifted(end, period, -1)
        if day == end:
            return Due(day, (f"{said(day)} is the day itself",))
        return Due(day, (f"{said(end)} is the day it ends", f"{period} before: {said(day)}"))


def said(day: date) -> str:
    """Return a day with its weekday: "2026-10-05 (Monday)"."""
    return f"{day.isoformat()} ({WEEKDAYS[day.weekday()]})"


def read_period(text: str) -> Period:
    """Read "30 days", "1 month", "10 working days (us-federal)". Raises ClockError."""
    found = _PERIOD.fullmatch(text.strip())
    if found is None:
        raise ClockError(
            f"{text!r} is no period; write for example '30 days', '1 month', '10 working days (us-federal)'"
        )
    number, unit, calendar = int(found[1]), found[2] + "s", found[3] or ""
    if (unit == "working days") != bool(calendar):
        raise ClockError(
            f"{text!r}: working days, and only they, name their calendar, as in '10 working days (us-federal)'"
        )
    return Period(number, unit, calendar)  # type: ignore[arg-type]


def joined(first: Period, second: Period) -> Period | None:
    """Return two periods as one, counted from one start; None where their units do not add up."""
    months = {"months": 1, "years": 12}
    if first.unit == second.unit and first.calendar == second.calendar:
        return replace(first, number=first.number + second.number)
    if first.unit in months and second.unit in months:
        return Period(first.number * months[first.unit] + second.number * months[second.unit], "months")
    return None


def read_almanac(root: Path) -> Almanac:
    """Read calendars.toml and holidays.toml under `root`. Raises PackError."""
    tables: dict[str, Any] = {}
    for name in ("holidays.toml", "calendars.toml"):
        path = root / name
        if path.is_file():
            tables |= {key: (name, table) for key, table in tomllib.loads(path.read_text("utf-8")).items()}
    reckonings = tables.pop("reckoning", ("", {}))[1]
    calendars = {name: _calendar(name, table, file) for name, (file, table) in tables.items()}
    return Almanac(calendars, {name: Reckoning(name=name, **table) for name, table in reckonings.items()})


def _calendar(name: str, table: Mapping[str, Any], file: str) -> Calendar:
    if not table.get("cite"):
        raise PackError(f"the calendar {name!r} has no 'cite'", file=file)
    return Calendar(
        name=name,
        cite=table["cite"],
        weekend=frozenset(WEEK.index(day) for day in table["weekend"]),
        holidays={int(year): frozenset(days) for year, days in table["holidays"].items()},
        made_up=frozenset(day for days in table.get("made_up", {}).values() for day in days),
        later=table.get("later", ""),
    )


@dataclass(frozen=True, slots=True)
class _Count:
    """One counting, by one reckoning, in one place."""

    almanac: Almanac
    reckoning: Reckoning
    place: str

    def due(self, start: date | datetime, period: Period, added: int) -> Due:
        try:
            if period.unit == "hours":
                return self._hours(start, period)
            if period.unit == "working days":
                return self._working(_day(start), period)
            return self._whole(_day(start), period, added)
        except (ValueError, OverflowError) as error:
            if isinstance(error, ClockError):
                raise
            raise ClockError(f"{period} from {start.isoformat()} ends after the last day that can be counted") from None

    def _whole(self, start: date, period: Period, added: int) -> Due:
        raw = shifted(start, period, 1)
        how = (
            "the same-numbered day, or the month's last" if period.unit in {"months", "years"} else "every day counted"
        )
        steps = [f"{said(start)} is the start; it is not counted", f"{period} on, {how}: {said(raw)}"]
        if added:
            steps.append(f"{added} days do not count, so the end moves to {said(raw + timedelta(days=added))}; ")
            steps[-1] += "whoever leaves the last of them out comes a day earlier"
        last = self._rolled(raw + timedelta(days=added), steps)
        if self.reckoning.receipt:
            strict = raw - timedelta(days=1)
            steps.append(f"where the day of receipt is the first day, it ends on {said(strict)}: the earlier is due")
            return Due(strict, tuple(steps), later=last)
        if added:
            earlier = self._rolled(raw + timedelta(days=added - 1), [])
            return Due(earlier, tuple(steps), later=last if last > earlier else None)
        return Due(last, tuple(steps), later=self._two_days(start, last, period, steps))

    def _rolled(self, day: date, steps: list[str]) -> date:
        if not self.reckoning.rolls:
            return day
        if self.reckoning.calendar == OF_THE_PLACE and not self.place:
            raise ClockError(f"{self.reckoning.cite} goes by the holidays of a place; say which")
        calendar, first = self.almanac.calendar(self.reckoning.calendar, self.place), day
        while not calendar.works(day):
            day += timedelta(days=1)
        if day != first:
            steps.append(
                f"that is no working day in {calendar.name}, so it ends on {said(day)} ({self.reckoning.cite})"
            )
        return day

    def _working(self, start: date, period: Period) -> Due:
        calendar = self.almanac.calendar(period.calendar, self.place)
        day = _advanced(start, period.number, calendar)
        steps = [
            f"{said(start)} is the start; it is not counted",
            f"{replace(period, calendar='')} on, by {calendar.cite}: {said(day)}",
        ]
        later = _advanced(start, period.number, self.almanac.calendar(calendar.later)) if calendar.later else day
        if later > day:
            steps.append(
                f"counted by {self.almanac.calendar(calendar.later).cite} it is {said(later)}: the earlier is due"
            )
        return Due(day, tuple(steps), later=later if later > day else None)

    def _hours(self, start: date | datetime, period: Period) -> Due:
        if isinstance(start, datetime):
            end = start + timedelta(hours=period.number)
            steps = [f"{_moment(start)} is the start", f"{period} on, by the clock: {_moment(end)}"]
            last = end.date()
            later = self._two_days(start.date(), last, period, steps)
            return Due(last, tuple(steps), at=end, later=later)
        last = start + timedelta(days=period.number // 24 - (period.number % 24 == 0 and period.number > 0))
        steps = [
            f"{said(start)} is the start; its hour is not known, so it is taken to be the day's first",
            f"{period} on, by the clock, ends with {said(last)}",
        ]
        return Due(last, tuple(steps))

    def _two_days(self, start: date, last: date, period: Period, steps: list[str]) -> date | None:
        """Return the day by which two working days have passed, where that reading makes a short period end later."""
        long_enough = period.number >= TWO_DAYS.get(period.unit, period.number + 1)
        if not (self.reckoning.two_days and self.place and long_enough) or (last - start).days >= len(WEEK):
            return None
        second = _advanced(start, 2, self.almanac.calendar(self.reckoning.calendar, self.place))
        if second <= last:
            return None
        steps.append(
            f"a period of two days or more may have to hold two working days ({self.reckoning.cite}); "
            f"that would be {said(second)}, which is disputed: the earlier is due"
        )
        return second


def _day(start: date | datetime) -> date:
    return start.date() if isinstance(start, datetime) else start


def _moment(when: datetime) -> str:
    return f"{when.isoformat(sep=' ', timespec='minutes')} ({WEEKDAYS[when.weekday()]})"


def shifted(day: date, period: Period, direction: int = 1) -> date:
    """Return the day a period later (or before), every day counted: the same-numbered day, or the month's last."""
    number = period.number * direction
    match period.unit:
        case "months":
            return add_months(day, number)
        case "years":
            return add_months(day, 12 * number)
    return day + timedelta(days=number * (7 if period.unit == "weeks" else 1))


def _step(day: date, calendar: Calendar, direction: int) -> date:
    day += timedelta(days=direction)
    while not calendar.works(day):
        day += timedelta(days=direction)
    return day


def _advanced(day: date, number: int, calendar: Calendar) -> date:
    for _ in range(number):
        day = _step(day, calendar, 1)
    return day
