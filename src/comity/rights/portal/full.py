"""Everything that is kept about somebody, row by row, in plain facts, as a page of their own shows it.

What is written freely is not here: it may speak of others too, and some laws want more certainty for it than a code
gives. It is in the copy that people can have, after somebody of ours has looked (`rights.packages`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from comity.rights.packages.collecting import refs_of
from comity.rights.packages.shelves import SHELVES, Part
from comity.rights.packages.wording import clock_said, column_said, said

if TYPE_CHECKING:
    from uuid import UUID

    from comity.rights.packages.shelves import Shelf
    from comity.staff.models import Entity

MOST: Final = 100
"""Rows of one table that a page shows, the first ones; all of them are in the copy."""
GIVEN_AWAY: Final = (Part.SOURCE, Part.RECIPIENTS)
"""From whom data came and who got them, also abroad: on the first page."""
IN_FULL: Final = (
    Part.YOU, Part.REACH, Part.RELATION, Part.SAID, Part.HAPPENED, Part.MESSAGES, Part.FILES, Part.SOURCE,
    Part.RECIPIENTS, Part.OWED,
)  # fmt: skip
"""All but what has a page of its own (who looked, what was decided), and how rows are kept in order."""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The rows of one table in words: what they are, how long they stay, their columns."""

    says: str
    stays: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    more: bool = False


@dataclass(frozen=True, kw_only=True)
class Heading:
    """What stands under one heading."""

    id: str
    title: str
    tables: Sequence[Rows]


def kept_of(person: UUID, entity: Entity, parts: Sequence[Part]) -> list[Heading]:
    """Return the rows that name somebody, heading by heading, without tables that are empty."""
    persons = refs_of(person)
    found = {part: [_rows(shelf, persons, entity) for shelf in SHELVES if shelf.part is part] for part in parts}
    return [
        Heading(id=part.value, title=str(part.label), tables=[rows for rows in tables if rows.rows])
        for part, tables in found.items()
        if any(rows.rows for rows in tables)
    ]  # fmt: skip


def _rows(shelf: Shelf, persons: Sequence[UUID], entity: Entity) -> Rows:
    held = list(shelf.rows(persons, entity.ref).values_list(*shelf.shows)[: MOST + 1]) if shelf.shows else []
    spoken = [[said(shelf, name, value) for name, value in zip(shelf.shows, row, strict=True)] for row in held[:MOST]]
    used = [place for place in range(len(shelf.shows)) if any(row[place] for row in spoken)]
    return Rows(
        says=str(shelf.says), stays=clock_said(shelf) if held else "", more=len(held) > MOST,
        columns=[column_said(shelf.shows[place]) for place in used],
        rows=[[row[place] for place in used] for row in spoken if any(row)],
    )  # fmt: skip
