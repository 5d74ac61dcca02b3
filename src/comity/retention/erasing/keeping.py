"""What a law has us keep of somebody who is erased: asked for each kind of record, and written down nowhere here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from comity.counsel.keeping import KEEP, Term, terms

if TYPE_CHECKING:
    from comity.staff.models import Entity

MOST_ANSWERS: Final = 8_192


@dataclass(frozen=True, kw_only=True)
class Row:
    """What of a stored row the law is asked about: its kind, its channel, and the days that it tells."""

    records: str  # of event.records
    channel: str = ""
    said_on: date | None = None


class Keeper:
    """Asks for people of one entity what their laws have it keep; rows that are alike are asked about once."""

    def __init__(self, entity: Entity, on: date) -> None:
        self.entity, self.on = entity, on
        self.of = lru_cache(maxsize=MOST_ANSWERS)(self._of)

    def _of(self, home: str, row: Row) -> Term | None:
        """Return what keeps such a record longest; a rule that only may keep it counts too.

        What is destroyed cannot be had back, and what is kept leads to nobody: so a doubt keeps.
        """
        facts: dict[str, object] = {
            "person.home": home.split("|") if home else None, "use.channel": row.channel or None,
            "consent.given_on": row.said_on and row.said_on.isoformat(),
            "consent.last_used_on": row.said_on and row.said_on.isoformat(),
        }  # fmt: skip
        told = {name: value for name, value in facts.items() if value is not None}
        found = terms(self.entity, (row.records,), on=self.on, today=self.on, facts=told)
        kept = [one for one in found if one.act == KEEP and one.day is not None and one.day > self.on]
        return max(kept, key=lambda one: (one.day or self.on, one.certain), default=None)
