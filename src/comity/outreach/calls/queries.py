"""Reading calls: those of a person, one's own, and whom one has promised to call back."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from comity.outreach.calls.models import Call, Outcome
from comity.staff.guards import entities_of

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from comity.staff.models import Entity, Staff

FEW = 10


def calls_of(person: UUID, entity: Entity) -> list[Call]:
    """Return the last calls to a person, the latest first."""
    return list(Call.objects.filter(person=person, entity=entity).select_related("staff").order_by("-begun_at")[:FEW])


def own_call(viewer: Staff, ref: UUID) -> Call | None:
    """Return a call of one's own of which nobody said yet what came of it."""
    mine = Call.objects.filter(ref=ref, staff=viewer, outcome="", entity__in=entities_of(viewer))
    return mine.select_related("entity").first()


def to_call_back(viewer: Staff, until: datetime) -> QuerySet[Call]:
    """Return whom somebody has promised to call back by then."""
    mine = Call.objects.filter(staff=viewer, outcome=Outcome.CALL_BACK, call_back_at__lte=until)
    return mine.order_by("call_back_at")
