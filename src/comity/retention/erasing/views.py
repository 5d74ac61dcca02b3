"""Pages of erasing: the plan of one person, who approved it, the run, and its certificate."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from comity.retention.erasing import actions, queries
from comity.retention.erasing.certificates import certificate_of
from comity.retention.erasing.forms import Planned, Reason
from comity.retention.erasing.models import Why
from comity.retention.schedule.horizon import forgotten_on
from comity.staff.guards import StaffRequest, entities_with, staff_page
from comity.staff.queries import entities_seen_by

if TYPE_CHECKING:
    from comity.staff.models import Entity

MOST: Final = 200
"""Erasures that a page lists."""


@staff_page(may=queries.SEES)
def erasures(request: StaffRequest) -> HttpResponse:
    """List who was erased, by ref alone, and what is planned."""
    return render(request, "retention/erasing/erasures.html", {"rows": queries.erasures_seen_by(request.staff)[:MOST]})


@staff_page(may=queries.SEES)
def erasure(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show one erasure: what went, what stays and by which rule, when backups forget."""
    one = queries.one_erasure(request.staff, ref)
    told = {
        "one": one, "shown": queries.shown(one.done if one.done_at else one.plan), "covered": queries.is_covered(one),
        "forgotten_on": forgotten_on(one.done_at.date()) if one.done_at else None,
    }  # fmt: skip
    return render(request, "retention/erasing/erasure.html", told)


@staff_page(may=queries.SEES)
def certificate(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Give the certificate as a file that anybody can verify."""
    one = queries.one_erasure(request.staff, ref)
    if not queries.is_covered(one):
        raise Http404(_("The ledger has not signed it yet; in a moment it has."))
    answer = HttpResponse(certificate_of(one), content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="erasure-{one.ref}.json"'
    return answer


# ---------------------------------------------------------------- erasing one person


@staff_page(may=actions.KIND)
def erase(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Make a plan, show it, and lay it before a second person; once they approved, begin."""
    entity = _entity(request)
    person = queries.erasable(request.staff, ref, entity)
    planned = queries.plan_on_the_table(person.ref, entity)
    form, why = Planned(request.POST or None), Reason()
    if request.method == "POST" and form.is_valid():
        kind = Why(form.cleaned_data["why"])
        does = lambda: actions.plan_erasure(  # noqa: E731 - a line reads best
            person=ref, entity=entity, why=kind, planned_by=request.staff, request=_asked(request)
        )
        return _acted(request, ref, entity, does, _("This is what would go. Nothing has gone yet."))
    told = {
        "person": person, "entity": entity, "planned": planned, "form": form, "why": why,
        "shown": queries.shown(planned.plan) if planned else None,
        "asked": queries.approval_of(request.staff, planned) if planned else None,
    }  # fmt: skip
    return render(request, "retention/erasing/erase.html", told)


@staff_page(may=actions.KIND)
@require_POST
def ask(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Lay the plan before a second person."""
    entity, form = _entity(request), Reason(request.POST)
    planned = queries.plan_on_the_table(ref, entity)
    if planned is None or not form.is_valid():
        messages.error(request, _("Give a reason that the second person can weigh."))
        return redirect(_here(ref, entity))
    reason = form.cleaned_data["reason"]
    does = lambda: actions.ask_to_erase(erasure=planned, reason=reason, asked_by=request.staff)  # noqa: E731 - as above
    return _acted(request, ref, entity, does, _("Asked. A second person must approve it; come back here afterwards."))


@staff_page(may=actions.KIND)
@require_POST
def begin(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Begin what was approved, and run it now; should it be interrupted, it completes by itself."""
    entity = _entity(request)
    planned = queries.plan_on_the_table(ref, entity)
    if planned is None:
        raise Http404
    try:
        begun = actions.begin_approved(erasure=planned, begun_by=request.staff)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect(_here(ref, entity))
    actions.run_soon(begun)
    messages.success(request, _("It is being erased."))
    return redirect("retention:erasure", ref=begun.ref)


def _entity(request: StaffRequest) -> Entity:
    """Return the entity of ours that the address names, if the viewer may erase for it. Raises Http404."""
    found = entities_seen_by(request.staff).filter(ref__in=entities_with(request.staff, actions.KIND))
    one = next((each for each in found if str(each.ref) == request.GET.get("entity")), None)
    if one is None:
        raise Http404(_("Say for which entity of ours."))
    return one


def _asked(request: StaffRequest) -> UUID | None:
    """Return the request of the person that the address names, if it names one."""
    try:
        return UUID(request.GET.get("request", ""))
    except ValueError:
        return None


def _here(ref: UUID, entity: Entity) -> str:
    return f"{reverse('retention:erase', args=[ref])}?entity={entity.ref}"


def _acted(request: StaffRequest, ref: UUID, entity: Entity, does: Callable[[], object], says: str) -> HttpResponse:
    try:
        does()
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, says)
    return redirect(_here(ref, entity))
