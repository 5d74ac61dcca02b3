"""The list of people in a real Chromium: by keyboard, without a script, and as axe finds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from comity.book.actions import add_persons
from comity.book.models import Tagging
from tests.book.people import newcomer
from tests.browser import PHONE, found_by_axe, wider_than_screen

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page
    from pytest_django.live_server_helper import LiveServer

    from comity.staff.models import Entity, Staff

    SignIn = Callable[[Staff], Page]

pytestmark = pytest.mark.usefixtures("no_second_factor")


@pytest.fixture
def list_page(signed_in: SignIn, firm: Entity, ada: Staff) -> Page:
    """Open the list of three people from A to Z, as Ada."""
    people = [newcomer(given, family, "DE") for given, family in (("Ann", "Arm"), ("Ben", "Bee"), ("Cy", "Cat"))]
    add_persons(newcomers=people, entity=firm, staff=None)
    page = signed_in(ada)
    page.emulate_media(reduced_motion="reduce")  # colours that are still turning are no colours of ours
    page.goto("/people/?sort=name&home=DE")
    return page


def test_a_list_is_walked_ticked_and_opened_by_keyboard(list_page: Page) -> None:
    for key, name in (("j", "Ann Arm"), ("j", "Ben Bee"), ("ArrowDown", "Cy Cat"), ("k", "Ben Bee")):
        list_page.keyboard.press(key)
        expect(list_page.locator("[data-row-link]:focus")).to_have_text(name)
    list_page.keyboard.press("x")
    expect(list_page.locator("tbody input:checked")).to_have_count(1)
    expect(list_page.locator("[data-picked]")).to_have_text("1 chosen")
    list_page.keyboard.press("?")
    expect(list_page.get_by_text("next and previous row")).to_be_visible()
    list_page.keyboard.press("/")
    expect(list_page.locator("#seek")).to_be_focused()
    list_page.keyboard.type("jx")  # letters that are typed into a field move nothing
    expect(list_page.locator("#seek")).to_have_value("jx")
    expect(list_page.locator("tbody input:checked")).to_have_count(1)
    list_page.locator("tbody tr").nth(1).get_by_role("link").focus()
    list_page.keyboard.press("Enter")
    expect(list_page.get_by_role("heading", name="Ben Bee")).to_be_visible()


def test_axe_finds_nothing_wrong_with_lists_and_what_is_done_with_them(list_page: Page) -> None:
    wrong = found_by_axe(list_page)
    list_page.check("tbody tr:nth-child(2) input")
    wrong += found_by_axe(list_page)
    list_page.get_by_role("button", name="Put a tag on them").click()
    wrong += found_by_axe(list_page)
    list_page.get_by_label("Tag").fill("VIP")
    list_page.get_by_role("button", name="Do it for 1 person").click()
    expect(list_page.get_by_role("button", name="Undo")).to_be_visible()
    wrong += found_by_axe(list_page)
    assert Tagging.objects.count() == 1
    for address in ("/people/views/keep/?home=DE", "/organisations/", "/people/?home=XX"):
        list_page.goto(address)
        wrong += found_by_axe(list_page)
    list_page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert wrong + found_by_axe(list_page, rules=["color-contrast"]) == []


@pytest.mark.parametrize("width", [320, PHONE[0], 800])
def test_a_list_is_no_wider_than_the_screen(width: int, list_page: Page) -> None:
    list_page.set_viewport_size({"width": width, "height": PHONE[1]})
    assert wider_than_screen(list_page) == 0
    assert found_by_axe(list_page, rules=["target-size", "scrollable-region-focusable"]) == []


def test_without_a_script_rows_are_chosen_and_changed_all_the_same(
    chromium: Browser, list_page: Page, live_server: LiveServer
) -> None:
    plain = chromium.new_context(
        base_url=live_server.url, java_script_enabled=False, storage_state=list_page.context.storage_state()
    )
    page = plain.new_page()
    page.goto("/people/?sort=name")
    page.check("tbody tr:nth-child(1) input")
    page.check("tbody tr:nth-child(3) input")
    page.get_by_role("button", name="Put a tag on them").click()
    page.get_by_label("Tag").fill("VIP")
    page.get_by_role("button", name="Do it for 2 people").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone for 2 people.")).to_be_visible()
    plain.close()
