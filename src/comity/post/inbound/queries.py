"""Reading what came: the webhook that is called, what waits for a human, what became of messages after they left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from comity.post.inbound.models import Arrival, Inbox, Sort
from comity.refs import as_array
from comity.staff.models import Entity
from comity.staff.walls import behind_wall

if TYPE_CHECKING:
    from comity.post.models import Gateway

LATELY: Final = timedelta(days=30)


def hook_called(ref: UUID) -> Inbox | None:
    """Return the webhook of this ref, whoever's it is, if it is in use."""
    return _called(ref, Sort.HOOK)


def folder_called(ref: UUID) -> Inbox | None:
    """Return the folder of messages of this ref, whoever's it is, if it is in use."""
    return _called(ref, Sort.FOLDER)


def _called(ref: UUID, sort: Sort) -> Inbox | None:
    with behind_wall(staff=None, entities=Entity.objects.values_list("ref", flat=True)):
        return Inbox.objects.select_related("entity").filter(ref=ref, sort=sort, ended_at=None).first()


def inboxes_of(entities: Collection[UUID]) -> QuerySet[Inbox]:
    """Return the ways in of these entities, those that ended last."""
    return Inbox.objects.filter(entity__in=list(entities), ended_at=None).select_related("entity")


def inbox_of(entities: Collection[UUID], ref: UUID) -> Inbox | None:
    """Return one way in of these entities."""
    return inboxes_of(entities).filter(ref=ref).first()


def waiting_for(entities: Collection[UUID]) -> QuerySet[Arrival]:
    """Return what waits for a human, the earliest first: whoever answered first is read first."""
    waits = Arrival.objects.filter(entity__in=list(entities), waits=True).select_related("entity", "inbox")
    return waits.order_by("arrived_at", "ref")


# ---------------------------------------------------------------- what became of messages


@dataclass(frozen=True, kw_only=True)
class Returned:
    """How many messages came back, by what became of them; a message counts once in each."""

    sent: int = 0
    delivered: int = 0
    bounced: int = 0  # for good
    passing: int = 0
    complained: int = 0
    refused: int = 0  # by STOP or List-Unsubscribe
    answered: int = 0

    @property
    def bounce_rate(self) -> float:
        """Hundredths of the messages that left."""
        return 100 * self.bounced / self.sent if self.sent else 0.0

    @property
    def complaint_rate(self) -> float:
        """Hundredths of the messages that left. Large providers refuse whoever has more than 0.3 for long."""
        return 100 * self.complained / self.sent if self.sent else 0.0


CAME: Final = """
    SELECT dispatch.{by}, arrival.came, arrival.outcome, count(DISTINCT arrival.message)
    FROM post_arrival AS arrival JOIN post_message AS message ON message.ref = arrival.message
        JOIN post_dispatch AS dispatch ON dispatch.ref = message.dispatch_id
    WHERE dispatch.{by} = ANY (%s::uuid[]) AND arrival.message IS NOT NULL AND arrival.arrived_at > %s GROUP BY 1, 2, 3
"""
SENT: Final = """
    SELECT dispatch.{by}, count(*) FROM post_message AS message
        JOIN post_dispatch AS dispatch ON dispatch.ref = message.dispatch_id
    WHERE dispatch.{by} = ANY (%s::uuid[]) AND message.stage = 'sent' AND message.ended_at > %s GROUP BY 1
"""
COLUMN: Final[Mapping[tuple[str, str], str]] = {
    ("bounce", "hard"): "bounced", ("bounce", "soft"): "passing", ("bounce", "delivered"): "delivered",
    ("complaint", ""): "complained", ("stop", ""): "refused", ("refusal", ""): "refused", ("answer", ""): "answered",
    ("maybe", ""): "answered", ("help", ""): "answered", ("start", ""): "answered",
}  # fmt: skip
BY_DISPATCH, BY_GATEWAY = "ref", "gateway_id"


def returned_of(dispatches: Collection[UUID]) -> dict[UUID, Returned]:
    """Return what came back of each of these dispatches, as far as it is known; behind the wall of their entities."""
    return _returned(BY_DISPATCH, dispatches, timedelta(days=36_500))


def rates_of(gateways: Collection[Gateway]) -> dict[UUID, Returned]:
    """Return what came back of what left by each of these gateways in the last thirty days."""
    return _returned(BY_GATEWAY, [gateway.ref for gateway in gateways], LATELY)


def _returned(by: str, refs: Collection[UUID], within: timedelta) -> dict[UUID, Returned]:
    if not refs:
        return {}
    given = (as_array(refs), timezone.now() - within)
    counted: dict[UUID, Counter[str]] = {ref: Counter() for ref in refs}
    with connection.cursor() as cursor:
        cursor.execute(SENT.format(by=by), given)
        for ref, many in cursor.fetchall():
            counted[ref]["sent"] += many
        cursor.execute(CAME.format(by=by), given)
        for ref, came, outcome, many in cursor.fetchall():
            if name := COLUMN.get((came, outcome)):
                counted[ref][name] += many
    return {ref: Returned(**many) for ref, many in counted.items()}
