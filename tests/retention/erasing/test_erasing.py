"""Erasing: every row that names the person goes with the key, or nothing does; what a law keeps leads to nobody."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from comity.book.merging.actions import Choices, merge_persons
from comity.book.models import ContactPoint, Person, Relation
from comity.consent.actions import About, give_consent
from comity.consent.models import Consent
from comity.consent.suppression.models import Suppressed
from comity.ledger.comity_verify import commitment
from comity.ledger.models import Entry
from comity.retention.erasing import actions
from comity.retention.erasing.models import Erasure, Kept, Why
from comity.retention.erasing.targets import targets
from comity.retention.holds.models import Hold
from comity.staff.approvals import NotApproved, settle_approval
from comity.staff.models import Entity
from comity.vault.models import PersonKey, Sealed
from tests.book.people import newcomer
from tests.retention.erasing.everywhere import put_everywhere, tables_with
from tests.staff.people import make_staff


def test_after_an_erasure_no_table_names_the_person_but_those_that_say_so(firm: Entity, greta: UUID) -> None:
    put = put_everywhere(greta, firm.ref, {})
    assert len(put) > 25
    actions.erase_person(person=greta, entity=firm, why=Why.ASKED, staff=None)
    stay = {target.table for target in targets() if target.becomes == "stay"}
    assert set(tables_with(str(greta))) - stay == {"ledger_journalline"}
    assert not PersonKey.objects.filter(person=greta).exists()
    assert not Sealed.objects.filter(person=greta).exists()


def test_rows_of_others_stay(firm: Entity, greta: UUID, oliver: UUID) -> None:
    with connection.cursor() as cursor:
        tables = [target.table for target in targets()]

        def counts() -> dict[str, int]:
            found = {}
            for table in tables:
                cursor.execute(f"SELECT count(*) FROM {table} AS row WHERE row::text LIKE %s", [f"%{oliver}%"])
                ((found[table],),) = cursor.fetchall()
            return found

        put_everywhere(oliver, firm.ref, {})
        before = counts()
        put_everywhere(greta, firm.ref, {})
        actions.erase_person(person=greta, entity=firm, why=Why.ASKED, staff=None)
        assert counts() == before
        assert before["book_contactpoint"] > 1
    assert PersonKey.objects.filter(person=oliver).exists()


def test_the_ledger_names_the_erasure_and_commits_to_what_the_certificate_claims(firm: Entity, greta: UUID) -> None:
    done = actions.erase_person(person=greta, entity=firm, why=Why.ASKED, staff=None)
    assert done.entry is not None
    assert greta in done.entry.persons
    body = bytes(Entry.objects.get(pk=done.entry.pk).body).decode()
    assert commitment(done.done) in body
    assert done.done["went"]["keys"] == 1
    assert done.done["went"]["rows"]["book.ContactPoint"] == 2


def test_whoever_is_known_to_another_entity_of_ours_stays_there(firm: Entity, shanghai: Entity, greta: UUID) -> None:
    Person.objects.filter(ref=greta).update(entities=[firm.ref, shanghai.ref])
    Relation.objects.create(person_id=greta, entity=shanghai, customer_since=date(2025, 1, 1))
    done = actions.erase_person(person=greta, entity=firm, why=Why.ASKED, staff=None)
    assert not done.whole
    there = Person.objects.get(ref=greta)
    assert there.entities == [shanghai.ref]
    assert list(Relation.objects.filter(person=greta).values_list("entity_id", flat=True)) == [shanghai.ref]
    assert ContactPoint.objects.filter(person=greta).count() == 2
    assert PersonKey.objects.filter(person=greta).exists()
    later = actions.erase_person(person=greta, entity=shanghai, why=Why.ASKED, staff=None)
    assert later.whole
    assert not Person.objects.filter(ref=greta).exists()


def test_notes_of_the_entity_that_lets_go_are_gone_from_the_vault(firm: Entity, shanghai: Entity, greta: UUID) -> None:
    Person.objects.filter(ref=greta).update(entities=[firm.ref, shanghai.ref])
    assert Sealed.objects.filter(person=greta, field_class="note").exists()
    actions.erase_person(person=greta, entity=firm, why=Why.ASKED, staff=None)
    assert not Sealed.objects.filter(person=greta, field_class="note").exists()
    assert Sealed.objects.filter(person=greta, field_class="name").exists()


def test_what_a_law_has_us_keep_stays_without_the_person(firm: Entity, oliver: UUID) -> None:
    """A contract in the United Kingdom: six years (Limitation Act), as the packs have it."""
    done = actions.erase_person(person=oliver, entity=firm, why=Why.ASKED, staff=None)
    kept = Kept.objects.get(erasure=done, table="book.Relation")
    assert kept.rule == "gb-records/contract-claims"
    assert kept.until == done.stays_until
    assert kept.until.year == timezone.localdate().year + 6
    assert kept.facts["customer_since"] == "2024-03-18"
    assert str(oliver) not in str(kept.facts)
    assert not Person.objects.filter(ref=oliver).exists()


def test_the_plan_says_beforehand_what_the_run_then_does(firm: Entity, oliver: UUID) -> None:
    olga = make_staff("privacy-officer", entity=firm)
    planned = actions.plan_erasure(person=oliver, entity=firm, why=Why.ASKED, planned_by=olga)
    assert Person.objects.filter(ref=oliver).exists()
    going = {each["table"]: each["rows"] for each in planned.plan["tables"] if each["becomes"] != "stay"}
    done = actions.erase_person(person=oliver, entity=firm, why=Why.ASKED, staff=olga)
    assert {table: rows for table, rows in done.done["went"]["rows"].items() if rows} == going
    assert [each["rule"] for each in planned.plan["kept"]] == [each["rule"] for each in done.done["kept"]]


def test_an_erasure_by_staff_takes_a_second_person(firm: Entity, greta: UUID) -> None:
    olga, vera = (
        make_staff("privacy-officer", entity=firm),
        make_staff("privacy-officer", name="Vera Lind", entity=firm),
    )
    planned = actions.plan_erasure(person=greta, entity=firm, why=Why.ASKED, planned_by=olga)
    with pytest.raises(NotApproved):
        actions.begin_approved(erasure=planned, begun_by=olga)
    approval = actions.ask_to_erase(erasure=planned, reason="She asked for it", asked_by=olga)
    settle_approval(approval=approval, approved=True, settled_by=vera)
    begun = actions.begin_approved(erasure=planned, begun_by=olga)
    assert actions.run(begun.ref).done_at is not None
    assert not Person.objects.filter(ref=greta).exists()


def test_an_approval_is_of_the_plan_that_was_read(firm: Entity, greta: UUID) -> None:
    olga, vera = (
        make_staff("privacy-officer", entity=firm),
        make_staff("privacy-officer", name="Vera Lind", entity=firm),
    )
    planned = actions.plan_erasure(person=greta, entity=firm, why=Why.ASKED, planned_by=olga)
    settle_approval(
        approval=actions.ask_to_erase(erasure=planned, reason="x", asked_by=olga), approved=True, settled_by=vera
    )
    again = actions.plan_erasure(person=greta, entity=firm, why=Why.ASKED, planned_by=olga)
    with pytest.raises(NotApproved):
        actions.begin_approved(erasure=again, begun_by=olga)


@pytest.mark.parametrize("of_everybody", [False, True])
def test_a_hold_stops_everything(firm: Entity, greta: UUID, *, of_everybody: bool) -> None:
    olga = make_staff("privacy-officer", entity=firm)
    Hold.objects.create(
        entity=firm, person=None if of_everybody else greta, reason="A suit", owner=olga, placed_by=olga,
        review_on=date(2027, 1, 1),
    )  # fmt: skip
    with pytest.raises(actions.HeldFast):
        actions.erase_person(person=greta, entity=firm, why=Why.ASKED, staff=None)
    assert Person.objects.filter(ref=greta).exists()
    assert PersonKey.objects.filter(person=greta).exists()


def test_a_hold_that_comes_after_the_beginning_stops_the_run_too(firm: Entity, greta: UUID) -> None:
    olga = make_staff("privacy-officer", entity=firm)
    planned = actions.plan_erasure(person=greta, entity=firm, why=Why.ASKED, planned_by=olga)
    Erasure.objects.filter(pk=planned.pk).update(begun_at=timezone.now())
    Hold.objects.create(
        entity=firm, person=greta, reason="A suit", owner=olga, placed_by=olga, review_on=date(2027, 1, 1)
    )
    with pytest.raises(actions.HeldFast):
        actions.run(planned.ref)
    assert actions.finish_begun() == 0
    assert Person.objects.filter(ref=greta).exists()


def test_whoever_was_merged_into_somebody_goes_with_them(firm: Entity, greta: UUID, add: Any) -> None:  # noqa: ANN401 - a function
    twin = add(newcomer("Greta", "Gruenwald", "DE"))
    ada = make_staff("sales", entity=firm)
    merge_persons(kept=greta, gone=twin, entity=firm, choices=Choices(), merged_by=ada)
    actions.erase_person(person=greta, entity=firm, why=Why.ASKED, staff=None)
    assert not Person.objects.filter(ref__in=[greta, twin]).exists()
    assert not PersonKey.objects.filter(person__in=[greta, twin]).exists()


def test_addresses_of_who_asked_are_kept_from_advertising_as_keyed_hashes(firm: Entity, greta: UUID) -> None:
    actions.erase_person(person=greta, entity=firm, why=Why.ASKED, staff=None)
    rows = Suppressed.objects.filter(entity=firm, source=actions.SOURCE)
    assert {row.reach for row in rows} == {"email", "phone"}


def test_who_said_no_stays_suppressed_whyever_they_go_and_others_do_not(
    firm: Entity, greta: UUID, oliver: UUID
) -> None:
    Person.objects.filter(ref=greta).update(objected_at=datetime(2026, 1, 1, tzinfo=UTC))
    actions.erase_persons(persons=[oliver], entity=firm, why=Why.QUIET, staff=None)
    assert not Suppressed.objects.filter(entity=firm, source=actions.SOURCE).exists()
    actions.erase_persons(persons=[greta], entity=firm, why=Why.QUIET, staff=None)
    assert Suppressed.objects.filter(entity=firm, source=actions.SOURCE).count() == 2


def test_many_go_at_once_with_one_entry_and_the_held_stay(firm: Entity, add: Any, greta: UUID) -> None:  # noqa: ANN401 - a function
    olga = make_staff("privacy-officer", entity=firm)
    others = [add(newcomer(f"Nobody{number}", "Atall", "DE", relation={})) for number in range(5)]
    Hold.objects.create(
        entity=firm, person=greta, reason="A suit", owner=olga, placed_by=olga, review_on=date(2027, 1, 1)
    )
    assert actions.erase_persons(persons=[*others, greta], entity=firm, why=Why.QUIET, staff=None) == 5
    assert Erasure.objects.filter(done_at__isnull=False).values("entry").distinct().count() == 1
    assert Person.objects.filter(ref=greta).exists()
    assert not Person.objects.filter(ref__in=others).exists()


def test_what_began_is_finished_by_whoever_comes_next(firm: Entity, greta: UUID) -> None:
    planned = actions.plan_erasure(person=greta, entity=firm, why=Why.ASKED, planned_by=None)
    Erasure.objects.filter(pk=planned.pk).update(begun_at=timezone.now())
    assert actions.finish_begun() == 1
    assert not Person.objects.filter(ref=greta).exists()
    assert actions.finish_begun() == 0


def test_what_was_written_beside_an_erasure_is_swept(firm: Entity, greta: UUID, oliver: UUID) -> None:
    actions.erase_person(person=greta, entity=firm, why=Why.ASKED, staff=None)
    when = {"purpose": "marketing", "channel": "email", "said": "given", "said_at": timezone.now()}
    for person in (greta, oliver):
        Consent.objects.create(person=person, entity=firm, **when)
    assert actions.sweep_late() == 1
    assert list(Consent.objects.values_list("person", flat=True)) == [oliver]
    assert actions.sweep_late() == 0


def test_a_run_that_fails_half_way_leaves_everything(
    firm: Entity, greta: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Sealed.objects.filter(person=greta).count()

    def broken(**_: object) -> int:
        raise OSError("the disk is full")

    monkeypatch.setattr("comity.retention.erasing.running.destroy_person_keys", broken)
    with pytest.raises(OSError, match="disk"), transaction.atomic():
        actions.erase_person(person=greta, entity=firm, why=Why.ASKED, staff=None)
    assert Sealed.objects.filter(person=greta).count() == before
    assert ContactPoint.objects.filter(person=greta).count() == 2


def test_a_consent_that_must_be_provable_is_kept_for_its_time(firm: Entity, greta: UUID) -> None:
    """UWG § 7a: a consent to calls is documented for five years."""
    about = About(person=greta, entity=firm, purpose="marketing", channel="call")
    give_consent(about=about, said_at=datetime(2026, 5, 4, 12, tzinfo=UTC), source="form", heard_by=None, express=True)
    done = actions.erase_person(person=greta, entity=firm, why=Why.ASKED, staff=None)
    kept = Kept.objects.get(erasure=done, table="consent.Consent")
    assert kept.rule == "de-uwg/proof-of-consent-to-calls"
    assert kept.facts["said"] == "given"


def test_every_declaration_is_in_order() -> None:
    call_command("check", "--tag", "data_map")


@pytest.mark.django_db
def test_whoever_is_erased_is_found_by_an_index_in_every_table() -> None:
    """Else erasing one person would read whole tables: of a million people, a second each."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'")
        indexes = cursor.fetchall()
    columns = [
        (each.table, link.column) for each in targets() if each.becomes != "stay" for link in each.declared.persons
    ]
    found = {(table, column) for table, column in columns for held, definition in indexes
             if held == table and re.search(rf"\({column}[,)]", definition)}  # fmt: skip
    assert set(columns) - found == set()
