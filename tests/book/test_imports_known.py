"""What a file says of people who are in the book already: the law comes first, and every no is kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from comity.book.imports.actions import begin_run, run_import
from comity.book.merging.actions import Choices, merge_persons
from comity.book.models import ContactPoint, Person, Relation
from comity.consent.models import Consent, Standing
from comity.ledger.models import Entry
from comity.refs import new_ref
from comity.staff.models import Entity, Staff
from tests.book.imported import Bring, row_of

pytestmark = pytest.mark.django_db

BARE = {"Phone Number": "", "Opted in to email: Newsletter": "", "Consent date": "", "Consent source": ""}
NO = {"Unsubscribed from all email": "TRUE"}
SHORT = {"Phone Number": ""}
CHINA = {**BARE, "Country/Region": "China", "Email": "wang@kettle.example"}


def ours(*cells: tuple[str, ...], also: tuple[str, ...] = ()) -> bytes:
    """Return a file as our own export writes it."""
    header = ("Person ref", "Export mark", "Met as", "Given name", "Family name", "Email", "Home", *also)
    return "\n".join(",".join(row) for row in (header, *cells)).encode()


def changes() -> list[tuple[list[UUID], list[str]]]:
    entries = Entry.objects.filter(kind="book.person-changed")
    return [(list(each.persons), json.loads(bytes(each.body))["body"]["changed"]) for each in entries]


# ---------------------------------------------------------------- the law first


def test_nothing_is_filled_in_of_somebody_whose_processing_is_restricted(bring: Bring) -> None:
    bring([row_of(**SHORT)])
    Person.objects.update(restricted_at=timezone.now())
    before = Person.objects.values_list("changed_at", flat=True).get()
    bring([row_of()], for_known="fill")
    assert set(ContactPoint.objects.values_list("reach", flat=True)) == {"email"}
    assert Consent.objects.count() == 1, "what was said before"
    assert Person.objects.values_list("changed_at", flat=True).get() == before
    assert changes() == []


def test_a_row_that_the_law_holds_back_fills_nothing_but_its_no_is_kept(bring: Bring) -> None:
    bring([row_of(**{**SHORT, "Email": "wang@kettle.example"})])
    known = Person.objects.get()
    one = bring([row_of(**{**CHINA, **NO, "Phone Number": "+86 10 55501990"})], for_known="fill")
    assert set(one.findings.values_list("says", flat=True)) == {"known", "held"}
    assert set(ContactPoint.objects.values_list("reach", flat=True)) == {"email"}
    assert Standing.objects.filter(person=known.ref).exclude(opted_out_on=None).exists()


def test_whoever_is_filled_in_stands_in_one_entry_and_among_those_who_changed_last(bring: Bring) -> None:
    bring([row_of(**SHORT), row_of(**{**SHORT, "Email": "second@kettle.example", "Last Name": "Other"})])
    Person.objects.update(changed_at=timezone.now() - timedelta(days=9))
    also = {"Email": "second@kettle.example", "Last Name": "Other", "Phone Number": "+49 40 5550133"}
    bring([row_of(), row_of(**also)], for_known="fill")
    refs = sorted(Person.objects.values_list("ref", flat=True))
    ((persons, words),) = changes()
    assert (sorted(persons), words) == (refs, ["consents", "phone"])
    assert not Person.objects.filter(changed_at__lt=timezone.now() - timedelta(days=1)).exists()


# ---------------------------------------------------------------- noes that our own files tell


def test_an_objection_in_our_own_export_is_one_without_its_optional_column(bring: Bring, olga: Staff) -> None:
    told = ("", "", "", "Greta", "Grün", "greta@kettle.example", "DE", "objected 2026-05-04T10:00:00Z")
    bring(ours(told, also=("Consent marketing/none",)), staff=olga, purpose="service")
    assert Person.objects.get().objected_at == datetime(2026, 5, 4, 10, tzinfo=UTC)


def test_an_objection_in_our_own_export_is_kept_of_somebody_in_the_book(bring: Bring, olga: Staff) -> None:
    bring([row_of(**SHORT)])
    told = ("", "", "", "Greta", "Grün", "greta@kettle.example", "DE", "objected 2026-05-04T10:00:00Z")
    bring(ours(told, also=("Consent marketing/none",)), staff=olga, purpose="service")
    assert Person.objects.get().objected_at == datetime(2026, 5, 4, 10, tzinfo=UTC)
    assert Consent.objects.get(channel="none").said == "objected"


def test_a_restriction_and_a_death_are_kept_of_somebody_in_the_book(bring: Bring, olga: Staff) -> None:
    bring([row_of(**SHORT)])
    told = ("", "", "", "Greta", "Grün", "greta@kettle.example", "DE", "2026-05-04T10:00:00Z", "2026-06-04T10:00:00Z")
    bring(ours(told, also=("Restricted at", "Deceased at")), staff=olga, purpose="service")
    greta = Person.objects.get()
    assert greta.restricted_at == datetime(2026, 5, 4, 10, tzinfo=UTC)
    assert greta.deceased_at == datetime(2026, 6, 4, 10, tzinfo=UTC)


# ---------------------------------------------------------------- who is not there any more


def test_a_no_is_kept_alone_though_the_row_before_about_the_same_person_was_held_back(bring: Bring) -> None:
    one = bring([row_of(**CHINA), row_of(**{**CHINA, **NO}), row_of(**{**CHINA, **NO})])
    assert set(one.findings.values_list("row", "says")) >= {(1, "held"), (2, "repeated"), (3, "repeated")}
    bare = Person.objects.get()
    assert one.persons == 1
    assert Standing.objects.filter(person=bare.ref).exclude(opted_out_on=None).exists()
    assert not Relation.objects.filter(person=bare).exclude(customer_since=None).exists()


def test_a_repeated_row_without_a_no_brings_nobody_whose_first_row_was_held_back(bring: Bring) -> None:
    assert bring([row_of(**CHINA), row_of(**CHINA)]).persons == 0


def test_a_no_goes_to_whom_somebody_became_one_with_since_the_file_was_looked_over(
    bring: Bring, look_at: Bring, firm: Entity, olga: Staff, tom: Staff
) -> None:
    bring([row_of(**SHORT)])
    gone = Person.objects.get()
    bring([row_of(**{**SHORT, "Email": "second@kettle.example", "Last Name": "Other"})])
    kept = Person.objects.exclude(ref=gone.ref).get()
    one = look_at([row_of(**NO)])
    merge_persons(kept=kept.ref, gone=gone.ref, choices=Choices(), entity=firm, merged_by=olga)
    run_import(one=begin_run(one=one, staff=tom))
    assert set(Consent.objects.exclude(said="given").values_list("person", flat=True)) == {kept.ref}
    assert Person.objects.get(ref=gone.ref).objected_at is None


def test_nothing_is_written_of_a_ref_that_was_erased_since_the_file_was_looked_over(
    bring: Bring, look_at: Bring, tom: Staff
) -> None:
    bring([row_of(**SHORT)])
    one = look_at([row_of(**NO)])
    one.findings.update(person=new_ref())  # as if whoever was found were not there any more
    run_import(one=begin_run(one=one, staff=tom))
    assert not set(Consent.objects.values_list("person", flat=True)) - set(Person.objects.values_list("ref", flat=True))
    assert Consent.objects.filter(said="refused").exists(), "the no itself comes in, with the address alone"
