"""Reading what people said."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from comity.consent.models import Consent

if TYPE_CHECKING:
    from comity.staff.models import Entity


def said_to(entity: Entity, person: UUID, ref: UUID) -> Consent | None:
    """Return one thing that a person said to an entity, if it counts."""
    return Consent.objects.counting().filter(ref=ref, person=person, entity=entity).first()
