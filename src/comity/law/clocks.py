"""By when: days, months and working days as each law counts them, with the steps of the sum.

The day of the event is never counted (Regulation 1182/71 Art. 3(1); Civil Code of China Arts 201-203; the US practice).
A month ends on the same-numbered day, or on the last day of a month that has none.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal

from comity.law.folding import add_months
from comity.law.lawbook import PackError
from comity.law.vocabulary import nearest

Unit = Literal["hours", "days", "working days", "weeks", "months", "years"]

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
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
    """Which days are working days, for the years that are published."""

    name: str
    cite: str
    weekend: frozenset[int]
    holidays: Mapping[int, frozenset[date]]
    made_up: frozenset[date]

    def works(self, day: date) -> bool:
        """Tell whether `day` is a working day. Raises ClockError for a year whose calendar is not published."""
        if day.year not in self.holidays:
            known = ", ".join(str(year) for year in sorted(self.holidays))
            raise ClockError(
                f"the calendar {self.name!r} is not published for {day.year} (it has {known}); "
                "add it to calendars.toml when it is"
            )
        return day in self.made_up or (day.weekday() not in self.weekend and day not in self.holidays[day.year])


@dataclass(frozen=True, slots=True)
class Due:
    """The last day of a period, and how it was counted."""

    day: date
    steps: tuple[str, ...]


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


def read_calendars(path: Path) -> dict[str, Calendar]:
    """Read calendars.toml. Raises PackError."""
    tables: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    calendars = {}
    for name, table in tables.items():
        if not table.get("cite"):
            raise PackError(f"the calendar {name!r} has no 'cite'", file=path.name)
        calendars[name] = Calendar(
            name=name,
            cite=table["cite"],
            weekend=frozenset(WEEK.index(day) for day in table["weekend"]),
            holidays={int(year): frozenset(days) for year, days in table["holidays"].items()},
            made_up=frozenset(day for days in table.get("made_up", {}).values() for day in days),
        )
    return calendars


def due(start: date, period: Period, calendars: Mapping[str, Calendar]) -> Due:
    """Return the last day of `period` after the event on `start`. Raises ClockError.

    Hours are counted as whole days here, rounded down: the earlier day is the safe one.
    """
    first = f"{start.isoformat()} ({_weekday(start)}) is the day of the event; it is not counted"
    try:
        day, how = _counted(start, period, calendars)
    except (ValueError, OverflowError) as error:
        if isinstance(error, ClockError):
            raise
        raise ClockError(f"{period} from {start.isoformat()} ends after the last day that can be counted") from None
    return Due(day, (first, f"{how}: {day.isoformat()} ({_weekday(day)})"))


def _counted(start: date, period: Period, calendars: Mapping[str, Calendar]) -> tuple[date, str]:
    """Return the last day, and in words how it was counted."""
    number = period.number
    match period.unit:
        case "working days":
            return _working_day(start, period, calendars), f"{period} by {calendars[period.calendar].cite}"
        case "months" | "years":
            months = number * (12 if period.unit == "years" else 1)
            return add_months(start, months), f"{period} on: the same-numbered day, or the month's last"
    days = {"days": number, "weeks": number * 7, "hours": number // 24}[period.unit]
    return start + timedelta(days=days), f"{period} on, every day counted"


def _working_day(start: date, period: Period, calendars: Mapping[str, Calendar]) -> date:
    if period.calendar not in calendars:
        raise ClockError(f"no calendar is called {period.calendar!r}{nearest(period.calendar, calendars)}")
    calendar, day, left = calendars[period.calendar], start, period.number
    while left:
        day += timedelta(days=1)
        left -= calendar.works(day)
    return day


def _weekday(day: date) -> str:
    return ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")[day.weekday()]
