"""Campaigns in a real browser: the Send button that says no with its article, the cure, the message, the next no."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from comity.outreach.campaigns import dispatching
from comity.outreach.campaigns.dispatching import begin_asked
from comity.outreach.campaigns.models import Campaign, Imprint
from comity.post.models import Dispatch
from comity.staff.models import Entity, Staff
from tests.browser import PHONE, found_by_axe, wider_than_screen
from tests.post.relays import Kept, relay
from tests.post.test_handing import withdraw
from tests.post.writing import germans, says_yes, send_all, stages, way_out
from tests.staff.people import make_staff

pytestmark = pytest.mark.django_db(transaction=True)
LINK = re.compile(r"<(http[^>]+)>")


def the_dispatch() -> Dispatch:
    return Dispatch.objects.select_related("entity", "staff", "gateway").latest("begun_at")


@pytest.fixture
def ready(firm: Entity, live_server: LiveServer, settings: Settings) -> Entity:
    settings.ADDRESS = urlsplit(live_server.url)
    settings.SECOND_FACTOR = "optional"
    Imprint.objects.create(entity=firm, address="news@comity.example", postal_address="1 Quay Street\nDublin")
    return firm


def campaign_of(page: Page, name: str, list_: str) -> None:
    """Make a campaign to a list, up to what the law says of its people."""
    page.goto(f"/people/?{list_}")
    page.get_by_role("link", name="Write to them").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("link", name="Write it").click()
    page.get_by_label("Subject").fill("Kettles are back")
    page.get_by_label("Message").fill("Dear {given|friend},\n\nour kettles are **back**.\n\n{entity}")
    page.get_by_role("button", name="Keep").click()
    page.get_by_role("button", name="Choose").click()
    page.get_by_role("button", name="Ask the law").click()


def test_the_button_says_no_with_its_article_and_offers_the_lawful_way_and_a_no_stops_the_next(
    signed_in: Callable[[Staff], Page], ready: Entity, tom: Staff, greta: UUID
) -> None:
    page = signed_in(tom)
    with relay() as (kept, port):
        way_out(ready, port=port)
        campaign_of(page, "Autumn", "home=DE")
        expect(page.get_by_role("button", name="Send to")).to_have_count(0)
        expect(page.get_by_text("The law permits this message to nobody on the list.")).to_be_visible()
        expect(page.get_by_text("UWG § 7(2) no. 2").first).to_be_visible()
        expect(page.get_by_text("Ask for consent where the person next meets you").first).to_be_visible()
        assert found_by_axe(page) == []
        address = page.url
        she_says_yes(page, greta)
        page.goto(address)
        page.get_by_role("button", name="Ask again").click()
        page.get_by_role("button", name="Send to 1 person").click()
        expect(page.get_by_text("It is on its way.")).to_be_visible()
        send_all(the_dispatch())
        page.reload()
        expect(page.get_by_text("Handed over", exact=True)).to_be_visible()
        assert found_by_axe(page) == []
        she_stops_by_one_click(kept.kept)
        campaign_of(page, "Winter", "home=DE")
        expect(page.get_by_text("The law permits this message to nobody on the list.")).to_be_visible()
    assert [one.to for one in kept.kept] == ["greta@kettle.example"]


def she_says_yes(page: Page, person: UUID) -> None:
    page.goto(f"/people/{person}/says/yes/?purpose=marketing&about=marketing&by=email")
    page.locator("input[name=notice]").fill("Newsletter v3")
    page.get_by_label("How they said it").fill("At the fair")
    page.get_by_label("They said it expressly").check()
    page.get_by_role("button", name="Record it").click()
    expect(page.get_by_text("Recorded. It counts from now on.")).to_be_visible()


def she_stops_by_one_click(kept: Sequence[Kept]) -> None:
    """Do what a mail program does for the reader of the first of these (RFC 8058)."""
    message = kept[0].message
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    found = LINK.search(str(message["List-Unsubscribe"]))
    assert found is not None
    answer = Client(enforce_csrf_checks=True).post(urlsplit(found[1]).path, {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200


def test_whoever_says_no_while_it_is_on_its_way_is_left_out_and_the_page_says_why(
    signed_in: Callable[[Staff], Page], ready: Entity, tom: Staff
) -> None:
    people = germans(2, ready)
    says_yes(people, ready)
    page = signed_in(tom)
    with relay() as (_kept, port):
        way_out(ready, port=port)
        campaign_of(page, "Autumn", "home=DE")
        page.get_by_role("button", name="Send to 2 people").click()
        expect(page.get_by_text("It is on its way.")).to_be_visible()
        withdraw(people[0], ready)
        send_all(the_dispatch())
    page.reload()
    expect(page.get_by_text("The law denies it now.")).to_be_visible()
    assert stages(the_dispatch())[people[0]] == ("refused", "law")


def test_of_a_long_list_the_page_says_that_the_law_is_asked_and_shows_by_itself_when_it_has_begun(
    signed_in: Callable[[Staff], Page], ready: Entity, tom: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatching, "AT_ONCE", 1)
    says_yes(germans(2, ready), ready)
    page = signed_in(tom)
    way_out(ready, port=1)
    campaign_of(page, "Autumn", "home=DE")
    page.get_by_role("button", name="Send to 2 people").click()
    expect(page.get_by_text("The law is being asked about everybody on the list")).to_be_visible()
    expect(page.get_by_text("Asking the law", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Ask again")).to_have_count(0)
    assert found_by_axe(page) == []
    page.get_by_role("button", name="Take it back").click()
    page.get_by_role("button", name="Send to 2 people").click()
    expect(page.get_by_role("button", name="Take it back")).to_be_visible()
    begin_asked(campaign=Campaign.objects.select_related("asked_by", "entity").get())
    expect(page.get_by_role("heading", name="What became of it")).to_be_visible()


def test_it_can_be_paused_and_stopped(signed_in: Callable[[Staff], Page], ready: Entity, tom: Staff) -> None:
    says_yes(germans(1, ready), ready)
    page = signed_in(tom)
    way_out(ready, port=1)
    campaign_of(page, "Autumn", "home=DE")
    page.get_by_role("button", name="Send to 1 person").click()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused", exact=True)).to_be_visible()
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Stop for good").click()
    expect(page.get_by_text("Stopped before it went out")).to_be_visible()


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_its_pages_are_for_everybody(
    signed_in: Callable[[Staff], Page], ready: Entity, tom: Staff, live_server: LiveServer, language: str, theme: str
) -> None:
    germans(3, ready)
    page = signed_in(tom)
    way_out(ready, port=1)
    campaign_of(page, "Autumn", "home=DE")
    page.context.add_cookies([
        {"name": name, "value": value, "url": live_server.url}
        for name, value in (("language", language), ("theme", theme))
    ])  # fmt: skip
    (campaign,) = Campaign.objects.all()
    for address in ("", "new/", f"{campaign.ref}/", f"{campaign.ref}/words/en/", f"{campaign.ref}/example/en/"):
        page.goto(f"/campaigns/{address}")
        assert found_by_axe(page) == []
        assert page.locator("html").get_attribute("lang") == language
        assert page.locator("html").get_attribute("data-theme") in {theme, None}
        page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        assert wider_than_screen(page) == 0
        page.set_viewport_size({"width": 1280, "height": 900})


def test_an_administrator_says_how_we_sign_and_by_which_way(
    signed_in: Callable[[Staff], Page], firm: Entity, settings: Settings
) -> None:
    settings.SECOND_FACTOR = "optional"
    page = signed_in(make_staff("administrator"))
    page.goto("/campaigns/sending/")
    page.get_by_role("link", name="How it signs").click()
    page.get_by_label("E-mail address of the sender").fill("news@comity.example")
    page.get_by_label("Postal address").fill("1 Quay Street")
    page.get_by_role("button", name="Keep").click()
    page.get_by_role("link", name="Add a mail relay").click()
    page.get_by_label("Name").fill("Our relay")
    page.get_by_label("Relay", exact=True).fill("mail.comity.example")
    page.get_by_label("Password").fill("secret")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_text("mail.comity.example:587")).to_be_visible()
    assert found_by_axe(page) == []
    assert Imprint.objects.get(entity=firm).address == "news@comity.example"
