"""What staff see of when messages may go: hours, limits and throttles of their entities, and how gateways fare."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Count, Q
from django.utils import timezone

from comity.post.models import Gateway
from comity.post.pacing.models import Bucket, Health, Restraint, Throttle
from comity.staff.guards import entities_with
from comity.staff.queries import entities_seen_by

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from comity.staff.models import Entity, Staff

WORD = "gateway.change"


@dataclass(frozen=True, kw_only=True)
class Pace:
    """A gateway as the page shows it."""

    gateway: Gateway
    throttle: Throttle | None
    health: Health | None
    slow_domains: int

    @property
    def rests_until(self) -> datetime | None:
        """Until when it rests, if it does now."""
        until = self.health.until if self.health else None
        return until if until and until > timezone.now() else None


def entities_paced_by(viewer: Staff) -> QuerySet[Entity]:
    """Return the entities for which somebody says when messages may go."""
    return entities_seen_by(viewer).filter(ref__in=entities_with(viewer, WORD)).order_by("name")


def gateways_paced_by(viewer: Staff) -> QuerySet[Gateway]:
    """Return the gateways in use of these entities."""
    return Gateway.objects.filter(entity__in=entities_with(viewer, WORD), ended_at=None)


def restraints_seen_by(viewer: Staff) -> QuerySet[Restraint]:
    """Return what these entities ask of themselves."""
    return Restraint.objects.filter(entity__in=entities_with(viewer, WORD)).order_by("channel")


def restraint_of(viewer: Staff, entity: UUID, channel: str) -> Restraint | None:
    """Return what an entity asks of itself by a channel, if somebody said so."""
    return restraints_seen_by(viewer).filter(entity=entity, channel=channel).first()


def throttle_of(gateway: Gateway) -> Throttle | None:
    """Return how many messages a gateway takes, if somebody said so."""
    return Throttle.objects.filter(gateway=gateway).first()


def paces_seen_by(viewer: Staff) -> dict[UUID, list[Pace]]:
    """Return the gateways with their throttles and how they fare, by entity."""
    gateways = list(gateways_paced_by(viewer))
    throttles = Throttle.objects.in_bulk([one.ref for one in gateways])
    healths = Health.objects.in_bulk([one.ref for one in gateways])
    slow = dict(
        Bucket.objects.filter(Q(spacing__gt=0), gateway__in=gateways)
        .values_list("gateway")
        .annotate(many=Count("*"))
        .values_list("gateway", "many")
    )
    found: dict[UUID, list[Pace]] = {}
    for one in gateways:
        pace = Pace(
            gateway=one, throttle=throttles.get(one.ref), health=healths.get(one.ref), slow_domains=slow.get(one.ref, 0)
        )
        found.setdefault(one.entity_id, []).append(pace)
    return found
