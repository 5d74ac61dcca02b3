"""What is owed: one duty that an event brought about, with its day and what would change it. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from comity.law.clocks import Due

State = Literal["owed", "possible", "stopped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Longer:
    """How a duty may be given more time; `counted` says that it was."""

    says: str
    cite: str
    to: date
    tell_by: date
    contents: tuple[str, ...]
    counted: bool
    told: date | None = None  # the day on which the person was told, if they were


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """One duty that an event brought about.

    `state` is possible where facts are missing without which it is not certain, and stopped where something ends it.
    `due` is None for what is owed at once, and where a date is missing; then `earliest` is the earliest possible day.
    """

    rule: str
    law: str
    says: str
    cite: str
    url: str
    confirmed: bool
    act: str
    to: str
    body: str
    what: str
    contents: tuple[str, ...]
    state: State
    due: Due | None
    at_once: bool
    earliest: date | None = None
    opens: date | None = None
    missing: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # pauses, stops and what else a reader should know, with citations
    longer: tuple[Longer, ...] = ()
    kept_until: date | None = None  # of a deletion: another duty keeps the records until then
    kept_by: str = ""

    @property
    def certain(self) -> bool:
        """Tell whether no missing fact could lift it."""
        return self.state == "owed"

    @property
    def day(self) -> date:
        """The day to work to; the first of all days for what is owed at once."""
        found = self.due.day if self.due else self.earliest
        return date.min if self.at_once or found is None else found
