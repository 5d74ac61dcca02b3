"""A person's page in a real browser: edited in place by keyboard, without a script, in both themes and on a phone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from playwright.sync_api import expect

from tests.browser import PHONE, found_by_axe, wider_than_screen
from tests.staff.people import PASSWORD, make_staff

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page
    from pytest_django.live_server_helper import LiveServer

    from comity.staff.models import Entity, Staff

    SignIn = Callable[[Staff], Page]

pytestmark = pytest.mark.usefixtures("transactional_db", "no_second_factor")


def test_axe_finds_nothing_in_the_page_nor_in_any_of_its_forms(signed_in: SignIn, ada: Staff, greta: UUID) -> None:
    page = signed_in(ada)
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"/people/{greta}/?why=email-marketing")
    wrong = found_by_axe(page)
    for opener in (
        "#edit-name",
        "#edit-facts",
        "#edit-relation",
        "#add-email",
        "#add-organisation",
        "#add-tag",
        "#log-call",
        "#says-yes",
    ):
        page.locator(opener).click()
    expect(page.locator("form.in-place")).to_have_count(8)
    wrong += found_by_axe(page)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    wrong += found_by_axe(page, rules=["color-contrast"])
    for width in (320, PHONE[0], 800, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        if too_wide := wider_than_screen(page):
            wrong.append(f"{too_wide} pixels too wide at {width}")
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    wrong += found_by_axe(page, rules=["target-size", "color-contrast", "scrollable-region-focusable"])
    assert wrong == []


def test_axe_finds_nothing_where_somebody_new_is_added_or_an_edit_is_refused(
    signed_in: SignIn, ada: Staff, greta: UUID, aiko: UUID
) -> None:
    page = signed_in(ada)
    wrong = []
    for path in (
        "/people/new/",
        f"/people/{greta}/facts/",
        f"/people/{greta}/says/no/",
        f"/people/{aiko}/points/new/email/",
    ):
        page.goto(path)
        wrong += found_by_axe(page)
    assert wrong == []


def test_by_keyboard_alone_a_name_is_edited_and_one_goes_on_where_one_was(
    signed_in: SignIn, ada: Staff, greta: UUID
) -> None:
    page = signed_in(ada)
    page.goto(f"/people/{greta}/")
    page.locator("#edit-name").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Given name")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Control+a")
    page.keyboard.type("Berg")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Greta Berg")
    expect(page.locator("#edit-name")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Given name")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#edit-name")).to_be_focused()


def test_whoever_is_quick_with_the_keyboard_is_not_taken_back_to_the_field_they_left(
    signed_in: SignIn, ada: Staff, greta: UUID
) -> None:
    page = signed_in(ada)
    page.add_init_script(
        "let left = false; document.addEventListener('focusin', (event) => {"
        " if (event.target.name !== 'given' || left) return; left = true;"
        " setTimeout(() => document.getElementsByName('family')[0].focus()); });"
    )
    page.goto(f"/people/{greta}/")
    page.locator("#edit-name").click()
    expect(page.get_by_label("Family name")).to_be_focused()
    page.wait_for_timeout(100)
    expect(page.get_by_label("Family name")).to_be_focused(timeout=1)


def test_what_is_being_written_stays_while_another_part_is_saved(signed_in: SignIn, ada: Staff, greta: UUID) -> None:
    page = signed_in(ada)
    page.goto(f"/people/{greta}/")
    page.locator("#log-note").click()
    page.get_by_label("What was said").fill("Half a sentence")
    page.locator("#says-no").click()
    page.get_by_label("How they said it").fill("by phone")
    page.get_by_role("button", name="Record it").click()
    expect(page.locator("#timeline")).to_contain_text("Said no")
    expect(page.get_by_label("What was said")).to_have_value("Half a sentence")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#timeline")).to_contain_text("Half a sentence")


def test_a_verdict_turns_before_ones_eyes_and_the_page_says_so(signed_in: SignIn, ada: Staff, greta: UUID) -> None:
    page = signed_in(ada)
    page.goto(f"/people/{greta}/")
    card = page.locator("#card-email-marketing")
    expect(card).to_contain_text("Deny")
    page.locator("#says-yes").click()
    page.get_by_label("To which words").fill("Newsletter v3")
    page.get_by_label("How they said it").fill("by phone")
    page.get_by_label("They said it expressly").check()
    page.get_by_role("button", name="Record it").click()
    expect(card).to_contain_text("Permit")
    expect(page.locator("#turned")).to_contain_text("E-mail, marketing")
    expect(page.locator("#toasts")).to_contain_text("E-mail, marketing: Permit")


def test_why_opens_below_the_cards_without_leaving_the_page(signed_in: SignIn, ada: Staff, greta: UUID) -> None:
    page = signed_in(ada)
    page.goto(f"/people/{greta}/")
    page.locator("#card-email-marketing").press("Enter")
    expect(page.locator("#why-title")).to_contain_text("Why may we not?")
    expect(page).to_have_url(re.compile("why=email-marketing"))
    expect(page.locator("#card-email-marketing")).to_be_focused()
    page.get_by_role("link", name="Ask for consent where").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Said yes")


def test_without_a_script_one_can_edit_log_and_take_down(
    chromium: Browser, live_server: LiveServer, ada: Staff, greta: UUID
) -> None:
    ada.set_password(PASSWORD)
    ada.save()
    context = chromium.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"/people/{greta}/")
    page.get_by_label("Email").fill(ada.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("link", name="Edit the name").click()
    page.get_by_label("Family name").fill("Berg")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Greta Berg")
    page.get_by_role("link", name="Call", exact=True).click()
    page.get_by_label("What was said").fill("Wants a kettle")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#timeline")).to_contain_text("Wants a kettle")
    page.get_by_role("link", name="Objects to advertising").click()
    page.get_by_label("How they said it").fill("by phone")
    page.get_by_role("button", name="Record it").click()
    expect(page.locator("#timeline")).to_contain_text("Objected to advertising")
    context.close()


def test_what_happened_long_ago_is_loaded_when_one_asks(
    signed_in: SignIn, ada: Staff, greta: UUID, firm: Entity
) -> None:
    from datetime import timedelta

    from django.utils import timezone

    from comity.book.models import Activity

    now = timezone.now()
    Activity.objects.bulk_create(
        Activity(person_id=greta, entity=firm, doing="note", at=now - timedelta(hours=n)) for n in range(45)
    )
    page = signed_in(ada)
    page.goto(f"/people/{greta}/")
    expect(page.locator("#timeline li")).to_have_count(20)
    page.locator("#load-more").click()
    expect(page.locator("#timeline li")).to_have_count(40)
    page.locator("#load-more").click()
    expect(page.locator("#timeline li")).to_have_count(46)
    expect(page.locator("#load-more")).to_have_count(0)


def test_an_auditor_finds_nothing_to_edit(signed_in: SignIn, greta: UUID, firm: Entity) -> None:
    page = signed_in(make_staff("auditor", entity=firm))
    page.goto(f"/people/{greta}/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Greta Grünwald")
    assert page.locator("main form, main .edit, main .adds a").count() == 0
