"""The people and staff of these tests, and what asks them: a function that takes a request down."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from comity.rights.requests.actions import receive_request
from comity.rights.requests.models import CameBy, Kind, Request
from comity.staff.models import Entity, Staff
from tests.book.people import add, aiko, firm, folder, greta, oliver
from tests.staff.people import ada, adam, dublin, make_staff, olga, shanghai
from tests.web.conftest import no_second_factor

__all__ = [
    "ada", "adam", "add", "aiko", "dublin", "firm", "folder", "greta", "no_second_factor", "olga", "oliver", "shanghai",
]  # fmt: skip

LETTER = "Please show me all that you have about me."
REACH = {"name": "Greta Grünwald", "email": "greta@kettle.example"}
Asks = Callable[..., Request]


def today() -> date:
    return timezone.localdate()


def ago(days: int) -> date:
    return today() - timedelta(days=days)


@pytest.fixture
def sana(firm: Entity) -> Staff:
    """Helps people, and works on their requests, for Dublin alone."""
    return make_staff("support", entity=firm)


@pytest.fixture
def asks(firm: Entity, greta: UUID, sana: Staff) -> Asks:
    """Give a function by which Greta asks for something, today unless it says when; support notes it down."""

    def ask(kind: Kind = Kind.ACCESS, days: int = 0, **more: Any) -> Request:  # noqa: ANN401 - of receive_request
        told: dict[str, Any] = {
            "came_by": CameBy.EMAIL, "person": greta, "words": LETTER, "reach": REACH, "language": "en",
            "received_on": ago(days), "noted_by": sana,
        }  # fmt: skip
        return receive_request(entity=firm, kinds=[kind], **(told | more))[0]

    return ask
