"""What a human says of an answer that no program may settle: it is a no, or it is none. Either way it waits no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.consent.actions import MARKETING
from comity.consent.suppression.marks import Mark
from comity.ledger.actions import record
from comity.outreach.inbound.acting import Known, take_no
from comity.post.inbound.actions import settle
from comity.post.inbound.models import Addressed, Arrival
from comity.post.inbound.originals import original_of
from comity.post.inbound.understanding import Came
from comity.staff.guards import demand

if TYPE_CHECKING:
    from comity.staff.models import Staff

WORD = "answer.settle"


class NobodyKnown(ValidationError):
    """Nobody can tell whose no it would be; the message says what to do."""


@transaction.atomic
def settle_as_no(*, arrival: Arrival, by: Staff) -> None:
    """Take it as a no of whoever answered, and of the address that they were written to at. Raises NobodyKnown."""
    demand(by, WORD, arrival.entity)
    known = _known(arrival)
    if known is None:
        raise NobodyKnown(_("Nobody can tell whose answer it is. Leave the address alone instead, or find the person."))
    if settle(arrival=arrival, by=by):
        take_no(entity=arrival.entity, known=known, came=Came.MAYBE, at=timezone.now(), heard_by=by)


def settle_as_seen(*, arrival: Arrival, by: Staff) -> None:
    """Say that it was read and is no no, or is settled elsewhere: what was held goes on."""
    demand(by, WORD, arrival.entity)
    settle(arrival=arrival, by=by)


@transaction.atomic
def open_original(*, arrival: Arrival, by: Staff) -> bytes | None:
    """Return what came, as it came, and put on record that it was opened; nothing where none is kept."""
    demand(by, WORD, arrival.entity)
    raw = original_of(arrival)
    if raw is not None:
        record(kind="outreach.original-opened", staff=by.ref, body={"arrival": arrival.ref})
    return raw


def _known(arrival: Arrival) -> Known | None:
    if not arrival.digest:
        return None
    mark = Mark(arrival.reach, bytes(arrival.digest))
    written = Addressed.objects.filter(message=arrival.message).first() if arrival.message else None
    return Known(
        mark=mark, persons=[arrival.person] if arrival.person else [], message=arrival.message,
        purpose=written.purpose if written else MARKETING,
        channel=written.channel if written else arrival.inbox.channel,
    )  # fmt: skip
