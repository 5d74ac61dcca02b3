"""The preference centre, the ways to stop, and the second step of a yes: reached by a link, open to whoever has it.

INVARIANT: GET and HEAD change nothing, whatever a scanner follows; only a form of the page, or the one-click POST of
RFC 8058, does. The one thing that every request may say is Global Privacy Control: the browser says no to selling and
sharing by it, and a no is taken however it comes. No page says whether somebody is known to whoever holds no link of
theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from comity.consent.preferences.actions import TooOften, confirm, leave_alone, say_no, say_yes, stop_everything
from comity.consent.preferences.choices import (
    Cell,
    choices_of,
    entity_of,
    known_of,
    latest_of,
    person_of,
    wanted_cell,
)
from comity.consent.preferences.forms import WithoutLink
from comity.consent.preferences.links import BadLink, Link, May, OldLink, read_link
from comity.consent.preferences.public import CLOSED, in_their_language, language_query, public_page
from comity.consent.preferences.wording import CHANNELS, PURPOSES, TAKEN_BACK, wording_for, wording_shown
from comity.consent.records.gpc import CHANNEL, PURPOSE, has_signal, honour_signal
from comity.consent.records.receipts import receipt_of
from comity.staff.guards import open_page
from comity.staff.walls import behind_wall

if TYPE_CHECKING:
    from comity.book.models import Person
    from comity.staff.models import Entity

BY_LINK: Final = "the link is the secret that opens it; it was sent to this person"
FOR_ALL: Final = "whoever wants no more messages must not need a link to say so"
NO_SALE: Final = (PURPOSE, CHANNEL)
ONE_CLICK: Final = ("List-Unsubscribe", "One-Click")
"""What a mail program posts (RFC 8058, 3.1)."""


@dataclass(frozen=True, kw_only=True)
class Visit:
    """Somebody came by a link: what it says, and who and what it is about; nobody, if they are in the book no more."""

    request: HttpRequest
    link: Link
    text: str
    entity: Entity
    person: Person | None

    @property
    def cell(self) -> Cell | None:
        """The one purpose and channel that the link is about; None is all of them."""
        return (self.link.purpose, self.link.channel) if self.link.purpose else None

    def address(self, name: str) -> str:
        """Return the address of another page of this link, in the language of this one."""
        return reverse(f"consent:{name}", args=[self.text]) + language_query(self.request)


Page = Callable[[Visit], HttpResponse]


def by_link(may: May) -> Callable[[Page], Callable[..., HttpResponse]]:
    """Let in whoever has a link that lets do this, behind the wall of its entity; show all else how to go on."""

    def guard(page: Page) -> Callable[..., HttpResponse]:
        @wraps(page)
        def guarded(request: HttpRequest, link: str) -> HttpResponse:
            with in_their_language(request):
                try:
                    known = read_link(link, on=timezone.localdate(), may=may)
                except OldLink as old:
                    return _ended(request, link, old.link)
                except BadLink:
                    return _no_link(request)
                return _visited(request, link, known, page)

        return csrf_exempt(require_http_methods(["GET", "HEAD", "POST"])(open_page(because=BY_LINK)(guarded)))

    return guard


def _visited(request: HttpRequest, text: str, link: Link, page: Page) -> HttpResponse:
    with behind_wall(staff=None, entities=[link.entity]):
        if (entity := entity_of(link.entity)) is None:
            return _no_link(request)
        return page(Visit(request=request, link=link, text=text, entity=entity, person=person_of(link.person)))


def _no_link(request: HttpRequest) -> HttpResponse:
    """Answer what is no link: the same page whoever comes, with the way that needs none."""
    return public_page(request, "consent/preferences/no_link.html", {"form": WithoutLink(None)}, code=404)


def _ended(request: HttpRequest, text: str, link: Link) -> HttpResponse:
    """Answer a link that is past its day: it shows nothing more; a no by it is still a no."""
    told = {"ended_on": link.ends_on, "text": text, "confirms": link.may is May.CONFIRM}
    return public_page(request, "consent/preferences/ended.html", told, code=410)


# ---------------------------------------------------------------- all choices


@by_link(May.CHOOSE)
def choices(visit: Visit) -> HttpResponse:
    """Show every purpose and channel, where each stands, what was said; take a yes, a no, or a no to everything."""
    if visit.person is None:
        return _gone(visit)
    if signal := has_signal(visit.request):
        honour_signal(person=visit.person, entity=visit.entity, at=timezone.now())
    if visit.request.method == "POST":
        return _chosen(visit, visit.person)
    known = known_of(visit.person, visit.entity)
    told = {
        "entity": visit.entity, "groups": choices_of(known, timezone.localdate()), "said": known.said,
        "objected_at": visit.person.objected_at, "here": visit.address("choices"), "purposes": PURPOSES,
        "channels": CHANNELS, "done": _done(visit, known.said), "signal": signal, "link": visit.text,
        "promise": TAKEN_BACK,
    }  # fmt: skip
    return public_page(visit.request, "consent/preferences/choices.html", told)


def _chosen(visit: Visit, person: Person) -> HttpResponse:
    """Record what was chosen, and lead back to the page, which says so."""
    says, now = visit.request.POST.get("says", ""), timezone.now()
    if says == "stop":
        stop_everything(link=visit.link, person=person, entity=visit.entity, at=now)
        return _back(visit, "all")
    known = known_of(person, visit.entity)
    cell = wanted_cell(known, visit.request.POST.get("what", ""))
    against = says == "yes" and cell == NO_SALE and has_signal(visit.request)  # the page says why it is not taken
    if cell is None or says not in {"yes", "no"} or against:
        return _back(visit, "")
    if says == "no":
        say_no(link=visit.link, person=person, entity=visit.entity, cell=cell, at=now)
    else:
        wording = wording_for(visit.entity, *cell)
        try:
            say_yes(link=visit.link, person=person, entity=visit.entity, cell=cell, wording=wording, at=now)
        except TooOften:
            told = {"entity": visit.entity, "here": visit.address("choices")}
            return public_page(visit.request, "consent/preferences/too_often.html", told, code=429)
    return _back(visit, ".".join(cell))


def _back(visit: Visit, done: str) -> HttpResponse:
    address = visit.address("choices")
    mark = "&" if "?" in address else "?"
    return HttpResponseRedirect(f"{address}{mark}done={done}#done" if done else address)


def _done(visit: Visit, said: Any) -> dict[str, object] | None:  # noqa: ANN401 - the rows of the page
    """Return what the page confirms: what stands on record, not what the address says."""
    about = visit.request.GET.get("done", "")
    latest = latest_of(said, about)
    if latest is None:
        return None
    what = f"{PURPOSES.get(latest.purpose, latest.purpose)} · {CHANNELS.get(latest.channel, latest.channel)}"
    return {"said": latest, "all": about == "all", "what": what}


def _gone(visit: Visit) -> HttpResponse:
    """Answer somebody whom the book knows no more: erased, or never there. Their no still counts for the address."""
    told = {"entity": visit.entity, "here": visit.address("stop")}
    return public_page(visit.request, "consent/preferences/gone.html", told)


@csrf_exempt
@open_page(because=BY_LINK)
def receipt(request: HttpRequest, link: str, said: UUID) -> HttpResponse:
    """Give what was said as a receipt that one can keep, and that programs read (ISO/IEC TS 27560)."""

    def handed(visit: Visit) -> HttpResponse:
        spoken = known_of(visit.person, visit.entity).said if visit.person else ()
        one = next((row for row in spoken if row.ref == said), None)
        if one is None:
            return _no_link(visit.request)
        withdraw_at = visit.request.build_absolute_uri(reverse("consent:choices", args=[visit.text]))
        told = receipt_of(one, at=timezone.now(), withdraw_at=withdraw_at)
        answer = JsonResponse(told, content_type="application/ld+json", json_dumps_params={"ensure_ascii": False})
        answer["Content-Disposition"] = f'attachment; filename="receipt-{one.said_at:%Y-%m-%d}.jsonld"'
        for name, value in CLOSED.items():
            answer.headers[name] = value
        return answer

    return by_link(May.CHOOSE)(handed)(request, link)


# ---------------------------------------------------------------- stop


@by_link(May.STOP)
def stop(visit: Visit) -> HttpResponse:
    """Show one button that stops, and stop when it is pressed."""
    told: dict[str, object] = {"entity": visit.entity, "here": visit.address("stop"), "about": _said_of(visit)}
    if visit.request.method == "POST":
        told |= {"stopped": True, "news": _stop(visit)}
    if visit.link.may is May.CHOOSE:
        told["choices"] = visit.address("choices")
    return public_page(visit.request, "consent/preferences/stop.html", told)


@by_link(May.STOP)
def one_click(visit: Visit) -> HttpResponse:
    """Stop at the one-click POST of a mail program (RFC 8058): no page, no cookie, no redirect, no question."""
    name, value = ONE_CLICK
    if visit.request.method != "POST":
        return HttpResponseRedirect(visit.address("stop"))
    if visit.request.POST.get(name) != value:
        return HttpResponse(f"Post {name}={value} here, as RFC 8058 says.\n", "text/plain", 400)
    _stop(visit)
    return HttpResponse("Stopped.\n", "text/plain")


def _stop(visit: Visit) -> bool:
    about: dict[str, Any] = {"link": visit.link, "person": visit.person, "entity": visit.entity, "at": timezone.now()}
    return say_no(**about, cell=visit.cell) if visit.cell else stop_everything(**about)


def _said_of(visit: Visit) -> str:
    if visit.cell is None:
        return ""
    purpose, channel = visit.cell
    return f"{PURPOSES.get(purpose, purpose)} · {CHANNELS.get(channel, channel)}"


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@open_page(because=FOR_ALL)
def stop_without_link(request: HttpRequest) -> HttpResponse:
    """Take down an address that is to be left alone. The answer is the same whether anybody knows it."""
    with in_their_language(request):
        form = WithoutLink(request.POST if request.method == "POST" else None)
        if request.method != "POST" or not form.is_valid():
            return public_page(request, "consent/preferences/without_link.html", {"form": form})
        chosen: list[Entity] = form.cleaned_data["entities"]
        try:
            leave_alone(mark=form.cleaned_data["mark"], entities=chosen, at=timezone.now())
        except TooOften:
            return public_page(request, "consent/preferences/without_link.html", {"busy": True}, code=429)
        return public_page(request, "consent/preferences/without_link.html", {"taken": True, "entities": chosen})


# ---------------------------------------------------------------- the second step of a yes


@by_link(May.CONFIRM)
def confirm_yes(visit: Visit) -> HttpResponse:
    """Show what is agreed to, word for word, and record it when the button is pressed."""
    if visit.person is None:
        return _gone(visit)
    wording = wording_shown(visit.entity, visit.link.purpose, visit.link.channel, visit.link.notice)
    told: dict[str, object] = {"entity": visit.entity, "wording": wording, "here": visit.address("confirm")}
    if visit.request.method == "POST":
        try:
            told["became"] = confirm(
                link=visit.link, person=visit.person, entity=visit.entity, wording=wording, at=timezone.now()
            )
        except TooOften:
            return public_page(visit.request, "consent/preferences/too_often.html", told, code=429)
    return public_page(visit.request, "consent/preferences/confirm.html", told)
