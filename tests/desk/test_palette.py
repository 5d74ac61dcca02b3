"""The palette in a real browser: Ctrl-K, a few letters, Enter."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

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
