"""A list page: which columns, in which order, from where on. All that is chosen stands in the address, to keep or send.

    listing = listed(request, rows=staff_seen_by(viewer), columns=COLUMNS)
    for row in listing.rows: ...            # what a page must add to its rows before they are shown
    return render(request, "staff/list.html", {"listing": listing})       # {% listing listing %}

Pages are reached by a cursor, not by a number: the thousandth is as quick as the first, and a row that comes in between
shifts nothing.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from django.core.exceptions import BadRequest, FieldDoesNotExist
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import OrderBy

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.utils.functional import _StrPromise
    from django.utils.safestring import SafeString

    Said = str | _StrPromise


class Keyed(Protocol):
    """What stands in a list: an object of a table's, or some of its columns with its key as `pk`."""

    @property
    def pk(self) -> Any: ...  # noqa: ANN401 - a ref, a number or a word, as the table has it


Row = TypeVar("Row", bound=Keyed)
PAGE = 50
"""Rows a page where nobody said otherwise."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a list.

    `shows` says what stands in the cell: a function of the row, or else the row's attribute of the column's name is
    shown. `draws` makes HTML of row and value instead, or, more slowly, `template` does. `sorts_by` is a plain column
    of the table, or nothing; what is `sealed` the database cannot sort, and the page that offers it brings the order
    itself (`listed_as`).
    """

    id: str
    title: Said
    shows: Callable[[Any], object] | None = None
    draws: Callable[[Any, Any], SafeString] | None = None
    template: str = ""
    sorts_by: str = ""
    sealed: bool = False
    number: bool = False
    always: bool = False
    at_first: bool = True

    def value(self, row: object) -> object:
        """What stands in this column of a row."""
        if self.shows is not None:
            return self.shows(row)
        found = getattr(row, self.id)
        return found() if callable(found) else found


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """The place after (or before) one row of a sorted list: its value in the sorted column, and its ref."""

    value: object
    ref: str
    backwards: bool = False

    def __str__(self) -> str:
        said = json.dumps([self.value, self.ref, self.backwards], cls=DjangoJSONEncoder)
        return urlsafe_b64encode(said.encode()).decode().rstrip("=")


@dataclass(frozen=True, kw_only=True)
class Listing(Generic[Row]):
    """One page of a list, and what its head and foot need to lead on."""

    rows: list[Row]
    columns: Sequence[Column]
    offered: Sequence[Column]
    sort: str
    query: dict[str, list[str]] = field(default_factory=dict)
    next: Cursor | None = None
    previous: Cursor | None = None

    def address(self, **changed: str | None) -> str:
        """Return "?…" with some of the query changed; None drops a part. A new order starts from its first page."""
        from urllib.parse import urlencode

        query = {key: values for key, values in self.query.items() if key not in changed and key != "from"}
        query |= {key.rstrip("_"): [value] for key, value in changed.items() if value is not None}
        return "?" + urlencode(query, doseq=True)

    @property
    def heads(self) -> list[dict[str, object]]:
        """The columns with their order and the address that turns it: ascending, descending, and again."""
        return [self._head(column) for column in self.columns]

    def _head(self, column: Column) -> dict[str, object]:
        name, down = self.sort.lstrip("-"), self.sort.startswith("-")
        order = ("descending" if down else "ascending") if column.id == name else ""
        turned = f"-{column.id}" if order == "ascending" else column.id
        return {"column": column, "order": order, "to": self.address(sort=turned) if column.sorts_by else ""}

    @property
    def rest(self) -> dict[str, list[str]]:
        """The query without columns and cursor: what a form about columns sends along."""
        return {key: values for key, values in self.query.items() if key not in {"columns", "from"}}

    @property
    def first_page(self) -> str:
        """The address of the first page, in the same order."""
        return self.address()

    @property
    def next_page(self) -> str:
        """The address of the next page, or nothing."""
        return self.address(from_=str(self.next)) if self.next else ""

    @property
    def previous_page(self) -> str:
        """The address of the page before, or nothing."""
        return self.address(from_=str(self.previous)) if self.previous else ""


def listed(
    request: HttpRequest,
    *,
    rows: models.QuerySet[Any, Row],
    columns: Sequence[Column],
    sort: str = "",
    size: int = PAGE,
) -> Listing[Row]:
    """Return the page that the request asks for: `?sort=-name`, `?columns=name&columns=role`, `?from=` a cursor.

    `sort` is the order where the request names none; without it, the newest ref first. Raises BadRequest for a cursor
    that this list did not write.
    """
    by_id = {column.id: column for column in columns if column.sorts_by and not column.sealed}
    asked = request.GET.get("sort", sort)
    chosen = asked if asked.lstrip("-") in by_id else sort
    down = chosen.startswith("-") or not chosen
    key = by_id[chosen.lstrip("-")].sorts_by if chosen else "pk"
    cursor = _cursor(request.GET.get("from", ""), rows.model, key)
    found = _from(rows, key, cursor, down=down, size=size + 1)
    more, page = len(found) > size, found[:size]
    if cursor and cursor.backwards:
        page.reverse()
    before = more if cursor and cursor.backwards else cursor is not None
    after = more if not (cursor and cursor.backwards) else True
    return Listing(
        rows=page,
        sort=chosen,
        next=_place(page[-1], key, backwards=False) if page and after else None,
        previous=_place(page[0], key, backwards=True) if page and before else None,
        **_heads(request, columns),
    )


def listed_as(
    request: HttpRequest,
    *,
    order: Sequence[object],
    rows: models.QuerySet[Any, Row],
    columns: Sequence[Column],
    sort: str,
    size: int = PAGE,
) -> Listing[Row]:
    """Return the page of a list whose order is known already: by the keys of its rows, all of them.

    Raises BadRequest for a cursor that this list did not write.
    """
    cursor = _cursor(request.GET.get("from", ""), rows.model, "pk")
    begin = _begin(order, cursor, size) if cursor else 0
    wanted = order[begin : begin + size]
    known = {row.pk: row for row in rows.filter(pk__in=wanted)}
    page = [known[key] for key in wanted if key in known]
    return Listing(
        rows=page,
        sort=sort,
        next=_place(page[-1], "pk", backwards=False) if page and begin + size < len(order) else None,
        previous=_place(page[0], "pk", backwards=True) if page and begin else None,
        **_heads(request, columns),
    )


def _begin(order: Sequence[object], cursor: Cursor, size: int) -> int:
    """Return where a page begins: behind the row of the cursor or so many before it; at the top if that row is gone."""
    place = next((number for number, key in enumerate(order) if str(key) == cursor.ref), None)
    if place is None:
        return 0
    return max(place - size, 0) if cursor.backwards else place + 1


def _heads(request: HttpRequest, columns: Sequence[Column]) -> dict[str, Any]:
    return {
        "columns": _shown(request, columns),
        "offered": [column for column in columns if not column.always],
        "query": {name: request.GET.getlist(name) for name in request.GET},
    }


def _shown(request: HttpRequest, columns: Sequence[Column]) -> list[Column]:
    asked = set(request.GET.getlist("columns"))
    return [column for column in columns if column.always or (column.id in asked if asked else column.at_first)]


def _from(rows: models.QuerySet[Any, Row], key: str, cursor: Cursor | None, *, down: bool, size: int) -> list[Row]:
    """Return so many rows behind the cursor, ordered by the key and then by ref, rows without a value last.

    Rows with a value and rows without are read apart: so an index on (key, ref) serves both, from the cursor on.
    """
    falls = down != (cursor is not None and cursor.backwards)
    ordered = rows.order_by(*_order(key, falls=falls))
    if key == "pk" or not _may_be_null(rows.model, key):
        return list(_behind(ordered, key, cursor, falls=falls)[:size])
    valued, empty = ordered.filter(**{f"{key}__isnull": False}), ordered.filter(**{f"{key}__isnull": True})
    if cursor is None:
        parts = [valued, empty]
    elif cursor.value is None:
        parts = [_behind(empty, "pk", cursor, falls=falls), *([valued] if cursor.backwards else [])]
    else:
        parts = [_behind(valued, key, cursor, falls=falls), *([] if cursor.backwards else [empty])]
    return _first(parts, size)


def _first(parts: Sequence[models.QuerySet[Any, Row]], size: int) -> list[Row]:
    found: list[Row] = []
    for part in parts:
        if len(found) < size:
            found += part[: size - len(found)]
    return found


def _order(key: str, *, falls: bool) -> list[OrderBy]:
    keys = ["pk"] if key == "pk" else [key, "pk"]
    return [F(each).desc() if falls else F(each).asc() for each in keys]


def _behind(
    rows: models.QuerySet[Any, Row], key: str, cursor: Cursor | None, *, falls: bool
) -> models.QuerySet[Any, Row]:
    """Begin behind the cursor. The bound on the key alone says nothing new, but where in an index to begin."""
    if cursor is None:
        return rows
    beyond = "lt" if falls else "gt"
    same = Q(**{f"pk__{beyond}": cursor.ref})
    if key == "pk":
        return rows.filter(same)
    reached = Q(**{f"{key}__{beyond}": cursor.value}) | (Q(**{key: cursor.value}) & same)
    return rows.filter(Q(**{f"{key}__{beyond}e": cursor.value}), reached)


def _may_be_null(model: type[models.Model], key: str) -> bool:
    """Say whether rows may lack a value: the column, or one on the way to it, may; so may what a query computes."""
    if "__" in key:
        return True
    found = _field(model, key)
    return found.null or not hasattr(found, "model")


def _place(row: Keyed, key: str, *, backwards: bool) -> Cursor:
    value: object = row
    for part in key.split("__"):
        value = getattr(value, part, None)
    said = value.isoformat() if isinstance(value, date | datetime) else value
    return Cursor(value=None if key == "pk" else said, ref=str(row.pk), backwards=backwards)


def _cursor(text: str, model: type[models.Model], key: str) -> Cursor | None:
    """Read a cursor that a page of this list carried. Raises BadRequest."""
    if not text:
        return None
    try:
        value, ref, backwards = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        model._meta.pk.to_python(str(ref))  # noqa: SLF001 - Django's documented name for it
        _field(model, key).to_python(value)
    except Exception as error:  # whatever else came than what `Cursor` wrote
        raise BadRequest(f"{text!r} is no place in this list; go to its first page") from error
    return Cursor(value=value, ref=str(ref), backwards=bool(backwards))


def _field(model: type[models.Model], key: str) -> models.Field[Any, Any]:
    *path, last = key.split("__")
    for part in path:
        model = model._meta.get_field(part).related_model  # type: ignore[assignment]  # noqa: SLF001 - as above
    try:
        found = model._meta.pk if last == "pk" else model._meta.get_field(last)  # noqa: SLF001 - as above
    except FieldDoesNotExist:
        return models.TextField()  # computed by the query
    return found  # type: ignore[return-value]  # a column, since lists are sorted by columns
