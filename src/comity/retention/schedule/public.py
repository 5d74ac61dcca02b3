"""The policy as everybody may read it: what an entity keeps, what for, by which law, how long, and how it goes."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from comity.consent.preferences.public import in_their_language
from comity.retention.schedule.categories import PEOPLE
from comity.retention.schedule.policy import policy
from comity.retention.schedule.queries import entity_named, languages_of
from comity.staff.guards import open_page

MAX_AGE: Final = 600
"""Seconds for which a browser may keep the page: it is the same for everybody."""


@open_page(because="How long data is kept is for whoever it is about, and they need no leave to read it.")
@require_safe
def read(request: HttpRequest, entity: UUID) -> HttpResponse:
    """Show the policy of one entity of ours, in the language that is asked for."""
    with in_their_language(request):
        found = entity_named(entity)
        if found is None:
            raise Http404(_("There is no such policy here. Look whether the address is whole."))
        language, today = translation.get_language(), timezone.localdate()
        entries = policy(found, today)
        told = {
            "entity": found, "language": language, "others": languages_of(request.path, language), "today": today,
            "people": [one for one in entries if one.category.about == PEOPLE],
            "us": [one for one in entries if one.category.about != PEOPLE],
        }  # fmt: skip
        answer = HttpResponse(render_to_string("retention/policy.html", told))
    answer.headers["Content-Language"] = str(language)
    answer.headers["Cache-Control"] = f"public, max-age={MAX_AGE}"
    answer.headers["Vary"] = "Accept-Language"
    return answer
