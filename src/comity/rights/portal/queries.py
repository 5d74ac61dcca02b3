"""Reading how people come to their own pages, and how else an entity of ours is reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext as _

from comity.post.letterheads import letterhead_of
from comity.post.models import Gateway
from comity.rights.portal.models import Portal
from comity.rights.portal.signing_in import hindrances
from comity.staff.guards import entities_with
from comity.staff.models import Entity

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from comity.staff.models import Staff

SEES, OPENS = "request.view", "request.decide"


def portal_of(entity: Entity) -> Portal | None:
    """Return how people sign in at an entity, if that was opened."""
    return Portal.objects.select_related("entity", "gateway", "sender").filter(entity=entity).first()


def ways_to(entity: Entity) -> Mapping[str, str]:
    """Return how people reach an entity without any page: by post and otherwise."""
    head = letterhead_of(entity)
    if head is None:
        return {}
    return {"post": ", ".join(head.postal_address), "else": " · ".join(head.contacts)}


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One entity's pages, as our staff see them: whether they are open, and what keeps them from it."""

    entity: Entity
    portal: Portal | None
    lacks: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        """Whether people can sign in now."""
        return not self.lacks


def portals_seen_by(viewer: Staff) -> list[Standing]:
    """Return the pages of the entities for which somebody may see requests."""
    return [_standing(entity) for entity in Entity.objects.filter(ref__in=entities_with(viewer, SEES), closed_at=None)]


def portal_seen_by(viewer: Staff, ref: UUID) -> Standing:
    """Return the pages of one entity for which somebody may open them. Raises Http404."""
    entity = Entity.objects.filter(ref=ref, ref__in=entities_with(viewer, OPENS), closed_at=None).first()
    if entity is None:
        raise Http404(_("There is nothing here, or it is about an entity for which you do not act."))
    return _standing(entity)


def _standing(entity: Entity) -> Standing:
    portal = portal_of(entity)
    return Standing(entity=entity, portal=portal, lacks=tuple(hindrances(entity=entity, portal=portal)))


def ways_out(entity: Entity) -> QuerySet[Gateway]:
    """Return the gateways by which codes of an entity can go out."""
    return Gateway.objects.filter(entity=entity, channel="email", ended_at=None)
