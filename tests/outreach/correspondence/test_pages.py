"""Writing to one person in a real browser: the button that says no with its article, the cure, and the mail."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from comity.outreach.campaigns.models import Imprint
from comity.outreach.correspondence.models import Mail
from comity.post.models import Message
from comity.staff.models import Entity, Staff
from tests.browser import PHONE, found_by_axe, wider_than_screen
from tests.post.relays import relay
from tests.post.writing import send_all, way_out

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ready(firm: Entity, live_server: LiveServer, settings: Settings) -> Entity:
    settings.ADDRESS = urlsplit(live_server.url)
    settings.SECOND_FACTOR = "optional"
    Imprint.objects.create(entity=firm, address="hello@comity.example", postal_address="1 Quay Street\nDublin")
    return firm


def go_out() -> None:
    """Let the few seconds be over, and a worker come by."""
    Message.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    send_all(Mail.objects.select_related("dispatch").get().dispatch)


def test_the_law_says_no_to_marketing_with_its_article_and_cure_and_yes_to_an_answer_that_arrives(
    signed_in: Callable[[Staff], Page], ready: Entity, ada: Staff, greta: UUID
) -> None:
    page = signed_in(ada)
    with relay() as (kept, port):
        way_out(ready, port=port)
        page.goto(f"/people/{greta}/")
        page.get_by_role("link", name="Write", exact=True).click()
        page.get_by_label("To offer or recommend something").check()
        page.get_by_label("Subject").fill("Your kettle")
        page.get_by_label("Message", exact=True).fill("Dear {given|friend},\n\nthe blue one is here.\n\nAda")
        page.get_by_role("button", name="See it as it arrives").click()
        expect(page.get_by_role("button", name="Send")).to_have_count(0)
        expect(page.locator("#why")).to_contain_text("UWG § 7(2) no. 2")
        expect(page.locator("#why").get_by_role("link", name=re.compile("Ask for consent"))).to_be_visible()
        assert found_by_axe(page) == []
        page.get_by_label("To answer what they asked us").check()
        page.get_by_role("button", name=re.compile("See it|Look again")).click()
        expect(page.locator("pre.letter")).to_contain_text("Dear Greta,")
        assert found_by_axe(page) == []
        page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        assert wider_than_screen(page) == 0
        page.get_by_role("button", name="Send").click()
        expect(page.locator("#timeline")).to_contain_text("Waits to go out")
        expect(page.get_by_role("button", name="Take it back")).to_be_visible()
        assert found_by_axe(page) == []
        go_out()
        page.reload()
        expect(page.locator("#timeline")).to_contain_text("Handed over")
    assert [one.to for one in kept.kept] == ["greta@kettle.example"]


def test_a_second_thought_brings_the_words_back_and_nothing_leaves(
    signed_in: Callable[[Staff], Page], ready: Entity, ada: Staff, greta: UUID
) -> None:
    page = signed_in(ada)
    with relay() as (kept, port):
        way_out(ready, port=port)
        page.goto(f"/people/{greta}/write/")
        page.get_by_label("Subject").fill("Your kettle")
        page.get_by_label("Message", exact=True).fill("It is here.")
        page.get_by_role("button", name="See it as it arrives").click()
        page.get_by_role("button", name="Send").click()
        page.get_by_role("button", name="Take it back").click()
        expect(page.get_by_label("Subject")).to_have_value("Your kettle")
        expect(page.get_by_label("Message", exact=True)).to_have_value("It is here.")
        go_out()
    assert kept.kept == []
