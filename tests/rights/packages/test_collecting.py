"""Everything about a person comes together, for whoever may see it, and nothing of anybody else."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from comity.ledger.models import Entry
from comity.refs import new_ref
from comity.rights.packages.collecting import Collected, bytes_of, collect
from comity.rights.packages.redacting import redact
from comity.rights.packages.shelves import SHELVES
from comity.rights.requests.models import Request
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from comity.vault.gate import Oneself
from comity.vault.queries import labels_of
from tests.rights.packages.conftest import FILE, NOTE
from tests.staff.people import make_staff

pytestmark = pytest.mark.django_db


def all_of(person: UUID, firm: Entity, reader: Staff | Oneself) -> Collected:
    staff = reader.ref if isinstance(reader, Staff) else None
    with behind_wall(staff=staff, entities=[firm.ref]):
        return collect(person=person, entity=firm, reader=reader, at=timezone.now())


def opened(collected: Collected) -> list[Any]:
    return [value for table in collected.tables for row in table.rows for value in row.opened.values()]


def test_an_officer_and_the_person_themself_see_the_same(mira: UUID, asked: Request, firm: Entity, olga: Staff) -> None:
    by_staff = all_of(mira, firm, olga)
    by_themself = all_of(mira, firm, Oneself(person=mira, visit=new_ref()))
    for collected in (by_staff, by_themself):
        said = opened(collected)
        assert {"Mira", "Sørensen", "mira@kettle.example", NOTE, "C01X00T47", "../order<1>.pdf"} <= set(map(str, said))
        assert (collected.sealed, collected.unplaced) == (0, 0)
        assert [row.ref for row in collected.table("rights.Request").rows] == [str(asked.ref)]
        assert collected.table("counsel.OwedDuty").rows
    assert opened(by_staff)[:6] == opened(by_themself)[:6]


def test_nothing_that_lies_under_the_persons_key_is_left_sealed(mira: UUID, firm: Entity, olga: Staff) -> None:
    collected = all_of(mira, firm, olga)
    with behind_wall(staff=olga.ref, entities=[firm.ref]):
        held = {label.record for label in labels_of(mira)}
    records = {
        record for table in collected.tables for row in table.rows for record in records_of(table.shelf, row.ref)
    }
    files = {file.label.record for file in collected.files}
    decisions = {collected.decided.ref}  # the facts of the decision that this very look was
    assert held <= records | files | decisions


def records_of(shelf: Any, ref: str) -> set[UUID]:  # noqa: ANN401 - a shelf
    return set(shelf.holds(UUID(ref))) if len(ref) == 36 else set()


def test_one_decision_and_one_opening_are_on_record(mira: UUID, firm: Entity, olga: Staff) -> None:
    before = Entry.objects.count()
    all_of(mira, firm, olga)
    kinds = sorted(Entry.objects.order_by("recorded_at", "ref").values_list("kind", flat=True)[before:])
    assert kinds == ["counsel.decided", "vault.opened"]


def test_who_looked_is_said_by_role_and_nobody_of_our_staff_is_named(mira: UUID, firm: Entity, olga: Staff) -> None:
    visit = Oneself(person=mira, visit=new_ref())
    all_of(mira, firm, visit)
    all_of(mira, firm, olga)
    rows = all_of(mira, firm, olga).table("ledger.Entry").rows
    assert {row.plain["by"] for row in rows if row.plain["kind"] == "vault.opened"} == {"you", "Privacy officer"}
    assert str(olga.ref) not in str([row.plain for row in rows])


def test_nothing_of_anybody_else_is_in_it(mira: UUID, oliver: UUID, firm: Entity, olga: Staff) -> None:
    collected = all_of(mira, firm, olga)
    said = str([(row.ref, row.plain, row.opened) for table in collected.tables for row in table.rows])
    assert str(oliver) not in said
    assert "oliver@kettle.example" not in str(opened(redact(collected).collected))


def test_nothing_of_another_entity_is_in_it(mira: UUID, firm: Entity, shanghai: Entity, olga: Staff) -> None:
    shanghai.facts = firm.facts
    shanghai.save()
    theirs = all_of(mira, shanghai, olga)
    assert [table.shelf.table for table in theirs.tables if table.rows and table.shelf.entity] == []
    assert NOTE not in map(str, opened(theirs))
    assert theirs.unplaced


def test_who_may_see_nothing_for_this_purpose_opens_nothing(mira: UUID, firm: Entity) -> None:
    collected = all_of(mira, firm, make_staff("sales"))
    assert opened(collected) == []
    assert collected.sealed > 5


def test_other_people_in_what_was_written_are_taken_out(mira: UUID, firm: Entity, olga: Staff) -> None:
    redacted = redact(all_of(mira, firm, olga))
    assert redacted.others.found == {"Oliver O'Brien", "oliver@kettle.example"}
    texts = [value for value in opened(redacted.collected) if "Greta came" in str(value)]
    assert texts == ["Greta came with [another person] ([another person]) and wants =2+3 kettles."]
    assert (redacted.texts, redacted.places) == (1, 2)
    kept = redact(all_of(mira, firm, olga), more=["Greta"], keep=["oliver@kettle.example"])
    assert [value for value in opened(kept.collected) if "came with" in str(value)] == [
        "[another person] came with [another person] (oliver@kettle.example) and wants =2+3 kettles."
    ]


def test_the_bytes_of_a_file_are_opened_by_themselves(mira: UUID, firm: Entity, olga: Staff) -> None:
    collected = all_of(mira, firm, olga)
    (file,) = collected.files
    with behind_wall(staff=olga.ref, entities=[firm.ref]):
        assert bytes_of(file, collected.decided) == FILE


def test_as_many_statements_whatever_there_is(mira: UUID, firm: Entity, olga: Staff) -> None:
    with CaptureQueriesContext(connection) as asked:
        all_of(mira, firm, olga)
    assert len(asked) < len(SHELVES) + 40


def test_refusals_of_their_addresses_are_found_by_the_addresses(mira: UUID, firm: Entity, olga: Staff) -> None:
    from comity.consent.suppression.marks import mark_of
    from comity.consent.suppression.models import Suppressed

    mark = mark_of("email", "mira@kettle.example")
    with behind_wall(staff=olga.ref, entities=[firm.ref]):
        Suppressed.objects.create(
            entity=firm, reach="email", digest=mark.digest, cause="complaint", uses=[], since=timezone.now()
        )
    (row,) = all_of(mira, firm, olga).table("consent.Suppressed").rows
    assert row.plain["cause"] == "complaint"
