"""Lists: which rows, in which order, from where on. A page ends with a cursor that the next request takes along."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, TypeVar

from django.db.models import Field, Model, Q, QuerySet
from pydantic import Field as Described

from comity.api.problems import Problem
from comity.api.shapes import Moment, OneOf, Ref, Shape
from comity.book.models import Capacity, Person, Reach

Row = TypeVar("Row", bound=Model)

ORDERS: Final[Mapping[str, str]] = {"added": "added_at", "changed": "changed_at"}
Order = Annotated[str, OneOf(("added", "-added", "changed", "-changed"))]
Cursor = Annotated[str, Described(max_length=200)]
CURSOR: Final = "Where the page before ended: its `next`. Take the same filters and order along."
Limit = Annotated[int, Described(ge=1, le=100)]


class Segment(Shape):
    """Some of the persons of the token's entity: those who fit all that is said."""

    home: Annotated[str, Described(max_length=120)] | None = Described(
        default=None, description="Where they live: DE, US-CA. Several possible homes are joined by |.",
        examples=["DE"],
    )  # fmt: skip
    language: Annotated[str, Described(max_length=20)] | None = Described(
        default=None, description="The language they speak."
    )
    capacity: Annotated[str, OneOf(tuple(Capacity.values))] | None = Described(
        default=None, description="As whom we met them."
    )
    reach: Annotated[str, OneOf(tuple(Reach.values))] | None = Described(
        default=None, description="By what we can reach them."
    )
    organisation: Ref | None = Described(default=None, description="Where they work now.")
    tag: Annotated[str, Described(max_length=60)] | None = Described(default=None, description="A tag that they have.")
    added_since: Moment | None = Described(default=None, description="Who came into the book at that moment or later.")
    changed_since: Moment | None = Described(default=None, description="Whose data changed at that moment or later.")

    def of(self, persons: QuerySet[Person]) -> QuerySet[Person]:
        """Return those of these persons who fit."""
        said = {
            "home": self.home, "language": self.language, "capacity": self.capacity,
            "added_at__gte": self.added_since, "changed_at__gte": self.changed_since,
        }  # fmt: skip
        found = persons.filter(**{name: value for name, value in said.items() if value is not None})
        if self.reach is not None:
            found = found.filter(contact_points__reach=self.reach)
        if self.organisation is not None:
            found = found.filter(posts__organisation=self.organisation, posts__ends_on=None)
        if self.tag is not None:
            found = found.filter(tags__name=self.tag)
        return found if {self.reach, self.organisation, self.tag} == {None} else found.distinct()


def page(rows: QuerySet[Row], *, key: str, down: bool, cursor: str | None, limit: int) -> tuple[list[Row], str | None]:
    """Return so many rows from the cursor on, and the next cursor, if there is more. Raises Problem."""
    beyond = "lt" if down else "gt"
    turn = "-" if down else ""
    ordered = rows.order_by(f"{turn}{key}", f"{turn}pk")
    if cursor is not None:
        value, ref = _read(cursor, rows.model, key)
        after = Q(**{f"{key}__{beyond}": value}) | Q(**{key: value, f"pk__{beyond}": ref})
        ordered = ordered.filter(after)
    found = list(ordered[: limit + 1])
    last = found[limit - 1] if len(found) > limit else None
    return found[:limit], _written(last, key) if last else None


def _written(row: Model, key: str) -> str:
    value = getattr(row, key)
    said = value.isoformat() if isinstance(value, datetime) else str(value)
    return urlsafe_b64encode(json.dumps([said, str(row.pk)]).encode()).decode().rstrip("=")


def _read(cursor: str, model: type[Model], key: str) -> tuple[Any, Any]:
    fields = model._meta  # noqa: SLF001 - Django's documented name for it
    try:
        value, ref = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(value, str) or "\0" in value:
            raise ValueError(value)  # noqa: TRY301 - one cure for all that is wrong with it
        column: Field[Any, Any] = fields.get_field(key)  # type: ignore[assignment]  # lists are sorted by columns
        return column.to_python(value), fields.pk.to_python(str(ref))
    except Exception as error:  # whatever else came than what `_written` wrote
        raise Problem("bad-request", "The cursor is none that this list gave; begin without it.") from error
