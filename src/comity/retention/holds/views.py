"""Pages of holds, and of how long one person's data stays: the law's clocks, holds, and a restriction."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from comity.retention.holds.actions import lift_hold, place_hold, review_hold
from comity.retention.holds.forms import Because, HoldPlaced, HoldReviewed, RestrictionLifted
from comity.retention.holds.queries import CHANGE, VIEW, hold_seen_by, holds_seen_by, who_may_own
from comity.retention.holds.restricting import WORD, lift_restriction, restrict_person
from comity.retention.schedule.queries import HowLong, how_long
from comity.staff.guards import StaffRequest, acts_for, entities_with, may_do, staff_page

if TYPE_CHECKING:
    from django import forms

    from comity.retention.holds.models import Hold
    from comity.staff.models import Entity

MOST: Final = 500
"""Holds that a page lists."""


@staff_page(may=VIEW)
def holds(request: StaffRequest) -> HttpResponse:
    """Show the holds that stand, the next to be looked at first; with `lifted`, those that were lifted."""
    lifted = "lifted" in request.GET
    rows = holds_seen_by(request.staff).filter(lifted_at__isnull=not lifted)
    told = {
        "rows": rows[:MOST], "lifted": lifted, "today": timezone.localdate(),
        "may_change": may_do(request.staff, CHANGE),
    }  # fmt: skip
    return render(request, "retention/holds.html", told)


@staff_page(may=CHANGE)
def new_hold(request: StaffRequest) -> HttpResponse:
    """Place a hold."""
    entities = entities_with(request.staff, CHANGE)
    given = {"person": request.GET.get("person"), "entity": request.GET.get("entity"), "owner": request.staff.ref}
    form = HoldPlaced(request.POST or None, initial=given, entities=entities, owners=who_may_own())
    if request.method == "POST" and form.is_valid():
        does = lambda: place_hold(**form.cleaned_data, placed_by=request.staff)  # noqa: E731 - one line reads best
        if _done(request, form, does, _("It is held from now on.")):
            return redirect("retention:holds")
    return _form(request, form, title=_("Place a hold"), button=_("Hold it"), icon="anchor")


@staff_page(may=VIEW)
def one_hold(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show one hold, and let it be reviewed or lifted."""
    found = _hold(request, ref)
    given = {"owner": found.owner_id, "review_on": found.review_on}
    told = {
        "hold": found, "review": HoldReviewed(initial=given, owners=who_may_own()), "lift": Because(auto_id="lift_%s"),
        "may_change": may_do(request.staff, CHANGE, found.entity) and found.lifted_at is None,
        "due": found.review_on <= timezone.localdate(),
    }  # fmt: skip
    return render(request, "retention/hold.html", told)


@staff_page(may=CHANGE)
@require_POST
def review(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Say that a hold is still needed."""
    found, form = _hold(request, ref), HoldReviewed(request.POST, owners=who_may_own())
    if form.is_valid():
        does = lambda: review_hold(hold=found, **form.cleaned_data, reviewed_by=request.staff)  # noqa: E731 - as above
        _done(request, form, does, _("It goes on, and comes back on that day."))
    _tell_errors(request, form)
    return redirect("retention:hold", ref)


@staff_page(may=CHANGE)
@require_POST
def lift(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Lift a hold."""
    found, form = _hold(request, ref), Because(request.POST)
    if form.is_valid():
        because = form.cleaned_data["reason"]
        does = lambda: lift_hold(hold=found, because=because, lifted_by=request.staff)  # noqa: E731 - as above
        _done(request, form, does, _("It is lifted. What was overdue goes with the next clean-up."))
    _tell_errors(request, form)
    return redirect("retention:hold", ref)


def _hold(request: StaffRequest, ref: UUID) -> Hold:
    found = hold_seen_by(request.staff, ref)
    if found is None:
        raise Http404(_("There is no such hold."))
    return found


# ---------------------------------------------------------------- one person


@staff_page(may="person.view")
def person(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show how long somebody's data stays and why, who holds it, and whether it is restricted."""
    found = _of(request, ref)
    told = {
        "found": found, "may_hold": may_do(request.staff, CHANGE, found.entity),
        "may_see_holds": may_do(request.staff, VIEW, found.entity),
        "may_restrict": may_do(request.staff, WORD, found.entity),
        "restrict": Because(auto_id="restrict_%s"), "lift": RestrictionLifted(auto_id="lift_%s"),
    }  # fmt: skip
    return render(request, "retention/person.html", told)


@staff_page(may=WORD)
@require_POST
def restrict(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Restrict somebody's record."""
    found, form = _of(request, ref), Because(request.POST)
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        does = lambda: restrict_person(  # noqa: E731 - as above
            person=ref, entity=found.entity, reason=reason, restricted_by=request.staff
        )
        _done(request, form, does, _("The record is restricted: it is stored, and not used."))
    _tell_errors(request, form)
    return _back(found)


@staff_page(may=WORD)
@require_POST
def unrestrict(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Lift a restriction."""
    found, form = _of(request, ref), RestrictionLifted(request.POST)
    if form.is_valid():
        given = {"because": form.cleaned_data["reason"], "told_on": form.cleaned_data["told_on"]}
        does = lambda: lift_restriction(person=ref, entity=found.entity, **given, lifted_by=request.staff)  # noqa: E731 - as above
        _done(request, form, does, _("The record may be used again."))
    _tell_errors(request, form)
    return _back(found)


def _of(request: StaffRequest, ref: UUID) -> HowLong:
    for entity in _entities(request):
        found = how_long(request.staff, entity, ref, timezone.localdate())
        if found is not None:
            return found
    raise Http404(_("There is nobody with this ref."))


def _entities(request: StaffRequest) -> list[Entity]:
    """Return for which entities to look: the one of the address first."""
    asked = request.GET.get("entity", "")
    return sorted(acts_for(request.staff), key=lambda one: str(one.ref) != asked)


def _back(found: HowLong) -> HttpResponse:
    answer = redirect("retention:person", found.person)
    answer.headers["Location"] += f"?entity={found.entity.ref}"
    return answer


# ---------------------------------------------------------------- forms


def _done(request: StaffRequest, form: forms.Form, does: Callable[[], object], says: str) -> bool:
    """Do it and say so; or say in the form what stands against it."""
    try:
        does()
    except ValidationError as error:
        form.add_error(None, error)
        return False
    messages.success(request, says)
    return True


def _tell_errors(request: StaffRequest, form: forms.Form) -> None:
    for said in dict.fromkeys(error for errors in form.errors.values() for error in errors):
        messages.error(request, str(said))


def _form(request: StaffRequest, form: forms.Form, *, title: str, button: str, icon: str) -> HttpResponse:
    return render(request, "retention/form.html", {"form": form, "title": title, "button": button, "icon": icon})
