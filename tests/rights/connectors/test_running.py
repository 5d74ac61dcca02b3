"""A run through three systems: looked at, approved by a second person, erased, and completed whatever comes between."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from comity.ledger.models import Entry
from comity.rights.connectors.collecting import collect
from comity.rights.connectors.folders import FolderStore
from comity.rights.connectors.jobs import erase_there, look_there, sweep
from comity.rights.connectors.keeping import kept_of, kept_runs
from comity.rights.connectors.models import Leg, Run, State, System
from comity.rights.connectors.running import NotBegun, ask_second_person, ask_systems, begin, carry_out, look
from comity.rights.connectors.stores import StoreError
from comity.rights.connectors.systems import add_system, end_system
from comity.rights.packages.beyond import found_beyond
from comity.rights.packages.planning import plan_package
from comity.staff.approvals import NotApproved, settle_approval
from comity.staff.guards import NotYours
from tests.rights.connectors.databases import fetched_from, sqlite_database
from tests.rights.connectors.loyalty import SECRET, Loyalty, loyalty

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from pytest_django import Settings

from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from tests.rights.packages.conftest import ask

pytestmark = pytest.mark.django_db

SHOP = """
dataset:
  - fides_key: shop
    collections:
      - name: customer
        fields:
          - {name: id, fides_meta: {primary_key: true}}
          - {name: email, data_categories: [user.contact.email], fides_meta: {identity: email}}
"""
LAKE = """
dataset:
  - fides_key: lake
    collections:
      - name: visits
        fields:
          - {name: customer, fides_meta: {references: [{dataset: shop, field: customer.id, direction: from}]}}
          - {name: page, data_categories: [user.behavior]}
"""
GRETA = "Greta@Kettle.example"


@pytest.fixture
def there(settings: Settings) -> Iterator[Loyalty]:
    settings.WEBHOOK_PLAIN, settings.WEBHOOK_NETWORKS = True, ["127.0.0.1/32"]
    with loyalty() as here:
        yield here


@pytest.fixture
def places(folder: Path) -> Path:
    (folder / "systems" / "lake").mkdir(parents=True)
    sqlite_database(
        folder / "systems" / "shop",
        "CREATE TABLE customer (id INTEGER PRIMARY KEY, email TEXT);"
        f"INSERT INTO customer VALUES (1, '{GRETA}'), (2, 'oliver@kettle.example');",
    )
    (folder / "systems" / "lake" / "visits.csv").write_text("customer,page\n1,/a\n2,/b\n1,/c\n")
    return folder / "systems"


@pytest.fixture
def three(places: Path, there: Loyalty, firm: Entity, adam: Staff) -> tuple[System, System, System]:
    return (
        connect(firm, adam, "Shop", "sql", f"sqlite:///{places / 'shop'}", SHOP),
        connect(firm, adam, "Lake", "folder", str(places / "lake"), LAKE),
        connect(firm, adam, "Points", "http", there.address, "", SECRET),
    )


def connect(firm: Entity, by: Staff, name: str, sort: str, address: str, describes: str, password: str = "") -> System:
    return add_system(
        entity=firm, name=name, sort=sort, address=address, describes=describes, password=password, by=by
    )  # fmt: skip


@pytest.fixture
def looked(three: tuple[System, ...], firm: Entity, greta: UUID, olga: Staff) -> Run:
    del three
    run = ask_systems(entity=firm, person=greta, by=olga)
    look_there(run=str(run.ref), entity=str(run.entity_id))
    run.refresh_from_db()
    return run


def approved(run: Run, olga: Staff, adam: Staff) -> Run:
    approval = ask_second_person(run=run, reason="She asked for it.", by=olga)
    settle_approval(approval=approval, approved=True, settled_by=adam)
    return begin(run=run, by=olga)


def legs(run: Run) -> dict[str, Leg]:
    return {each.system.name: each for each in run.legs.select_related("system")}


def emails(places: Path) -> list[str | None]:
    return [row[0] for row in fetched_from(places / "shop", "SELECT email FROM customer ORDER BY id")]


def visits(places: Path) -> str:
    return (places / "lake" / "visits.csv").read_text()


def test_what_each_system_holds_is_shown_and_nothing_is_changed(looked: Run, places: Path, there: Loyalty) -> None:
    found = legs(looked)
    assert {name: (leg.state, leg.rows) for name, leg in found.items()} == {
        "Shop": ("found", 1), "Lake": ("found", 2), "Points": ("found", 1),
    }  # fmt: skip
    assert found["Lake"].found == {"lake.visits": {"erased": 2}}
    assert (emails(places), visits(places)) == ([GRETA, "oliver@kettle.example"], "customer,page\n1,/a\n2,/b\n1,/c\n")
    assert len(there.members) == 2
    assert kept_of(looked.ref) is None


def test_that_somebody_was_sought_is_on_record_and_names_nobody(looked: Run) -> None:
    entry = Entry.objects.get(kind="rights.systems-asked")
    assert entry.persons == [looked.person]
    assert Entry.objects.filter(kind="vault.opened").exists()
    told = json.dumps([leg.found for leg in legs(looked).values()]) + "".join(
        leg.trouble for leg in legs(looked).values()
    )
    assert "kettle" not in told.lower()


def test_she_is_erased_everywhere_and_nothing_is_remembered(
    looked: Run, places: Path, there: Loyalty, olga: Staff, adam: Staff
) -> None:
    run = approved(looked, olga, adam)
    erase_there(run=str(run.ref), entity=str(run.entity_id))
    run.refresh_from_db()
    assert run.done_at
    assert emails(places) == [None, "oliver@kettle.example"]
    assert visits(places) == "customer,page\n1,\n2,/b\n1,\n"
    assert [each["email"] for each in there.members] == ["oliver@kettle.example"]
    assert {name: leg.erased for name, leg in legs(run).items()} == {
        "Shop": {"shop.customer": 1}, "Lake": {"lake.visits": 2}, "Points": {"members": 1},
    }  # fmt: skip
    assert legs(run)["Points"].left == {"invoices": "the tax office wants them"}
    assert Entry.objects.filter(kind="rights.erased-beyond", persons=[run.person]).count() == 1
    assert kept_of(run.ref) is None
    assert not list((Path(settings.FOLDER) / "runs").iterdir())


def test_nothing_is_erased_without_a_second_person_who_approved_just_this(
    looked: Run, places: Path, olga: Staff, adam: Staff
) -> None:
    with pytest.raises(NotApproved):
        begin(run=looked, by=olga)
    approval = ask_second_person(run=looked, reason="She asked for it.", by=olga)
    settle_approval(approval=approval, approved=True, settled_by=adam)
    (places / "lake" / "visits.csv").write_text("customer,page\n1,/a\n1,/more\n1,/c\n")
    look(looked)
    with pytest.raises(NotApproved):
        begin(run=looked, by=olga)
    with pytest.raises(NotYours):
        begin(run=looked, by=adam)


def test_while_one_database_is_away_nothing_is_erased_and_then_all_of_it(
    looked: Run, places: Path, there: Loyalty, olga: Staff, adam: Staff
) -> None:
    run = approved(looked, olga, adam)
    (places / "shop").rename(places / "gone")
    assert not carry_out(run)
    assert legs(run)["Shop"].trouble == "Shop: it is not reached (OperationalError SQLITE_CANTOPEN)"
    assert "/a" in visits(places)
    assert len(there.members) == 2
    (places / "gone").rename(places / "shop")
    assert carry_out(run)
    assert emails(places)[0] is None


def test_what_failed_halfway_is_completed_though_the_way_there_is_gone(
    looked: Run, places: Path, olga: Staff, adam: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = approved(looked, olga, adam)
    with monkeypatch.context() as during:
        during.setattr(FolderStore, "erase", lambda *_: (_ for _ in ()).throw(StoreError("Lake: full")))
        assert not carry_out(run)
    found = legs(run)
    assert (found["Shop"].state, found["Lake"].state, found["Lake"].trouble) == ("done", "failed", "Lake: full")
    assert emails(places)[0] is None, "the shop, through which the way led, is erased"
    file = Path(settings.FOLDER) / "runs" / f"{run.ref}.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert carry_out(run)
    assert visits(places) == "customer,page\n1,\n2,/b\n1,\n"
    assert not file.exists()


def test_a_service_that_lies_is_noticed(looked: Run, there: Loyalty, olga: Staff, adam: Staff) -> None:
    there.lies = True
    run = approved(looked, olga, adam)
    assert not carry_out(run)
    assert legs(run)["Points"].state == State.AGAIN
    assert legs(run)["Points"].trouble == "It says that it erased, and finds 1 rows."
    there.members = []
    assert carry_out(run)


def test_a_database_that_puts_the_row_back_is_noticed(looked: Run, places: Path, olga: Staff, adam: Staff) -> None:
    sqlite_database(
        places / "shop",
        f"CREATE TRIGGER back AFTER UPDATE ON customer BEGIN UPDATE customer SET email = '{GRETA}' WHERE id = 1; END;",
    )
    run = approved(looked, olga, adam)
    assert not carry_out(run)
    assert legs(run)["Shop"].state == State.AGAIN
    assert legs(run)["Shop"].trouble == "It finds 1 rows after erasing them."


def test_a_service_that_takes_its_time_is_asked_how_far_it_is(
    looked: Run, there: Loyalty, olga: Staff, adam: Staff
) -> None:
    there.slow = True
    run = approved(looked, olga, adam)
    assert not carry_out(run)
    assert legs(run)["Points"].state == State.WORKING
    assert carry_out(run)
    assert [what for what, _, _ in there.asked].count("erase") == 1


def test_a_system_that_is_down_is_said_and_stops_no_other_from_being_looked_at(
    three: tuple[System, ...], there: Loyalty, firm: Entity, greta: UUID, olga: Staff
) -> None:
    there.code = 503
    run = ask_systems(entity=firm, person=greta, by=olga)
    look(run)
    found = legs(run)
    assert (found["Points"].state, found["Points"].trouble) == ("failed", "Points: it answered 503 to find")
    assert (found["Shop"].rows, found["Lake"].rows) == (1, 2)
    run.refresh_from_db()
    with pytest.raises(NotBegun, match="Every system must have answered first"):
        ask_second_person(run=run, reason="She asked for it.", by=olga)
    del three


def test_a_system_that_was_ended_is_waited_for_no_more(
    looked: Run, three: tuple[System, ...], there: Loyalty, olga: Staff, adam: Staff
) -> None:
    run = approved(looked, olga, adam)
    there.code = 500
    assert not carry_out(run)
    end_system(system=three[2], by=adam)
    assert carry_out(run)


def test_the_sweeper_goes_on_with_what_is_due_and_leaves_the_rest(
    looked: Run, there: Loyalty, olga: Staff, adam: Staff, jobs: Callable[[], int]
) -> None:
    run = approved(looked, olga, adam)
    there.code = 500
    carry_out(run)
    sweep(0)
    assert jobs() == 0, "it is not due yet"
    there.code = 200
    Leg.objects.filter(run=run).exclude(state=State.DONE).update(due_at=timezone.now())
    sweep(0)
    assert jobs() == 1
    sweep(0)
    assert jobs() == 1, "once is enough"


def test_what_a_worker_kept_that_died_as_it_was_done_is_forgotten(
    looked: Run, olga: Staff, adam: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = approved(looked, olga, adam)
    with monkeypatch.context() as during:
        during.setattr("comity.rights.connectors.running.forget", lambda _run: None)
        assert carry_out(run)
    assert kept_runs() == [run.ref]
    sweep(0)
    assert kept_runs() == []


def test_a_worker_that_dies_after_erasing_leaves_it_to_the_next(
    looked: Run, places: Path, olga: Staff, adam: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = approved(looked, olga, adam)
    with monkeypatch.context() as during:
        during.setattr("comity.rights.connectors.running._put_done", dies)
        with pytest.raises(Killed):
            carry_out(run)
    assert kept_runs() == [run.ref]
    assert carry_out(run)
    assert emails(places) == [None, "oliver@kettle.example"]
    assert visits(places) == "customer,page\n1,\n2,/b\n1,\n"


class Killed(BaseException):
    """A worker dies: nothing catches that."""


def dies(*_: object) -> None:
    raise Killed


@pytest.fixture
def jobs() -> Callable[[], int]:
    """Count the jobs that wait to erase."""
    from procrastinate.contrib.django.models import ProcrastinateJob

    return ProcrastinateJob.objects.filter(task_name="rights.erase_there", status="todo").count


def test_whoever_may_not_see_by_what_she_is_known_seeks_nobody(
    three: tuple[System, ...], firm: Entity, greta: UUID, ada: Staff, staff_in: Callable[..., Staff]
) -> None:
    with pytest.raises(NotYours):
        ask_systems(entity=firm, person=greta, by=ada)
    run = ask_systems(entity=firm, person=greta, by=staff_in("support", entity=firm))
    look(run)
    assert {leg.trouble for leg in legs(run).values()} == {
        "Neither role nor law lets you see by what this person is known."
    }
    del three


def test_one_run_at_a_time_erases_somebody(looked: Run, firm: Entity, olga: Staff, adam: Staff) -> None:
    other = ask_systems(entity=firm, person=looked.person, by=olga)
    look(other)
    other.refresh_from_db()
    approved(looked, olga, adam)
    with pytest.raises(ValidationError, match="Another run for this person is not done yet"):
        approved(other, olga, adam)


def test_what_all_systems_hold_is_brought_for_an_answer(
    three: tuple[System, ...], places: Path, there: Loyalty, firm: Entity, greta: UUID, olga: Staff
) -> None:
    del three
    found = {each.system: each for each in collect(entity=firm, person=greta, by=olga)}
    assert found["Shop"].rows == {"shop.customer": [{"email": [GRETA]}]}
    assert found["Lake"].rows == {"lake.visits": [{"page": ["/a"]}, {"page": ["/c"]}]}
    assert found["Points"].rows == {"members": [{"email": "Greta@kettle.example", "points": 7}]}
    [(name, content)] = found["Lake"].files
    assert (name, json.loads(content)) == ("lake.visits.json", [{"page": ["/a"]}, {"page": ["/c"]}])
    there.code = 500
    (places / "shop").unlink()
    troubled = {each.system: each.trouble for each in collect(entity=firm, person=greta, by=olga)}
    assert troubled["Points"] == "Points: it answered 500 to find"
    assert "Shop: it is not reached" in troubled["Shop"]
    assert not troubled["Lake"]


def test_what_they_hold_comes_into_the_package_of_whoever_asked(
    three: tuple[System, ...], firm: Entity, greta: UUID, olga: Staff
) -> None:
    del three
    asked = ask(greta, firm, olga)
    with behind_wall(staff=olga.ref, entities=[firm.ref]):
        plan = plan_package(request=asked, reader=olga).plan
        brought = list(found_beyond(firm, greta, dry=False))
    assert {one["system"]: one["rows"] for one in plan["systems"]} == {"Shop": 1, "Lake": 2, "Points": 1}
    assert {one.system: len(one.files) for one in brought} == {"Shop": 1, "Lake": 1, "Points": 1}
    with behind_wall(staff=None, entities=[firm.ref]):
        alone = list(found_beyond(firm, greta, dry=True))
    assert {one.system for one in alone} == {"Shop", "Lake", "Points"}
    assert all("One of our staff brings" in one.trouble for one in alone)


def test_without_other_systems_nothing_is_asked(firm: Entity, greta: UUID, olga: Staff) -> None:
    with pytest.raises(NotBegun, match="No other system is connected"):
        ask_systems(entity=firm, person=greta, by=olga)
