from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import ProgrammingError, connection, models, transaction
from django.db.migrations.operations.models import CreateModel
from django.db.migrations.state import ProjectState
from django.http import HttpResponse
from django.test import RequestFactory

from comity.refs import new_ref
from comity.staff.guards import StaffRequest, staff_page
from comity.staff.models import Team
from comity.staff.walls import ENTITIES, ProtectByEntity, behind_wall
from tests.as_application import application_role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from comity.staff.models import Entity, Staff


@pytest.fixture
def teams(dublin: Entity, shanghai: Entity) -> list[Team]:
    """Two teams, made as the superuser that no wall stops."""
    return [Team.objects.create(entity=dublin, name="North"), Team.objects.create(entity=shanghai, name="东部")]


@pytest.fixture
def as_the_application(teams: list[Team]) -> Iterator[None]:
    """Go on as the role that the application has, in the transaction of the test."""
    del teams
    with application_role():
        yield


@staff_page(may="desk.view")
def careless(_request: StaffRequest) -> HttpResponse:
    """List all teams: a page whose own check somebody forgot."""
    return HttpResponse(",".join(Team.objects.values_list("name", flat=True)))


def asked_by(staff: Staff) -> str:
    request = RequestFactory().get("/")
    request.user = staff
    return careless(request).content.decode()


@pytest.mark.usefixtures("as_the_application")
def test_a_page_without_any_check_of_its_own_leaks_nothing(ada: Staff, staff_in: Callable[..., Staff]) -> None:
    assert asked_by(ada) == "North"
    assert asked_by(staff_in("auditor")) == "North,东部"
    assert list(Team.objects.all()) == []


@pytest.mark.usefixtures("as_the_application")
def test_a_transaction_that_did_not_say_who_looks_sees_no_row() -> None:
    assert list(Team.objects.all()) == []
    with behind_wall(staff=None, entities=[]):
        assert list(Team.objects.all()) == []


@pytest.mark.usefixtures("as_the_application")
def test_nothing_can_be_written_into_another_entity(dublin: Entity, shanghai: Entity, teams: list[Team]) -> None:
    with behind_wall(staff=None, entities=[dublin.ref]):
        assert Team.objects.filter(pk=teams[1].pk).update(name="taken") == 0
        assert Team.objects.filter(pk=teams[1].pk).delete()[0] == 0
        for give in (
            lambda: Team.objects.create(entity=shanghai, name="new"),
            lambda: Team.objects.filter(pk=teams[0].pk).update(entity=shanghai),
        ):
            with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
                give()
        assert Team.objects.filter(pk=teams[0].pk).update(name="South") == 1


@pytest.mark.usefixtures("as_the_application")
def test_a_wall_within_a_wall_falls_back_to_the_outer_one(dublin: Entity, shanghai: Entity) -> None:
    with behind_wall(staff=None, entities=[dublin.ref]):
        with behind_wall(staff=None, entities=[shanghai.ref]):
            assert [team.name for team in Team.objects.all()] == ["东部"]
        assert [team.name for team in Team.objects.all()] == ["North"]
        with pytest.raises(ValueError, match="broke off"), behind_wall(staff=None, entities=[shanghai.ref]):
            raise ValueError("broke off")
        assert [team.name for team in Team.objects.all()] == ["North"]
    assert list(Team.objects.all()) == []


@pytest.mark.django_db(transaction=True)
def test_a_wall_ends_with_its_transaction(dublin: Entity) -> None:
    with behind_wall(staff=None, entities=[dublin.ref]), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('comity.entities')")
        assert cursor.fetchone() == (str(dublin.ref),)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('comity.entities', true)")
        assert cursor.fetchone() in {("",), (None,)}


def test_a_wall_can_be_taken_down_again(db: None) -> None:
    del db
    wall, state = ProtectByEntity("Membership", "team"), ProjectState.from_apps(apps)
    with connection.schema_editor() as editor:
        wall.database_forwards("staff", editor, state, state)
        assert _walled("staff_membership")
        wall.database_backwards("staff", editor, state, state)
        assert not _walled("staff_membership")


def test_a_row_of_several_entities_is_seen_by_those_who_act_for_one_of_them(
    dublin: Entity, shanghai: Entity, as_the_application: None
) -> None:
    del as_the_application
    shared = CreateModel(
        "Shared", [("ref", models.UUIDField(primary_key=True)), ("entities", ArrayField(models.UUIDField()))]
    )
    wall, before, after = ProtectByEntity("Shared", "entities", many=True), ProjectState(), ProjectState()
    shared.state_forwards("staff", after)
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        with connection.schema_editor() as editor:
            shared.database_forwards("staff", editor, before, after)
            wall.database_forwards("staff", editor, after, after)
        both, one = [dublin.ref, shanghai.ref], [shanghai.ref]
        cursor.execute("INSERT INTO staff_shared VALUES (%s, %s), (%s, %s)", [new_ref(), both, new_ref(), one])
        cursor.execute("GRANT SELECT ON staff_shared TO comity_app")
        cursor.execute("SET LOCAL ROLE comity_app")
        for entities, many in ((one, 2), ([dublin.ref], 1), ([], 0)):
            with behind_wall(staff=None, entities=entities):
                cursor.execute("SELECT count(*) FROM staff_shared")
                assert cursor.fetchone() == (many,)
    assert wall.deconstruct() == ("ProtectByEntity", ["Shared", "entities"], {"many": True})


def _walled(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE relname = %s", [table])
        found = cursor.fetchone()
    return bool(found and found[0])


def test_a_wall_reads_the_entities_once_a_query_and_so_do_those_that_were_built_before(
    db: None, as_the_application: None, dublin: Entity
) -> None:
    del db, as_the_application
    renewal = import_module("comity.staff.migrations.0002_walls_read_once")
    before = (
        f"entity_id = ANY (((SELECT string_to_array(nullif(current_setting('{ENTITIES}', true), ''), ',')))::uuid[])"
    )
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute("SELECT qual, with_check FROM pg_policies WHERE tablename = 'staff_team'")
        now = cursor.fetchone()
        cursor.execute(f"ALTER POLICY by_entity ON staff_team USING ({before}) WITH CHECK ({before})")
        assert "::uuid[]" in _plan_for_teams(dublin)
        with connection.schema_editor() as editor:
            renewal.read_once(apps, editor)
        cursor.execute("SELECT qual, with_check FROM pg_policies WHERE tablename = 'staff_team'")
        assert cursor.fetchone() == now
        assert "::uuid[]" not in _plan_for_teams(dublin)
        cursor.execute(renewal.WALLS, [renewal.BEFORE])
        assert cursor.fetchall() == []


def _plan_for_teams(entity: Entity) -> str:
    """Return how PostgreSQL reads the teams of an entity."""
    with behind_wall(staff=None, entities=[entity.ref]), application_role(), connection.cursor() as cursor:
        cursor.execute("EXPLAIN SELECT * FROM staff_team")
        return "\n".join(line for (line,) in cursor.fetchall())
