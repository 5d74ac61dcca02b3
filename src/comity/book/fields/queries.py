"""Reading custom fields and attachments: which there are, where each is sealed, and what of them was opened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from comity.book.editing.leave import may_edit
from comity.book.fields.models import Attachment, CustomField, FieldValue, Sensitivity, Sort
from comity.staff.guards import entities_of
from comity.vault.sealing import FieldClass, Label

if TYPE_CHECKING:
    from comity.book.opening import Look, Seen
    from comity.staff.models import Entity, Staff


def fields_seen_by(viewer: Staff) -> QuerySet[CustomField]:
    """Return the fields of the entities for which the viewer acts, those that are filled in no more last."""
    found = CustomField.objects.filter(entity__in=entities_of(viewer)).select_related("entity")
    return found.order_by("retired_at", "entity__name", "name")


def fields_of(entity: Entity) -> list[CustomField]:
    """Return the fields that are filled in for people of this entity."""
    return list(CustomField.objects.filter(entity=entity, retired_at=None))


def class_of(field: CustomField) -> FieldClass | None:
    """Return as which class of fields its values are sealed; None for a plain one."""
    return None if field.sensitivity == Sensitivity.PLAIN else FieldClass(field.sensitivity)


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A custom field of one person, as a page shows it."""

    field: CustomField
    row: FieldValue | None
    value: object  # as it was set; None where nothing is, or where it stays sealed
    editable: bool

    @property
    def sealed(self) -> bool:
        """Whether something is there that was not opened."""
        return self.row is not None and self.value is None

    @property
    def shown(self) -> str:
        """The value in words; empty where there is none."""
        return "" if self.value is None else said(self.field, self.value)


def said(field: CustomField, value: object) -> str:
    """Return a value as people read it."""
    match field.sort:
        case Sort.TRUTH:
            return _("Yes") if value else _("No")
        case Sort.DAY:
            return date_format(date.fromisoformat(str(value)))
        case Sort.NUMBER:
            return f"{Decimal(str(value)):f}"
    return str(value)


# ---------------------------------------------------------------- of one person


def values_of(person: UUID, entity: Entity) -> list[FieldValue]:
    """Return what is filled in for a person."""
    return list(FieldValue.objects.filter(person=person, entity=entity).select_related("field"))


def value_label(row: FieldValue) -> Label | None:
    """Return where a value is sealed; None for a plain one."""
    sealed_as = class_of(row.field)
    return Label(row.person_id, sealed_as, "field", row.ref) if sealed_as else None


def attachments_of(person: UUID, entity: Entity) -> list[Attachment]:
    """Return the files about a person, the latest first."""
    return list(Attachment.objects.filter(person=person, entity=entity).select_related("added_by"))


def name_label(row: Attachment) -> Label:
    """Return where the name of a file is sealed."""
    return Label(row.person_id, FieldClass.ATTACHMENT, "attachment", row.ref)


def held_label(row: Attachment) -> Label:
    """Return where what a file holds is sealed."""
    return Label(row.person_id, FieldClass.ATTACHMENT, "attachment", row.held)


def labels_of(values: Iterable[FieldValue], attachments: Iterable[Attachment]) -> list[Label]:
    """Return what a person's page must open to show these; the contents of files stay sealed."""
    sealed = (value_label(row) for row in values)
    return [*(label for label in sealed if label), *map(name_label, attachments)]


def filled(look: Look, values: Sequence[FieldValue], seen: Seen) -> list[Filled]:
    """Return every field of the look's entity with what it holds, as far as it was opened; retired ones if filled."""
    rows: Mapping[UUID, FieldValue] = {row.field_id: row for row in values}
    fields = {field.ref: field for field in fields_of(look.entity)}
    fields |= {row.field_id: row.field for row in values if row.field_id not in fields}
    return [_filled(look, field, rows.get(field.ref), seen) for field in fields.values()]


def _filled(look: Look, field: CustomField, row: FieldValue | None, seen: Seen) -> Filled:
    sealed_as = class_of(field)
    editable = field.retired_at is None and may_edit(look, sealed_as or FieldClass.NAME)
    if row is None or sealed_as is None:
        return Filled(field=field, row=row, value=row.plain if row else None, editable=editable)
    label = value_label(row)
    opened = seen.opened.get(label) if label else None
    value = opened.get("value") if opened else None
    return Filled(field=field, row=row, value=value, editable=editable and value is not None)


@dataclass(frozen=True, kw_only=True)
class AttachmentSeen:
    """A file about somebody, with its name if that was opened."""

    row: Attachment
    name: str


def attachments_seen(rows: Iterable[Attachment], seen: Seen) -> list[AttachmentSeen]:
    """Return files with their names, as far as these were opened."""
    return [AttachmentSeen(row=row, name=str((seen.opened.get(name_label(row)) or {}).get("name", ""))) for row in rows]
