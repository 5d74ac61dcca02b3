"""What the tests of the law share."""

from __future__ import annotations

import pytest

from comity.law import Lawbook, read_packs


@pytest.fixture(scope="session")
def book() -> Lawbook:
    """The packs as they are shipped."""
    return read_packs()
