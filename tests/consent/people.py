"""What people say in these tests, on a Monday."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from comity.consent.actions import About, give_consent
from comity.consent.models import Consent
from comity.staff.models import Entity

MONDAY = datetime(2026, 11, 16, 10, tzinfo=UTC)


def about(person: UUID, firm: Entity) -> About:
    return About(person=person, entity=firm, purpose="marketing", channel="email")


def says_yes(person: UUID, firm: Entity, at: datetime = MONDAY) -> Consent:
    return give_consent(
        about=about(person, firm), said_at=at, notice="Newsletter v3", source="Website form", heard_by=None,
        express=True, separate=True,
    )  # fmt: skip
