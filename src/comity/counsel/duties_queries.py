"""Who may see which duties. The viewer comes first: it is their entities that count."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from comity.counsel.models import DutyStep, OwedDuty
from comity.staff.guards import entities_of, may_do

if TYPE_CHECKING:
    from comity.staff.models import Staff

HANGS: Final = Q(state="possible") | Q(timing="earliest")
STATES: Final = {
    "open": Q(settled="", standing=False) & ~HANGS,
    "standing": Q(settled="", standing=True) & ~HANGS,
    "missing": Q(settled="") & HANGS,
    "settled": ~Q(settled=""),
}
"""Duties by what there is to do about them."""


def duties_seen_by(viewer: Staff) -> QuerySet[OwedDuty]:
    """Return what our entities owe for which the viewer acts with the word duty.view."""
    mine = [entity for entity in entities_of(viewer) if may_do(viewer, "duty.view", entity)]
    return OwedDuty.objects.filter(entity__in=mine).select_related("event", "entity", "settled_by")


def how_many(viewer: Staff) -> dict[str, int]:
    """Return how many duties there are of each state."""
    counts = {state: Count("ref", filter=condition) for state, condition in STATES.items()}
    return dict(duties_seen_by(viewer).aggregate(**counts))


def due_by(viewer: Staff, day: date) -> QuerySet[OwedDuty]:
    """Return what is certainly owed, for whom it is about, and is to be done by a day; the next first."""
    return duties_seen_by(viewer).filter(STATES["open"], day__lte=day).order_by("day", "ref")


def one_duty(viewer: Staff, ref: UUID) -> OwedDuty:
    """Return one duty. Raises Http404."""
    found = duties_seen_by(viewer).filter(pk=ref).first()
    if found is None:
        raise Http404(_("There is nothing here, or it is about an entity for which you do not act."))
    return found


def history_of(duty: OwedDuty) -> QuerySet[DutyStep]:
    """Return what was done with a duty, the latest first."""
    return DutyStep.objects.filter(duty=duty).select_related("by").order_by("-ref")
