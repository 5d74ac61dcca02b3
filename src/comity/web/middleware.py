"""What happens around every page: the probe of a load balancer, and what a browser may not do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from allauth.usersessions.models import UserSession
from django.http import HttpRequest, HttpResponse

from comity.web.errors import database_answers

Page = Callable[[HttpRequest], HttpResponse]

NOT_NEEDED = ", ".join(f"{feature}=()" for feature in ("camera", "geolocation", "microphone", "payment", "usb"))


def healthz(page: Page) -> Page:
    """Answer /healthz before hosts, sessions and redirects to TLS have a say: whoever asks is a machine beside us.

    /healthz/alive says that this process answers: who gets no answer starts it anew. /healthz says besides that the
    database does: who gets 503 sends people elsewhere meanwhile, and starts nothing anew, since it mends itself.
    """

    def probe(request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz/alive":
            return HttpResponse("alive\n", "text/plain")
        if request.path != "/healthz":
            return page(request)
        well = database_answers()
        return HttpResponse("ok\n" if well else "alive, database gone\n", "text/plain", 200 if well else 503)

    return probe


def permissions_policy(page: Page) -> Page:
    """Forbid what no page of ours needs, and keep pages with people on them out of the browser's store."""

    def closed(request: HttpRequest) -> HttpResponse:
        answer = page(request)
        answer.headers.setdefault("Permissions-Policy", NOT_NEEDED)
        if not request.path.startswith("/static/"):
            answer.headers.setdefault("Cache-Control", "no-store")
        return answer

    return closed


NOTICED_FOR: Final = 60.0
"""Seconds for which a session is known to be in use: to write it down each time costs as much as a small page."""
MOST_NOTICED: Final = 50_000
"""Sessions that one process remembers to have noticed."""


def sessions_noticed(page: Page) -> Page:
    """Let allauth note which sessions are in use, from where, since when: once a minute, not with each page."""
    noticed: dict[str, float] = {}

    def note(request: HttpRequest) -> HttpResponse:
        key, now = request.session.session_key, time.monotonic()
        if key and request.user.is_authenticated and noticed.get(key, 0.0) <= now:
            UserSession.objects.create_from_request(request)
            if len(noticed) >= MOST_NOTICED:
                noticed.clear()
            noticed[key] = now + NOTICED_FOR
        return page(request)

    return note
