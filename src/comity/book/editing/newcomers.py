"""Somebody new, by hand: whether we know them already, whether we may keep them, and where their data is from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.book.actions import Newcomer, NewPoint, add_persons
from comity.book.editing.forms import SomebodyNew
from comity.book.editing.leave import Leave, NotPermitted, ask_leave, may_edit
from comity.book.looking import look_of
from comity.book.models import Reach
from comity.book.searching import Hit, find
from comity.counsel.duties import data_came, note_event
from comity.counsel.reading import why
from comity.staff.guards import NotYours, StaffRequest, staff_page

if TYPE_CHECKING:
    from comity.book.opening import Look
    from comity.counsel.asking import Answer

MOST_ALIKE: Final = 10
"""People that are shown because somebody new may be one of them."""

Said = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Alike:
    """Somebody who may be the same, and why."""

    hit: Hit
    because: str


@staff_page(may="person.edit")
def new(request: StaffRequest) -> HttpResponse:
    """Bring somebody into the book by hand."""
    look = look_of(request)
    if not may_edit(look):
        raise NotYours("person.edit")
    if request.method != "POST":
        return _page(request, look, SomebodyNew(None, initial={}, name="new").without_the_tick())
    form = SomebodyNew(request.POST, initial={}, name="new")
    if not form.is_valid():
        return _page(request, look, form.without_the_tick())
    said = form.cleaned_data
    if not said["all_the_same"] and (alike := list(_alike(look, said))):
        return _page(request, look, form, alike=alike)
    try:
        leave = add_permitted(look=look, newcomer=_newcomer(said))
    except NotPermitted as refusal:
        return _page(request, look, form.without_the_tick(), answer=refusal.answer)
    messages.success(request, _("Added."))
    return redirect(reverse("desk:person", args=[leave.person]) + f"?entity={look.entity.ref}&purpose={look.purpose}")


def _page(
    request: StaffRequest,
    look: Look,
    form: SomebodyNew,
    *,
    alike: list[Alike] | None = None,
    answer: Answer | None = None,
) -> HttpResponse:
    panel = why(answer, title=_("May we keep this?"), asked="") if answer else None
    return render(request, "book/editing/new.html", {"form": form, "look": look, "alike": alike, "panel": panel})


def _alike(look: Look, said: Said) -> Iterator[Alike]:
    """Give people who have the same address or number, or such a name. Blind tokens find them; the law opens them."""
    name = " ".join(filter(None, [said["given"], said["family"]]))
    asked = (
        (said["email"], _("the same e-mail address")), (said["phone"], _("the same number")), (name, _("such a name")),
    )  # fmt: skip
    seen = set()
    for words, because in asked:
        for hit in find(look, words)[:MOST_ALIKE] if words else []:
            if hit.person not in seen:
                seen.add(hit.person)
                yield Alike(hit=hit, because=because)


@transaction.atomic
def add_permitted(*, look: Look, newcomer: Newcomer) -> Leave:
    """Add them, and ask with the facts they come with whether we may keep them; if not, they never were there.

    What we owe them since, such as to say where we have their data from, is kept with its day. Raises NotPermitted.
    """
    add_persons(newcomers=[newcomer], entity=look.entity, staff=look.viewer)
    leave = ask_leave(look, newcomer.ref)
    leave.demand_all()
    event = data_came(on=timezone.localdate(), source=str(newcomer.relation["source"]), purpose=look.purpose)
    note_event(event=event, entity=look.entity, about=newcomer.ref, persons=[newcomer.ref], staff=look.viewer)
    return leave


def _newcomer(said: Said) -> Newcomer:
    points = [
        NewPoint(reach=reach, value=said[field])
        for reach, field in ((Reach.EMAIL, "email"), (Reach.PHONE, "phone"))
        if said[field]
    ]
    facts = {"home": said["home"], "home_from": ["staff"] if said["home"] else [], "capacity": said["capacity"]}
    today = timezone.localdate()
    relation = {
        "source": said["source"], "notice": said["notice"], "notice_on": today if said["notice"] else None,
    }  # fmt: skip
    name = {part: said[part] for part in ("given", "family", "post") if said[part]}
    return Newcomer(name=name, points=points, facts=facts, relation=relation, organisation=said["organisation"])
