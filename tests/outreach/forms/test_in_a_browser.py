"""From the form to the campaign in a real browser: built, filled in, confirmed from the mailbox, written to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from comity.consent.models import Consent
from comity.outreach.forms import pages_sent
from comity.outreach.forms.models import WebForm
from comity.staff.models import Entity, Staff
from tests.browser import PHONE, found_by_axe, wider_than_screen
from tests.outreach.campaigns.peopling import PLACES, got, one_of_each_place
from tests.outreach.campaigns.test_pages import campaign_of, she_says_yes, she_stops_by_one_click, the_dispatch
from tests.outreach.forms.building import came, dispatch_to, link_in, privacy, ready_to_send, wording
from tests.post.relays import Keeper, relay
from tests.post.writing import says_yes, send_all

pytestmark = pytest.mark.django_db(transaction=True)
EVERYWHERE = "&".join(f"home={place}" for place in (*PLACES, "IE"))


@pytest.fixture(autouse=True)
def here(live_server: LiveServer, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ADDRESS = urlsplit(live_server.url)
    settings.SECOND_FACTOR = "optional"
    monkeypatch.setattr(pages_sent, "SOONEST", timedelta())  # a browser that is driven types faster than people


@pytest.fixture
def nina(page: Page, live_server: LiveServer) -> Iterator[Page]:
    """Give a page of somebody outside, in a browser of their own that has no cookie of ours."""
    browser = page.context.browser
    assert browser is not None
    context = browser.new_context(base_url=live_server.url, locale="en")
    yield context.new_page()
    assert context.cookies() == []
    context.close()


def build(page: Page) -> None:
    page.goto("/forms/")
    page.get_by_role("link", name="Build a form").first.click()
    page.get_by_label("Name").fill("Newsletter page")
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_text("It shows no privacy notice")).to_be_visible()
    page.get_by_label("Newsletter v1 · By e-mail").check()
    page.get_by_label("Privacy notice").select_option("Website v1")
    page.get_by_role("group", name="Asks besides").get_by_label("First name").check()
    page.get_by_label("Other places").fill("DE, IE")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Nothing that our rules look for.")).to_be_visible()
    assert found_by_axe(page) == []
    page.get_by_role("link", name="Words: English").click()
    page.get_by_label("Introduction").fill("By signing up you agree to get our newsletter.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("GDPR Art. 7(2)").first).to_be_visible()
    page.get_by_label("Introduction").fill("News about kettles, once a month.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Nothing that our rules look for.")).to_be_visible()


def publish(page: Page) -> str:
    page.goto(f"/forms/{WebForm.objects.get().ref}/publish/")
    page.get_by_role("button", name="Publish it").click()
    expect(page.get_by_text("Published. It never changes from now on.")).to_be_visible()
    assert found_by_axe(page) == []
    return f"/form/{WebForm.objects.get().ref}/"


def fill_in(page: Page, address: str) -> None:
    page.goto(address)
    box = page.get_by_role("checkbox")
    expect(box).not_to_be_checked()
    assert found_by_axe(page) == []
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    assert wider_than_screen(page) == 0
    page.get_by_label("E-mail address").fill("nina@kettle")
    page.get_by_label("First name").fill("Nina")
    page.get_by_label("Where you live").select_option("Ireland")
    box.check()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Write an address like name@example.com.")).to_be_visible()
    assert found_by_axe(page) == []
    page.get_by_label("E-mail address").fill("nina@kettle.example")
    expect(page.get_by_role("checkbox")).to_be_checked()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("One more step")).to_be_visible()


def confirm(nina: Page, kept: Keeper) -> None:
    """Follow the link in the mailbox, after a scanner of links did and confirmed nothing by it."""
    (letter,) = kept.kept
    text = letter.message.get_body(("plain",))
    assert text is not None
    path = link_in(text.get_content())
    scanner = Client()
    assert (scanner.get(path).status_code, scanner.head(path).status_code) == (200, 200)
    assert Consent.objects.count() == 0
    nina.goto(path)
    assert found_by_axe(nina) == []
    nina.get_by_role("button", name="Confirm").click()
    expect(nina.get_by_text("This is what you agreed to.")).to_be_visible()


def send_to(page: Page, people: int) -> None:
    page.get_by_role("button", name=f"Send to {people} people").click()
    expect(page.get_by_text("It is on its way.")).to_be_visible()
    send_all(the_dispatch())
    page.reload()
    expect(page.get_by_text("Handed over", exact=True)).to_be_visible()


def test_from_a_form_to_a_campaign_in_eight_places_its_no_its_cure_its_letters_and_the_no_that_stops_the_next(
    signed_in: Callable[[Staff], Page], nina: Page, firm: Entity, tom: Staff, vera: Staff
) -> None:
    privacy(firm, tom, vera)
    wording(firm, tom, vera)
    with relay() as (kept, port):
        ready_to_send(firm, port=port)
        build(signed_in(tom))
        fill_in(nina, publish(signed_in(vera)))
        send_all(dispatch_to(came().ref))
        confirm(nina, kept)
        kept.kept.clear()

        people = one_of_each_place(firm)
        says_yes([people[place] for place in ("GB", "CN", "IT", "NL")], firm)
        page = signed_in(tom)
        campaign_of(page, "Autumn", EVERYWHERE)
        for article in ("UWG § 7(2) no. 2", "CPCE L34-5"):  # Germany and France
            expect(page.get_by_text(article).first).to_be_visible()
        expect(page.get_by_text("Ask for consent where the person next meets you").first).to_be_visible()
        address = page.url
        she_says_yes(page, people["DE"])
        page.goto(address)
        before = kept_to_be_sent(page)
        page.get_by_role("button", name="Ask again").click()
        expect(page.get_by_role("button", name=f"Send to {before + 1} people")).to_be_visible()
        assert found_by_axe(page) == []
        send_to(page, before + 1)
        agreed = {"de", "gb", "cn", "it", "nl", "nina"}
        assert agreed <= {one.to.split("@")[0] for one in kept.kept}
        assert kept.to("fr@kettle.example") == []
        as_their_laws_want(kept)

        she_stops_by_one_click(kept.to("de@kettle.example"))
        kept.kept.clear()
        campaign_of(page, "Winter", EVERYWHERE)
        send_to(page, before)
        assert kept.to("de@kettle.example") == []
        assert len(kept.to("nina@kettle.example")) == 1
        campaign_of(page, "Spring", "home=DE")
        expect(page.get_by_text("The law permits this message to nobody on the list.")).to_be_visible()


def kept_to_be_sent(page: Page) -> int:
    """Return to how many people the button offers to send."""
    said = re.search(r"\d+", page.get_by_role("button", name="Send to").inner_text())
    assert said is not None
    return int(said[0])


def as_their_laws_want(kept: Keeper) -> None:
    """Look at what stands in each message by the law of its reader alone, and in all of them."""
    for one in kept.kept:
        assert one.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert "Comity Dublin Ltd" in one.message["From"]
    assert re.match(r"(广告|AD)", got(kept, "CN")["Subject"])
    assert got(kept, "DE")["Subject"] == got(kept, "IT")["Subject"] == "Kettles are back"
    assert "Dear Given-DE," in str(got(kept, "DE").get_body(("plain",)).get_content())
    assert "1 Quay Street" in str(got(kept, "US-CA").get_body(("plain",)).get_content())
