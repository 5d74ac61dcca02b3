"""The pages of this part in a real Chromium: read by everybody, in both languages, on a desk and on a phone."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from comity.retention.holds.actions import place_hold
from comity.retention.schedule.keys import ask_key_policy
from comity.retention.schedule.quiet import go_through, set_quiet_policy
from comity.staff.approvals import settle_approval
from comity.staff.models import Entity, Staff
from tests.book.people import Add
from tests.browser import DESK, PHONE, found_by_axe, wider_than_screen
from tests.retention.schedule.test_quiet import prospect
from tests.staff.people import make_staff

pytestmark = pytest.mark.django_db(transaction=True)
SIZES = {"desk": DESK, "phone": PHONE}


def looked_at(page: Page, address: str, name: str) -> None:
    """Open a page in both sizes, by day and by night: nothing stands out at the side, and axe finds nothing."""
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.goto(address)
            assert wider_than_screen(page) == 0, (name, size)
            assert found_by_axe(page) == [], (name, size, scheme)
            if folder := os.environ.get("COMITY_SHOTS"):
                page.screenshot(path=str(Path(folder) / f"{name}-{size}-{scheme}.png"), full_page=True)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_policy_is_for_everybody(page: Page, firm: Entity, language: str) -> None:
    looked_at(page, f"{reverse('retention:policy', args=[firm.ref])}?language={language}", f"policy-{language}")
    heading = {"en": "How long we keep your data", "zh-hans": "您的数据保存多久"}[language]
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_pages_of_staff(
    signed_in: Callable[[Staff], Page], olga: Staff, firm: Entity, add: Add, greta: UUID, language: str,
    no_second_factor: None,
) -> None:  # fmt: skip
    del no_second_factor
    olga.language = language
    olga.save()
    pia = make_staff("privacy-officer", name="Pia Second")
    for home in ("FR", "DE", ""):
        prospect(add, home)
    set_quiet_policy(entity=firm, on=True, months=36, ahead=7, set_by=olga)
    go_through()
    asked = ask_key_policy(turn_every=30, backups_kept=60, copies_kept=10, reason="The policy", asked_by=olga)
    settle_approval(approval=asked, approved=True, settled_by=pia)
    day = timezone.localdate() + timedelta(days=30)
    hold = place_hold(entity=firm, person=greta, reason="Claim 24/7", owner=olga, review_on=day, placed_by=olga)
    page = signed_in(olga)
    for name, args in (
        ("cleaning", []), ("holds", []), ("hold-new", []), ("hold", [hold.ref]), ("person", [greta]),
    ):  # fmt: skip
        looked_at(page, reverse(f"retention:{name}", args=args), f"{name}-{language}")


def test_a_hold_is_placed_and_lifted_by_hand(
    signed_in: Callable[[Staff], Page], olga: Staff, firm: Entity, greta: UUID, no_second_factor: None
) -> None:
    del no_second_factor, firm
    page = signed_in(olga)
    page.goto(reverse("retention:person", args=[greta]))
    page.get_by_role("link", name="Place a hold").click()
    page.get_by_label("Reason").fill("Claim 24/7")
    page.get_by_label("Look at it again on").fill(str(timezone.localdate() + timedelta(days=30)))
    page.get_by_role("button", name="Hold it").click()
    page.get_by_role("link", name="Claim 24/7").click()
    page.get_by_label("Reason").fill("It was settled")
    page.get_by_role("button", name="Lift it").click()
    expect(page.get_by_text("It was settled")).to_be_visible()
