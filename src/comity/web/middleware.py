"""What happens around every page: the probe of a load balancer, and what a browser may not do."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from comity.web.errors import database_answers

Page = Callable[[HttpRequest], HttpResponse]

NOT_NEEDED = ", ".join(f"{feature}=()" for feature in ("camera", "geolocation", "microphone", "payment", "usb"))


def healthz(page: Page) -> Page:
    """Answer /healthz before hosts, sessions and redirects to TLS have a say: whoever asks is a machine beside us."""

    def probe(request: HttpRequest) -> HttpResponse:
        if request.path != "/healthz":
            return page(request)
        well = database_answers()
        return HttpResponse("ok\n" if well else "database gone\n", "text/plain", 200 if well else 503)

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
