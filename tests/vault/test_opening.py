"""The vault opens under a recorded decision that says exactly this, and records that it did; otherwise it refuses."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from comity.ledger.actions import OutsideTransaction
from comity.ledger.models import Entry
from comity.refs import new_ref
from comity.vault import actions, gate, keyring, queries
from comity.vault.epochs import KeyMissing, WrongKey
from comity.vault.gate import Warrant
from comity.vault.models import PersonKey, RecordedDecision, Sealed
from comity.vault.sealing import BrokenSeal, FieldClass, Label
from comity.vault.tokens import Sort
from tests.vault.conftest import CONTACTS, HEALTH, NAMES, NOTES, Permit, blobs_of, everybody, label, ref_of


def opened(warrant: Warrant, *who: str, **more: Any) -> dict[Label, actions.Opened]:  # noqa: ANN401 - as open_fields
    return actions.open_fields(warrant=warrant, labels=[label(each) for each in who], **more)


def entries() -> int:
    return Entry.objects.filter(kind="vault.opened").count()


def test_what_was_sealed_is_opened(cast: list[str], permit: Permit) -> None:
    warrant = permit(*cast, field_classes=["name", "contact", "note", "special"])
    labels = [each for who in cast for each, _ in blobs_of(who)]
    found = actions.open_fields(warrant=warrant, labels=labels)
    assert found == {each: fields for who in cast for each, fields in blobs_of(who)}


@pytest.mark.usefixtures("cast")
def test_a_list_is_opened_with_one_entry_that_names_everybody(permit: Permit, ada: UUID) -> None:
    warrant = permit("Greta", "Paul")
    opened(warrant, "Greta", "Paul")
    entry = Entry.objects.get(kind="vault.opened")
    assert set(entry.persons) == {ref_of("Greta"), ref_of("Paul")}
    assert entry.staff == ada
    assert str(warrant.decision).encode() in bytes(entry.body)


# Every condition, violated alone: how the decision differs, or how the warrant does, and the refusal that must come.
DIFFERENT_DECISIONS: list[tuple[str, dict[str, Any], type[gate.Refused]]] = [
    ("for other staff", {"staff": new_ref()}, gate.OtherStaff),
    ("another operation", {"operation": "export"}, gate.OtherUse),
    ("another purpose", {"purpose": "marketing"}, gate.OtherUse),
    ("another channel", {"channel": "email"}, gate.OtherUse),
    ("another field class", {"field_classes": ["contact", "note"]}, gate.OtherFieldClass),
    ("denied", {"verdict": "deny", "permitted": []}, gate.NotPermitted),
    ("to be asked", {"verdict": "ask", "permitted": []}, gate.NotPermitted),
    ("denied for one", {"verdict": "deny", "permitted": [ref_of("Paul")]}, gate.NotPermitted),
    ("denied though it permits all", {"verdict": "deny"}, gate.NotPermitted),
    ("old", {"fresh_until": timezone.now() - timedelta(seconds=1)}, gate.Stale),
    ("not yet recorded", {"recorded_at": timezone.now() + timedelta(hours=1)}, gate.Stale),
]


@pytest.mark.parametrize(
    ("changes", "refusal"), [row[1:] for row in DIFFERENT_DECISIONS], ids=[row[0] for row in DIFFERENT_DECISIONS]
)
@pytest.mark.usefixtures("cast")
def test_each_condition_violated_alone_is_refused(
    permit: Permit, changes: dict[str, Any], refusal: type[gate.Refused]
) -> None:
    warrant = permit("Greta", "Paul", **changes)
    with pytest.raises(refusal):
        opened(warrant, "Greta", "Paul")
    assert entries() == 0


@pytest.mark.usefixtures("cast")
def test_the_same_decision_without_any_violation_opens(permit: Permit) -> None:
    assert len(opened(permit("Greta", "Paul"), "Greta", "Paul")) == 2


@pytest.mark.usefixtures("cast")
def test_a_decision_that_was_never_recorded_is_refused(ada: UUID) -> None:
    with pytest.raises(gate.NoDecision):
        opened(Warrant(decision=new_ref(), staff=ada, operation="view", purpose="service"), "Greta")


@pytest.mark.usefixtures("cast")
def test_a_decision_about_others_is_refused(permit: Permit) -> None:
    with pytest.raises(gate.OtherPersons):
        opened(permit("Paul"), "Greta")
    with pytest.raises(gate.OtherPersons):
        opened(permit("Paul"), "Paul", "Greta", permitted_only=True)


@pytest.mark.usefixtures("cast")
def test_health_is_refused_where_only_names_were_decided(permit: Permit) -> None:
    with pytest.raises(gate.OtherFieldClass):
        actions.open_fields(warrant=permit("Greta"), labels=[label("Greta"), label("Greta", FieldClass.SPECIAL)])


@pytest.mark.usefixtures("cast")
def test_of_a_batch_that_is_permitted_in_part_the_permitted_part_can_be_asked_for(permit: Permit) -> None:
    warrant = permit("Greta", "Paul", verdict="ask", permitted=[ref_of("Paul")])
    assert set(opened(warrant, "Greta", "Paul", permitted_only=True)) == {label("Paul")}
    assert Entry.objects.get(kind="vault.opened").persons == [ref_of("Paul")]


@pytest.mark.parametrize("condition", ["staff", "operation", "purpose", "channel"])
@pytest.mark.usefixtures("cast")
def test_the_permitted_part_needs_the_same_warrant(permit: Permit, condition: str) -> None:
    other = {"staff": new_ref()} if condition == "staff" else {condition: "export"}
    with pytest.raises(gate.Refused):
        opened(permit("Greta", **other), "Greta", permitted_only=True)


@pytest.mark.usefixtures("cast")
def test_a_recorded_decision_cannot_be_changed(permit: Permit) -> None:
    warrant = permit("Greta", verdict="deny", permitted=[])
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        RecordedDecision.objects.filter(ref=warrant.decision).update(verdict="permit", permitted=[ref_of("Greta")])


@pytest.mark.parametrize(
    "wrong",
    [
        {"permitted": [ref_of("Greta"), ref_of("Paul")]},
        {"verdict": "permit", "permitted": []},
        {"verdict": "maybe"},
        {"persons": [], "permitted": []},
        {"entry": Entry(ref=new_ref())},
    ],
    ids=["permits whom it does not name", "permits nobody", "no verdict", "about nobody", "not in the ledger"],
)
@pytest.mark.usefixtures("cast")
def test_a_decision_that_contradicts_itself_is_not_recorded(permit: Permit, wrong: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        recorded_and_checked(permit, wrong)


def recorded_and_checked(permit: Permit, changes: dict[str, Any]) -> None:
    permit("Greta", **changes)
    connection.check_constraints()


@pytest.mark.usefixtures("cast")
def test_nothing_is_said_to_be_opened_that_was_not_there(permit: Permit) -> None:
    found = actions.open_fields(
        warrant=permit("Greta", field_classes=["address"]), labels=[label("Greta", FieldClass.ADDRESS)]
    )
    assert found == {}
    assert Entry.objects.get(kind="vault.opened").persons == []


@pytest.mark.usefixtures("cast")
def test_thousands_are_opened_in_the_order_in_which_they_are_asked_for(permit: Permit) -> None:
    labels = [label("Paul", FieldClass.CONTACT), label("Greta"), label("Paul", FieldClass.ADDRESS), label("Paul")]
    warrant = permit("Greta", "Paul", field_classes=["name", "contact", "address"])
    by_label = actions.open_fields(warrant=warrant, labels=labels)
    assert actions.open_each(warrant=warrant, labels=labels) == [by_label.get(each) for each in labels]
    assert by_label.get(labels[2]) is None
    assert entries() == 2


@pytest.mark.usefixtures("cast")
def test_of_thousands_one_who_is_not_permitted_refuses_all(permit: Permit) -> None:
    warrant = permit("Greta", "Paul", verdict="ask", permitted=[ref_of("Paul")])
    with pytest.raises(gate.NotPermitted):
        actions.open_each(warrant=warrant, labels=[label("Paul"), label("Greta")])
    assert entries() == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("cast")
def test_outside_a_transaction_nothing_is_given_back(permit: Permit) -> None:
    warrant = permit("Greta")
    with pytest.raises(OutsideTransaction):
        opened(warrant, "Greta")


# ---------------------------------------------------------------- broken keys and blobs


@pytest.mark.usefixtures("cast")
def test_among_others_a_blob_opens_in_its_own_place_alone(permit: Permit) -> None:
    hers, his = (Sealed.objects.get(person=ref_of(who), field_class="name") for who in ("Greta", "Paul"))
    Sealed.objects.filter(pk=hers.pk).update(ciphertext=his.ciphertext)
    Sealed.objects.filter(pk=his.pk).update(ciphertext=hers.ciphertext)
    with pytest.raises(BrokenSeal):
        opened(permit("Greta", "Paul"), "Greta", "Paul")
    assert entries() == 0


@pytest.mark.usefixtures("cast")
def test_blobs_that_changed_places_in_the_database_do_not_open(permit: Permit) -> None:
    hers, his = (Sealed.objects.get(person=ref_of(who), field_class="name") for who in ("Greta", "Paul"))
    Sealed.objects.filter(pk=hers.pk).update(ciphertext=his.ciphertext)
    with pytest.raises(BrokenSeal):
        opened(permit("Greta"), "Greta")
    assert entries() == 0


@pytest.mark.usefixtures("cast")
def test_keys_that_changed_places_in_the_database_do_not_unwrap(permit: Permit) -> None:
    his = PersonKey.objects.get(person=ref_of("Paul"))
    PersonKey.objects.filter(person=ref_of("Greta")).update(wrapped=his.wrapped)
    with pytest.raises(BrokenSeal, match="does not unwrap"):
        opened(permit("Greta"), "Greta")


@pytest.mark.usefixtures("cast")
def test_a_whole_person_copied_over_another_does_not_open(permit: Permit) -> None:
    PersonKey.objects.filter(person=ref_of("Greta")).update(
        wrapped=PersonKey.objects.get(person=ref_of("Paul")).wrapped
    )
    his = Sealed.objects.get(person=ref_of("Paul"), field_class="name")
    Sealed.objects.filter(person=ref_of("Greta"), field_class="name").update(ciphertext=his.ciphertext)
    with pytest.raises(BrokenSeal):
        opened(permit("Greta"), "Greta")


@pytest.mark.usefixtures("cast")
def test_without_its_key_the_vault_neither_opens_nor_seals_nor_searches(permit: Permit, folder: Path) -> None:
    (path,) = (folder / "keys").iterdir()
    path.rename(folder / "aside")
    keyring.forget()
    warrant = permit("Greta")
    for deed in (
        lambda: opened(warrant, "Greta"),
        lambda: actions.seal(label=label("Greta"), fields={"given": "G"}),
        lambda: actions.new_person_key(person=new_ref()),
        search_greta,
    ):
        with pytest.raises(KeyMissing, match="is missing"), transaction.atomic():
            deed()
    (folder / "aside").rename(path)
    assert opened(warrant, "Greta")


def search_greta() -> object:
    return queries.candidates(sort=Sort.PREFIX, query="greta", among=everybody())


@pytest.mark.usefixtures("cast")
def test_with_another_key_the_vault_does_not_open(permit: Permit, folder: Path) -> None:
    (path,) = (folder / "keys").iterdir()
    path.write_text("00" * 32)
    keyring.forget()
    with pytest.raises(WrongKey):
        opened(permit("Greta"), "Greta")


@pytest.mark.django_db
def test_before_the_first_epoch_nothing_is_sealed() -> None:
    with pytest.raises(keyring.NoEpoch, match="comity setup"):
        actions.new_person_key(person=new_ref())


# ---------------------------------------------------------------- sealing and erasing


@pytest.mark.usefixtures("cast")
def test_sealing_again_replaces_the_blob_and_its_tokens(permit: Permit) -> None:
    before = Sealed.objects.get(person=ref_of("Greta"), field_class="name")
    actions.seal(label=label("Greta"), fields={"given": "Margarete"})
    after = Sealed.objects.get(person=ref_of("Greta"), field_class="name")
    assert opened(permit("Greta"), "Greta") == {label("Greta"): {"given": "Margarete"}}
    assert set(before.tokens or ()) != set(after.tokens or ())


def test_one_by_one_or_many_at_once_tokens_are_the_same(cast: list[str]) -> None:
    before = {row.pk: sorted(row.tokens or ()) for row in Sealed.objects.all()}
    for who in cast:
        for each, fields in blobs_of(who):
            actions.seal(label=each, fields=fields)
    assert {row.pk: sorted(row.tokens or ()) for row in Sealed.objects.all()} == before


@pytest.mark.usefixtures("cast")
def test_an_erased_person_is_gone_and_cannot_be_sealed_again(permit: Permit, ada: UUID) -> None:
    assert actions.destroy_person_key(person=ref_of("Greta"), staff=ada)
    assert not Sealed.objects.filter(person=ref_of("Greta")).exists()
    assert opened(permit("Greta"), "Greta") == {}
    with pytest.raises(actions.NoKey):
        actions.seal(label=label("Greta"), fields={"given": "Greta"})
    assert not actions.destroy_person_key(person=ref_of("Greta"), staff=ada)
    assert Entry.objects.filter(kind="vault.person-key-destroyed").count() == 1


@pytest.mark.usefixtures("cast")
def test_a_single_blob_can_be_discarded() -> None:
    assert actions.discard(labels=[label("Greta", FieldClass.NOTE), label("Paul", FieldClass.ADDRESS)]) == 1
    assert Sealed.objects.filter(person=ref_of("Greta")).count() == 3
    assert actions.discard(labels=[]) == 0


@pytest.mark.usefixtures("cast")
def test_nobody_gets_two_keys() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        actions.new_person_key(person=ref_of("Greta"))
    with pytest.raises(IntegrityError), transaction.atomic():
        actions.seal_many(blobs=blobs_of("Greta"))


# ---------------------------------------------------------------- what a thief of the database has


def dump() -> str:
    """Return every row of every table as PostgreSQL's COPY writes it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'public'")
        tables = [row[0] for row in cursor.fetchall()]
        parts = []
        for table in tables:
            with cursor.copy(f"COPY {table} TO STDOUT") as copy:
                parts += [bytes(piece) for piece in copy]
    assert "public.vault_sealed" in tables
    return b"".join(parts).decode()


def plain(value: object) -> list[str]:
    if isinstance(value, str):
        return [value, *(word for word in value.split() if len(word) > 3)]
    if isinstance(value, dict):
        return [text for inner in value.values() for text in plain(inner)]
    return [text for inner in value for text in plain(inner)] if isinstance(value, list) else []


def test_a_dump_of_all_tables_holds_no_name_address_or_note_of_the_cast(
    cast: list[str],
    permit: Permit,
) -> None:
    opened(permit(*cast), *cast)
    search_greta()
    told = dump().casefold()
    assert str(ref_of("Greta")) in told
    for fields in (*NAMES.values(), *CONTACTS.values(), *NOTES.values(), HEALTH):
        for text in plain(dict(fields)):
            assert text.casefold() not in told, text
            for spelled in (text, text.casefold()):
                assert spelled.encode().hex() not in told, text


@pytest.mark.usefixtures("cast")
def test_the_dump_would_show_a_name_that_was_not_sealed() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE open_book (name text, raw bytea)")
        cursor.execute("INSERT INTO open_book VALUES ('Grünwald', 'Grünwald'::bytea)")
    assert "grünwald" in dump().casefold()
    assert "Grünwald".encode().hex() in dump()
