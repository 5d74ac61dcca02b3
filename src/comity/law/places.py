"""Places as the law sees them: ISO 3166 codes, the subdivisions that have laws of their own, and dated groups."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date


class UnknownPlace(ValueError):
    """A code or group that places.toml does not have."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """A place that belongs to a group on the days from `start` until before `until`."""

    place: str
    start: date | None = None
    until: date | None = None

    def belongs(self, day: date) -> bool:
        """Tell whether the place is in the group on `day`."""
        return (self.start is None or self.start <= day) and (self.until is None or day < self.until)


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """A named set of places that changes with time, such as the European Union."""

    name: str
    says: str
    cite: str
    members: tuple[Member, ...]
    includes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Places:
    """All countries, the countries split into subdivisions, and the groups."""

    countries: frozenset[str]
    subdivisions: Mapping[str, tuple[str, ...]]
    groups: Mapping[str, Group]

    @property
    def every(self) -> frozenset[str]:
        """Every place somebody can live in, split countries by subdivision."""
        return self.expand(self.countries)

    def check(self, code: str) -> None:
        """Raise UnknownPlace unless `code` is a country or a subdivision with laws of its own."""
        if code in self.countries:
            return
        if code in self.subdivisions.get(code.partition("-")[0], ()):
            return
        known = [*self.countries, *(part for parts in self.subdivisions.values() for part in parts)]
        near = difflib.get_close_matches(code, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else "; use ISO 3166 codes such as DE or US-CA"
        raise UnknownPlace(f"no place has the code {code!r}{hint}")

    def expand(self, codes: Iterable[str]) -> frozenset[str]:
        """Replace a split country by all its subdivisions: 'US' means any of its states."""
        return frozenset(part for code in codes for part in self.subdivisions.get(code, (code,)))

    def group(self, name: str, day: date) -> frozenset[str]:
        """Return the places that belong to the group `name` on `day`, split countries expanded."""
        if name not in self.groups:
            near = difflib.get_close_matches(name, self.groups, n=1)
            hint = f"; did you mean {near[0]}?" if near else "; groups are defined in places.toml"
            raise UnknownPlace(f"no group of places is called {name}{hint}")
        group = self.groups[name]
        own = self.expand(member.place for member in group.members if member.belongs(day))
        return own.union(*(self.group(other, day) for other in group.includes))
