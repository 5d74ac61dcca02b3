"""At what hours somebody may be reached: windows by their own clock, on days that are allowed, wherever they may live.

Where somebody may live in several zones, or in several places, an hour must suit all of them. What cannot be known (the
zones of a place, its days of rest in a year) is an error that says so, and whoever meets it reaches nobody.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from heapq import merge
from itertools import groupby
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from comity.law.clocks import WEEK, ClockError

MIDNIGHT: Final = 24 * 60
A_DAY: Final = timedelta(days=1)
FAR: Final = 60
"""Days within which an hour is looked for: no law shuts for longer."""
HOLIDAY: Final = "holiday"


class NoHour(ClockError):
    """There is no hour at which somebody may be reached, or none that can be known; the message says why."""


@dataclass(frozen=True, slots=True)
class Hours:
    """A window of each day, in minutes after midnight: from `opens` until before `closes`, on `days`.

    Days are "mon" to "sun" and "holiday", as obligations have them; a day that is a public holiday needs both words.
    """

    opens: int = 0
    closes: int = MIDNIGHT
    days: frozenset[str] = frozenset({*WEEK, HOLIDAY})

    @classmethod
    def of(cls, parameters: Mapping[str, object]) -> Hours:
        """Read the parameters of an obligation "calling-hours". Raises NoHour for what cannot be read."""
        days = parameters.get("days", (*WEEK, HOLIDAY))
        if not isinstance(days, tuple | list | frozenset):
            raise NoHour(f"{days!r} is no list of days")
        opens, closes = parameters.get("from", "00:00"), parameters.get("until", "24:00")
        return cls(opens=minutes(opens), closes=minutes(closes), days=frozenset(map(str, days)))

    def within(self, other: Hours) -> Hours:
        """Return the hours that suit both."""
        opens, closes = max(self.opens, other.opens), min(self.closes, other.closes)
        return Hours(opens=opens, closes=closes, days=self.days & other.days)

    @property
    def always(self) -> bool:
        """Whether any hour of any day will do."""
        return self == Hours()


def minutes(clock: object) -> int:
    """Read "08:30" as minutes after midnight; "24:00" is the end of the day. Raises NoHour."""
    hour, colon, minute = str(clock).partition(":")
    if colon and hour.isdecimal() and minute.isdecimal() and int(minute) < 60:  # noqa: PLR2004 - of an hour
        read = int(hour) * 60 + int(minute)
        if read <= MIDNIGHT:
            return read
    raise NoHour(f"{clock!r} is no time of day; write it as 08:30")


@dataclass(frozen=True, slots=True)
class Clocks:
    """By which clocks people live in each place, and which days they rest."""

    zones: Mapping[str, tuple[str, ...]]
    rest: Mapping[str, frozenset[date]]
    years: range

    def zones_of(self, place: str) -> tuple[str, ...]:
        """Return the zones of a place. Raises NoHour for a place of which none is known."""
        if place not in self.zones:
            raise NoHour(f"by which clock people live in {place!r} is not known; add it to zones.toml")
        return self.zones[place]

    def rests(self, place: str, day: date) -> bool:
        """Tell whether a day is a public holiday anywhere in a place. Raises NoHour where that is not known."""
        if place not in self.rest or day.year not in self.years:
            raise NoHour(f"the days of rest of {place!r} in {day.year} are not known; add them to rest.toml")
        return day in self.rest[place]

    def soonest(
        self, hours: Hours, places: Iterable[str], at: datetime, *, lasting: timedelta = timedelta()
    ) -> datetime:
        """Return the first moment from `at` on from which it is open everywhere for as long as `lasting`.

        It is `at` itself if it is open then. Raises NoHour.
        """
        if hours.always:
            return at
        shops = self._shops(hours, places)
        if not shops:
            raise NoHour("it is not known where somebody lives, so no hour is known to suit")
        for moment in _moments(shops, at):
            if all(shop.open_at(moment, lasting) for shop in shops):
                return moment
        raise NoHour(f"no hour of {FAR} days suits everywhere where somebody may live")

    def _shops(self, hours: Hours, places: Iterable[str]) -> list[_Shop]:
        """Return what must be open: once for each zone, unless days of rest tell the places in it apart."""
        resting = HOLIDAY not in hours.days
        pairs = {(zone, place if resting else "") for place in places for zone in self.zones_of(place)}
        return [_Shop(clocks=self, hours=hours, zone=_zone(zone), place=place) for zone, place in sorted(pairs)]


@dataclass(frozen=True, slots=True)
class _Shop:
    """A zone with the hours that are kept in it; `place` says whose days of rest, where they are."""

    clocks: Clocks
    hours: Hours
    zone: ZoneInfo
    place: str

    def open_at(self, moment: datetime, lasting: timedelta) -> bool:
        """Tell whether it is open from this moment on for so long. Two days that touch are one."""
        day, end = moment.astimezone(self.zone).date(), moment + lasting
        while self._serves(day):
            opens, closes = self.times(day)
            if not opens <= moment < closes:
                return False
            if end < closes:
                return True
            moment, day = closes, day + A_DAY
        return False

    def times(self, day: date) -> tuple[datetime, datetime]:
        """Return from when until when it is open on a day; where the clock is turned, the narrower reading."""
        opens = _first(self.zone, day, self.hours.opens, late=self.hours.opens > 0)
        return opens, _first(self.zone, day, self.hours.closes, late=False)

    def starts(self, at: datetime) -> Iterator[datetime]:
        """Give, in their order, the moments after `at` at which it opens, were every day allowed."""
        here = at.astimezone(self.zone).date()
        for number in range(FAR):
            opens = self.times(here + number * A_DAY)[0]
            if opens > at:
                yield opens

    def _serves(self, day: date) -> bool:
        if WEEK[day.weekday()] not in self.hours.days:
            return False
        return not self.place or not self.clocks.rests(self.place, day)


def _moments(shops: list[_Shop], at: datetime) -> Iterator[datetime]:
    """Give, in their order, the moments at which it can become open: now, and whenever one of them opens."""
    yield at
    for moment, _same in groupby(merge(*(shop.starts(at) for shop in shops))):
        yield moment


def _first(zone: ZoneInfo, day: date, minute: int, *, late: bool) -> datetime:
    """Return the moment at which the clock of a zone shows so many minutes of a day, or first shows more.

    Where the clock is turned back it shows them twice, and `late` takes the second; where it is turned forward it may
    show them never, and what is taken is the moment in which it jumps over them.
    """
    if minute == MIDNIGHT:
        day, minute = day + A_DAY, 0
    wall = datetime.combine(day, time(minute // 60, minute % 60))
    early, later = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if early <= later:
        return later if late else early
    return _jump(zone, later, early)


def _jump(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """Return the moment between these two at which a zone's clock is turned forward, to the second."""
    turned = after.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        before, after = (before, middle) if middle.astimezone(zone).utcoffset() == turned else (middle, after)
    return after.replace(microsecond=0)


@lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo:
    """Return a zone. Raises NoHour where this machine does not have it."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise NoHour(f"the zone {name!r} cannot be read on this machine: install tzdata") from error
    except KeyError:
        raise NoHour(f"the zone {name!r} is not on this machine: install or renew tzdata") from None


def read_clocks(root: Path) -> Clocks:
    """Read zones.toml and rest.toml under `root`."""
    zones = tomllib.loads((root / "zones.toml").read_text("utf-8"))
    rest = tomllib.loads((root / "rest.toml").read_text("utf-8"))
    first, last = rest.pop("years")
    return Clocks(
        zones={place: tuple(names) for place, names in zones.items()},
        rest={place: frozenset(days) for place, days in rest.items()},
        years=range(first, last + 1),
    )
