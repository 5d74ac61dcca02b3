"""Requests of two persons who are made one: they are all requests of who stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from comity.rights.requests.models import Request


class Mover:
    """How this part takes part in a merge: `comity.book.merging.actions.Mover`."""

    def move(self, *, gone: UUID, kept: UUID) -> Mapping[str, Any]:
        """Let the requests of either be requests of who stays."""
        moved = [str(ref) for ref in Request.objects.filter(person=gone).values_list("ref", flat=True)]
        Request.objects.filter(ref__in=moved).update(person=kept)
        return {"requests": moved}

    def put_back(self, *, gone: UUID, kept: UUID, told: Mapping[str, Any]) -> None:
        """Give them back to whom they were of."""
        Request.objects.filter(ref__in=told["requests"], person=kept).update(person=gone)
