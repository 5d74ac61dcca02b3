"""Where people came from, and calls to them, when two of them are made one: both are of who stays.

Who was given to whom stays as the file has it: `sharing.passing_on` follows people to whom they were merged into.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from comity.outreach.calls.models import Call
from comity.outreach.origins.models import Came


class Mover:
    """How this room takes part in a merge: `comity.book.merging.actions.Mover`."""

    def move(self, *, gone: UUID, kept: UUID) -> Mapping[str, Any]:
        """Let origins and calls be those of who stays; an origin of both stays with each."""
        own = Came.objects.filter(person=kept).values("origin")
        came = Came.objects.filter(person=gone).exclude(origin__in=own)
        calls = Call.objects.filter(person=gone)
        told = {"came": [str(one.ref) for one in came], "calls": [str(one.ref) for one in calls]}
        came.update(person=kept)
        calls.update(person=kept)
        return told

    def put_back(self, *, gone: UUID, kept: UUID, told: Mapping[str, Any]) -> None:
        """Give both back to whom they were of."""
        Came.objects.filter(ref__in=told["came"], person=kept).update(person=gone)
        Call.objects.filter(ref__in=told["calls"], person=kept).update(person=gone)
