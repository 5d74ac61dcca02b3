from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from comity.staff import actions
from comity.staff.models import Staff
from tests.browser import PHONE, found_by_axe, wider_than_screen
from tests.staff.people import PASSWORD, make_staff

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page
    from pytest_django.live_server_helper import LiveServer

    from comity.staff.models import Entity

    SignIn = Callable[[Staff], Page]

pytestmark = pytest.mark.usefixtures("no_second_factor")

PAGES = """
    /styleguide/ /own/ /staff/ /staff/access/ /staff/invite/ /approvals/ /entities/ /entities/new/
    /sign-in/factors/ /sign-in/sessions/ /sign-in/password/ /sign-in/out/ /nothing/
""".split()
AT_THE_DOOR = ["/sign-in/", "/sign-in/password/forgotten/", "/sign-in/password/forgotten/sent/"]
WIDTHS = (320, PHONE[0], 800, 1920)


@pytest.fixture
def house(ada: Staff, olga: Staff, dublin: Entity, shanghai: Entity) -> list[str]:
    """Give pages about somebody, with everything on them that there can be."""
    del shanghai
    asked = actions.ask_for_role(staff=ada, role="marketing", entity=dublin, reason="Joins the fair", asked_by=olga)
    about = [("one", ada), ("change", ada), ("ask-role", ada), ("approval", asked), ("entity", dublin)]
    make_staff("auditor")
    return [reverse(f"staff:{name}", args=[row.ref]) for name, row in about] + [
        reverse("staff:break-glass", args=[dublin.ref, ada.ref])
    ]


def looked_at(page: Page, path: str) -> list[str]:
    """Return what is wrong with a page in either theme, and whether it is too wide anywhere from phone to wall."""
    page.emulate_media(reduced_motion="reduce")
    page.goto(path)
    wrong = found_by_axe(page)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    wrong += found_by_axe(page, rules=["color-contrast"])  # all that a theme can change
    size = page.viewport_size
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        if too_wide := wider_than_screen(page):
            wrong.append(f"{path} is {too_wide} pixels too wide at {width}")
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    wrong += found_by_axe(page, rules=["scrollable-region-focusable", "target-size", "color-contrast"])
    assert size is not None
    page.set_viewport_size(size)
    return wrong


def test_axe_finds_nothing_on_any_page_in_either_theme_on_desk_and_phone(
    signed_in: SignIn, adam: Staff, house: list[str]
) -> None:
    page = signed_in(adam)
    house = [path for path in house if "glass" not in path]
    wrong = [wrong for path in PAGES + house for wrong in looked_at(page, path)]
    assert not wrong, "\n".join(wrong)


def test_axe_finds_nothing_at_the_door_nor_where_glass_is_broken(
    page: Page, signed_in: SignIn, ada: Staff, house: list[str]
) -> None:
    wrong = [wrong for path in AT_THE_DOOR for wrong in looked_at(page, path)]
    signed_in(ada)
    (glass,) = [path for path in house if "glass" in path]
    assert wrong + looked_at(page, glass) == []


def test_axe_finds_nothing_in_chinese(signed_in: SignIn, adam: Staff, live_server: LiveServer) -> None:
    page = signed_in(adam)
    page.context.add_cookies([{"name": "language", "value": "zh-hans", "url": live_server.url}])
    assert [wrong for path in ("/own/", "/staff/access/") for wrong in looked_at(page, path)] == []
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")


def test_a_page_can_be_walked_by_keyboard_alone(signed_in: SignIn, adam: Staff) -> None:
    page = signed_in(adam)
    page.goto("/staff/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the contents")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Who may do what")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/staff/invite/$"))
    page.get_by_label("Name").press("Tab")
    page.keyboard.type("tom@comity.example")
    expect(page.get_by_label("E-mail address")).to_have_value("tom@comity.example")


def test_every_place_the_keyboard_reaches_is_seen(signed_in: SignIn, adam: Staff) -> None:
    page = signed_in(adam)
    page.emulate_media(reduced_motion="reduce")
    page.goto("/styleguide/")
    page.keyboard.press("Tab")
    for _ in range(60):
        seen = page.evaluate(
            "(() => { const at = document.activeElement, how = getComputedStyle(at), box = at.getBoundingClientRect();"
            " return [at.outerHTML.slice(0, 120), how.outlineStyle !== 'none' && parseFloat(how.outlineWidth) >= 2,"
            " box.width > 0 && box.bottom > 0 && box.top < innerHeight]; })()"
        )
        assert seen[1], f"no outline: {seen[0]}"
        assert seen[2], f"not on the screen: {seen[0]}"
        page.keyboard.press("Tab")


def test_the_palette_opens_by_keys_and_goes_where_one_types(signed_in: SignIn, adam: Staff) -> None:
    page = signed_in(adam)
    page.goto("/own/")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog", name="Commands")).to_be_visible()
    found = page.get_by_role("dialog").get_by_role("option")
    expect(found.first).to_be_visible()
    page.keyboard.type("appro")
    expect(found).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/approvals/$"))
    page.keyboard.press("Control+k")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Commands")).to_be_hidden()


def test_a_theme_changes_at_once_and_stays(signed_in: SignIn, ada: Staff) -> None:
    page = signed_in(ada)
    page.goto("/own/")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator(".own > summary").click()
    with page.expect_response(re.compile("/settings/theme/")):
        page.get_by_role("button", name="Dark").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    page.locator(".own > summary").click()
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")


def test_without_a_script_everything_still_works(chromium: Browser, live_server: LiveServer, adam: Staff) -> None:
    adam.set_password(PASSWORD)
    adam.save()
    context = chromium.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/staff/")
    page.get_by_label("Email").fill(adam.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("link", name="Invite").click()
    page.get_by_label("Name").fill("Tom Okafor")
    page.get_by_label("E-mail address").fill("tom@comity.example")
    page.get_by_role("button", name="Invite").click()
    expect(page.locator("code")).to_have_text(re.compile("^http.*/sign-in/password/.+/$"))
    page.goto("/staff/?sort=-name")
    page.get_by_text("Columns").click()
    page.get_by_label("Since").check()
    page.get_by_role("button", name="Show these").click()
    expect(page.get_by_role("columnheader", name="Since")).to_be_visible()
    page.locator(".own > summary").click()
    page.get_by_role("button", name="简体中文").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("员工")
    page.locator(".own > summary").click()
    page.get_by_role("button", name="退出登录").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("登录")
    context.close()


def test_a_role_is_asked_for_approved_by_a_second_person_and_then_works(
    signed_in: SignIn, adam: Staff, olga: Staff, dublin: Entity
) -> None:
    tom = make_staff(name="Tom Okafor")
    page = signed_in(adam)
    page.goto(f"/staff/{tom.ref}/")
    page.get_by_role("link", name="Ask for a role").first.click()
    page.get_by_role("radio", name=re.compile("^Marketing")).check()
    page.get_by_label(re.compile("^For")).select_option(label=dublin.name)
    page.get_by_label("Reason").fill("Joins the fair team")
    page.get_by_role("button", name="Ask for it").click()
    expect(page.get_by_text("A second person must approve it")).to_be_visible()
    page.goto("/approvals/")
    expect(page.get_by_text("Nothing waits for you")).to_be_visible()
    signed_in(olga)
    page.goto("/approvals/")
    page.get_by_role("link", name="Give somebody a role").first.click()
    page.get_by_role("button", name="Approve just this").click()
    expect(page.get_by_text("Approved.")).to_be_visible()
    signed_in(tom)
    page.goto("/own/")
    expect(page.get_by_text("Comity Dublin Ltd")).to_be_visible()


def test_on_a_phone_the_rail_is_a_bar_at_the_bottom_and_the_rest_is_under_more(signed_in: SignIn, adam: Staff) -> None:
    page = signed_in(adam)
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    page.goto("/own/")
    bar = page.get_by_role("navigation", name="Main")
    box = bar.bounding_box()
    assert box is not None
    assert round(box["y"] + box["height"]) == PHONE[1]
    ways = bar.locator("> ul > li").count()
    assert bar.locator("> ul > li:visible").count() == min(ways, 4 if ways > 5 else 5)
