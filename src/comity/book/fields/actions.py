"""Making custom fields, filling them in, and keeping files: one transaction and one entry in the ledger each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.book.editing.actions import lock
from comity.book.editing.history import keep_past
from comity.book.fields.models import Attachment, CustomField, FieldValue
from comity.book.fields.queries import class_of, held_label, name_label, value_label
from comity.book.models import Person
from comity.ledger.actions import record
from comity.ledger.bodies import declare_words
from comity.refs import new_ref
from comity.vault.actions import discard, seal

if TYPE_CHECKING:
    from comity.book.editing.leave import Leave
    from comity.ledger.bodies import JSON
    from comity.staff.models import Entity, Staff

CHANGEABLE: Final = ("name", "says", "choices", "months", "why")
"""What may be changed of a field. What it holds and how sensitive that is stay: values were kept under these words."""
LARGEST_FILE: Final = 10 * 1024 * 1024
"""Bytes of one attachment."""
declare_words(*CHANGEABLE)


# ---------------------------------------------------------------- fields


@transaction.atomic
def make_field(*, told: Mapping[str, object], entity: Entity, made_by: Staff) -> CustomField:
    """Make a field for people of an entity. Raises ValidationError where one is called so already."""
    field = CustomField(entity=entity, **told)
    _save(field)
    _record("field-made", field, made_by, entity=entity.ref)
    return field


@transaction.atomic
def change_field(*, field: CustomField, told: Mapping[str, object], changed_by: Staff) -> list[str]:
    """Change what a field is called, says, offers and how long its values stay; return what changed.

    A choice that was offered stays: somebody's value may be that choice, and a sealed one cannot be looked at here.
    """
    locked = CustomField.objects.select_for_update(of=("self",)).get(pk=field.pk)
    changed = [name for name in CHANGEABLE if name in told and getattr(locked, name) != told[name]]
    for name in changed:
        setattr(locked, name, told[name])
    if gone := [choice for choice in field.choices if choice not in locked.choices]:
        raise ValidationError(
            {"choices": _("Values may be one of these, so they stay: %(gone)s") % {"gone": ", ".join(gone)}}
        )
    if changed:
        _save(locked)
        _record("field-changed", locked, changed_by, changed=sorted(changed))
    return changed


@transaction.atomic
def retire_field(*, field: CustomField, retired: bool, retired_by: Staff) -> None:
    """Let a field be filled in no more, or again. What it holds stays, until its clock or the person's ends it."""
    locked = CustomField.objects.select_for_update(of=("self",)).get(pk=field.pk)
    locked.retired_at = timezone.now() if retired else None
    _save(locked)
    _record("field-retired" if retired else "field-revived", locked, retired_by)


def _save(field: CustomField) -> None:
    try:
        with transaction.atomic():
            field.save()
    except IntegrityError as error:
        if "book_field_name" not in str(error):
            raise
        raise ValidationError({"name": _("There is a field with this name already.")}) from None


def _record(verb: str, field: CustomField, staff: Staff, **more: JSON) -> None:
    record(kind=f"book.{verb}", staff=staff.ref, body={"field": field.ref, **more})


# ---------------------------------------------------------------- values


@transaction.atomic
def fill_in(*, leave: Leave, field: CustomField, value: object) -> None:
    """Set what a field holds of a person; None empties it. The plain value before is kept, a sealed one is not."""
    lock(leave.person)
    row = FieldValue.objects.filter(person=leave.person, field=field).first()
    row = row or FieldValue(person_id=leave.person, field=field, entity=field.entity)
    _demand(leave, row)
    keep_past([row])
    if value is None:
        _empty(row)
    else:
        _set(leave, row, value)
    _note(leave, "book.field-emptied" if value is None else "book.field-filled", field=field.ref)


def _demand(leave: Leave, row: FieldValue) -> None:
    label = value_label(row)
    if label is None:
        leave.demand_all()
    else:
        leave.demand([label])


def _set(leave: Leave, row: FieldValue, value: object) -> None:
    sealed_as = class_of(row.field)
    row.plain = value if sealed_as is None else None
    row.set_at, row.set_by = timezone.now(), leave.staff
    row.save()
    if label := value_label(row):
        seal(label=label, fields={"value": value})  # type: ignore[dict-item]  # what a form of this sort gives


def _empty(row: FieldValue) -> None:
    if label := value_label(row):
        discard(labels=[label])
    FieldValue.objects.filter(ref=row.ref).delete()


# ---------------------------------------------------------------- files


@transaction.atomic
def attach(*, leave: Leave, name: str, content: bytes) -> Attachment:
    """Seal a file under the person's key. Raises ValidationError for one that is empty or too large."""
    if not 0 < len(content) <= LARGEST_FILE:
        raise ValidationError(_("A file has at least one byte, and at most 10 megabytes."))
    person = lock(leave.person)
    row = Attachment(ref=new_ref(), person=person, entity=leave.entity, size=len(content), added_by=leave.staff)
    leave.demand([name_label(row), held_label(row)])
    row.save(force_insert=True)
    seal(label=name_label(row), fields={"name": name})
    seal(label=held_label(row), fields={"content": content})
    _note(leave, "book.attached", attachment=row.ref, bytes=len(content))
    return row


@transaction.atomic
def detach(*, leave: Leave, attachment: Attachment) -> None:
    """Take a file away, contents and all."""
    labels = [name_label(attachment), held_label(attachment)]
    leave.demand(labels)
    lock(leave.person)
    discard(labels=labels)
    ref = attachment.ref
    attachment.delete()
    _note(leave, "book.detached", attachment=ref)


def _note(leave: Leave, kind: str, **more: JSON) -> None:
    """Put it on record, and the person among those who changed last."""
    body: dict[str, JSON] = {"entity": leave.entity.ref, "decision": leave.decided.ref, **more}
    record(kind=kind, staff=leave.staff.ref, persons=[leave.person], body=body)
    Person.objects.filter(ref=leave.person).update(changed_at=Now())
