"""The palette in a real browser: Ctrl-K, a few letters, Enter."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from django.test import Client

from comity.staff.models import Staff

if TYPE_CHECKING:
    from playwright.sync_api import Page


def typed(page: Page, words: str) -> None:
    """Open the palette from the list of people, and type."""
    page.goto("/people/")
    page.keyboard.press("Control+k")
    page.keyboard.type(words)


@pytest.mark.django_db(transaction=True)
def test_a_person_is_found_and_opened_without_a_mouse(
    signed_in: Callable[[Staff], Page], ada: Staff, greta: UUID
) -> None:
    page = signed_in(ada)
    typed(page, "grue")
    page.wait_for_selector("#palette-list [role=option] >> text=Greta Grünwald")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/people/{greta}/")


@pytest.mark.django_db(transaction=True)
def test_what_somebody_came_to_do_is_a_few_letters_away(
    signed_in: Callable[[Staff], Page], ada: Staff, greta: UUID
) -> None:
    del greta
    page = signed_in(ada)
    typed(page, "add an org")
    page.wait_for_selector("#palette-list [role=option] >> text=Add an organisation")
    page.keyboard.press("Enter")
    page.wait_for_url("**/organisations/new/")


def test_the_palette_offers_nothing_that_its_reader_may_not_do(client: Client, ada: Staff) -> None:
    client.force_login(ada, "allauth.account.auth_backends.AuthenticationBackend")
    offered = client.get("/palette/", {"q": ""}).content.decode()
    assert "Add a person" in offered
    assert "Invite somebody" not in offered


@pytest.mark.django_db(transaction=True)
def test_a_word_typed_in_one_go_is_looked_for_once(signed_in: Callable[[Staff], Page], ada: Staff, greta: UUID) -> None:
    page = signed_in(ada)
    page.goto("/people/")
    page.keyboard.press("Control+k")
    page.wait_for_selector("#palette-list [role=option] >> text=Today")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/search/quick/" in request.url else None)
    page.keyboard.type("grue")
    page.keyboard.press("Enter")  # at once: what was listed before is no answer to it
    page.wait_for_url(f"**/people/{greta}/")
    assert [each.partition("?")[2] for each in asked] == ["q=grue"]


@pytest.mark.django_db(transaction=True)
def test_it_says_so_where_nothing_is_called_so_and_only_there(
    signed_in: Callable[[Staff], Page], ada: Staff, greta: UUID
) -> None:
    del greta
    page = signed_in(ada)
    typed(page, "grue")
    page.wait_for_selector("#palette-list [role=option] >> text=Greta Grünwald")
    assert "Nobody and nothing" not in page.inner_text("#palette-list")
    page.keyboard.type("xyzzy")
    page.wait_for_selector("#palette-list >> text=Nobody and nothing is called so.")
