"""What a law has us keep of somebody who is erased: asked for each kind of record, and written down nowhere here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from comity.counsel.duties_counting import count, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from comity.staff.models import Entity

KEEP: Final = "keep"
MOST_ANSWERS: Final = 8_192


@dataclass(frozen=True, kw_only=True)
class Row:
    """What of a stored row the law is asked about: its kind, its channel, and the days that it tells."""

    records: str  # of event.records
    channel: str = ""
    said_on: date | None = None
    used_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """A rule that has a record kept, and until when; not `certain` where facts are `missing` that would tell."""

    records: str
    rule: str
    law: str
    cite: str
    says: str
    until: date
    certain: bool
    missing: tuple[str, ...]


class Keeper:
    """Asks for people of one entity what their laws have it keep; people of one home are asked about once."""

    def __init__(self, entity: Entity, on: date) -> None:
        self.told = plain({"org.place": [entity.place], **entity.facts, "event.kind": "purpose-ended", "event.on": on})
        self.on = on
        self.of = lru_cache(maxsize=MOST_ANSWERS)(self._of)

    def _of(self, home: str, row: Row) -> Keeping | None:
        """Return the rule that keeps such a record longest; a rule that only may keep it counts too.

        What is destroyed cannot be had back, and what is kept leads to nobody: so a doubt keeps.
        """
        found = list(self._asked(home, row))
        return max(found, key=lambda one: (one.until, one.certain), default=None)

    def _asked(self, home: str, row: Row) -> Iterator[Keeping]:
        facts: dict[str, Any] = {
            **self.told, "event.records": row.records, "use.channel": row.channel or None,
            "consent.given_on": row.said_on, "consent.last_used_on": row.used_on or row.said_on,
        }  # fmt: skip
        for one in count(plain(facts), {home: 1}, law_of=self.on):
            if one.owed.act == KEEP and one.day is not None and one.day > self.on:
                yield Keeping(
                    records=row.records, rule=one.owed.rule, law=one.owed.law, cite=one.owed.cite, says=one.owed.says,
                    until=one.day, certain=one.owed.certain, missing=tuple(one.owed.missing),
                )  # fmt: skip
