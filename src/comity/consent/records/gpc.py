"""Global Privacy Control: a browser's request not to sell or share what is known of its owner, heard and acted on.

By the W3C's specification (w3c.github.io/gpc): the header Sec-GPC with exactly the value 1, and a resource at
/.well-known/gpc.json that says that we heed it.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from django.db import transaction
from django.db.models.functions import Now
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from comity.book.editing.history import keep_past
from comity.book.models import Person
from comity.consent.actions import About, body_of
from comity.consent.models import Consent, Said, Standing
from comity.counsel.duties import note_event
from comity.ledger.actions import record
from comity.ledger.bodies import JSON
from comity.ledger.journal.keeping import keep_after_commit
from comity.staff.guards import open_page
from comity.staff.models import Entity

HEADER: Final = "Sec-GPC"
SET: Final = "1"
SOURCE: Final = "Global Privacy Control"
PURPOSE, CHANNEL = "targeted-advertising", "none"
"""Selling and sharing for advertising, as the questions about them are asked."""
STATED_ON: Final = date(2026, 11, 22)
"""The day since which we say that we heed the signal as we do; a change of what it does here changes it."""
A_DAY: Final = 86_400


def has_signal(request: HttpRequest) -> bool:
    """Tell whether a request carries the signal. Any value but exactly 1 is as none; of several headers, one suffices.

    Servers join headers of one name with commas.
    """
    return SET in [value.strip(" \t") for value in request.headers.get(HEADER, "").split(",")]


@open_page(because="It says that we heed Global Privacy Control, and names nobody.")
@require_safe
@cache_control(public=True, max_age=A_DAY)
def support(request: HttpRequest) -> JsonResponse:
    """Say that the signal is heeded, and since which day this is said."""
    del request
    return JsonResponse({"gpc": True, "lastUpdate": STATED_ON.isoformat()})


# ---------------------------------------------------------------- acting on it


def honour_signal(*, person: Person, entity: Entity, at: datetime) -> bool:
    """Take the signal of somebody whom we know for their no to selling and sharing; return whether it was news."""
    return refuse_selling(person=person, entity=entity, at=at, signal=True, source=SOURCE)


@transaction.atomic
def refuse_selling(*, person: Person, entity: Entity, at: datetime, signal: bool, source: str) -> bool:
    """Record that a browser or a website passed on somebody's no to selling and sharing; return whether it was news.

    It overrules a yes that was said earlier, and comes with every page: what was heard already changes nothing. A
    browser has not spoken to us, so it says nothing of other opt-outs that may stand elsewhere. `signal` if it came as
    a universal opt-out signal.
    """
    held = Person.objects.select_for_update(of=("self",)).get(ref=person.ref)
    first = signal and (held.opt_out_signal_at is None or at < held.opt_out_signal_at)
    consent = _refuse(About(person=held.ref, entity=entity, purpose=PURPOSE, channel=CHANNEL), at, source)
    if not first and consent is None:
        return False
    if first:
        keep_past([held])
        Person.objects.filter(ref=held.ref).update(opt_out_signal_at=at, changed_at=Now())
    body: dict[str, JSON] = {
        "entity": entity.ref, "at": at, "consent": consent.ref if consent else None, "signal": signal
    }  # fmt: skip
    record(kind="consent.signal-honoured", persons=[held.ref], body=body)
    keep_after_commit()
    _owe(held, entity, at, signal=signal)
    return True


def _refuse(about: About, at: datetime, source: str) -> Consent | None:
    """Record the no, unless one stands or a later yes overrules it."""
    which: dict[str, Any] = {
        "person": about.person, "entity": about.entity, "purpose": about.purpose, "channel": about.channel
    }  # fmt: skip
    Standing.objects.get_or_create(**which)
    standing = Standing.objects.select_for_update().get(**which)
    given = standing.given
    if standing.opted_out_on is not None or (given and given.said_at > at):
        return None
    said = Said.WITHDRAWN if given else Said.REFUSED
    consent = Consent.objects.create(**which, said=said, said_at=at, source=source)
    standing.withdrawn = standing.withdrawn or given is not None
    standing.given, standing.opted_out_on = None, at.date()
    standing.save()
    body = body_of(consent=consent.ref, said=said, purpose=PURPOSE, channel=CHANNEL, entity=about.entity)
    record(kind="consent.said", persons=[about.person], body=body)
    return consent


def _owe(person: Person, entity: Entity, at: datetime, *, signal: bool) -> None:
    """Keep what we owe since, with its day."""
    told = {
        "event.kind": "opt-out-received", "event.request": "opt-out", "event.on": timezone.localtime(at).date(),
        "person.opt_out_signal": signal or person.opt_out_signal_at is not None, "use.purpose": PURPOSE,
        "use.channel": CHANNEL,
    }  # fmt: skip
    note_event(event=told, entity=entity, about=person.ref, persons=[person.ref], staff=None)
