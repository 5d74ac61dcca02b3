"""The pages of other channels, as staff go through them: gateway, template, campaign, wordings, list, outcome."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from django.test import Client
from pytest_django import Settings

from comity.book.opening import Look
from comity.outreach.campaigns.models import Campaign, Template
from comity.post.models import ClosedList, Dispatch, Gateway
from comity.staff.models import Entity
from tests.outreach.campaigns.test_channels import BODY, look, people
from tests.post.writing import send_all
from tests.staff.people import client_of, make_staff

__all__ = ["look", "people"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tom_at(look: Look, settings: Settings) -> Client:
    settings.SECOND_FACTOR = "optional"
    return client_of(look.viewer)


def test_an_administrator_adds_a_gateway_of_any_kind_and_no_secret_is_in_the_database(
    firm: Entity, settings: Settings
) -> None:
    settings.SECOND_FACTOR = "optional"
    lin = client_of(make_staff("administrator"))
    there = f"/campaigns/sending/{firm.ref}/way/twilio/"
    wrong = lin.post(there, {"name": "Texts", "account": "AC1", "sender": "Acme", "secret": "a-token"})
    assert b"AC and 32 letters" in wrong.content
    told = {"name": "Texts", "account": "AC" + "0" * 32, "sender": "Acme", "secret": "a-very-secret-token"}
    assert lin.post(there, told).status_code == 302
    made = Gateway.objects.get()
    assert (made.channel, made.kind) == ("sms", "twilio")
    assert "a-very-secret-token" not in str(Gateway.objects.values().get())
    assert lin.get("/campaigns/sending/").content.count(b"Texts") == 1
    assert lin.get(f"/campaigns/sending/{firm.ref}/way/given/").status_code == 404


def test_a_call_campaign_goes_from_its_template_to_its_closed_list_and_its_outcome(
    tom_at: Client, people: dict[str, UUID], firm: Entity
) -> None:
    way = Gateway.objects.create(entity=firm, channel="call", kind="call-list", name="Calls", settings={})
    began = tom_at.post("/campaigns/templates/new/", {"name": "Calls", "channel": "call", "language": "en"})
    tom_at.post(began["Location"], {"body": BODY})
    template = Template.objects.get()
    assert b"our kettles are back" in tom_at.get(f"/campaigns/templates/{template.ref}/").content
    told = {"name": "Autumn calls", "purpose": "marketing", "channel": "call", "template": str(template.ref)}
    assert b"another channel" in tom_at.post("/campaigns/new/?", told | {"channel": "sms"}).content
    page = tom_at.post("/campaigns/new/?", told)["Location"]
    tom_at.post(f"{page}way/", {"gateway": str(way.ref)})
    tom_at.post(f"{page}wordings/")
    tom_at.post(f"{page}wordings/1/en/", {"body": "{given|}: other words."})
    tom_at.post(f"{page}audience/")
    example = tom_at.get(f"{page}example/en/?wording=1").content.decode()
    assert "other words" in example
    assert "Germany" in example
    assert "Send to 5 people" in tom_at.get(page).content.decode()
    tom_at.post(f"{page}send/")
    send_all(Dispatch.objects.select_related("entity", "staff", "gateway").get())
    waiting = tom_at.get(page).content.decode()
    assert "5 rows wait for their list" in waiting
    tom_at.post(f"{page}lists/")
    assert ClosedList.objects.get().rows == len(people) - 1
    assert str(ClosedList.objects.get().ref) in tom_at.get(page).content.decode()
    outcome = tom_at.get(f"{page}results/").content.decode()
    assert "Germany" in outcome
    assert re.search(r"<svg class=\"over-time\"", outcome)
    assert "What is seen may be chance." in outcome
    assert Campaign.objects.get().channel == "call"


def test_a_text_is_measured_before_it_goes(tom_at: Client, people: dict[str, UUID]) -> None:
    del people
    page = tom_at.post("/campaigns/new/?", {"name": "Texts", "purpose": "marketing", "channel": "sms"})["Location"]
    form = tom_at.get(f"{page}words/en/").content
    assert b'name="subject"' not in form
    tom_at.post(f"{page}words/en/", {"body": "Kettles are back. " * 12})
    tom_at.post(f"{page}audience/")
    example = tom_at.get(f"{page}example/en/").content.decode()
    assert "GSM-7" in example
    assert "in 2 parts" in example
