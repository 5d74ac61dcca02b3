"""What the ledger holds, as its pages show it: entries with the names of our staff, checkpoints, bundles."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db.models import F, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from comity.ledger.keys import KeyProblem
from comity.ledger.models import Checkpoint, Cosignature, Entry
from comity.ledger.queries import latest_checkpoint, public_key
from comity.staff.models import Staff

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


RECENT = 2_000
"""Entries that are looked through for their kinds: the whole ledger would take long."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """The newest checkpoint, and the newest that somebody outside has seen."""

    checkpoint: Checkpoint
    witnessed: Checkpoint | None
    witnesses: list[str]

    @property
    def root(self) -> str:
        """The root hash, as programs write it."""
        return bytes(self.checkpoint.root).hex()


def entries(*, kind: str = "", person: UUID | None = None) -> QuerySet[Entry]:
    """Return entries without their bodies, with how many people each names."""
    found = Entry.objects.annotate(many=F("persons__len")).defer("body", "persons")
    if kind:
        found = found.filter(kind=kind)
    return found.filter(persons__contains=[person]) if person else found


def recent_kinds(chosen: str) -> list[str]:
    """Return the kinds among the last entries, with the chosen one."""
    recent = Entry.objects.order_by("-ref").values_list("kind", flat=True)[:RECENT]
    return sorted({*recent, *filter(None, [chosen])})


def one_entry(ref: UUID) -> Entry:
    """Return an entry. Raises Http404."""
    found = Entry.objects.filter(ref=ref).first()
    if found is None:
        raise Http404(_("The ledger has no entry with this ref."))
    return found


def said_by(entry: Entry) -> dict[str, Any]:
    """Return what an entry says: its body, as it was hashed."""
    said: dict[str, Any] = json.loads(bytes(entry.body))["body"]
    return said


def pending() -> int:
    """Return how many entries have no place yet."""
    return Entry.objects.filter(leaf_index=None).count()


def names_of_staff(refs: Iterable[UUID | None]) -> dict[UUID, str]:
    """Return the names of our staff by their refs."""
    wanted = {ref for ref in refs if ref}
    return dict(Staff.objects.filter(ref__in=wanted).values_list("ref", "name"))


def head() -> Head | None:
    """Return the newest checkpoint with its witnesses; nothing before the first."""
    newest = latest_checkpoint()
    if newest is None:
        return None
    witnessed = Checkpoint.objects.filter(cosignatures__isnull=False).order_by("-size").first()
    names = Cosignature.objects.filter(checkpoint=witnessed).order_by("witness").values_list("witness", flat=True)
    return Head(checkpoint=newest, witnessed=witnessed, witnesses=list(names) if witnessed else [])


def verifier_key() -> str:
    """Return the key that verifies this ledger, to be handed out; nothing where it is missing or is another."""
    try:
        return str(public_key(folder=settings.FOLDER))
    except KeyProblem:
        return ""


def waits_since(*, before: datetime) -> bool:
    """Say whether an entry that was recorded before then has no place yet."""
    return Entry.objects.filter(leaf_index=None, recorded_at__lt=before).exists()
