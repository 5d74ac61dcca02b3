"""The second wall around the book: a query that forgot who looks finds nothing, as the application's role."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest

from comity.book.models import Activity, Organisation, Person, Relation
from comity.consent.actions import About, withdraw_consent
from comity.consent.models import Consent, Standing
from comity.staff.models import Entity
from comity.staff.once import rows_of
from comity.staff.walls import behind_wall
from tests.as_application import READ, application_role

WALLED = (Person, Organisation, Relation, Activity, Consent, Standing)


@pytest.fixture
def as_the_application(greta: UUID, firm: Entity, shanghai: Entity) -> Iterator[None]:
    """Go on as the role that the application has, once somebody is in the book and has said something."""
    del shanghai  # it must be there before
    about = About(person=greta, entity=firm, purpose="marketing", channel="email")
    withdraw_consent(about=about, said_at=datetime(2026, 11, 1, tzinfo=UTC), source="call", heard_by=None)
    with application_role(READ):
        yield


@pytest.mark.usefixtures("as_the_application")
@pytest.mark.parametrize("model", WALLED, ids=lambda model: model.__name__)
def test_rows_are_seen_behind_the_wall_of_their_entity_alone(
    model: type[Person], firm: Entity, shanghai: Entity
) -> None:
    assert not model.objects.exists()
    with behind_wall(staff=None, entities=[shanghai.ref]):
        assert not model.objects.exists()
    with behind_wall(staff=None, entities=[firm.ref, shanghai.ref]):
        assert model.objects.exists()


@pytest.mark.usefixtures("as_the_application")
def test_a_plan_that_is_kept_shows_each_the_rows_behind_their_own_wall(
    greta: UUID, firm: Entity, shanghai: Entity
) -> None:
    asked = "SELECT ref FROM book_person WHERE ref = %s"
    for _often_enough_to_be_planned_for_good in range(8):
        with behind_wall(staff=None, entities=[firm.ref]):
            assert rows_of(asked, [greta]) == [(greta,)]
    with behind_wall(staff=None, entities=[shanghai.ref]):
        assert rows_of(asked, [greta]) == []
    assert rows_of(asked, [greta]) == []
