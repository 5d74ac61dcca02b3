"""What a list says about all its people without looking at all of them.

A count stops at ten thousand, and the count of many people stands for a minute; which homes and languages there are is
read by leaps along an index, from each to the next, and stands for a minute too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet

if TYPE_CHECKING:
    from comity.book.opening import Look

AT_MOST: Final = 10_000
"""People that are counted; of more is only said that they are more."""
A_WHILE: Final = 60.0
"""Seconds for which a count of many stands, and what homes and languages there are."""
KEPT: Final = 2_000
"""Answers kept in memory."""

T = TypeVar("T")


class _Memory:
    """Answers that may be a little old, by what was asked; of this process alone."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[float, object]] = {}
        self._lock = Lock()

    def ask(self, key: Hashable, seconds: float, find: Callable[[], T], *, keep: Callable[[T], bool]) -> T:
        known = self._known.get(key)
        if known is not None and known[0] > time.monotonic():
            return known[1]  # type: ignore[return-value]  # under this key lies what `find` found
        found = find()
        if keep(found):
            with self._lock:
                while len(self._known) >= KEPT:
                    self._known.pop(next(iter(self._known)))
                self._known[key] = (time.monotonic() + seconds, found)
        return found


_memory = _Memory()


@dataclass(frozen=True)
class Count:
    """How many there are, as far as it was counted."""

    many: int
    more: bool = False  # than `many`

    def __str__(self) -> str:
        from django.utils.formats import number_format

        return number_format(self.many, force_grouping=True) + ("+" if self.more else "")


def count_of(rows: QuerySet[Model], *, page: int | None = None) -> Count:
    """Return how many rows there are, up to ten thousand. `page`: how many, where one page has them all."""
    if page is not None:
        return Count(page)
    counted = rows.order_by().values("pk")[: AT_MOST + 1]
    text, parameters = counted.query.sql_with_params()
    asked = (text, tuple(map(str, parameters)))
    many = _memory.ask(asked, A_WHILE, counted.count, keep=lambda found: found > AT_MOST // 10)
    return Count(min(many, AT_MOST), more=many > AT_MOST)


# ---------------------------------------------------------------- which values there are

LEAPS: Final = """
    WITH RECURSIVE leap AS (
        (SELECT {column} AS found FROM book_person WHERE merged_into_id IS NULL AND entities @> %(entities)s::uuid[]
            AND (entities[1] = %(entity)s OR entities[2] IS NOT NULL) ORDER BY {column} LIMIT 1)
        UNION ALL
        SELECT (SELECT {column} FROM book_person WHERE {column} > leap.found
            AND merged_into_id IS NULL AND entities @> %(entities)s::uuid[]
            AND (entities[1] = %(entity)s OR entities[2] IS NOT NULL) ORDER BY {column} LIMIT 1)
        FROM leap WHERE leap.found IS NOT NULL
    )
    SELECT found FROM leap WHERE found IS NOT NULL LIMIT {most}
"""
"""From each value to the next along the index, instead of through all rows."""
MOST: Final = 400


def homes_of(look: Look) -> list[str]:
    """Return the homes of the people of this entity."""
    return _values(look, "home")


def languages_of(look: Look) -> list[str]:
    """Return the languages of the people of this entity."""
    return _values(look, "language")


def _values(look: Look, column: Literal["home", "language"]) -> list[str]:
    statement = LEAPS.format(column=column, most=MOST)

    def find() -> list[str]:
        with connection.cursor() as cursor:
            cursor.execute(statement, {"entity": look.entity.ref, "entities": [look.entity.ref]})
            return [found for (found,) in cursor.fetchall()]

    return _memory.ask((column, look.entity.ref), A_WHILE, find, keep=bool)
