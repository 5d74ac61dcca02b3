"""The staff of these tests, and the browser they use."""

import pytest
from pytest_django import Settings

from tests.staff.people import ada, adam, dublin, olga, shanghai, staff_in

__all__ = ["ada", "adam", "dublin", "olga", "shanghai", "staff_in"]


@pytest.fixture
def no_second_factor(settings: Settings) -> None:
    """Let roles work without the second factor they take."""
    settings.SECOND_FACTOR = "optional"
