"""Pages for people outside: no sign-in, no cookies, nothing from elsewhere; in their language, and quick to leave.

What protects them is the link itself, so nothing about whoever is signed in is looked at, and no page of theirs tells
another site where it was reached from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import translation

LANGUAGE: Final = "language"
"""The word of an address that says in which language the page is read. Without one the browser is asked."""
CLOSED: Final = {
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}
"""The address is a secret: it is told to no other site, found by no search, and kept by no cache."""


@contextmanager
def in_their_language(request: HttpRequest) -> Iterator[None]:
    """Speak the language that the address says, else the one that the browser asks for."""
    chosen = request.GET.get(LANGUAGE, "")
    if chosen not in dict(settings.LANGUAGES):
        chosen = translation.get_language_from_request(request)
    with translation.override(chosen):
        yield


def public_page(request: HttpRequest, template: str, told: Mapping[str, object], *, code: int = 200) -> HttpResponse:
    """Return a page that extends `consent/public_base.html`, without a word about who is signed in."""
    language = translation.get_language() or settings.LANGUAGE_CODE
    more = {"language": language, "others": _others(request, language), "language_query": language_query(request)}
    answer = HttpResponse(render_to_string(template, {**told, **more}), status=code)
    for name, value in {**CLOSED, "Content-Language": language}.items():
        answer.headers[name] = value
    answer._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001 - Django's own mark: no link in a log
    return answer


def language_query(request: HttpRequest) -> str:
    """Return what an address of ours ends with so that the next page speaks the language of this one."""
    chosen = request.GET.get(LANGUAGE, "")
    return f"?{urlencode({LANGUAGE: chosen})}" if chosen in dict(settings.LANGUAGES) else ""


def _others(request: HttpRequest, language: str) -> list[tuple[str, str, str]]:
    """Return the other languages, by code, name and the address of this page in them."""
    return [
        (code, name, f"{request.path}?{urlencode({LANGUAGE: code})}")
        for code, name in settings.LANGUAGES
        if code != language
    ]
