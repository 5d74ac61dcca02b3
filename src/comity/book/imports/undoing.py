"""Taking out again whom an import brought: everybody who was not touched since; the others as is chosen."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db.models import F, Q
from django.utils import timezone

from comity.book.fields.models import Attachment, FieldValue
from comity.book.imports.models import Import, ImportBatch, ImportFinding, Saying
from comity.book.imports.newcomers import writers
from comity.book.imports.running import moment_of
from comity.book.models import Activity, ContactPoint, Person, Post, Relation, Tagging
from comity.staff.models import Staff
from comity.vault.destroying import destroy_person_keys

AT_ONCE: Final = 1_000
UNDONE_WITHIN: Final = timedelta(days=30)
"""So long whoever may bring people in may take them out again; after that it is erasing, which has its own word."""
SOON: Final = timedelta(seconds=1)
"""What was written in a batch's own transaction is not a later change."""


def take_out(batch: ImportBatch, *, changed_too: bool, staff: Staff) -> tuple[int, int]:
    """Take out the persons of a batch; return how many, and how many stay: changed since, or not ours to take out.

    The persons are locked before it is asked who was changed: an edit is either seen here, or finds nobody to change.
    """
    locked = Person.objects.select_for_update(of=("self",)).filter(ref__in=batch.persons).order_by("ref")
    there = list(locked.values_list("ref", flat=True))
    keep = held_fast(there) if changed_too else held_fast(there) | touched(batch, there)
    go, stay = [ref for ref in there if ref not in keep], sorted(keep)
    for start in range(0, len(go), AT_ONCE):
        _remove(go[start : start + AT_ONCE], staff)
    one = batch.imported
    ImportFinding.objects.bulk_create(
        ImportFinding(imported=one, entity_id=batch.entity_id, row=batch.first, says=Saying.CHANGED, person=ref)
        for ref in stay
    )
    batch.persons, batch.undone_at = stay, timezone.now()
    batch.save(update_fields=["persons", "undone_at"])
    Import.objects.filter(pk=one.pk).update(persons=F("persons") - len(go))
    return len(go), len(stay)


def is_late(one: Import) -> bool:
    """Say whether an import is too old to be undone plainly."""
    return timezone.now() - (one.done_at or one.begun_at) > UNDONE_WITHIN


def held_fast(persons: Collection[UUID]) -> set[UUID]:
    """Return those whom no undoing takes out: restricted, known to another entity of ours too, or merged."""
    held = ~Q(restricted_at=None) | Q(entities__len__gt=1) | ~Q(merged_into=None)
    found = set(Person.objects.filter(held, ref__in=list(persons)).values_list("ref", flat=True))
    merged = Person.objects.filter(merged_into__in=list(persons)).values_list("merged_into", flat=True)
    return found | {ref for ref in merged if ref is not None}


def touched(batch: ImportBatch, persons: Collection[UUID]) -> set[UUID]:
    """Return those of these persons whom somebody changed, wrote to or heard from since they came."""
    since = moment_of(batch) + SOON
    wanted = list(persons)
    found = set(Person.objects.filter(ref__in=wanted, changed_at__gt=since).values_list("ref", flat=True))
    found |= set(ContactPoint.objects.filter(person__in=wanted, added_at__gt=since).values_list("person", flat=True))
    later = Activity.objects.filter(person__in=wanted).exclude(at=batch.imported.begun_at)
    found |= set(later.values_list("person", flat=True))
    found |= set(FieldValue.objects.filter(person__in=wanted, set_at__gt=since).values_list("person", flat=True))
    found |= set(Attachment.objects.filter(person__in=wanted, added_at__gt=since).values_list("person", flat=True))
    for writer in writers():
        found |= writer.touched(persons=wanted, since=since)
    return found


def _remove(persons: Sequence[UUID], staff: Staff) -> None:
    """Take persons out, with all that is theirs, and destroy their keys."""
    for writer in writers():
        writer.remove(persons=persons)
    for model in (Tagging, Activity, ContactPoint, Post, Relation):
        model._base_manager.filter(person__in=persons).delete()  # noqa: SLF001 - Django's documented name for it
    Person.objects.filter(ref__in=persons).delete()
    destroy_person_keys(persons=persons, staff=staff.ref)
