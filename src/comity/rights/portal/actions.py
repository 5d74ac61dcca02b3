"""Opening and closing people's own pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from comity.ledger.actions import record
from comity.rights.portal.models import Portal

if TYPE_CHECKING:
    from comity.post.models import Gateway
    from comity.staff.models import Entity, Staff


@transaction.atomic
def open_portal(*, entity: Entity, gateway: Gateway, opened_by: Staff) -> Portal:
    """Let people sign in at an entity from now on: codes go out by this gateway, in the name of whoever opens."""
    now = timezone.now()
    parts = {"gateway": gateway, "sender": opened_by, "opened_at": now, "closed_at": None}
    portal, _new = Portal.objects.update_or_create(entity=entity, defaults=parts)
    record(kind="rights.portal-opened", staff=opened_by.ref, body={"entity": entity.ref, "gateway": gateway.ref})
    return portal


@transaction.atomic
def close_portal(*, portal: Portal, closed_by: Staff) -> None:
    """Let nobody sign in any more. Visits that go on end by themselves."""
    Portal.objects.filter(pk=portal.pk, closed_at=None).update(closed_at=timezone.now())
    record(kind="rights.portal-closed", staff=closed_by.ref, body={"entity": portal.entity_id})
