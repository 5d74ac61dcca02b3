"""Taking out again whom an import brought: everybody who was not touched since; the others as is chosen."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db.models import Count, F, Q
from django.utils import timezone

from comity.book.imports.models import Import, ImportBatch, ImportFinding, Saying
from comity.book.imports.newcomers import writers
from comity.book.imports.running import moment_of
from comity.book.models import Activity, ContactPoint, Person, Post, Relation, Tagging
from comity.staff.models import Staff
from comity.vault.destroying import destroy_person_keys

AT_ONCE: Final = 1_000
SOON: Final = timedelta(seconds=1)
"""What was written in a batch's own transaction is not a later change."""


def take_out(batch: ImportBatch, *, changed_too: bool, staff: Staff) -> tuple[int, int]:
    """Take out the persons of a batch; return how many, and how many were changed since and stay."""
    there = list(Person.objects.filter(ref__in=batch.persons).values_list("ref", flat=True))
    changed = touched(batch, there)
    go = there if changed_too else [ref for ref in there if ref not in changed]
    stay = [] if changed_too else sorted(changed)
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


def touched(batch: ImportBatch, persons: Collection[UUID]) -> set[UUID]:
    """Return those of these persons whom somebody changed, wrote to or heard from since they came."""
    since = moment_of(batch) + SOON
    wanted = list(persons)
    ours = Person.objects.filter(ref__in=wanted)
    found = set(ours.filter(Q(changed_at__gt=since) | ~Q(merged_into=None)).values_list("ref", flat=True))
    found |= set(ours.annotate(many=Count("relations")).filter(many__gt=1).values_list("ref", flat=True))
    merged = Person.objects.filter(merged_into__in=wanted).values_list("merged_into", flat=True)
    found |= {ref for ref in merged if ref is not None}
    found |= set(ContactPoint.objects.filter(person__in=wanted, added_at__gt=since).values_list("person", flat=True))
    later = Activity.objects.filter(person__in=wanted).exclude(at=batch.imported.begun_at)
    found |= set(later.values_list("person", flat=True))
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
