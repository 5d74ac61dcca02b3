"""What takes effect the day it is asked: opt-outs, limits, objections, withdrawals. None of them waits for an identity.

It takes effect for the address that was given, whoever it belongs to, and for the person as soon as it is known who
that is: from the day on which the request came.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time
from typing import TYPE_CHECKING, Final, cast

from django.db.models import Q
from django.utils import timezone

from comity.book.editing.actions import lock
from comity.book.models import Reach
from comity.consent.actions import MARKETING, NO_CHANNEL, About, object_to_marketing, withdraw_consent
from comity.consent.models import Standing
from comity.consent.preferences.actions import EVERY_WAY
from comity.consent.preferences.wording import PURPOSES
from comity.consent.suppression.actions import suppress
from comity.consent.suppression.marks import Unclear, mark_of
from comity.consent.suppression.models import Cause
from comity.counsel.questions import ADVERTISING
from comity.rights.requests.models import Kind, Request

if TYPE_CHECKING:
    from uuid import UUID

    from comity.consent.suppression.marks import Mark
    from comity.staff.models import Staff

AT_ONCE: Final = frozenset({Kind.OPT_OUT, Kind.LIMIT, Kind.OBJECTION, Kind.WITHDRAWAL})
"""What never waits for an identity."""
CHOSEN_FOR_THEM: Final = "targeted-advertising"
"""The purpose that an opt-out ends by whatever channel; other data are sold and shared by none."""
Cell = tuple[str, str]
"""A purpose and a channel."""


def said_at(request: Request) -> datetime:
    """Return the moment from which it counts: a no of today now, an earlier one at the end of its day."""
    end = timezone.make_aware(datetime.combine(request.received_on, time.max))
    return min(end, timezone.now())


def take_effect(request: Request, by: Staff | None) -> int:
    """Let what somebody said no to end; return how many uses did. The person is known."""
    if request.person is None or request.kind not in AT_ONCE:
        return 0
    lock(request.person)
    at = said_at(request)
    cells = sorted(set(_cells(request)))
    ended = sum(_refuse(request, cell, at, by) for cell in cells)
    if request.kind == Kind.OBJECTION and ADVERTISING & set(purposes_of(request)):
        object_to_marketing(
            person=request.person, entity=request.entity, said_at=at, source=source_of(request), heard_by=by
        )
        ended += 1
    return ended


def _refuse(request: Request, cell: Cell, at: datetime, by: Staff | None) -> bool:
    """Record one no, unless it stands; the request itself is the event for which the law counts what we owe."""
    about = About(person=cast("UUID", request.person), entity=request.entity, purpose=cell[0], channel=cell[1])
    known = Standing.objects.filter(person=about.person, entity=about.entity, purpose=cell[0], channel=cell[1])
    if known.filter(Q(withdrawn=True) | Q(opted_out_on__isnull=False)).exists():
        return False
    withdraw_consent(about=about, said_at=at, source=source_of(request), heard_by=by)
    return True


def shut_addresses(request: Request, reach: Mapping[str, str], by: Staff | None) -> int:
    """Put the addresses that came with an objection on the list of those that get no advertising; return how many."""
    if request.kind != Kind.OBJECTION or not ADVERTISING & set(purposes_of(request)):
        return 0
    marks = list(_marks(reach, request.wants.get("home", "")))
    if not marks:
        return 0
    return suppress(
        entity=request.entity, marks=marks, cause=Cause.OPTED_OUT, source=source_of(request), since=said_at(request),
        added_by=by,
    )  # fmt: skip


def purposes_of(request: Request) -> list[str]:
    """Return what somebody said no to, by its purposes: those they named, or all that such a request is about."""
    named = list(request.wants.get("purposes", ()))
    if named:
        return named
    return [MARKETING] if request.kind == Kind.OBJECTION else list(PURPOSES)


def source_of(request: Request) -> str:
    """Return how it was said, so that it is found again."""
    return f"Request {request.ref}"


def _cells(request: Request) -> Iterator[Cell]:
    """Give what ends, apart from what an objection to advertising ends by itself."""
    if request.kind == Kind.WITHDRAWAL:
        yield from _given(request)
        return
    for purpose in purposes_of(request):
        if request.kind == Kind.OBJECTION and purpose in ADVERTISING:
            continue
        yield from ((purpose, channel) for channel in _channels(request, purpose))


def _channels(request: Request, purpose: str) -> Sequence[str]:
    if request.kind in {Kind.OPT_OUT, Kind.LIMIT} and purpose != CHOSEN_FOR_THEM:
        return [NO_CHANNEL]
    return list(request.wants.get("channels", ())) or EVERY_WAY


def _given(request: Request) -> Iterator[Cell]:
    person = cast("UUID", request.person)
    rows = Standing.objects.filter(person=person, entity=request.entity, given__isnull=False)
    for row in rows:
        named, by = request.wants.get("purposes"), request.wants.get("channels")
        if (not named or row.purpose in named) and (not by or row.channel in by):
            yield row.purpose, row.channel


def _marks(reach: Mapping[str, str], home: str) -> Iterator[Mark]:
    for way in (Reach.EMAIL, Reach.PHONE):
        if value := reach.get(way.value):
            try:
                yield mark_of(way, value, places=[home] if home else [])
            except Unclear:
                continue  # an address that cannot be spelled is none that we could write to
