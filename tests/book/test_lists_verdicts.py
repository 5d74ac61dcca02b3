"""What the law says of a list, counted where the list stands."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django import Settings

from comity.ledger.models import Entry
from comity.staff.models import Entity, Staff
from tests.browser import PHONE, found_by_axe, wider_than_screen
from tests.post.writing import says_yes

pytestmark = pytest.mark.django_db(transaction=True)


def counted(staff: Staff, query: str) -> dict[str, int]:
    """Return how many people each verdict is about, as the page says."""
    client = Client()
    client.force_login(staff, "allauth.account.auth_backends.AuthenticationBackend")
    answer = client.get(f"/people/verdicts/?{query}")
    assert answer.status_code == 200
    found: dict[str, int] = answer.context["verdicts"]
    return found


@pytest.fixture(autouse=True)
def one_factor(settings: Settings) -> None:
    settings.SECOND_FACTOR = "optional"


class TestCounting:
    def test_it_counts_those_of_the_list_by_verdict(self, tom: Staff, firm: Entity, greta: UUID, aiko: UUID) -> None:
        del aiko  # she lives elsewhere
        assert counted(tom, "home=DE&by=email&about=marketing") == {"permit": 0, "deny": 1, "ask": 0}
        says_yes([greta], firm)
        assert counted(tom, "home=DE&by=email&about=marketing") == {"permit": 1, "deny": 0, "ask": 0}

    def test_another_way_has_another_answer(self, tom: Staff, firm: Entity, greta: UUID) -> None:
        says_yes([greta], firm)
        assert counted(tom, "home=DE&by=sms&about=marketing")["permit"] == 0

    def test_a_way_or_purpose_that_is_none_is_the_first(self, tom: Staff, greta: UUID) -> None:
        del greta
        assert counted(tom, "by=pigeon&about=gossip") == counted(tom, "by=email&about=marketing")

    def test_nothing_is_kept_of_it(self, tom: Staff, greta: UUID) -> None:
        del greta
        before = Entry.objects.count()
        counted(tom, "home=DE")
        assert Entry.objects.count() == before


def test_it_opens_within_the_list_and_answers_anew(
    signed_in: Callable[[Staff], Page], tom: Staff, firm: Entity, greta: UUID
) -> None:
    says_yes([greta], firm)
    page = signed_in(tom)
    page.emulate_media(reduced_motion="reduce")
    page.goto("/people/?home=DE")
    page.get_by_text("What the law says of this list").click()
    counted_here = page.locator("#verdicts-counted")
    expect(counted_here).to_contain_text("1 person, counted just now")
    expect(counted_here.get_by_text("Permit", exact=True)).to_be_visible()
    assert found_by_axe(page) == []
    counted_here.get_by_label("By").select_option("sms")
    counted_here.get_by_role("button", name="Ask the law").click()
    expect(counted_here.locator("li", has_text="Deny")).to_contain_text("1")
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    assert wider_than_screen(page) == 0


def test_without_a_script_it_is_a_page_of_its_own(signed_in: Callable[[Staff], Page], tom: Staff, greta: UUID) -> None:
    del greta
    page = signed_in(tom)
    page.goto("/people/verdicts/?home=DE")
    expect(page.get_by_role("heading", level=1)).to_have_text("What the law says of this list")
    assert found_by_axe(page) == []
