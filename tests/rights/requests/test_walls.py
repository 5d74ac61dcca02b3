"""The second wall around requests: a query that forgot who looks finds nothing, as the application's role."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from comity.rights.requests.actions import ask_identity
from comity.rights.requests.models import Level, Proof, Request, Step
from comity.rights.requests.queries import requests_seen_by
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from tests.as_application import application_role
from tests.rights.requests.conftest import Asks
from tests.staff.people import make_staff

pytestmark = pytest.mark.django_db
WALLED = (Request, Step, Proof)


@pytest.fixture
def as_the_application(asks: Asks, sana: Staff, shanghai: Entity) -> Iterator[None]:
    """Put something into every table, and go on as the role that the application has."""
    del shanghai
    ask_identity(request=asks(), level=Level.REASONABLE, words="The code.", by=sana)
    with application_role():
        yield


@pytest.mark.usefixtures("as_the_application")
@pytest.mark.parametrize("model", WALLED, ids=lambda model: model.__name__)
def test_rows_are_seen_behind_the_wall_of_their_entity_alone(
    model: type[Request], firm: Entity, shanghai: Entity
) -> None:
    assert not model.objects.exists()
    with behind_wall(staff=None, entities=[shanghai.ref]):
        assert not model.objects.exists()
    with behind_wall(staff=None, entities=[firm.ref]):
        assert model.objects.exists()


def test_who_acts_for_another_entity_sees_no_request(asks: Asks, shanghai: Entity) -> None:
    asks()
    stranger = make_staff("privacy-officer", entity=shanghai, name="Li Na")
    assert not requests_seen_by(stranger).exists()
