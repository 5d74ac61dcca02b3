"""A book in which people are erased: its keys, its journal, two of our entities."""

from __future__ import annotations

import pytest

from comity.consent.suppression import keys
from comity.ledger.journal import keeping
from tests.book.people import add, aiko, firm, folder, greta, oliver
from tests.staff.people import dublin, shanghai

__all__ = ["add", "aiko", "dublin", "firm", "folder", "greta", "oliver", "shanghai"]


@pytest.fixture(autouse=True)
def nothing_held() -> None:
    """Let no test use the keys or the journal of another."""
    keys.forget()
    keeping.forget()
