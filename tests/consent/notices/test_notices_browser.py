"""Notices in a real browser: readable for all, at the width of a phone, and looked through while one types."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from comity.staff.models import Entity, Staff
from tests.browser import DESK, PHONE, found_by_axe, wider_than_screen
from tests.consent.notices.wordings import WHOLE, newsletter, next_version, privacy_notice, published

pytestmark = [pytest.mark.usefixtures("transactional_db", "no_second_factor")]


@pytest.fixture
def ways(tom: Staff, olga: Staff, firm: Entity) -> list[str]:
    first = published(newsletter(firm, tom), olga)
    next_version(first.notice, {"wording": "We send news."}, tom)
    whole = published(privacy_notice(firm, tom), olga)
    again = next_version(whole.notice, {**WHOLE, "dpo": "", "retention": "Three years."}, tom)
    return [
        "/notices/", "/notices/new/", f"/notices/{whole.notice_id}/", f"/notices/{whole.notice_id}/1/",
        f"/notices/{whole.notice_id}/2/?since=1", f"/notices/{again.notice_id}/draft/",
        f"/notices/{again.notice_id}/draft/about/", f"/notices/{again.notice_id}/publish/",
        f"/notices/{first.notice_id}/publish/", f"/notice/{whole.ref}/",
    ]  # fmt: skip


@pytest.mark.parametrize(("size", "theme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk", "phone"])
def test_pages_of_notices_are_for_all(
    size: tuple[int, int], theme: str, ways: list[str], olga: Staff, signed_in: Callable[[Staff], Page]
) -> None:
    page = signed_in(olga)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    for way in ways:
        page.goto(way)
        assert found_by_axe(page) == []
        assert wider_than_screen(page) == 0, way


def test_what_the_law_misses_is_said_while_one_types(
    tom: Staff, olga: Staff, firm: Entity, signed_in: Callable[[Staff], Page]
) -> None:
    first = published(newsletter(firm, tom), olga)
    next_version(first.notice, {"wording": "We send news."}, tom)
    page = signed_in(tom)
    page.goto(f"/notices/{first.notice_id}/draft/")
    missing = page.locator("#found")
    expect(missing).to_contain_text("GDPR Art. 7(3)")
    page.get_by_label("The words of the yes").fill("Yes, send me news. I can withdraw this at any time.")
    expect(missing).to_contain_text("Our rules miss nothing in it.")
    page.reload()
    expect(missing).to_contain_text("GDPR Art. 7(3)")
