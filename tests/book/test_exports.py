"""Taking people out: what the law permits, in the fields that a role has, on record, signed, once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from comity.book.actions import NewPoint
from comity.book.exports import actions
from comity.book.exports.actions import (
    NotExported,
    Wanted,
    ask_export,
    ask_second_person,
    begin_export,
    commitment,
    delete_old_files,
    hand_out,
    make_file,
    path_of,
)
from comity.book.exports.columns import Batch, Column, columns_of
from comity.book.exports.marking import marks
from comity.book.exports.models import Export, ExportPart, Format
from comity.book.exports.queries import export_classes, exports_seen_by, left_out_of, reasons_of, trace
from comity.book.fields.actions import make_field
from comity.book.fields.models import CustomField, FieldValue, Sensitivity, Sort
from comity.book.merging.actions import Choices, merge_persons
from comity.book.models import Person, Reach
from comity.consent.actions import About, object_to_marketing, withdraw_consent
from comity.ledger.models import Entry
from comity.refs import new_ref, shown
from comity.staff.approvals import NotApproved, settle_approval
from comity.staff.guards import NotYours
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from comity.vault.actions import destroy_person_key, seal
from comity.vault.models import RecordedDecision
from comity.vault.sealing import FieldClass, Label
from tests.book.people import Add, newcomer, refs
from tests.book.taking_out import Sign, Take, rows_of, sign, take, text_of, wanted

__all__ = ["sign", "take", "wanted"]

pytestmark = pytest.mark.django_db


def body(entry: Entry) -> dict[str, object]:
    told: dict[str, object] = json.loads(bytes(entry.body))["body"]
    return told


# ---------------------------------------------------------------- what goes out


def test_whom_the_law_permits_is_in_the_file_and_whom_it_does_not_is_counted_with_the_reason(
    ada: Staff, greta: UUID, aiko: UUID, take: Take, sign: Sign
) -> None:
    export = take(ada, [greta, aiko])
    sign()
    (row,) = rows_of(hand_out(export=export, staff=ada))
    assert (row["Person ref"], row["Given name"], row["E-mail"]) == (shown(greta), "Greta", "greta@kettle.example")
    assert (export.asked, export.permitted, export.denied, export.asking) == (2, 1, 0, 1)
    (why,) = reasons_of(export)
    assert (why.verdict, why.because, why.people) == ("ask", ("no-law:JP",), 1)
    assert [each[:2] for each in left_out_of(ExportPart.objects.all())] == [(shown(aiko), "ask")]


def test_a_field_that_no_role_of_theirs_takes_out_is_not_in_the_file(
    ada: Staff, add: Add, take: Take, sign: Sign
) -> None:
    paul = add(newcomer("Paul", "Petit", "FR", points=[NewPoint(reach=Reach.POST, value="1 rue de la Paix")]))
    export = take(ada, [paul])
    sign()
    assert "Address" not in rows_of(hand_out(export=export, staff=ada))[0]
    assert RecordedDecision.objects.get().field_classes == ["contact", "name"]


def test_who_may_not_take_out_for_a_purpose_gets_nothing(ada: Staff, greta: UUID, wanted: Wanted) -> None:
    with pytest.raises(NotExported, match="None of your roles"):
        ask_export(wanted=replace(wanted, purpose="marketing"), persons=[greta], asked_by=ada)


def test_who_lacks_the_word_cannot_ask(
    staff_in: Callable[..., Staff], greta: UUID, wanted: Wanted, firm: Entity
) -> None:
    with pytest.raises(NotYours):
        ask_export(wanted=wanted, persons=[greta], asked_by=staff_in("support", entity=firm))


def test_a_role_that_was_taken_away_meanwhile_takes_nothing_out(ada: Staff, greta: UUID, wanted: Wanted) -> None:
    export = begin_export(export=ask_export(wanted=wanted, persons=[greta], asked_by=ada), staff=ada)
    ada.grants.update(revoked_at=timezone.now())
    with pytest.raises(NotYours):
        make_file(export=Export.objects.get(pk=export.pk))
    assert not path_of(export).exists()


def test_nobody_is_no_export(ada: Staff, wanted: Wanted) -> None:
    with pytest.raises(NotExported, match="Nobody"):
        ask_export(wanted=wanted, persons=[], asked_by=ada)


def test_whose_key_was_destroyed_has_no_name_in_the_file(ada: Staff, greta: UUID, take: Take, sign: Sign) -> None:
    destroy_person_key(person=greta, staff=None)
    export = take(ada, [greta])
    sign()
    (row,) = rows_of(hand_out(export=export, staff=ada))
    assert (row["Given name"], row["E-mail"], row["Home"]) == ("", "", "DE")


def test_a_thousand_people_and_one_are_two_decisions(
    ada: Staff, add: Add, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "MOST_PERSONS", 2)
    people = [add(newcomer("Ann", name, "DE")) for name in ("One", "Two", "Three")]
    export = take(ada, people)
    assert export.permitted == 3
    assert [part.exported for part in export.parts.all()] == [people[:2], people[2:]]
    assert RecordedDecision.objects.count() == 2


def test_who_was_merged_or_taken_away_meanwhile_is_left_out_and_nobody_is_asked_about_them(
    ada: Staff, greta: UUID, oliver: UUID, firm: Entity, wanted: Wanted, add: Add, sign: Sign
) -> None:
    twin = add(newcomer("Greta", "Gruenwald", "DE"))
    export = begin_export(export=ask_export(wanted=wanted, persons=[greta, twin, oliver], asked_by=ada), staff=ada)
    merge_persons(kept=greta, gone=twin, choices=Choices(), entity=firm, merged_by=ada)
    made = make_file(export=export)
    sign()
    assert {row["Person ref"] for row in rows_of(hand_out(export=made, staff=ada))} == {shown(greta), shown(oliver)}
    assert RecordedDecision.objects.get(operation="export").persons == [greta, oliver]
    assert [(why.because, why.people) for why in reasons_of(made)] == [(("not-in-the-book",), 1)]
    assert [row[0] for row in left_out_of(made.parts.all())] == [shown(twin)]
    assert body(Entry.objects.get(kind="book.exported"))["not_there"] == 1


def test_a_file_of_people_who_are_all_gone_is_empty_and_says_so(
    ada: Staff, greta: UUID, wanted: Wanted, sign: Sign
) -> None:
    export = begin_export(export=ask_export(wanted=wanted, persons=[greta], asked_by=ada), staff=ada)
    Person.objects.filter(ref=greta).update(entities=[new_ref()])
    made = make_file(export=export)
    sign()
    assert rows_of(hand_out(export=made, staff=ada)) == []
    assert (made.permitted, [why.people for why in reasons_of(made)]) == (0, [1])


def test_more_people_than_one_export_takes_are_refused_before_they_are_all_read(
    ada: Staff, greta: UUID, wanted: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "MOST_PERSONS", 2)
    monkeypatch.setattr(actions, "MOST_ASKED", 4)
    read: list[UUID] = []

    def everybody() -> Iterator[UUID]:
        for person in sorted([greta, *refs(99)]):
            read.append(person)
            yield person

    with pytest.raises(NotExported, match="4 people at most"):
        ask_export(wanted=wanted, persons=everybody(), asked_by=ada)
    assert len(read) < 10
    assert not Export.objects.exists()


def test_who_is_named_twice_is_taken_out_once(ada: Staff, greta: UUID, oliver: UUID, wanted: Wanted) -> None:
    one_by_one = sorted([greta, oliver, greta])
    for persons in ([oliver, greta, oliver], iter(one_by_one)):
        assert ask_export(wanted=wanted, persons=persons, asked_by=ada).asked == 2
    with pytest.raises(ValueError, match="in order"):
        ask_export(wanted=wanted, persons=reversed(one_by_one), asked_by=ada)


@pytest.mark.parametrize("format_", [Format.CSV, Format.JSON, Format.XLSX])
def test_what_people_refused_is_in_every_file_that_has_room_for_it(
    format_: Format, ada: Staff, greta: UUID, firm: Entity, wanted: Wanted
) -> None:
    about = About(person=greta, entity=firm, purpose="marketing", channel="email")
    withdraw_consent(about=about, said_at=timezone.now(), source="call", heard_by=None)
    made = ask_export(wanted=replace(wanted, columns=["email"], format=format_), persons=[greta], asked_by=ada)
    noes = {"objected", "signal", "restricted", "deceased", "consent:marketing/email"}
    assert set(made.columns) == {"mark", "email", *noes}


def test_a_no_is_in_a_file_of_which_nobody_asked_for_it(
    ada: Staff, greta: UUID, firm: Entity, wanted: Wanted, take: Take, sign: Sign
) -> None:
    object_to_marketing(person=greta, entity=firm, said_at=timezone.now(), source="call", heard_by=None)
    export = take(ada, [greta], replace(wanted, columns=["email"]))
    sign()
    (row,) = rows_of(hand_out(export=export, staff=ada))
    assert row["Objected at"]
    assert row["Consent marketing/none"].startswith("objected ")


def test_a_card_says_that_it_tells_no_refusals(ada: Staff, greta: UUID, wanted: Wanted, take: Take, sign: Sign) -> None:
    export = take(ada, [greta], replace(wanted, columns=["email"], format=Format.VCARD))
    sign()
    assert export.columns == ["mark", "email"]
    card = text_of(hand_out(export=export, staff=ada)).replace("\r\n ", "")
    assert "X-COMITY-NOTE:This card does not tell what its person refused" in card


# ---------------------------------------------------------------- fields that an entity made for itself


Make = Callable[..., CustomField]


@pytest.fixture
def made(firm: Entity, greta: UUID, olga: Staff) -> Make:
    """Give what makes a field and fills it in for Greta."""

    def make(name: str, sort: Sort, sensitivity: Sensitivity, value: object) -> CustomField:
        told = {"name": name, "sort": sort, "sensitivity": sensitivity, "why": "To find the contract."}
        one = make_field(told=told, entity=firm, made_by=olga)
        plain = value if sensitivity == Sensitivity.PLAIN else None
        row = FieldValue.objects.create(person_id=greta, entity=firm, field=one, plain=plain)
        if plain is None:
            seal(label=Label(greta, FieldClass(sensitivity), "field", row.ref), fields={"value": str(value)})
        return one

    return make


def test_what_a_field_holds_is_in_a_column_of_its_own(
    ada: Staff, greta: UUID, oliver: UUID, made: Make, wanted: Wanted, take: Take, sign: Sign
) -> None:
    floor = made("Floor", Sort.NUMBER, Sensitivity.PLAIN, "3")
    garden = made("Garden", Sort.TRUTH, Sensitivity.PLAIN, value=True)
    mobile = made("Mobile", Sort.TEXT, Sensitivity.CONTACT, "at the side door")
    columns = ["ref", *(f"field:{one.ref}" for one in (floor, garden, mobile))]
    export = take(ada, [oliver, greta], replace(wanted, columns=columns))
    sign()
    rows = {row["Person ref"]: row for row in rows_of(hand_out(export=export, staff=ada))}
    headers = ("Field: Floor", "Field: Garden", "Field: Mobile")
    assert [rows[shown(greta)][each] for each in headers] == ["3", "true", "at the side door"]
    assert [rows[shown(oliver)][each] for each in headers] == ["", "", ""]


def test_a_sealed_field_of_a_class_that_no_role_of_theirs_takes_out_is_no_column(
    ada: Staff, olga: Staff, firm: Entity, made: Make
) -> None:
    made("Health", Sort.TEXT, Sensitivity.SPECIAL, "well")
    for staff, purpose, there in ((ada, "service", False), (olga, "legal-duty", True)):
        known = columns_of(firm, export_classes(staff, firm, purpose))
        assert ("Field: Health" in {column.header for column in known}) is there


# ---------------------------------------------------------------- on record


def test_the_ledger_says_that_it_was_made_and_commits_to_the_file(
    ada: Staff, greta: UUID, aiko: UUID, take: Take
) -> None:
    export = take(ada, [greta, aiko])
    told = body(Entry.objects.get(kind="book.exported"))
    assert told["verdicts"] == {"permit": 1, "ask": 1}
    assert (told["format"], told["purpose"], told["file"]) == ("csv", "service", commitment(export))
    kinds = list(Entry.objects.order_by("ref").values_list("kind", flat=True))[-4:]
    assert kinds == ["book.export-asked", "counsel.decided", "vault.opened", "book.exported"]


def test_nothing_is_handed_out_before_the_ledger_is_signed_over_it(
    ada: Staff, greta: UUID, take: Take, sign: Sign
) -> None:
    sign()
    export = take(ada, [greta])
    with pytest.raises(NotExported, match="not yet signed"):
        hand_out(export=export, staff=ada)
    sign()
    assert rows_of(hand_out(export=export, staff=ada))


def test_a_file_is_handed_out_once_and_then_gone(
    ada: Staff, greta: UUID, take: Take, sign: Sign, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    export = take(ada, [greta])
    sign()
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]  # a context manager
        handed = hand_out(export=export, staff=ada)
    assert not path_of(export).exists()
    assert Export.objects.get(pk=export.pk).file_key is None
    assert len(rows_of(handed)) == 1
    with pytest.raises(NotExported, match="gone"):
        hand_out(export=export, staff=ada)


def test_only_who_asked_gets_it(ada: Staff, olga: Staff, greta: UUID, take: Take, sign: Sign) -> None:
    export = take(ada, [greta])
    sign()
    with pytest.raises(NotExported, match="Only who asked"):
        hand_out(export=export, staff=olga)


def test_on_the_disk_is_nothing_that_names_anybody(ada: Staff, greta: UUID, take: Take) -> None:
    held = path_of(take(ada, [greta])).read_bytes()
    assert b"Greta" not in held
    assert b"kettle" not in held
    assert path_of(Export.objects.get()).stat().st_mode & 0o777 == 0o600


def test_a_file_that_nobody_fetched_is_deleted_after_a_day(ada: Staff, greta: UUID, take: Take, sign: Sign) -> None:
    export = take(ada, [greta])
    sign()
    assert delete_old_files(now=timezone.now() + timedelta(hours=23)) == 0
    later = timezone.now() + timedelta(hours=24, minutes=1)
    with pytest.raises(NotExported, match="gone"):
        hand_out(export=export, staff=ada, now=later)
    assert delete_old_files(now=later) == 1
    assert not path_of(export).exists()
    assert Export.objects.get().state == "gone"


def test_a_file_without_an_export_is_deleted_too(ada: Staff, greta: UUID, take: Take) -> None:
    kept = path_of(take(ada, [greta]))
    stray = kept.with_name("stray.parcel")
    stray.write_bytes(b"x")
    delete_old_files(now=timezone.now())
    assert kept.exists()
    assert not stray.exists()


def test_what_fails_leaves_no_file(ada: Staff, greta: UUID, wanted: Wanted, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_batch: Batch, _columns: Sequence[Column]) -> Batch:
        raise OSError("no space left")

    monkeypatch.setattr(actions, "gathered", breaks)
    export = begin_export(export=ask_export(wanted=wanted, persons=[greta], asked_by=ada), staff=ada)
    with pytest.raises(OSError, match="no space"):
        make_file(export=export)
    assert not path_of(export).exists()


# ---------------------------------------------------------------- four eyes


@pytest.fixture
def many(settings: Settings, ada: Staff, greta: UUID, oliver: UUID, wanted: Wanted) -> Export:
    """Ask for two people where one is the most that one may take out alone."""
    settings.EXPORT_ALONE = 1
    return ask_export(wanted=wanted, persons=[greta, oliver], asked_by=ada)


def test_many_people_take_a_second_person(many: Export, ada: Staff, olga: Staff) -> None:
    with pytest.raises(NotApproved):
        begin_export(export=many, staff=ada)
    asked = ask_second_person(export=many, reason="The yearly audit of deliveries", asked_by=ada)
    with pytest.raises(NotApproved):
        begin_export(export=many, staff=ada)
    settle_approval(approval=asked, approved=True, settled_by=olga)
    export = make_file(export=begin_export(export=many, staff=ada))
    assert export.permitted == 2
    assert body(Entry.objects.get(kind="book.exported"))["approval"] == str(asked.ref)


def test_an_approval_is_of_these_people_and_these_columns_alone(many: Export, ada: Staff, olga: Staff) -> None:
    settle_approval(
        approval=ask_second_person(export=many, reason="The audit", asked_by=ada), approved=True, settled_by=olga
    )
    part = many.parts.get()
    part.persons = list(reversed(part.persons))
    part.save()
    with pytest.raises(NotApproved, match="just this"):
        begin_export(export=many, staff=ada)
    part.persons = list(reversed(part.persons))
    part.save()
    Export.objects.update(columns=["ref", "mark", "email"])
    with pytest.raises(NotApproved, match="just this"):
        begin_export(export=many, staff=ada)


def test_few_people_take_nobody_else(ada: Staff, greta: UUID, take: Take) -> None:
    assert take(ada, [greta]).approval is None


def test_a_file_is_not_made_twice(ada: Staff, greta: UUID, take: Take) -> None:
    export = take(ada, [greta])
    with pytest.raises(NotExported, match="made before"):
        begin_export(export=export, staff=ada)


# ---------------------------------------------------------------- which export is this from?


def test_one_row_leads_to_its_export(ada: Staff, olga: Staff, greta: UUID, take: Take, sign: Sign) -> None:
    take(ada, [greta])
    export = take(ada, [greta])
    sign()
    (row,) = rows_of(hand_out(export=export, staff=ada))
    (found,) = trace(olga, f"they sell this: {row['Export mark']}, greta").traces
    assert (found.export, found.marked, found.forged) == (export, 1, 0)


def test_a_mark_that_nobody_was_given_is_called_so(ada: Staff, olga: Staff, greta: UUID, take: Take) -> None:
    export = take(ada, [greta])
    (found,) = trace(olga, f"{export.code}-00000000").traces
    assert (found.marked, found.forged) == (0, 1)


def test_the_name_of_a_file_leads_to_its_export(ada: Staff, olga: Staff, greta: UUID, take: Take, sign: Sign) -> None:
    export = take(ada, [greta])
    sign()
    handed = hand_out(export=export, staff=ada)
    handed.pieces.close()
    assert re.fullmatch(r"people-comity-[0-9A-Z]{8}\.csv", handed.name)
    assert trace(olga, handed.name).traces[0].export == export


def test_refs_lead_to_the_exports_that_have_these_people(
    ada: Staff, olga: Staff, greta: UUID, oliver: UUID, take: Take
) -> None:
    both, one = take(ada, [greta, oliver]), take(ada, [oliver])
    found = trace(olga, f"{shown(greta)},{shown(oliver)}").traces
    assert [(each.export, each.people) for each in found] == [(both, 2), (one, 1)]


def test_the_same_person_has_another_mark_in_every_export(greta: UUID) -> None:
    made = {marks(code="00000000", key=bytes([n]) * 16, persons=[greta])[0] for n in range(20)}
    assert len(made) == 20


def test_one_sees_ones_own_exports_and_the_privacy_officer_all(
    ada: Staff, olga: Staff, staff_in: Callable[..., Staff], greta: UUID, take: Take, firm: Entity
) -> None:
    export = take(ada, [greta])
    tom = staff_in("marketing", entity=firm)
    assert list(exports_seen_by(ada)) == list(exports_seen_by(olga)) == [export]
    assert list(exports_seen_by(tom)) == []


def test_who_reads_one_entitys_ledger_sees_no_exports_of_another(
    ada: Staff, staff_in: Callable[..., Staff], greta: UUID, take: Take, shanghai: Entity, firm: Entity
) -> None:
    export = take(ada, [greta])
    aud = staff_in("auditor", entity=shanghai)
    grant = aud.grants.get()
    grant.pk, grant.role, grant.entity = None, "support", firm
    grant.save(force_insert=True)
    assert list(exports_seen_by(aud)) == []
    assert trace(aud, export.code).traces == []


# ---------------------------------------------------------------- behind the wall


def test_the_application_sees_exports_of_its_entity_alone(
    ada: Staff, greta: UUID, take: Take, firm: Entity, shanghai: Entity, as_the_application: Callable[[], None]
) -> None:
    take(ada, [greta])
    as_the_application()
    assert not Export.objects.exists()
    with behind_wall(staff=ada.ref, entities=[shanghai.ref]):
        assert not ExportPart.objects.exists()
    with behind_wall(staff=ada.ref, entities=[firm.ref]):
        assert Export.objects.count() == ExportPart.objects.count() == 1


@pytest.fixture
def as_the_application() -> Iterator[Callable[[], None]]:
    """Give a function after which the test goes on as the role that the application has."""

    def become() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = 'comity_app'")
            if cursor.fetchone() is None:
                cursor.execute("CREATE ROLE comity_app NOLOGIN")
            cursor.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO comity_app")
            cursor.execute("SET LOCAL ROLE comity_app")

    yield become
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
