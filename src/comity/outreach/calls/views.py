"""The page on which somebody calls a person: may we, at what hour, what is said, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from comity.book.editing.whole import look_at, person_of
from comity.book.opening import purposes_of
from comity.counsel.asking import ask
from comity.counsel.reading import why
from comity.law import Verdict
from comity.outreach.calls import actions, queries
from comity.outreach.calls.dialling import Dial, look_before, question_of
from comity.outreach.calls.forms import CallEnded
from comity.outreach.calls.models import Outcome, Recording
from comity.outreach.origins import actions as origins
from comity.staff.guards import NotYours, StaffRequest, demand, may_do, staff_page

if TYPE_CHECKING:
    from comity.book.opening import Look


@staff_page(may=actions.WORD)
def call(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show whether somebody may be called now, and why; opening the number is the next step, and on record."""
    look, purposes = _calls_for(request, ref)
    return render(request, "outreach/calls/call.html", _told(look, ref, purposes))


def _calls_for(request: StaffRequest, ref: UUID) -> tuple[Look, list[str]]:
    from dataclasses import replace

    look = look_at(request, ref)
    demand(request.staff, actions.WORD, look.entity)
    purposes = purposes_of(request.staff, look.entity, "contact")
    if not purposes:
        raise NotYours(actions.WORD)
    wanted = request.GET.get("for", look.purpose)
    return replace(look, purpose=wanted if wanted in purposes else purposes[0]), purposes


def _told(look: Look, ref: UUID, purposes: list[str]) -> dict[str, Any]:
    person = person_of(look, ref)
    question = question_of(look.entity.ref, look.purpose)
    answer = ask(question=question, persons=[ref], day=timezone.localdate())[ref]
    dial = look_before(
        person=person, entity=look.entity, purpose=look.purpose, answer=answer, staff=look.viewer, at=timezone.now()
    )
    title = {"permit": _("Why may we call?"), "deny": _("Why may we not call?"), "ask": _("What is open?")}
    return {
        "ref": ref, "look": look, "purposes": purposes, "dial": dial, "verdict_now": answer.verdict,
        "why": why(answer, title=title[answer.verdict.value]), "may": _may(dial), "open": None,
        "calls": queries.calls_of(ref, look.entity), "query": f"entity={look.entity.ref}&for={look.purpose}",
        "may_say_origin": dial.lacks_origin and may_do(look.viewer, origins.WORD, look.entity),
    }  # fmt: skip


def _may(dial: Dial) -> bool:
    return dial.answer.verdict is Verdict.PERMIT and not dial.stops


@staff_page(may=actions.WORD)
@require_POST
def dial(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Open the number, if the call may be made now, and show it with what is said."""
    look, purposes = _calls_for(request, ref)
    try:
        begun = actions.begin_call(person=ref, entity=look.entity, purpose=look.purpose, staff=request.staff)
    except ValidationError as error:
        for said in error.messages:
            messages.warning(request, said)
        return render(request, "outreach/calls/call.html", _told(look, ref, purposes))
    told = {"ref": ref, "look": look, "begun": begun, "form": CallEnded(), "query": f"entity={look.entity.ref}"}
    return render(request, "outreach/calls/dial.html", told)


@staff_page(may=actions.WORD)
def end(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Say what came of a call."""
    known = queries.own_call(request.staff, ref)
    if known is None:
        raise Http404
    form = CallEnded(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            actions.end_call(
                call=known, outcome=Outcome(said["outcome"]), recording=Recording(said["recording"]),
                call_back_at=said["call_back_at"], staff=request.staff,
            )  # fmt: skip
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("Kept. It counts from now on."))
            return redirect("desk:person", known.person)
    return render(request, "outreach/calls/end.html", {"one": known, "form": form})
