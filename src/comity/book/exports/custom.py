"""The fields that an entity made for itself, as columns of its files: a column "Field: <name>" for each.

A plain one is there for whoever exports; a sealed one for who may take its class of fields out, opened under the
decision of the file. Fields that are filled in no more are not offered; what they hold goes out on the person's page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from comity.book.exports.columns import Batch, Cell, Column, among, said
from comity.book.fields.models import CustomField, FieldValue
from comity.book.fields.queries import class_of, fields_of
from comity.refs import as_array
from comity.vault.sealing import FieldClass, Label

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from comity.staff.models import Entity

HEADER: Final = "Field: "


def columns_of(entity: Entity) -> list[Column]:
    """Return a column for each field that is filled in for people of this entity."""
    return [_column(field) for field in fields_of(entity)]


def _column(field: CustomField) -> Column:
    sealed_as = class_of(field)
    header = f"{HEADER}{field.name}"
    return Column(
        id=_id(field), header=header, title=header, field_class=sealed_as,
        cells=_plain(field) if sealed_as is None else _sealed(field),
        labels=None if sealed_as is None else _labels(field, sealed_as),
    )  # fmt: skip


def _plain(field: CustomField) -> Callable[[Batch], Sequence[Cell]]:
    def cells(batch: Batch) -> list[Cell]:
        rows = FieldValue.objects.filter(field=field, person__in=among(as_array(batch.persons))).values_list(
            "person", "plain"
        )
        found = dict(rows)
        return [_said(found.get(person)) for person in batch.persons]

    return cells


def _id(field: CustomField) -> str:
    return f"field:{field.ref}"


def _sealed(field: CustomField) -> Callable[[Batch], Sequence[Cell]]:
    def cells(batch: Batch) -> list[Cell]:
        labels, opened = batch.wanted[_id(field)], batch.opened[_id(field)]
        found = {label.person: fields for label, fields in zip(labels, opened, strict=True) if fields}
        return [_said(found[person].get("value")) if person in found else "" for person in batch.persons]

    return cells


def _labels(field: CustomField, sealed_as: FieldClass) -> Callable[[Batch], list[Label]]:
    def labels(batch: Batch) -> list[Label]:
        rows = FieldValue.objects.filter(field=field, person__in=among(as_array(batch.persons))).values_list(
            "person", "ref"
        )
        return [Label(person, sealed_as, "field", ref) for person, ref in rows]

    return labels


def _values(field: CustomField, batch: Batch) -> QuerySet[FieldValue]:
    return FieldValue.objects.filter(field=field, person__in=among(as_array(batch.persons)))


def _said(value: object) -> str:
    """Return a value as files say it, in no language: yes or no as true or false, all else as it was set."""
    return str(value).lower() if isinstance(value, bool) else said(value)
