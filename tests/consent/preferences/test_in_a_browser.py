"""The public pages in a real browser: by keyboard, on a phone, in the dark, and as axe-core sees them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Page

from comity.consent.models import Standing
from comity.consent.preferences.links import May, make_link
from comity.staff.models import Entity
from tests.browser import PHONE, found_by_axe, wider_than_screen

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_pages_are_sound_on_a_phone_and_in_the_dark_and_set_no_cookie(
    page: Page, greta: UUID, firm: Entity, folder: Path
) -> None:
    del folder
    links = {
        may: make_link(
            may=may, person=greta, entity=firm.ref, at=datetime.now(UTC), purpose="marketing", channel="email"
        )
        for may in May
    }
    addresses = [
        f"/choices/{links[May.CHOOSE]}/",
        f"/stop/{links[May.STOP]}/",
        f"/confirm/{links[May.CONFIRM]}/",
        "/stop/",
    ]
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for address in [*addresses, "/choices/no-link/"]:
            page.goto(address)
            assert found_by_axe(page) == []
            assert wider_than_screen(page) == 0
    assert page.context.cookies() == []


def test_one_says_no_by_keyboard_and_sees_it_done(page: Page, greta: UUID, firm: Entity) -> None:
    link = make_link(may=May.CHOOSE, person=greta, entity=firm.ref, at=datetime.now(UTC))
    page.goto(f"/choices/{link}/")
    page.locator("#marketing\\.email button[value=no]").focus()
    page.keyboard.press("Enter")
    page.get_by_role("status").wait_for()
    assert "Said no" in page.get_by_role("status").inner_text()
    assert Standing.objects.get(person=greta).opted_out_on
