"""Many rows of one table by one INSERT: what an import writes a million of, at a tenth of what objects would cost.

COPY would be a little quicker, but PostgreSQL refuses it on a table behind row-level security, as most of ours are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db import connection

from comity.refs import as_array

if TYPE_CHECKING:
    from django.db.models import Model

_SPECIAL: Final = re.compile(r'["\\\0]')


def insert_rows(
    model: type[Model], columns: Sequence[str], rows: Iterable[Sequence[object]], *, alike: Mapping[str, object]
) -> None:
    """Write rows; `alike` are the columns that hold the same in each row. What is not named gets its default.

    Columns are named as in the database, the first holds something else in each row. Values are None, text, numbers,
    truths, days, instants, refs, lists of them. A column that turns out to hold the same everywhere is sent once.
    """
    held = dict(zip(columns, zip(*rows, strict=True), strict=False))
    if held:
        alike = {**alike, **{name: values[0] for name, values in held.items() if name != columns[0] and _same(values)}}
        each = {name: values for name, values in held.items() if name not in alike}
        with connection.cursor() as cursor:
            cursor.execute(
                _statement(model, tuple(each), tuple(alike)),
                [*map(_one, alike.values()), *map(array_text, each.values())],
            )


def _same(values: Sequence[object]) -> bool:
    return values[0] == values[-1] and values.count(values[0]) == len(values)


@lru_cache(maxsize=1_000)
def _statement(model: type[Model], columns: tuple[str, ...], alike: tuple[str, ...]) -> str:
    """Return the INSERT. An array in a column travels as text: PostgreSQL would unnest it with what holds it."""
    types = _types(model)
    same = [f"%s::{types[name]}" for name in alike]
    each = [
        f"c{place}::{types[name]}" if types[name].endswith("[]") else f"c{place}" for place, name in enumerate(columns)
    ]
    carried = ["text" if types[name].endswith("[]") else types[name] for name in columns]
    arrays = ", ".join(f"%s::{kind}[]" for kind in carried)
    named = ", ".join(f"c{place}" for place in range(len(columns)))
    table = model._meta.db_table  # noqa: SLF001 - Django's documented name for it
    into, values = ", ".join((*alike, *columns)), ", ".join((*same, *each))
    return f"INSERT INTO {table} ({into}) SELECT {values} FROM unnest({arrays}) AS rows ({named})"  # noqa: S608 - our own words


def _types(model: type[Model]) -> dict[str, str]:
    fields = model._meta.concrete_fields  # noqa: SLF001 - Django's documented name for it
    return {field.column: str(field.db_type(connection)) for field in fields if field.column}


def _one(value: object) -> Any:  # noqa: ANN401 - what a column holds
    """Return a value as the connection takes it; a list as text, whatever is in it."""
    if isinstance(value, list | tuple):
        return array_text(value)
    return str(value) if isinstance(value, str) else value  # a choice is text


REFS: Final = frozenset({UUID})


def array_text(values: Collection[object]) -> str:
    """Return PostgreSQL's text for an array of these values."""
    if {*map(type, values)} == REFS:
        return as_array(values)  # type: ignore[arg-type]  # they all are
    return "{" + ",".join([_TEXT[type(value)](value) for value in values]) + "}"


def _text(value: str) -> str:
    """Return text in quotes. A NUL, which PostgreSQL cannot keep, is left out."""
    if value.isalnum() and value.isascii() and value.upper() != "NULL":
        return value
    if _SPECIAL.search(value):
        value = value.replace("\0", "").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"'


class _Writers(dict[type, Callable[[Any], str]]):
    """How a value of each type is written; a class of ours, such as a choice, is written as what it derives from."""

    def __missing__(self, kind: type) -> Callable[[Any], str]:
        for parent in kind.__mro__[1:]:
            if parent in self:
                writes = self[kind] = self[parent]
                return writes
        raise TypeError(f"no column holds a {kind.__name__}")


_TEXT: Final[Mapping[type, Callable[[Any], str]]] = _Writers({
    type(None): lambda _: "NULL",
    str: lambda value: _text(str(value)),
    bool: lambda value: "t" if value else "f",
    int: str,
    UUID: lambda value: f"{value.int:032x}",
    datetime: lambda value: f'"{value.isoformat()}"',
    date: date.isoformat,
    list: lambda value: _text(array_text(value)),
    tuple: lambda value: _text(array_text(value)),
})  # fmt: skip
