"""Holds and restrictions when two persons are made one: what kept either from being erased keeps whoever stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from comity.retention.holds.models import Hold, Restriction


class Mover:
    """How this room takes part in a merge: `comity.book.merging.actions.Mover`."""

    def move(self, *, gone: UUID, kept: UUID) -> Mapping[str, Any]:
        """Let holds be on who stays, and restrictions too, but where one stands there already."""
        holds = [str(ref) for ref in Hold.objects.filter(person=gone).values_list("ref", flat=True)]
        Hold.objects.filter(ref__in=holds).update(person=kept)
        standing = Restriction.objects.filter(person=kept, lifted_at=None).values("entity")
        own = Restriction.objects.filter(person=gone).exclude(lifted_at=None, entity__in=standing)
        restrictions = [str(ref) for ref in own.values_list("ref", flat=True)]
        Restriction.objects.filter(ref__in=restrictions).update(person=kept)
        return {"holds": holds, "restrictions": restrictions}

    def put_back(self, *, gone: UUID, kept: UUID, told: Mapping[str, Any]) -> None:
        """Give back what each had; what was placed since stays where it was placed."""
        Hold.objects.filter(ref__in=told["holds"], person=kept).update(person=gone)
        Restriction.objects.filter(ref__in=told["restrictions"], person=kept).update(person=gone)
