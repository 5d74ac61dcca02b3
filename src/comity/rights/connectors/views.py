"""Pages of other systems: connecting them, and what each was asked of somebody and did."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from comity.rights.connectors import queries, running, systems
from comity.rights.connectors.forms import SystemGiven, WhyErased
from comity.rights.connectors.jobs import defer_look, defer_run
from comity.rights.connectors.models import State
from comity.staff.guards import StaffRequest, may_do, staff_page
from comity.staff.trying import try_if_valid, try_or_tell

if TYPE_CHECKING:
    from typing import Any

    from comity.rights.connectors.models import Run, System

# ---------------------------------------------------------------- systems


@staff_page(may=systems.WORD)
def listed(request: StaffRequest) -> HttpResponse:
    """Show which other systems hold the same people, and whether each answers."""
    return render(request, "rights/connectors/systems.html", {"systems": list(queries.systems_seen_by(request.staff))})


@staff_page(may=systems.WORD)
def new(request: StaffRequest) -> HttpResponse:
    """Connect a system."""
    form = SystemGiven(request.POST or None, entities=queries.entities_to_connect(request.staff))
    made: list[System] = []
    if request.method == "POST" and try_if_valid(
        form, lambda: made.append(systems.add_system(**form.cleaned_data, by=request.staff))
    ):
        return redirect("rights:system", made[0].ref)
    return render(request, "rights/connectors/system_form.html", {"form": form, "title": _("Connect a system")})


@staff_page(may=systems.WORD)
def one(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show one system: where it is, what it holds, and what came of the last try."""
    found = queries.one_system(request.staff, ref)
    return render(request, "rights/connectors/system.html", {"one": found, "holds": systems.held_by(found)})


@staff_page(may=systems.WORD)
def change(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Change a system."""
    found = queries.one_system(request.staff, ref)
    form = SystemGiven(request.POST or None, instance=found, entities=queries.entities_to_connect(request.staff))

    def changed() -> object:
        before = queries.one_system(request.staff, ref)
        return systems.change_system(system=before, **form.cleaned_data, by=request.staff)

    if request.method == "POST" and try_if_valid(form, changed):
        return redirect("rights:system", ref)
    return render(request, "rights/connectors/system_form.html", {"form": form, "title": found.name, "one": found})


@staff_page(may=systems.WORD)
@require_POST
def try_it(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Look for nobody in a system, to see whether it answers as it is described."""
    if not systems.try_out(system=queries.one_system(request.staff, ref), by=request.staff):
        messages.success(request, _("It answers, and is as it is described."))
    return redirect("rights:system", ref)


@staff_page(may=systems.WORD)
@require_POST
def end(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Ask a system no more."""
    systems.end_system(system=queries.one_system(request.staff, ref), by=request.staff)
    return redirect("rights:systems")


# ---------------------------------------------------------------- runs


@staff_page(may=queries.SEES)
def of_person(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show what other systems were asked about somebody."""
    entities = queries.entities_of_person(request.staff, ref) if may_do(request.staff, running.LOOKS) else []
    told = {"person": ref, "runs": queries.runs_of(request.staff, ref), "entities": entities}
    return render(request, "rights/connectors/of_person.html", told)


@staff_page(may=running.LOOKS)
@require_POST
def ask(request: StaffRequest, ref: UUID, entity: UUID) -> HttpResponse:
    """Have somebody sought in all other systems of an entity."""
    ours = next((each for each in queries.entities_of_person(request.staff, ref) if each.pk == entity), None)
    made: list[Run] = []
    if ours is None or not try_or_tell(
        request, lambda: made.append(running.ask_systems(entity=ours, person=ref, by=request.staff))
    ):
        return redirect("rights:systems-of", ref)
    defer_look(made[0])
    return redirect("rights:run", made[0].ref)


@staff_page(may=queries.SEES)
def run(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show one run: what each system holds, what would become of it, and what went."""
    found = queries.one_run(request.staff, ref)
    legs = queries.legs_of(found)
    told: dict[str, Any] = {
        "one": found, "legs": legs, "approval": queries.approval_of(found), "why": WhyErased(),
        "ready": found.looked_at and not found.begun_at and all(
            each.state == State.FOUND or each.system.ended_at for each in legs
        ),
        "may_erase": may_do(request.staff, running.ERASES, found.entity_id),
        "may_look": may_do(request.staff, running.LOOKS, found.entity_id),
        "rows": sum(each.rows for each in legs), "held": sum(each.shared + each.others for each in legs),
    }  # fmt: skip
    return render(request, "rights/connectors/run.html", told)


@staff_page(may=running.LOOKS)
@require_POST
def again(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Look once more, or try once more what did not work."""
    found = queries.one_run(request.staff, ref)
    if found.begun_at:
        defer_run(found)
    else:
        defer_look(found)
    return redirect("rights:run", ref)


@staff_page(may=running.ERASES)
@require_POST
def ask_second(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Lay the erasing before a second person."""
    found, form = queries.one_run(request.staff, ref), WhyErased(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    try_or_tell(request, lambda: running.ask_second_person(run=found, reason=reason, by=request.staff))
    return redirect("rights:run", ref)


@staff_page(may=running.ERASES)
@require_POST
def begin(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Begin to erase somebody in the other systems."""
    found = queries.one_run(request.staff, ref)
    if try_or_tell(request, lambda: running.begin(run=found, by=request.staff)):
        defer_run(found)
    return redirect("rights:run", ref)
