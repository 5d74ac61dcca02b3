"""Pages of when messages may go: hours, days, how often; how many a gateway takes, and which one rests."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from comity.post.pacing import actions, queries
from comity.post.pacing.forms import DAY_NAMES, RestraintGiven, ThrottleGiven
from comity.post.pacing.models import Restraint
from comity.staff.guards import StaffRequest, staff_page
from comity.staff.terms import term
from comity.staff.trying import try_or_show

CHANNELS: Final = ("", "email", "sms", "messenger", "call", "autocall", "post", "in-app")
ALL: Final = "all"
WHY: Final = {
    "timeout": gettext_lazy("It took too long."), "broken-off": gettext_lazy("The connection broke off."),
    "no-answer": gettext_lazy("It did not answer."), "policy": gettext_lazy("It refuses such messages."),
    "refused": gettext_lazy("It refuses us."), "sign-in": gettext_lazy("It did not let us sign in."),
    "tls": gettext_lazy("It could not be trusted."),
}  # fmt: skip


@staff_page(may=queries.WORD)
def pace(request: StaffRequest) -> HttpResponse:
    """Show for each entity when its messages may go, and how its gateways fare."""
    paces = queries.paces_seen_by(request.staff)
    restraints = list(queries.restraints_seen_by(request.staff))
    told = [
        {
            "entity": entity,
            "ways": [(one, _why(one)) for one in paces.get(entity.ref, [])],
            "restraints": [(one, *_in_words(one)) for one in restraints if one.entity_id == entity.ref],
            "others": [(one or ALL, _channel(one)) for one in CHANNELS if one not in _said(restraints, entity.ref)],
        }
        for entity in queries.entities_paced_by(request.staff)
    ]
    return render(request, "post/pace.html", {"entities": told})


def _said(restraints: list[Restraint], entity: UUID) -> set[str]:
    return {one.channel for one in restraints if one.entity_id == entity}


def _why(one: queries.Pace) -> str:
    return str(WHY.get(one.health.why, "")) if one.health else ""


def _channel(channel: str) -> str:
    return term(channel) if channel else _("All channels together")


def _in_words(one: Restraint) -> tuple[str, str, str]:
    """Say a restraint: by which channel, when, how often."""
    hours = f"{_clock(one.opens)} – {_clock(one.closes)}"
    missing = [str(name) for day, name in DAY_NAMES if day not in one.days]
    when = _("%(hours)s, not on: %(days)s") % {"hours": hours, "days": ", ".join(missing)} if missing else hours
    often = _("at most %(most)s in %(days)s days") % {"most": one.most, "days": one.in_days} if one.most else ""
    return _channel(one.channel), when, often


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


@staff_page(may=queries.WORD)
def restraint(request: StaffRequest, ref: UUID, channel: str) -> HttpResponse:
    """Say when and how often an entity advertises by a channel."""
    by = "" if channel == ALL else channel
    entity = get_object_or_404(queries.entities_paced_by(request.staff), ref=ref)
    if by not in CHANNELS:
        raise Http404
    form = RestraintGiven(request.POST or None, restraint=queries.restraint_of(request.staff, ref, by))
    if request.method == "POST" and form.is_valid():
        told = form.told
        if try_or_show(form, lambda: actions.restrain(entity=entity, channel=by, by=request.staff, **told)):
            messages.success(request, _("Kept. It holds from the next message on."))
            return redirect("post:pace")
    title = _("When and how often: %(channel)s") % {"channel": _channel(by)}
    return render(request, "post/pace_form.html", {"form": form, "about": entity.name, "title": title})


@staff_page(may=queries.WORD)
def throttle(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Say how many messages a gateway takes."""
    gateway = get_object_or_404(queries.gateways_paced_by(request.staff), ref=ref)
    form = ThrottleGiven(request.POST or None, instance=queries.throttle_of(gateway))
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        if try_or_show(form, lambda: actions.throttle_gateway(gateway=gateway, by=request.staff, **told)):
            messages.success(request, _("Kept. It holds from the next message on."))
            return redirect("post:pace")
    title = _("How many it takes")
    return render(request, "post/pace_form.html", {"form": form, "about": gateway.name, "title": title})


@staff_page(may=queries.WORD)
@require_POST
def wake(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Let a gateway that rests try one message now."""
    actions.wake_gateway(gateway=get_object_or_404(queries.gateways_paced_by(request.staff), ref=ref), by=request.staff)
    messages.success(request, _("It tries one message now."))
    return redirect("post:pace")
