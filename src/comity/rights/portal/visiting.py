"""How people come to their own pages: by a cookie that was sealed here, of this entity, for a visit that goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from comity.book.models import Reach
from comity.consent.preferences.choices import entity_of
from comity.consent.preferences.public import CLOSED, in_their_language, language_query, public_page
from comity.consent.records.gpc import has_signal
from comity.consent.suppression.marks import Mark
from comity.rights.portal import queries
from comity.rights.portal.codes import BadPass, Lets, Pass, read_pass, sealed, word_of
from comity.rights.portal.signing_in import LONGEST_VISIT, oneself, people_of, visit_of
from comity.staff.guards import open_page
from comity.staff.walls import behind_wall

if TYPE_CHECKING:
    from comity.book.models import Person
    from comity.rights.portal.models import Portal, Visit
    from comity.staff.models import Entity

FOR_ALL: Final = "people must come to their rights without an account; what is theirs opens by a code to their address"
COOKIE: Final = "you"
UNDER: Final = {"shared": "home", "full": "home", "ask": "asks", "stop_all": "stop"}
"""Under which way of the pages another one stands."""
WORD: Final = "word"


@dataclass(frozen=True)
class Caller:
    """Somebody who calls up pages of one entity: in a visit, or before."""

    request: HttpRequest
    entity: Entity
    portal: Portal | None
    visit: Visit | None = None
    address: str = ""

    def to(self, name: str, *args: object, **query: str) -> str:
        """Return the address of another page, in the language of this one."""
        there = reverse(f"rights:portal-{name}", args=[self.entity.ref, *args]) + language_query(self.request)
        return f"{there}{'&' if '?' in there else '?'}{urlencode(query)}" if query else there

    def go(self, name: str, *args: object, **query: str) -> HttpResponse:
        """Lead to another page."""
        return closed(HttpResponseRedirect(self.to(name, *args, **query)))

    def page(self, template: str, told: Mapping[str, object], *, code: int = 200) -> HttpResponse:
        """Return a page of this part."""
        known: dict[str, object] = {
            "entity": self.entity, "caller": self, "visit": self.visit, "address": self.address,
            "signal": has_signal(self.request), "query": language_query(self.request),
            "word": word_of(self.visit.ref) if self.visit else "", "hand": self.hand,
            "here": UNDER.get(template, template),
        }  # fmt: skip
        return public_page(self.request, f"rights/portal/{template}.html", {**known, **told}, code=code)

    @cached_property
    def people(self) -> list[Person]:
        """Everybody who has the address of this visit."""
        return people_of(self.visit) if self.visit else []

    @cached_property
    def oneself(self) -> Person | None:
        """Whose pages these are."""
        return oneself(self.visit) if self.visit else None

    @property
    def mark(self) -> Mark:
        """The address of the visit, as the suppression list knows it."""
        return Mark(Reach.EMAIL, bytes(self.visit.mark) if self.visit else b"")

    @property
    def hand(self) -> Mapping[str, str]:
        """How else the entity is reached: what people write to who need no page."""
        return queries.ways_to(self.entity)


Page = Callable[..., HttpResponse]


def open_to_all(page: Page) -> Page:
    """Show a page to whoever comes, behind the wall of its entity."""
    return _page(page, in_visit=False)


def in_visit(page: Page) -> Page:
    """Show a page in a visit that goes on; all else are led to the page that asks for an address.

    INVARIANT: what a visit changes comes with the word that its own pages carry, so no page of others can send it.
    """
    return _page(page, in_visit=True)


def _page(page: Page, *, in_visit: bool) -> Page:
    @wraps(page)
    def guarded(request: HttpRequest, entity: UUID, *args: object, **more: object) -> HttpResponse:
        with in_their_language(request), behind_wall(staff=None, entities=[entity]):
            if (found := entity_of(entity)) is None or found.closed_at is not None:
                return public_page(request, "rights/portal/nobody.html", {}, code=404)
            caller = _caller(request, found)
            if not in_visit:
                return page(caller, *args, **more)
            if caller.visit is None:
                return leave(caller.go("door", over="1"))
            if request.method == "POST" and not _is_ours(request, caller.visit):
                return caller.go("door")
            return page(caller, *args, **more)

    return csrf_exempt(require_http_methods(["GET", "HEAD", "POST"])(open_page(because=FOR_ALL)(guarded)))


def _caller(request: HttpRequest, entity: Entity) -> Caller:
    portal = queries.portal_of(entity)
    try:
        known = carried(request, Lets.VISIT, entity)
    except BadPass:
        return Caller(request, entity, portal)
    visit = visit_of(ref=known.ref, entity=entity, at=timezone.now())
    return Caller(request, entity, portal, visit, known.address if visit else "")


def _is_ours(request: HttpRequest, visit: Visit) -> bool:
    return constant_time_compare(request.POST.get(WORD, ""), word_of(visit.ref))


# ---------------------------------------------------------------- the cookie


def carried(request: HttpRequest, lets: Lets, entity: Entity) -> Pass:
    """Return what the browser carries. Raises BadPass where it is not for this, or of another entity."""
    return read_pass(request.COOKIES.get(_name(), ""), lets=lets, entity=entity.ref)


def give(answer: HttpResponse, known: Pass) -> HttpResponse:
    """Let the browser carry a pass: no script reads it, no other site sends it along."""
    answer.set_cookie(
        _name(), sealed(known), max_age=int(LONGEST_VISIT.total_seconds()), secure=settings.TLS, httponly=True,
        samesite="Lax", path="/",
    )  # fmt: skip
    return answer


def leave(answer: HttpResponse) -> HttpResponse:
    """Let the browser carry nothing any more."""
    answer.delete_cookie(_name(), path="/", samesite="Lax")
    return answer


def _name() -> str:
    return f"__Host-{COOKIE}" if settings.TLS else COOKIE


def closed(answer: HttpResponse) -> HttpResponse:
    """Let an answer be kept by nobody and found by nobody."""
    for name, value in CLOSED.items():
        answer.headers[name] = value
    return answer


__all__ = ["Caller", "carried", "closed", "give", "in_visit", "leave", "open_to_all"]
