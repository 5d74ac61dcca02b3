"""The second wall around counsel: a query that forgot who looks finds nothing, as the application's role."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.db.utils import ProgrammingError
from django.test import Client
from django.utils import translation

from comity.book.opening import Look, names_of
from comity.counsel import duties_queries, queries
from comity.counsel.actions import make_ruling
from comity.counsel.duties import data_came, note_event
from comity.counsel.models import AskedDecision, Concerned, DutyEvent, DutyStep, OpenQuestion, OwedDuty, Ruling
from comity.counsel.reading import places_said
from comity.refs import new_ref, shown
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from comity.vault.data_map import data_map
from tests.as_application import application_role
from tests.staff.people import make_staff

WALLED = (AskedDecision, Ruling, OpenQuestion, Concerned, DutyEvent, OwedDuty, DutyStep)
CHECKS = (queries, duties_queries)
DAY = date(2026, 10, 19)


@pytest.fixture
def filled(look: Look, aiko: UUID, firm: Entity, shanghai: Entity, olga: Staff) -> None:
    """Put something of the Dublin entity into every table: a decision, a question, a ruling, duties."""
    del shanghai  # it must be there before
    names_of(look, [aiko])
    note_event(event=data_came(on=DAY, source="third-party"), entity=firm, about=new_ref(), persons=[aiko], staff=None)
    make_ruling(
        question=look.question, places=["JP"], settles=["no-law:JP"], reason="Counsel was asked.", made_by=olga,
        entity=firm, begins_on=DAY, ends_on=DAY + timedelta(days=9),
    )  # fmt: skip


@pytest.fixture
def as_the_application(filled: None) -> Iterator[None]:
    """Go on as the role that the application has."""
    del filled
    with application_role():
        yield


@pytest.mark.usefixtures("as_the_application")
@pytest.mark.parametrize("model", WALLED, ids=lambda model: model.__name__)
def test_rows_are_seen_behind_the_wall_of_their_entity_alone(
    model: type[Ruling], firm: Entity, shanghai: Entity
) -> None:
    assert not model.objects.exists()
    with behind_wall(staff=None, entities=[shanghai.ref]):
        assert not model.objects.exists()
    with behind_wall(staff=None, entities=[firm.ref, shanghai.ref]):
        assert model.objects.exists()


@pytest.mark.usefixtures("as_the_application", "no_second_factor")
def test_without_the_check_of_the_application_the_pages_leak_nothing(
    shanghai: Entity, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = make_staff("privacy-officer", entity=shanghai, name="Li Na")
    everybody = [entity.ref for entity in Entity.objects.all()]
    for checks in CHECKS:
        monkeypatch.setattr(checks, "entities_of", lambda _viewer: everybody)
    monkeypatch.setattr(duties_queries, "may_do", lambda *_: True)
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        owed = OwedDuty.objects.earliest("day")
        pages = [
            f"/decisions/{shown(AskedDecision.objects.get().ref)}/", f"/rulings/{Ruling.objects.get().ref}/",
            f"/queue/{OpenQuestion.objects.get().ref}/", f"/duties/{owed.ref}/",
        ]  # fmt: skip
        cursor.execute("SET LOCAL ROLE comity_app")
    client = Client()
    client.force_login(stranger, "allauth.account.auth_backends.AuthenticationBackend")
    for page in pages:
        assert client.get(page).status_code == 404, page
    assert "No duty here" in client.get("/duties/?state=standing").content.decode()


@pytest.mark.usefixtures("as_the_application")
def test_nobody_writes_a_duty_for_an_entity_for_which_they_do_not_act(firm: Entity, shanghai: Entity) -> None:
    with behind_wall(staff=None, entities=[firm.ref]):
        event = DutyEvent.objects.get()
    event.pk, event.digest = new_ref(), "another"
    with (
        pytest.raises(ProgrammingError, match="row-level security"),
        behind_wall(staff=None, entities=[shanghai.ref]),
    ):
        event.save(force_insert=True)


@pytest.mark.usefixtures("as_the_application")
def test_a_look_is_noticed_through_the_wall(look: Look, firm: Entity, aiko: UUID) -> None:
    with behind_wall(staff=None, entities=[firm.ref]):
        Concerned.objects.all().delete()
        OpenQuestion.objects.all().delete()
        names_of(look, [aiko])
        assert Concerned.objects.get().person == aiko


def test_what_proves_a_decision_stays_as_long_as_its_answer() -> None:
    assert data_map()["vault", "RecordedDecision"].clock == data_map()["counsel", "AskedDecision"].clock


@pytest.mark.parametrize(("language", "said"), [("en", "Germany, China"), ("zh-hans", "德国、中国")])
def test_places_are_joined_as_the_readers_language_joins_them(language: str, said: str) -> None:
    with translation.override(language):
        assert places_said(["DE", "CN"]) == said
