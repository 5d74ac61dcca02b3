"""Files beside the database that belong to rows: rooms above say here how they are deleted when the row goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

Forget = Callable[[UUID], None]


@dataclass(frozen=True, kw_only=True)
class Files:
    """In which column of a table a file's name stands, and what deletes the file."""

    column: str
    forget: Forget


FILES: Final[dict[str, Files]] = {}
"""By table, such as post.Arrival."""


def register(table: str, *, column: str, forget: Forget) -> None:
    """Have files of a table's rows deleted once an erasure is committed. Called when the application starts."""
    FILES[table] = Files(column=column, forget=forget)
