"""Mails to one person, when two persons are made one: their mails are one pile, and what waits is not sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from comity.outreach.correspondence.models import Mail


class Mover:
    """How this part takes part in a merge: `comity.book.merging.actions.Mover`."""

    def move(self, *, gone: UUID, kept: UUID) -> Mapping[str, Any]:
        """Let the mails to either be mails to who stays."""
        moved = [str(ref) for ref in Mail.objects.filter(person=gone).values_list("ref", flat=True)]
        Mail.objects.filter(ref__in=moved).update(person=kept)
        return {"mails": moved}

    def put_back(self, *, gone: UUID, kept: UUID, told: Mapping[str, Any]) -> None:
        """Give them back."""
        Mail.objects.filter(ref__in=told["mails"], person=kept).update(person=gone)
