"""What is erased of a row, and what stands there afterwards: nothing where that may be, else something of nobody's."""

from __future__ import annotations

import secrets
from collections.abc import Collection as Several
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from comity.rights.connectors.datasets import Collection, Field, Key
from comity.rights.connectors.walking import Cells, Value, Via, values_in

MARK, SHORT_MARK = "erased-", "~"
"""By which it is known that a text was put there by us."""
LONGEST: Final = 200
UNLIKE: Final = 16
"""Letters by which two such texts differ."""
BLANKS: Final[Mapping[type[object], object]] = {
    int: 0, float: 0.0, Decimal: Decimal(0), bool: False, bytes: b"", date: date(1970, 1, 1),
    datetime: datetime(1970, 1, 1), timedelta: timedelta(0), dict: {}, list: [],  # noqa: DTZ001 - columns say their own
}  # fmt: skip


class NoMask(ValueError):
    """A field may not be empty, and we know nothing else that may stand there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ToErase:
    """The rows of one collection that are to go: each by its id, and by what it was found."""

    collection: Collection
    rows: Sequence[tuple[tuple[Value, ...], Via]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Erased:
    """What went of one collection."""

    key: Key
    rows: int
    deleted: bool


def masked_fields(collection: Collection, categories: Several[str]) -> list[Field]:
    """Return the fields of these categories, less the key of the row and what the description says is only read."""
    return [each for each in collection.fields if each.says(categories) and not each.primary_key and not each.read_only]


def named_by_key(collection: Collection, categories: Several[str]) -> list[Field]:
    """Return the fields of the key that name somebody by themselves: such rows can only be deleted."""
    told = {each for each in categories if each != "user.unique_id"}
    return [
        each for each in collection.fields
        if each.primary_key and not collection.deleted and each.says(told) and not each.says(["user.unique_id"])
    ]  # fmt: skip


def stand_in(field: Field, kind: type[object], *, nullable: bool, longest: int | None = None) -> object:
    """Return what stands in a field after it was erased. Raises NoMask."""
    said, longest = field.masking, field.length or longest or 0
    if said is not None and said.strategy == "string_rewrite":
        return said.value[: longest or None]
    if said is not None and said.strategy == "random_string_rewrite":
        return random_text(longest, said.length)
    if nullable:
        return None
    if kind is str:
        return random_text(longest)
    if kind is UUID:
        return UUID(int=secrets.randbits(64))
    if kind not in BLANKS:
        raise NoMask(f"it may not be empty, and holds a {kind.__name__}; let it be empty, or delete such rows")
    return BLANKS[kind]


def random_text(longest: int, wanted: int = 0) -> str:
    """Return a text that nobody else has, as far as its length lets it; it is known by its mark."""
    size = min(each for each in (wanted, longest, LONGEST) if each)
    mark = MARK if size > 2 * len(MARK) else SHORT_MARK
    return (mark + secrets.token_hex(size))[: min(size, len(mark) + UNLIKE)]


def is_blank(value: object, field: Field) -> bool:
    """Say whether a field holds nothing, or what was put there when it was erased."""
    if isinstance(value, str):
        said = field.masking.value if field.masking else ""
        return value in {"", said} or value.startswith((MARK, SHORT_MARK))
    if isinstance(value, UUID):
        return value.int < 2**64
    return value is None or value in BLANKS.values()


def put(held: object, path: Sequence[str], value: object) -> object:
    """Return what a column holds, with another value at a path in it; lists are gone into."""
    if isinstance(held, list):
        return [put(each, path, value) for each in held]
    if not isinstance(held, dict) or path[0] not in held:
        return held
    changed = deepcopy(held)
    changed[path[0]] = value if len(path) == 1 else put(held[path[0]], path[1:], value)
    return changed


def shown(collection: Collection, cells: Cells, categories: Several[str]) -> dict[str, list[Value]]:
    """Return what a row says of somebody: the fields of these categories alone, by their path."""
    return {each.name: list(values_in(cells, each.name)) for each in collection.fields if each.says(categories)}


def still_says(collection: Collection, cells: Cells, categories: Several[str]) -> bool:
    """Say whether a row holds anything that erasing would have taken."""
    if collection.deleted:
        return True
    return any(
        not is_blank(value, each)
        for each in masked_fields(collection, categories)
        for value in values_in(cells, each.name)
    )
