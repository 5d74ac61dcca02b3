"""A sequence in a real browser: made step by step, by keyboard, without a script; approved, begun, seen on a person."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from comity.outreach.campaigns.models import Imprint
from comity.outreach.sequences.models import Sequence
from comity.staff.approvals import settle_approval
from comity.staff.models import Approval, Entity, Staff
from tests.browser import PHONE, found_by_axe, wider_than_screen
from tests.outreach.sequences.making import live
from tests.post.relays import relay
from tests.post.writing import says_yes, way_out
from tests.staff.people import make_staff

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ready(firm: Entity, live_server: LiveServer, settings: Settings) -> Entity:
    settings.ADDRESS = urlsplit(live_server.url)
    settings.SECOND_FACTOR = "optional"
    Imprint.objects.create(entity=firm, address="news@comity.example", postal_address="1 Quay Street\nDublin")
    return firm


def a_step(page: Page, kind: str, days: int = 0, **more: str) -> None:
    page.get_by_role("link", name="Add a step").click()
    page.get_by_label("What", exact=True).select_option(label=kind)
    page.get_by_label("After", exact=True).fill(str(days))
    for label, text in more.items():
        page.get_by_label(label.replace("_", " "), exact=False).fill(text)
    page.get_by_role("button", name="Keep").click()


def test_it_is_made_approved_and_begun_and_the_message_arrives(
    signed_in: Callable[[Staff], Page], ready: Entity, tom: Staff, ada: Staff, greta: UUID
) -> None:
    page = signed_in(tom)
    with relay() as (kept, port):
        way_out(ready, port=port)
        page.goto("/sequences/")
        assert found_by_axe(page) == []
        page.get_by_role("link", name="New sequence").first.click()
        page.get_by_label("Name").fill("Welcome")
        page.get_by_role("button", name="Keep").click()
        page.get_by_role("link", name="Edit: when it begins").click()
        page.get_by_label("They say yes", exact=True).check()
        assert found_by_axe(page) == []
        page.get_by_role("button", name="Keep").click()
        a_step(page, "Give us something to do", 2, What_we_are_to_do="Call them")
        a_step(page, "Send an e-mail")
        page.get_by_label("Subject").fill("Welcome")
        page.get_by_label("Message").fill("Dear {given|friend},\n\nhere are kettles.")
        page.get_by_role("button", name="Keep").click()
        page.get_by_role("button", name="Move up: send “Welcome”").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#steps > li").first).to_contain_text("at once: send “Welcome”")
        page.get_by_role("button", name="Choose").click()
        says_yes([greta], ready)
        page.get_by_role("button", name="Ask the law").click()
        expect(page.get_by_text("Before it can begin")).to_have_count(0)
        assert found_by_axe(page) == []
        page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        assert wider_than_screen(page) == 0
        page.get_by_label("Reason").fill("Newcomers")
        page.get_by_role("button", name="Ask for approval").click()
        settle_approval(approval=Approval.objects.get(), approved=True, settled_by=make_staff("privacy-officer"))
        page.reload()
        page.get_by_role("button", name="Let it begin").click()
        expect(page.get_by_text("Running", exact=True)).to_be_visible()
        says_yes([greta], ready)
        live(ready, 0.1, 49)
        page.reload()
        expect(page.locator("#step-1")).to_contain_text("Handed over")
        assert found_by_axe(page) == []
    assert [one.to for one in kept.kept] == ["greta@kettle.example"]
    of_greta(signed_in(ada), greta)


def of_greta(page: Page, greta: UUID) -> None:
    """See on her page where she is, and settle what is to do."""
    page.goto("/today/")
    expect(page.get_by_text("Call them")).to_be_visible()
    page.goto(f"/people/{greta}/")
    part = page.locator("#sequences")
    expect(part).to_contain_text("Went through all of it")
    part.get_by_role("button", name="Done").click()
    expect(page.locator("#sequences")).not_to_contain_text("Call them")
    assert Sequence.objects.get().state == "running"
