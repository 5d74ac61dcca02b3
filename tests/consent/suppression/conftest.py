"""Keys of each test's own, and an address."""

from __future__ import annotations

import pytest

from comity.book.models import Reach
from comity.consent.suppression import keys
from comity.consent.suppression.marks import Mark, mark_of
from comity.staff.models import Entity


@pytest.fixture(autouse=True)
def no_keys_held() -> None:
    """Let no test use the keys of another."""
    keys.forget()


@pytest.fixture
def mark(firm: Entity) -> Mark:
    """Greta's e-mail address, as the list knows it."""
    del firm
    return mark_of(Reach.EMAIL, "greta@kettle.example")
