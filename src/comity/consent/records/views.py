"""What a person said, as records that can be handed out: to them, to an auditor, to a clinic's system."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING
from uuid import UUID

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from comity.book.editing.views import back_to
from comity.book.editing.whole import look_at, person_of
from comity.consent.queries import said_to
from comity.consent.records.handing import FORMS, hand_out
from comity.consent.records.queries import gpp_of
from comity.consent.records.receipts import said_by
from comity.refs import shown
from comity.staff.guards import StaffRequest, demand, staff_page

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from comity.book.opening import Look
    from comity.consent.models import Consent

WORD = "consent.view"


@staff_page(may=WORD)
@require_safe
def records(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show what somebody said, by what it is about, with the files that can be handed out."""
    look = _look(request, ref)
    person = person_of(look, ref)
    told = {
        "person": person, "look": look, "query": back_to(request, look), "groups": list(_groups(look, ref)),
        "back": f"{reverse('desk:person', args=[ref])}?{back_to(request, look)}",
        "forms": FORMS, "gpp": gpp_of(person, look.entity, told=False),
    }  # fmt: skip
    return render(request, "consent/records.html", told)


def _look(request: StaffRequest, ref: UUID) -> Look:
    look = look_at(request, ref)
    demand(look.viewer, WORD, look.entity)
    return look


def _groups(look: Look, ref: UUID) -> Iterator[tuple[str, str, Sequence[Consent]]]:
    for (purpose, channel), rows in groupby(said_by(ref, look.entity), key=lambda row: (row.purpose, row.channel)):
        yield purpose, channel, list(rows)


@staff_page(may=WORD)
@require_safe
def record_file(request: StaffRequest, ref: UUID, form: str, said: UUID | None = None) -> HttpResponse:
    """Hand out one consent, or all, as a file. It is called by refs, and names nobody."""
    if form not in FORMS:
        raise Http404(_("There are receipts, records and FHIR bundles."))
    look = _look(request, ref)
    person_of(look, ref)
    consent = said_to(look.entity, ref, said) if said else None
    if said and (consent is None or FORMS[form].of_one is None):
        raise Http404(_("Nothing of the kind is on record. It may have been put in order meanwhile."))
    told = hand_out(
        form=form, person=ref, entity=look.entity, consent=consent, handed_by=look.viewer, at=timezone.now()
    )
    media = FORMS[form].media
    name = f"{form}-{shown(said or ref)}.{'json' if form == 'fhir' else 'jsonld'}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    style = {"ensure_ascii": False, "indent": 2}
    return JsonResponse(told, content_type=media, headers=headers, json_dumps_params=style)
