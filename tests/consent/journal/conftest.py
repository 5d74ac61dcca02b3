"""A book whose nos go into a journal, with a relay to send by."""

from __future__ import annotations

import pytest

from comity.consent.suppression import keys
from comity.ledger.journal import keeping
from tests.book.people import add, aiko, firm, folder, greta, oliver
from tests.post.writing import tom
from tests.staff.people import dublin

__all__ = ["add", "aiko", "dublin", "firm", "folder", "greta", "oliver", "tom"]


@pytest.fixture(autouse=True)
def nothing_held() -> None:
    """Let no test use the keys or the journal of another."""
    keys.forget()
    keeping.forget()
