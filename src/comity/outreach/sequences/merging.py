"""Sequences, when two persons are made one: who goes leaves them all, and nobody gets for two what is meant for one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils import timezone

from comity.outreach.sequences.models import Enrolment, Errand, Under


class Mover:
    """How this part takes part in a merge: `comity.book.merging.actions.Mover`."""

    def move(self, *, gone: UUID, kept: UUID) -> Mapping[str, Any]:
        """Let who goes leave every sequence; what we are to do about them is about who stays."""
        under = Enrolment.objects.filter(person=gone, state=Under.UNDER_WAY)
        under.update(state=Under.LEFT, why="merged", ended_at=timezone.now(), step=None, due_at=None)
        errands = [str(ref) for ref in Errand.objects.filter(person=gone).values_list("ref", flat=True)]
        Errand.objects.filter(ref__in=errands).update(person=kept)
        return {"errands": errands}

    def put_back(self, *, gone: UUID, kept: UUID, told: Mapping[str, Any]) -> None:
        """Give the errands back. Nobody goes on in a sequence that they left: it may have been long ago."""
        Errand.objects.filter(ref__in=told["errands"], person=kept).update(person=gone)
