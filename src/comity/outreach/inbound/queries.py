"""What waits to be read, by whom it may be read, and how well each way out is received."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext_lazy as _

from comity.outreach.inbound.actions import WORD
from comity.post.inbound.answers import typed
from comity.post.inbound.mime import read, words_of
from comity.post.inbound.models import Arrival, Inbox
from comity.post.inbound.queries import Returned, inboxes_of, rates_of, waiting_for
from comity.post.inbound.understanding import Came
from comity.post.models import Gateway
from comity.staff.guards import entities_with

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from comity.staff.models import Entity, Staff

CAME: Final = {
    Came.MAYBE: _("An answer that may be a no"), Came.ANSWER: _("An answer"), Came.STOP: _("A no"),
    Came.REFUSAL: _("A no"), Came.START: _("Somebody wants it back"), Came.HELP: _("Somebody asks for help"),
    Came.UNKNOWN: _("Mail that could not be read"), Came.BOUNCE: _("A report of a server"),
    Came.COMPLAINT: _("A complaint"), Came.MACHINE: _("An automatic answer"),
}  # fmt: skip
LONGEST: Final = 8_000
MANY: Final = 200
"""Answers that are listed at once; the others come when these are read."""


def answers_seen_by(viewer: Staff) -> QuerySet[Arrival]:
    """Return what somebody may settle, the earliest first."""
    return waiting_for(entities_with(viewer, WORD))


def one_answer(viewer: Staff, ref: UUID) -> Arrival:
    """Return one arrival that waits. Raises Http404."""
    found = answers_seen_by(viewer).filter(ref=ref).first()
    if found is None:
        raise Http404
    return found


def came_in_words(arrival: Arrival) -> str:
    """Return what something is, in words."""
    return str(CAME.get(Came(arrival.came), arrival.came))


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What came, as whoever settles it reads it."""

    sender: str
    subject: str
    text: str


def letter_of(raw: bytes) -> Letter:
    """Return what came as text; where it is none, its first letters as they are."""
    message = read(raw)
    text = typed(message) or words_of(message) or raw.decode("utf-8", "replace")
    return Letter(sender=message.head("from")[:300], subject=message.head("subject")[:300], text=text[:LONGEST])


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way out, and what came back of what left by it in the last thirty days."""

    gateway: Gateway
    returned: Returned


@dataclass(frozen=True, kw_only=True)
class Ways:
    """The ways in and out of one entity."""

    entity: Entity
    inboxes: Sequence[Inbox]
    out: Sequence[Way]


def ways_of(entities: Iterable[Entity]) -> list[Ways]:
    """Return the ways of these entities."""
    those = list(entities)
    refs = [entity.ref for entity in those]
    gateways = list(Gateway.objects.filter(entity__in=refs, ended_at=None))
    inboxes, returned = list(inboxes_of(refs)), rates_of(gateways)
    return [
        Ways(
            entity=entity, inboxes=[one for one in inboxes if one.entity_id == entity.ref],
            out=[Way(gateway=one, returned=returned[one.ref]) for one in gateways if one.entity_id == entity.ref],
        )
        for entity in those
    ]  # fmt: skip
