"""A person may look at what is kept about themself: in one visit, nobody else's, and with none of the staff."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from comity.ledger.models import Entry
from comity.refs import new_ref
from comity.staff.walls import behind_wall
from comity.vault import actions, gate
from comity.vault.gate import Warrant
from tests.vault.conftest import NAMES, Permit, label, ref_of

VISIT = new_ref()
OF_A_VISIT: dict[str, Any] = {"staff": None, "visit": VISIT, "purpose": "legal-duty"}


def visited(permit: Permit, who: str = "Greta", visit: UUID = VISIT) -> Warrant:
    recorded = permit(who, **OF_A_VISIT | {"visit": visit})
    return replace(recorded, staff=None, visit=visit, purpose="legal-duty")


@pytest.mark.usefixtures("cast")
def test_a_visit_opens_what_is_kept_about_whoever_visits_and_says_so(permit: Permit) -> None:
    opened = actions.open_fields(warrant=visited(permit), labels=[label("Greta")])
    assert opened == {label("Greta"): NAMES["Greta"]}
    entry = Entry.objects.get(kind="vault.opened")
    assert (entry.staff, entry.persons) == (None, [ref_of("Greta")])
    assert str(VISIT).encode() in bytes(entry.body)


@pytest.mark.usefixtures("cast")
def test_a_visit_opens_nobody_else(permit: Permit) -> None:
    with pytest.raises(gate.OtherPersons):
        actions.open_fields(warrant=visited(permit), labels=[label("Paul")])


@pytest.mark.usefixtures("cast")
def test_another_visit_opens_nothing_by_it(permit: Permit) -> None:
    with pytest.raises(gate.OtherVisit):
        actions.open_fields(warrant=replace(visited(permit), visit=new_ref()), labels=[label("Greta")])


@pytest.mark.usefixtures("cast")
def test_none_of_the_staff_acts_on_what_was_decided_for_a_visit(permit: Permit, ada: UUID) -> None:
    warrant = visited(permit)
    with pytest.raises(gate.OtherStaff):
        actions.open_fields(warrant=replace(warrant, staff=ada), labels=[label("Greta")])
    with behind_wall(staff=ada, entities=[]), pytest.raises(gate.OtherVisit, match="staff acts"):
        actions.open_fields(warrant=warrant, labels=[label("Greta")])


@pytest.mark.usefixtures("cast")
def test_a_visit_opens_nothing_by_what_was_decided_for_staff(permit: Permit) -> None:
    with pytest.raises(gate.OtherStaff):
        actions.open_fields(warrant=replace(permit("Greta"), staff=None, visit=VISIT), labels=[label("Greta")])


@pytest.mark.parametrize(
    "changes",
    [{"visit": None}, {"staff": new_ref()}, {"operation": "export"}, {"purpose": "service"}, {"channel": "email"}],
    ids=["nobody's", "also of staff", "another operation", "another purpose", "a channel"],
)
@pytest.mark.usefixtures("cast")
def test_the_database_keeps_no_decision_of_a_visit_that_does_more(permit: Permit, changes: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        permit("Greta", **OF_A_VISIT | changes)


@pytest.mark.usefixtures("cast")
def test_the_database_keeps_no_decision_of_a_visit_about_two(permit: Permit) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        permit("Greta", "Paul", **OF_A_VISIT)
