"""What a run must remember until it is done, in a file that only we may read: no database and no backup of it has it.

Once the first system has erased somebody, the way to the others may be gone: so whom to seek and which rows to erase is
written down before; the file goes as the run is done.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.conf import settings

from comity.rights.connectors.datasets import Collection, Key
from comity.rights.connectors.masking import ToErase
from comity.rights.connectors.walking import Known, Value, Via

Rows = tuple[Key, Sequence[tuple[tuple[Value, ...], Via]]]


@dataclass(frozen=True, kw_only=True)
class Kept:
    """By what somebody is known, the rows to erase in their order, and the marks of services by their system."""

    known: Known
    rows: Sequence[Rows]
    marks: Mapping[str, str]

    def to_erase(self, collections: Mapping[Key, Collection]) -> list[ToErase]:
        """Return what is to be erased, as far as it is described still."""
        return [ToErase(collection=collections[key], rows=rows) for key, rows in self.rows if key in collections]


def keep(run: UUID, kept: Kept) -> None:
    """Write down what a run must remember: whole, and on the disk when this returns."""
    path = _path(run)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_suffix(".new")
    told = {
        "known": {name: list(values) for name, values in kept.known.items()},
        "rows": [
            [*key, [[[_told(each) for each in row_id], via.field, _told(via.value)] for row_id, via in rows]]
            for key, rows in kept.rows
        ],
        "marks": dict(kept.marks),
    }
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(told, file)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def kept_of(run: UUID) -> Kept | None:
    """Return what a run remembers; nothing if it has not begun."""
    try:
        told = json.loads(_path(run).read_text("utf-8"))
    except FileNotFoundError:
        return None
    rows = [
        (
            Key(dataset, name),
            [(tuple(_read(each) for each in row_id), Via(field, _read(value))) for row_id, field, value in found],
        )
        for dataset, name, found in told["rows"]
    ]
    return Kept(known=told["known"], rows=rows, marks=told["marks"])


def forget(run: UUID) -> None:
    """Forget what a run remembered."""
    _path(run).unlink(missing_ok=True)


def kept_runs() -> list[UUID]:
    """Return the runs that remember something."""
    return [UUID(each.stem) for each in (Path(settings.FOLDER) / "runs").glob("*.json")]


def _path(run: UUID) -> Path:
    return Path(settings.FOLDER) / "runs" / f"{run}.json"


SORTS: Final[Mapping[str, tuple[type[object], Callable[[str], Any]]]] = {
    "uuid": (UUID, UUID), "datetime": (datetime, datetime.fromisoformat), "date": (date, date.fromisoformat),
    "decimal": (Decimal, Decimal), "bytes": (bytes, base64.b64decode),
}  # fmt: skip


def _told(value: object) -> object:
    """Return a value of a database as JSON has it: with its sort, where JSON has none of it."""
    for name, (sort, _) in SORTS.items():
        if isinstance(value, sort):
            return {name: base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)}
    return value if isinstance(value, str | int | float | None) else str(value)


def _read(told: Any) -> Value:  # noqa: ANN401 - as JSON gave it
    if isinstance(told, dict):
        [(name, text)] = told.items()
        told = SORTS[name][1](text)
    found: Value = told
    return found
