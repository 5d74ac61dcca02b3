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


@pytest.mark.django_db(transaction=True)
def test_a_person_is_found_and_opened_without_a_mouse(
    signed_in: Callable[[Staff], Page], ada: Staff, greta: UUID
) -> None:
    page = signed_in(ada)
    page.goto("/people/")
    page.keyboard.press("Control+k")
    page.keyboard.type("grue")
    page.wait_for_selector("#palette-list [role=option] >> text=Greta Grünwald")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/people/{greta}/")


@pytest.mark.django_db(transaction=True)
def test_what_somebody_came_to_do_is_a_few_letters_away(
    signed_in: Callable[[Staff], Page], ada: Staff, greta: UUID
) -> None:
    del greta
    page = signed_in(ada)
    page.goto("/people/")
    page.keyboard.press("Control+k")
    page.keyboard.type("add an org")
    page.wait_for_selector("#palette-list [role=option] >> text=Add an organisation")
    page.keyboard.press("Enter")
    page.wait_for_url("**/organisations/new/")


def test_the_palette_offers_nothing_that_its_reader_may_not_do(client: Client, ada: Staff) -> None:
    client.force_login(ada, "allauth.account.auth_backends.AuthenticationBackend")
    offered = client.get("/palette/", {"q": ""}).content.decode()
    assert "Add a person" in offered
    assert "Invite somebody" not in offered
