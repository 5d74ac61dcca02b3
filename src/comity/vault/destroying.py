"""Erasing many persons at once: their keys, and all blobs with their tokens."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from comity.ledger.actions import record
from comity.ledger.journal.keeping import keep_after_commit
from comity.ledger.journal.lines import Line
from comity.vault.models import PersonKey, Sealed


@transaction.atomic
def destroy_person_keys(*, persons: Sequence[UUID], staff: UUID | None) -> int:
    """Destroy the keys of at most a thousand persons; return how many there were. One ledger entry names them all.

    Backups keep what they had until the epochs of that time are destroyed: `queries.forgotten_from`.
    """
    refs = list(persons)
    held, _ = PersonKey.objects.filter(person__in=refs).delete()
    blobs, _ = Sealed.objects.filter(person__in=refs).delete()
    if held or blobs:
        body = {"blobs": blobs, "keys": held}
        record(kind="vault.person-keys-destroyed", body=body, staff=staff, persons=refs)
        keep_after_commit()
    return held


def bring_erased(line: Line) -> bool:
    """Destroy again, in a database that was put back, the keys that a line of the journal says were destroyed."""
    return bool(destroy_person_keys(persons=[UUID(ref) for ref in line.said["persons"]], staff=None))
