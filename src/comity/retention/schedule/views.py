"""The page of what is cleaned up: overdue rows, prospects gone quiet, keys by schedule and the horizon of backups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from comity.counsel.reading import places_said
from comity.retention.schedule.cleaning import what_stays
from comity.retention.schedule.forms import KeysGiven, QuietGiven
from comity.retention.schedule.horizon import forgotten_on, key_policy
from comity.retention.schedule.keys import ask_key_policy, end_key_policy
from comity.retention.schedule.models import QuietRound
from comity.retention.schedule.queries import keys_asked, open_rounds, quiet_policies, rounds_seen_by
from comity.retention.schedule.quiet import WORD, counts, set_quiet_policy, stop_round
from comity.staff.guards import StaffRequest, acts_for, demand, may_do, staff_page
from comity.staff.models import Entity

LATEST: Final = 10
"""Clean-ups that are over and shown."""


@staff_page(may="settings.view")
def home(request: StaffRequest) -> HttpResponse:
    """Show what is cleaned up by itself, and what is not."""
    return _home(request)


def _home(request: StaffRequest, keys: KeysGiven | None = None) -> HttpResponse:
    viewer, today, found = request.staff, timezone.localdate(), key_policy()
    told = {
        "policies": [_policy(request, one) for one in quiet_policies(viewer)],
        "rounds": [_round(one) for one in open_rounds(viewer)],
        "past": rounds_seen_by(viewer).exclude(ended_at=None)[:LATEST],
        "stays": what_stays(), "keys": found, "horizon": forgotten_on(today), "today": today,
        "keys_asked": keys_asked(), "keys_form": keys or KeysGiven(instance=found),
        "may_change": may_do(viewer, WORD),
    }  # fmt: skip
    return render(request, "retention/cleaning.html", told)


def _policy(request: StaffRequest, policy: Any) -> dict[str, Any]:  # noqa: ANN401 - a QuietPolicy, saved or not
    may = may_do(request.staff, WORD, policy.entity)
    return {"policy": policy, "may": may, "form": QuietGiven(instance=policy, prefix=str(policy.entity.ref))}


def _round(found: QuietRound) -> dict[str, Any]:
    """Return a preview as the page shows it: by place, with the day and the rule that counts there."""
    rows = [
        {"place": _place(home), "many": many, "day": found.cutoffs[home][0], "rule": found.cutoffs[home][1]}
        for home, many in sorted(found.counts.items(), key=lambda pair: -pair[1])
    ]
    return {"round": found, "rows": rows}


def _place(home: str) -> str:
    return places_said(home.split("|")) if home else _("Home not known")


@staff_page(may=WORD)
@require_POST
def quiet(request: StaffRequest, entity: UUID) -> HttpResponse:
    """Set the policy of an entity; with `look`, only count who it would be."""
    found = _entity(request, entity)
    form = QuietGiven(request.POST, prefix=str(entity))
    if not form.is_valid():
        for errors in form.errors.values():
            messages.error(request, " ".join(map(str, errors)))
        return redirect("retention:cleaning")
    told = form.cleaned_data
    if "look" in request.POST:
        return _looked(request, found, told["months"])
    set_quiet_policy(entity=found, on=told["on"], months=told["months"], ahead=told["ahead"], set_by=request.staff)
    messages.success(request, _("Kept. Nobody goes before a preview has had its days."))
    return redirect("retention:cleaning")


def _looked(request: StaffRequest, entity: Entity, months: int) -> HttpResponse:
    found = counts(entity, months, timezone.localdate())
    rows = [{"place": _place(home), "many": many} for home, many in sorted(found.items(), key=lambda one: -one[1])]
    told = {"entity": entity, "months": months, "rows": rows, "people": sum(found.values())}
    return render(request, "retention/quiet_look.html", told)


@staff_page(may=WORD)
@require_POST
def stop(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Stop a clean-up that was previewed."""
    found = open_rounds(request.staff).filter(ref=ref).first()
    if found is None:
        raise Http404(_("It was stopped or done before."))
    stop_round(found=found, stopped_by=request.staff)
    messages.success(request, _("Stopped: nobody goes. Switch the policy off as well, or the next preview comes."))
    return redirect("retention:cleaning")


@staff_page(may=WORD)
@require_POST
def keys(request: StaffRequest) -> HttpResponse:
    """Ask a second person for a key policy; with `end`, end the one that stands."""
    if "end" in request.POST:
        return _acted(request, lambda: end_key_policy(ended_by=request.staff), _("Nothing is turned over by itself."))
    form = KeysGiven(request.POST)
    if not form.is_valid():
        return _home(request, form)
    does = lambda: ask_key_policy(**form.cleaned_data, asked_by=request.staff)  # noqa: E731 - one line reads best
    return _acted(request, does, _("Asked. It counts from when a second person approves it."))


def _acted(request: StaffRequest, does: Callable[[], object], says: str) -> HttpResponse:
    try:
        does()
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, says)
    return redirect("retention:cleaning")


def _entity(request: StaffRequest, ref: UUID) -> Entity:
    found = next((one for one in acts_for(request.staff) if one.ref == ref), None)
    if found is None:
        raise Http404(_("There is no such entity."))
    demand(request.staff, WORD, found)
    return found
