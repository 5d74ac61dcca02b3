"""Many rows of one table in one go: what an import writes a million of, at a tenth of what objects would cost.

COPY is the quickest, but PostgreSQL refuses it on a table behind row-level security, as most of ours are: those take
one INSERT from arrays. Values go in PostgreSQL's binary form; one that many rows hold is written once for all of them.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db import connection
from psycopg import Cursor
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

if TYPE_CHECKING:
    from django.db.models import Model

Columns = dict[str, Sequence[object]]


def insert_rows(
    model: type[Model], columns: Sequence[str], rows: Iterable[Sequence[object]], *, alike: Mapping[str, object]
) -> None:
    """Write rows; `alike` are the columns that hold the same in each row. What is not named gets its default.

    Columns are named as in the database, the first holds something else in each row. Values are None, text, numbers,
    truths, days, instants, refs, lists of texts or refs. A column that turns out to hold the same everywhere is sent
    once.
    """
    held: Columns = dict(zip(columns, zip(*rows, strict=True), strict=False))
    if held:
        alike = {**alike, **{name: values[0] for name, values in held.items() if name != columns[0] and _same(values)}}
        each = {name: values for name, values in held.items() if name not in alike}
        types = _types(model)
        arrays = [_array(_kind(types[name]), values) for name, values in each.items()]
        _execute(_insert(model, tuple(each), tuple(alike)), [*map(_one, alike.values()), *arrays])


def copy_rows(model: type[Model], columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows of a table that no wall protects, at half the cost; columns and values as for `insert_rows`."""
    held: Columns = dict(zip(columns, zip(*rows, strict=True), strict=False))
    if held:
        types = _types(model)
        cells = [_cells(_kind(types[name]), values) for name, values in held.items()]
        head = len(held).to_bytes(2, "big")
        table = model._meta.db_table  # noqa: SLF001 - Django's documented name for it
        statement = f"COPY {table} ({', '.join(held)}) FROM STDIN (FORMAT binary)"
        with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as copy:
            copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
            copy.write(head + head.join(map(b"".join, zip(*cells, strict=True))) + b"\xff\xff")


def _execute(statement: str, values: Sequence[object]) -> None:
    """Let PostgreSQL fill in the values: as binary they cannot stand in the statement."""
    connection.ensure_connection()
    with Cursor(connection.connection) as cursor:
        cursor.adapters.register_dumper(_Array, _AsItIs)
        connection._prepare_cursor(cursor).execute(statement, values)  # type: ignore[attr-defined]  # noqa: SLF001 - as its own cursor() does


def _same(values: Sequence[object]) -> bool:
    return values[0] == values[-1] and values.count(values[0]) == len(values)


@lru_cache(maxsize=1_000)
def _insert(model: type[Model], columns: tuple[str, ...], alike: tuple[str, ...]) -> str:
    """Return the INSERT. An array in a column travels as text: PostgreSQL would unnest it with what holds it."""
    types = _types(model)
    same = [f"%s::{types[name]}" for name in alike]
    each = [f"c{place}::{types[name]}" for place, name in enumerate(columns)]
    arrays = ", ".join(f"%s::{_kind(types[name])}[]" for name in columns)
    named = ", ".join(f"c{place}" for place in range(len(columns)))
    table = model._meta.db_table  # noqa: SLF001 - Django's documented name for it
    into, values = ", ".join((*alike, *columns)), ", ".join((*same, *each))
    return f"INSERT INTO {table} ({into}) SELECT {values} FROM unnest({arrays}) AS rows ({named})"  # noqa: S608 - our own words


@lru_cache(maxsize=100)
def _types(model: type[Model]) -> dict[str, str]:
    fields = model._meta.concrete_fields  # noqa: SLF001 - Django's documented name for it
    return {field.column: str(field.db_type(connection)) for field in fields if field.column}


def _kind(type_: str) -> str:
    """Return as what values of a column of this type travel."""
    return type_ if type_ in _FORMS else "text"


def _one(value: object) -> object:
    """Return a value as the connection takes it; a list as text, whatever is in it."""
    if isinstance(value, list | tuple):
        return _array_text(value)
    return str(value) if isinstance(value, str) else value  # a choice is text


# ---------------------------------------------------------------- columns


class _Array(bytes):
    """A column as PostgreSQL's binary array."""


class _AsItIs(Dumper):
    """Hands an array over, in a type that the statement names."""

    format = Format.BINARY

    def dump(self, obj: bytes) -> Buffer:
        return obj


def _array(kind: str, values: Sequence[object]) -> _Array:
    """Write a column as an array: dimensions, whether there are nulls, type, length, first index, cells."""
    number, _ = _FORMS[kind]
    head = struct.pack(">iiIii", 1, 1, number, len(values), 1)
    return _Array(head + b"".join(_cells(kind, values)))


NOTHING: Final = b"\xff\xff\xff\xff"
REFS: Final = frozenset({UUID})


def _cells(kind: str, values: Sequence[Any]) -> Iterable[bytes]:
    """Write the values of a column, each behind its length. Refs are seldom alike, all else mostly is."""
    kinds = {*map(type, values)}
    if kinds == REFS:
        return [b"\0\0\0\x10" + value.int.to_bytes(16, "big") for value in values]
    if list in kinds:
        values = [tuple(value) if isinstance(value, list) else value for value in values]
    _, form = _FORMS[kind]
    known = {value: NOTHING if value is None else _sized(form(value)) for value in set(values)}
    return map(known.__getitem__, values)


def _sized(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


def _text(value: object) -> bytes:
    """Return text, or a list as text. A NUL, which PostgreSQL cannot keep, is left out."""
    text = value if isinstance(value, str) else _array_text(value)  # type: ignore[arg-type]  # a tuple of texts or refs
    return text.encode().replace(b"\0", b"")


TO_ESCAPE: Final = re.compile(r'(["\\])')


def _array_text(values: Iterable[object]) -> str:
    """Return PostgreSQL's text for an array of texts or refs."""
    quoted = [TO_ESCAPE.sub(r"\\\1", str(value)) for value in values]
    return "{" + ",".join([f'"{each}"' for each in quoted]) + "}"


FIRST_INSTANT: Final = datetime(2000, 1, 1, tzinfo=UTC)
FIRST_DAY: Final = date(2000, 1, 1).toordinal()
"""From which PostgreSQL counts."""
MICROSECOND: Final = timedelta(microseconds=1)


def _number(size: int) -> Callable[[Any], bytes]:
    return lambda value: int(value).to_bytes(size, "big", signed=True)


_FORMS: Final[Mapping[str, tuple[int, Callable[[Any], bytes]]]] = {
    "uuid": (2950, lambda value: value.int.to_bytes(16, "big")),
    "boolean": (16, lambda value: b"\1" if value else b"\0"),
    "smallint": (21, _number(2)),
    "integer": (23, _number(4)),
    "bigint": (20, _number(8)),
    "date": (1082, lambda value: (value.toordinal() - FIRST_DAY).to_bytes(4, "big", signed=True)),
    "timestamp with time zone": (
        1184, lambda value: ((value - FIRST_INSTANT) // MICROSECOND).to_bytes(8, "big", signed=True),
    ),
    "text": (25, _text),
}  # fmt: skip
"""PostgreSQL's numbers of its types, and how it writes their values in binary."""
