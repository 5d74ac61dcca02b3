"""Their own pages in a real browser, from the first click to a request: by keyboard, on a phone, in the dark."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from comity.rights.portal.models import Portal
from comity.rights.requests.models import Kind, Request
from comity.staff.models import Entity, Staff
from tests.browser import DESK, PHONE, found_by_axe, wider_than_screen
from tests.outreach.forms.building import ready_to_send
from tests.post.relays import relay
from tests.rights.portal.visitors import GRETA, NOBODY, code_in, door, hand_over, letter_to

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def served_here(live_server: LiveServer, settings: Settings) -> None:
    settings.ADDRESS = urlsplit(live_server.url)


def opens(page: Page, firm: Entity) -> None:
    """Let a member of the staff open people's pages."""
    page.goto("/portals/")
    expect(page.get_by_text("Shut")).to_be_visible()
    assert found_by_axe(page) == []
    page.get_by_role("link", name=firm.name, exact=True).click()
    assert found_by_axe(page) == []
    page.get_by_role("button", name="Open them in my name").click()
    expect(page.get_by_text("Codes go out in your name.")).to_be_visible()
    assert Portal.objects.get().entity == firm


def sound(page: Page) -> None:
    """See that a page is sound by light and dark, at a desk and on a phone, in both languages."""
    here = page.url
    for size in (PHONE, DESK):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            for language in ("zh-hans", "en"):
                page.goto(f"{here.partition('?')[0]}?language={language}")
                assert found_by_axe(page) == []
                assert wider_than_screen(page) == 0
    page.goto(here)


def test_from_the_first_click_to_a_request_and_out_again(
    page: Page, signed_in: Callable[[Staff], Page], firm: Entity, vera: Staff, greta: UUID
) -> None:
    with relay() as (kept, port):
        ready_to_send(firm, port=port)
        opens(signed_in(vera), firm)
        page.context.clear_cookies()
        page.goto(door(firm))
        sound(page)
        page.get_by_label("Your e-mail address").focus()
        page.keyboard.type(GRETA)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="A message is on its way")).to_be_visible()
        sound(page)
        hand_over(firm)
        page.get_by_label("Code from the message").fill("0000 0000")
        page.get_by_role("button", name="Come in").click()
        expect(page.get_by_role("alert")).to_contain_text("4 tries left")
        assert found_by_axe(page) == []
        page.get_by_label("Code from the message").fill(code_in(letter_to(kept, GRETA)))
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Greta Grünwald")).to_be_visible()
        sound(page)
        walk(page)
        ask(page, greta)
        page.get_by_role("button", name="Go", exact=True).click()
        expect(page.get_by_role("button", name="Send me a code")).to_be_visible()
        assert page.context.cookies() == []


def walk(page: Page) -> None:
    """Look at every page of a visit."""
    page.get_by_role("link", name="Everything in full").click()
    sound(page)
    for way in ("Who looked", "What was decided", "What you asked", "Stop things"):
        page.get_by_role("navigation", name="Your pages").get_by_role("link", name=way).click()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        sound(page)
    assert {one["name"] for one in page.context.cookies()} == {"you"}


def ask(page: Page, greta: UUID) -> None:
    """Stop something, and ask to be erased."""
    page.get_by_role("button", name=re.compile("Stop.*Sale, sharing")).click()
    expect(page.get_by_role("heading", name="It is stopped")).to_be_visible()
    assert found_by_axe(page) == []
    page.get_by_role("link", name="What you asked").click()
    page.get_by_role("link", name="Be erased").click()
    sound(page)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("It came in")
    expect(page.get_by_text("at the latest").first).to_be_visible()
    assert found_by_axe(page) == []
    assert set(Request.objects.values_list("kind", "person")) == {(Kind.OPT_OUT, greta), (Kind.ERASURE, greta)}


def test_without_a_code_one_stops_by_keyboard(page: Page, firm: Entity, greta: UUID) -> None:
    del greta
    page.goto(door(firm, "stop"))
    sound(page)
    page.get_by_label("Your e-mail address").fill(NOBODY)
    page.get_by_label("Advertising and news").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Stop").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="It is stopped")).to_be_visible()
    assert found_by_axe(page) == []
    assert page.context.cookies() == []
    assert Request.objects.get().person is None


def test_shut_and_wrong_addresses_are_sound_too(page: Page, firm: Entity, greta: UUID) -> None:
    for address in (door(firm), f"/you/{greta}/"):
        page.goto(address)
        sound(page)
