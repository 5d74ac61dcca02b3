"""Pages of packages: for staff, from the plan to the letter; for the person, by the link they were sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from comity.consent.preferences.links import BadLink
from comity.consent.preferences.public import CLOSED, in_their_language, language_query, public_page
from comity.rights.packages import making
from comity.rights.packages.contents import contents_of
from comity.rights.packages.forms import WhyLarge, Words
from comity.rights.packages.jobs import defer_package
from comity.rights.packages.letters import letter_for, looked_through
from comity.rights.packages.making import NotMade, link_to
from comity.rights.packages.planning import (
    chores_of,
    left_to_do,
    lines_of,
    needs_approval,
    plan_package,
    refusals_of,
    withheld_of,
)
from comity.rights.packages.queries import (
    approval_of,
    entity_behind,
    entity_of,
    fetches_of,
    one_package,
    package_behind,
    packages_of,
    request_seen_by,
)
from comity.staff.guards import StaffRequest, may_do, open_page, staff_page
from comity.staff.trying import try_or_tell
from comity.staff.walls import behind_wall
from comity.vault.gate import Refused

if TYPE_CHECKING:
    from comity.rights.packages.making import HandedOut
    from comity.rights.packages.models import Package
    from comity.rights.requests.models import Request

WORKS = "request.work"
BY_LINK = "the link is the secret that opens it; it was sent to whoever asked"
STANDS_ALONE = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""What the page of a package may do: show itself."""


# ---------------------------------------------------------------- for staff


@staff_page(may="request.view")
def package(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show the package of a request: its plan, what only a human can do, and what became of it."""
    asked = request_seen_by(request.staff, ref)
    return _page(request, asked, Words(), WhyLarge())


def _page(request: StaffRequest, asked: Request, words: Words, why: WhyLarge) -> HttpResponse:
    known = list(packages_of(request.staff, asked))
    told: dict[str, Any] = {
        "asked": asked, "one": known[0] if known else None, "earlier": known[1:], "words": words, "why": why,
        "wanted": contents_of(asked), "may": may_do(request.staff, WORKS, asked.entity),
    }  # fmt: skip
    if known:
        told |= _told(known[0])
    return render(request, "rights/packages/package.html", told)


def _told(one: Package) -> dict[str, Any]:
    """Return what the page says of a package."""
    there = one.file_key is not None and one.expires_at is not None and one.expires_at > timezone.now()
    link = link_to(one) if there else ""
    letter = letter_for(one, link) if there else None
    return {
        "lines": lines_of(one), "chores": chores_of(one), "left": list(left_to_do(one)), "withheld": withheld_of(one),
        "refusals": refusals_of(one), "large": needs_approval(one) and not one.approval, "approval": approval_of(one),
        "there": there, "fetches": list(fetches_of(one)), "letter": letter,
        "looked": looked_through(letter, one, timezone.localdate()) if letter else None,
    }  # fmt: skip


@staff_page(may=WORKS)
@require_POST
def plan(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Collect everything to see what there is, and write a plan."""
    asked = request_seen_by(request.staff, ref)
    try_or_tell(request, lambda: plan_package(request=asked, reader=request.staff), Refused)
    return redirect("rights:package", ref=ref)


@staff_page(may=WORKS)
@require_POST
def tick(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Say that what only a human can do was done, or was not."""
    one = one_package(request.staff, ref)
    chore, done = request.POST.get("chore", ""), request.POST.get("done") == "yes"
    try_or_tell(request, lambda: making.tick_chore(package=one, chore=chore, done=done, staff=request.staff))
    return redirect("rights:package", ref=one.request_id)


@staff_page(may=WORKS)
@require_POST
def say_words(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Say which words are about others, and which are not."""
    one, form = one_package(request.staff, ref), Words(request.POST)
    if not form.is_valid():
        return _page(request, request_seen_by(request.staff, one.request_id), form, WhyLarge())
    try_or_tell(request, lambda: making.say_what_is_others(package=one, staff=request.staff, **form.cleaned_data))
    return redirect("rights:package", ref=one.request_id)


@staff_page(may=WORKS)
@require_POST
def ask_second(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Lay a large package before a second person."""
    one, form = one_package(request.staff, ref), WhyLarge(request.POST)
    if not form.is_valid():
        return _page(request, request_seen_by(request.staff, one.request_id), Words(), form)
    reason = form.cleaned_data["reason"]
    try_or_tell(request, lambda: making.ask_second_person(package=one, reason=reason, asked_by=request.staff))
    return redirect("rights:package", ref=one.request_id)


@staff_page(may=WORKS)
@require_POST
def make(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Let a job make a package whose chores are done."""
    one = one_package(request.staff, ref)
    try_or_tell(
        request, lambda: defer_package(package=making.begin_package(package=one, reader=request.staff))
    )  # fmt: skip
    return redirect("rights:package", ref=one.request_id)


@staff_page(may=WORKS)
@require_POST
def look(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show the page of a package to one of the staff; that it was opened is on record."""
    one = one_package(request.staff, ref)
    try:
        return _alone(making.show_page(package=one, by=request.staff))
    except NotMade:
        return redirect("rights:package", ref=one.request_id)


@staff_page(may=WORKS)
@require_POST
def fetch(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Give all files to one of the staff who hands them over; that it was done is on record."""
    one = one_package(request.staff, ref)
    try:
        return _download(making.hand_out(package=one, by=request.staff))
    except NotMade:
        return redirect("rights:package", ref=one.request_id)


@staff_page(may=WORKS)
@require_POST
def sent(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Write down that the letter went out, or the package was handed over."""
    one = one_package(request.staff, ref)
    try_or_tell(request, lambda: making.mark_sent(package=one, staff=request.staff))
    return redirect("rights:package", ref=one.request_id)


@staff_page(may=WORKS)
@require_POST
def delete(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Delete a package before its time: every link to it is dead."""
    one = one_package(request.staff, ref)
    try_or_tell(request, lambda: making.delete_package(package=one, staff=request.staff))
    return redirect("rights:package", ref=one.request_id)


# ---------------------------------------------------------------- for the person


def _by_link(page: Callable[[HttpRequest, Package], HttpResponse]) -> Callable[[HttpRequest, str], HttpResponse]:
    """Let in whoever has a link, behind the wall of its entity. All else, and what is gone, is answered alike."""

    def guarded(request: HttpRequest, link: str) -> HttpResponse:
        with in_their_language(request):
            try:
                entity = entity_behind(link)
            except BadLink:
                return _gone(request, None)
            with behind_wall(staff=None, entities=[entity]):
                one = package_behind(link)
                try:
                    return page(request, one) if one else _gone(request, entity)
                except NotMade:
                    return _gone(request, entity)

    return guarded


def _gone(request: HttpRequest, entity: UUID | None) -> HttpResponse:
    told = {"entity": entity_of(entity) if entity else None}
    return public_page(request, "rights/packages/gone.html", told, code=410 if entity else 404)


@csrf_exempt
@require_http_methods(["GET", "HEAD"])
@open_page(because=BY_LINK)
def by_link(request: HttpRequest, link: str) -> HttpResponse:
    """Say what lies behind a link, and open nothing yet: programs that look at mails follow links."""

    def shown(request: HttpRequest, one: Package) -> HttpResponse:
        if link_to(one) != link:
            return _gone(request, one.entity_id)
        told = {"one": one, "entity": one.entity, "link": link, "query": language_query(request)}
        return public_page(request, "rights/packages/link.html", told)

    return _by_link(shown)(request, link)


@csrf_exempt
@require_POST
@open_page(because=BY_LINK)
def read_by_link(request: HttpRequest, link: str) -> HttpResponse:
    """Show the page of a package to whoever has the link."""
    return _by_link(lambda _request, one: _alone(making.show_page(package=one)))(request, link)


@csrf_exempt
@require_POST
@open_page(because=BY_LINK)
def fetch_by_link(request: HttpRequest, link: str) -> HttpResponse:
    """Give all files of a package to whoever has the link."""
    return _by_link(lambda _request, one: _download(making.hand_out(package=one)))(request, link)


def _alone(page: str) -> HttpResponse:
    """Answer with a page that stands by itself: it may run nothing and fetch nothing, and nobody keeps it."""
    answer = HttpResponse(page)
    for name, value in {**CLOSED, "Content-Security-Policy": STANDS_ALONE}.items():
        answer.headers[name] = value
    answer._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001 - Django's own mark: no link in a log
    return answer


def _download(handed: HandedOut) -> HttpResponse:
    answer = StreamingHttpResponse(handed.pieces, content_type=making.MEDIA)
    answer["Content-Disposition"] = f'attachment; filename="{handed.name}"'
    answer["Content-Length"] = str(handed.size)
    for name, value in CLOSED.items():
        answer.headers[name] = value
    return cast("HttpResponse", answer)  # which a streaming one is to whoever sends it
