"""Pages of what comes back: answers that wait for a human, the ways in, and how well each way out is received."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from comity.outreach.inbound import actions, queries
from comity.outreach.inbound.forms import FORMS
from comity.post.inbound.actions import end_inbox, make_inbox
from comity.post.inbound.mailboxes import folder_of
from comity.post.inbound.models import Inbox, Sort
from comity.post.inbound.queries import inbox_of
from comity.post.secrets import secret_of
from comity.staff.guards import StaffRequest, entities_with, staff_page
from comity.staff.queries import entities_seen_by

if TYPE_CHECKING:
    from comity.staff.models import Entity

CHANGE = "gateway.change"


# ---------------------------------------------------------------- answers


@staff_page(may=actions.WORD)
def answers(request: StaffRequest) -> HttpResponse:
    """List what waits to be read, the earliest first."""
    waiting = list(queries.answers_seen_by(request.staff)[: queries.MANY])
    told = [(one, queries.came_in_words(one)) for one in waiting]
    return render(request, "outreach/inbound/answers.html", {"waiting": told})


@staff_page(may=actions.WORD)
def answer(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show what came, and settle it. What is kept with a person is read on their page, by whoever may."""
    one = queries.one_answer(request.staff, ref)
    if request.method == "POST":
        return _settle(request, ref)
    raw = actions.open_original(arrival=one, by=request.staff)
    told = {"one": one, "came": queries.came_in_words(one), "letter": queries.letter_of(raw) if raw else None}
    return render(request, "outreach/inbound/answer.html", told)


def _settle(request: StaffRequest, ref: UUID) -> HttpResponse:
    one = queries.one_answer(request.staff, ref)
    try:
        if request.POST.get("as") == "no":
            actions.settle_as_no(arrival=one, by=request.staff)
            messages.success(request, _("Taken down as a no: nothing more is sent."))
        else:
            actions.settle_as_seen(arrival=one, by=request.staff)
            messages.success(request, _("Settled."))
    except ValidationError as error:
        for said in error.messages:
            messages.warning(request, said)
        return redirect("outreach:answer", ref)
    return redirect("outreach:answers")


# ---------------------------------------------------------------- ways in


@staff_page(may=CHANGE)
def inboxes(request: StaffRequest) -> HttpResponse:
    """Show where things come back to, and what came back of what left."""
    seen = entities_seen_by(request.staff).filter(ref__in=entities_with(request.staff, CHANGE)).order_by("name")
    return render(request, "outreach/inbound/inboxes.html", {"entities": queries.ways_of(seen)})


@staff_page(may=CHANGE)
def inbox_new(request: StaffRequest, ref: UUID, sort: str) -> HttpResponse:
    """Add a way in to an entity."""
    entity = _entity(request, ref)
    if sort not in FORMS:
        raise Http404
    form = FORMS[sort](request.POST or None)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            made = make_inbox(
                entity=entity, sort=form.sort, channel=told.get("channel", "email"), name=told["name"],
                settings=form.settings, made_by=request.staff, address=told.get("address", ""),
                secret=told.get("secret", ""),
            )  # fmt: skip
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return _made(request, made)
    titles = {"imap": _("A mailbox"), "folder": _("A folder of messages"), "hook": _("A webhook of a gateway")}
    return render(request, "outreach/inbound/inbox_form.html", {"form": form, "entity": entity, "title": titles[sort]})


def _made(request: StaffRequest, inbox: Inbox) -> HttpResponse:
    """Show what a gateway or mail server must be told; a secret is shown this once."""
    hook = request.build_absolute_uri(reverse("post:hook", args=[inbox.ref])) if inbox.sort == Sort.HOOK else ""
    told = {
        "one": inbox, "hook": hook, "secret": secret_of(inbox.ref) if hook else "",
        "folder": folder_of(inbox.ref) if inbox.sort == Sort.FOLDER else "",
    }  # fmt: skip
    return render(request, "outreach/inbound/inbox_made.html", told)


@staff_page(may=CHANGE)
@require_POST
def inbox_end(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Read a way in no more."""
    held = inbox_of(entities_with(request.staff, CHANGE), ref)
    if held is None:
        raise Http404
    end_inbox(inbox=held, ended_by=request.staff)
    messages.success(request, _("It is read no more."))
    return redirect("outreach:inboxes")


def _entity(request: StaffRequest, ref: UUID) -> Entity:
    if ref not in entities_with(request.staff, CHANGE):
        raise Http404
    return entities_seen_by(request.staff).get(ref=ref)
