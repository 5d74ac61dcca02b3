"""Erasing many persons at once: their keys, and all blobs with their tokens."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from comity.ledger.actions import record
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
    return held
