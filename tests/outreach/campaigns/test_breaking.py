"""Trying to break campaigns: whoever has the words for one entity acts on a campaign of another."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from comity.book.opening import Look
from comity.outreach.campaigns.models import Campaign
from comity.staff.models import Entity, RoleGrant, Staff
from tests.outreach.campaigns.test_sending import a_campaign, imprint, look, people
from tests.staff.people import client_of, make_staff

__all__ = ["imprint", "look", "people"]
pytestmark = pytest.mark.django_db(transaction=True)
PAGES = ("words/en", "wordings/1/en")
ACTS = (
    "audience", "way", "ticks", "approval", "send", "turn/stop", "lists", "try/0/en", "keep", "wordings",
    "wordings/1/drop", *PAGES,
)  # fmt: skip


@pytest.fixture
def nina(firm: Entity) -> Staff:
    """Writes to many for another entity; for Dublin she only helps customers."""
    other = Entity.objects.create(name="Comity Berlin GmbH", place="DE")
    made = make_staff("marketing", entity=other, name="Nina Other")
    RoleGrant.objects.create(staff=made, role="support", entity=firm, reason="tests", begins_at=timezone.now())
    return made


@pytest.mark.usefixtures("imprint", "people")
@pytest.mark.parametrize("act", ACTS)
def test_a_word_for_one_entity_changes_no_campaign_of_another(
    act: str, nina: Staff, look: Look, settings: Settings
) -> None:
    settings.SECOND_FACTOR = "optional"
    campaign = a_campaign(look)
    before = Campaign.objects.filter(pk=campaign.pk).values().get()
    told = {
        "gateway": str(campaign.gateway_id),
        "reason": "News",
        "subject": "Hello",
        "body": "Hello",
        "key": "x",
        "name": "x",
    }
    answer = client_of(nina).post(f"/campaigns/{campaign.ref}/{act}/", told)
    assert answer.status_code in {403, 404}
    assert Campaign.objects.filter(pk=campaign.pk).values().get() == before


@pytest.mark.usefixtures("imprint")
@pytest.mark.parametrize("act", [act for act in ACTS if act not in PAGES])
def test_nothing_is_done_by_a_get_or_from_another_site(
    act: str, people: dict[str, UUID], look: Look, settings: Settings
) -> None:
    del people
    settings.SECOND_FACTOR = "optional"
    campaign = a_campaign(look)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(look.viewer, "allauth.account.auth_backends.AuthenticationBackend")
    assert client_of(look.viewer).get(f"/campaigns/{campaign.ref}/{act}/").status_code == 405
    assert strict.post(f"/campaigns/{campaign.ref}/{act}/").status_code == 403
