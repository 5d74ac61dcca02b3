"""Reading other systems and what was asked of them: the viewer comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404

from comity.book.models import Person
from comity.rights.connectors.models import Leg, Run, System
from comity.staff.guards import entities_with
from comity.staff.models import Approval, Entity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from comity.staff.models import Staff

CHANGES: Final = "system.change"
SEES: Final = "request.view"
LATEST: Final = 50


def systems_seen_by(viewer: Staff) -> QuerySet[System]:
    """Return the systems that are connected to the entities for which somebody may change them."""
    return System.objects.filter(entity__in=entities_with(viewer, CHANGES), ended_at=None).select_related("entity")


def one_system(viewer: Staff, ref: UUID) -> System:
    """Return one system. Raises Http404."""
    found = systems_seen_by(viewer).filter(pk=ref).first()
    if found is None:
        raise Http404
    return found


def entities_to_connect(viewer: Staff) -> QuerySet[Entity]:
    """Return the entities whose systems somebody may change."""
    return Entity.objects.filter(pk__in=entities_with(viewer, CHANGES)).order_by("name")


def runs_seen_by(viewer: Staff) -> QuerySet[Run]:
    """Return what other systems were asked, the latest first."""
    seen = Run.objects.filter(entity__in=entities_with(viewer, SEES))
    return seen.select_related("entity", "asked_by", "begun_by", "request")


def one_run(viewer: Staff, ref: UUID) -> Run:
    """Return one run. Raises Http404."""
    found = runs_seen_by(viewer).filter(pk=ref).first()
    if found is None:
        raise Http404
    return found


def runs_of(viewer: Staff, person: UUID) -> Sequence[Run]:
    """Return what was asked about one person, the latest first."""
    return list(runs_seen_by(viewer).filter(person=person)[:LATEST])


def legs_of(run: Run) -> Sequence[Leg]:
    """Return what each system has to do with a run."""
    return list(run.legs.select_related("system"))


def entities_of_person(viewer: Staff, person: UUID) -> Sequence[Entity]:
    """Return the entities that know a person and for which somebody works on requests. Raises Http404 without one."""
    known = Person.objects.filter(pk=person).values_list("entities", flat=True).first() or []
    mine = set(entities_with(viewer, "request.work")) & set(known)
    found = list(Entity.objects.filter(pk__in=mine).order_by("name"))
    if not found:
        raise Http404
    return found


def approval_of(run: Run) -> Approval | None:
    """Return the latest thing a second person was asked about a run."""
    from comity.rights.connectors.running import APPROVED

    return Approval.objects.filter(kind=APPROVED, request__run=str(run.ref)).order_by("-asked_at").first()
