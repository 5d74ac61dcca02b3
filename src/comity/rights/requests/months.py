"""The calendar of a month: what is due on each of its days, in weeks from Monday on."""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from comity.counsel import duties_reading as reading

if TYPE_CHECKING:
    from comity.counsel.models import OwedDuty
    from comity.rights.requests.models import Request


@dataclass(frozen=True, kw_only=True)
class Item:
    """Something that is due on a day."""

    request: Request
    deed: str
    cite: str
    overdue: bool


@dataclass(frozen=True, kw_only=True)
class Day:
    """A day of the calendar, and what is due on it."""

    day: date
    within: bool  # the month
    today: bool
    items: Sequence[Item]


@dataclass(frozen=True, kw_only=True)
class Month:
    """A month, and those beside it."""

    first: date
    before: date
    after: date
    weeks: Sequence[Sequence[Day]]

    @property
    def begin(self) -> date:
        """The first day that is shown."""
        return self.weeks[0][0].day

    @property
    def due(self) -> int:
        """How much is due in the month."""
        return sum(len(day.items) for week in self.weeks for day in week if day.within)


def month_named(said: str, today: date) -> date:
    """Return the first day of the month that is meant by "2026-12"; of this one, where it means none."""
    try:
        year, month = (int(part) for part in said.split("-"))
        return date(year, month, 1) if 1900 < year < 2200 else today.replace(day=1)  # noqa: PLR2004 - what a book has
    except ValueError:
        return today.replace(day=1)


def beside(first: date, months: int) -> date:
    """Return the first day of a month so many months later."""
    number = first.year * 12 + first.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def weeks_of(first: date) -> list[list[date]]:
    """Return the days of a month in whole weeks."""
    return Calendar().monthdatescalendar(first.year, first.month)


def month_of(first: date, due: Iterable[tuple[OwedDuty, Request]], today: date) -> Month:
    """Return a month with what is due in it."""
    by_day: dict[date, list[Item]] = {}
    for duty, request in due:
        item = Item(
            request=request, deed=reading.deed(duty), cite=duty.told["cite"], overdue=duty.day < today
        )  # fmt: skip
        by_day.setdefault(duty.day, []).append(item)
    weeks = [[_day(day, first, today, by_day) for day in week] for week in weeks_of(first)]
    return Month(first=first, before=beside(first, -1), after=beside(first, 1), weeks=weeks)


def _day(day: date, first: date, today: date, due: Mapping[date, Sequence[Item]]) -> Day:
    return Day(day=day, within=day.month == first.month, today=day == today, items=due.get(day, ()))
