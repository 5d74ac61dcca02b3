"""The few pages that belong to no room: language, theme, the palette, the styleguide."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language
from django.views.decorators.http import require_POST

from comity.staff.guards import StaffRequest, open_page, staff_page
from comity.web.guide import guide
from comity.web.shell import DEEDS, THEME_COOKIE, THEMES, entries

A_YEAR = 365 * 24 * 60 * 60
CHOICE = "a choice of this browser, about nobody"


@staff_page(may="desk.view")
def first(request: StaffRequest) -> HttpResponse:
    """Open the first page somebody may see."""
    ways = entries(request.staff, "")
    return redirect(ways[0].address if ways else "staff:own")


@open_page(because=CHOICE)
@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Keep the language in this browser."""
    answer = redirect(_back(request))
    if check_for_language(language := request.POST.get("language", "")):
        _keep(answer, settings.LANGUAGE_COOKIE_NAME, language)
    return answer


@open_page(because=CHOICE)
@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Keep the theme in this browser."""
    answer = redirect(_back(request))
    if (theme := request.POST.get("theme", "")) in THEMES:
        _keep(answer, THEME_COOKIE, theme)
    return answer


@staff_page(may="desk.view")
def palette(request: StaffRequest) -> HttpResponse:
    """List the rooms and deeds whose name has the words."""
    words = request.GET.get("q", "").strip().casefold()
    known = [*entries(request.staff, ""), *entries(request.staff, "", DEEDS)]
    found = [entry for entry in known if words in str(entry.name).casefold()]
    return render(request, "comity/palette_list.html", {"found": found})


@staff_page(may="styleguide.view")
def styleguide(request: StaffRequest) -> HttpResponse:
    """Show every component in all its states."""
    return render(request, "web/styleguide.html", {"guide": guide()})


@open_page(because="there is nothing to see")
def nothing_here(_request: HttpRequest) -> HttpResponse:
    raise Http404


def _back(request: HttpRequest) -> str:
    to = request.POST.get("next", "/")
    return to if url_has_allowed_host_and_scheme(to, {request.get_host()}, request.is_secure()) else "/"


def _keep(answer: HttpResponse, cookie: str, value: str) -> None:
    answer.set_cookie(cookie, value, A_YEAR, secure=settings.TLS, httponly=True, samesite="Lax")
