"""What everybody may read: a published notice at an address that stays, in each of its languages."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.http import require_safe

from comity.consent.notices.blocks import FROM_RIGHT, language_name, spoken
from comity.consent.notices.queries import other_versions, public_version, walls_of_notices
from comity.staff.guards import open_page
from comity.staff.walls import behind_wall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from comity.consent.notices.models import NoticeVersion


@open_page(because="A published notice is for whoever it is about, and they need no leave to read it.")
@require_safe
def read(request: HttpRequest, ref: UUID, language: str = "") -> HttpResponse:
    """Show a version by its ref; by the ref of its notice, the version that is shown to people now."""
    with behind_wall(staff=None, entities=walls_of_notices()):
        version = public_version(ref)
        if version is None or (language and language not in version.languages):
            raise Http404(_("There is no such notice here. Look whether the address is whole."))
        chosen = language or preferred(version.languages, request.headers.get("Accept-Language", ""))
        with translation.override("zh-hans" if spoken(chosen) == "zh" else "en"):
            answer = HttpResponse(render_to_string("consent/notices/public.html", _told(version, chosen)))
    answer.headers["Content-Language"] = chosen
    if not language:
        answer.headers["Vary"] = "Accept-Language"
    return answer


def preferred(languages: Sequence[str], wanted: str) -> str:
    """Return the language that a browser asks for first among these; else the first of them."""
    for tag, _quality in parse_accept_lang_header(wanted):
        for language in languages:
            if language == tag or spoken(language) == spoken(tag):
                return language
    return languages[0]


def _told(version: NoticeVersion, language: str) -> dict[str, object]:
    return {
        "version": version, "entity": version.entity, "parts": version.texts.get(language, []),
        "language": translation.get_language(), "text_language": language,
        "direction": "rtl" if language in FROM_RIGHT else "ltr",
        "others": [
            (code, language_name(code), reverse("consent:notice-public-in", args=[version.ref, code]))
            for code in version.languages if code != language
        ],
        "versions": other_versions(version), "fingerprint": bytes(version.fingerprint or b"").hex(),
    }  # fmt: skip
