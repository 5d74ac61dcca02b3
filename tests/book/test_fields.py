"""Custom fields are typed, sealed as they say of themselves, and filled in under law and role; files are sealed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from comity.book.fields.actions import LARGEST_FILE, change_field, make_field
from comity.book.fields.models import Attachment, CustomField, FieldValue, Sensitivity, Sort
from comity.book.models import Person
from comity.ledger.models import Entry
from comity.vault.models import Sealed
from tests.staff.people import client_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from comity.staff.models import Entity, Staff

WHY = "To find the contract."


@pytest.fixture
def made(firm: Entity, olga: Staff) -> Callable[..., CustomField]:
    """Give what makes a field of the Dublin entity."""

    def make(name: str, sort: Sort, sensitivity: Sensitivity, **more: Any) -> CustomField:  # noqa: ANN401 - columns of the table
        told = {"name": name, "sort": sort, "sensitivity": sensitivity, "why": WHY, **more}
        return make_field(told=told, entity=firm, made_by=olga)

    return make


@pytest.fixture
def sales(ada: Staff) -> Client:
    return client_of(ada)


@pytest.fixture
def office(olga: Staff, settings: Any) -> Client:  # noqa: ANN401 - pytest-django's own
    settings.SECOND_FACTOR = "optional"
    return client_of(olga)


def fill(client: Client, person: UUID, field: CustomField, value: str) -> Any:  # noqa: ANN401 - a response of Django's test client
    return client.post(reverse("book:field-fill", args=[person, field.ref]), {"value": value}, follow=True)


# ---------------------------------------------------------------- making them


def test_a_field_is_made_in_the_page_with_its_sensitivity_and_its_clock(office: Client, firm: Entity) -> None:
    told = {
        "entity": firm.ref, "name": "Contract", "sort_of": "text", "sensitivity": "identifier", "why": WHY,
        "says": "As on the paper", "months": "36", "choices": "",
    }  # fmt: skip
    answer = office.post(reverse("book:field-new"), told)
    assert answer.status_code == 302, answer.content.decode()
    field = CustomField.objects.get()
    assert (field.name, field.sort, field.sensitivity, field.months) == ("Contract", "text", "identifier", 36)
    assert Entry.objects.filter(kind="book.field-made").count() == 1
    assert "Contract" in office.get(reverse("book:fields")).content.decode()


def test_text_in_the_plain_is_refused_by_the_form_and_by_the_database(
    office: Client, firm: Entity, made: Callable[..., CustomField]
) -> None:
    told = {"entity": firm.ref, "name": "Nickname", "sort_of": "text", "sensitivity": "plain", "why": WHY}
    assert "Text may name somebody" in office.post(reverse("book:field-new"), told).content.decode()
    with pytest.raises(IntegrityError), transaction.atomic():
        made("Nickname", Sort.TEXT, Sensitivity.PLAIN)
    assert not CustomField.objects.exists()


def test_two_fields_of_one_name_are_refused_whatever_their_letters(made: Callable[..., CustomField]) -> None:
    made("Contract", Sort.TEXT, Sensitivity.IDENTIFIER)
    with pytest.raises(ValidationError, match="a field with this name"):
        made("CONTRACT", Sort.NUMBER, Sensitivity.PLAIN)


def test_a_choice_that_was_offered_stays(made: Callable[..., CustomField], olga: Staff) -> None:
    field = made("Size", Sort.CHOICE, Sensitivity.PLAIN, choices=["S", "M"])
    with pytest.raises(ValidationError, match="Values may be one of these"):
        change_field(field=field, told={"choices": ["S", "L"]}, changed_by=olga)
    assert change_field(field=field, told={"choices": ["S", "M", "L"]}, changed_by=olga) == ["choices"]


def test_sales_make_no_fields(sales: Client) -> None:
    assert sales.get(reverse("book:fields")).status_code == 403


# ---------------------------------------------------------------- filling them in


@pytest.mark.parametrize(
    ("sort", "more", "typed", "kept"),
    [
        (Sort.NUMBER, {}, "12.50", "12.50"),
        (Sort.DAY, {}, "2026-03-01", "2026-03-01"),
        (Sort.TRUTH, {}, "false", False),
        (Sort.CHOICE, {"choices": ["S", "M"]}, "M", "M"),
    ],
)
def test_a_plain_value_is_kept_as_what_it_is(
    made: Callable[..., CustomField],
    sales: Client,
    greta: UUID,
    sort: Sort,
    more: dict[str, list[str]],
    typed: str,
    kept: object,
) -> None:
    field = made("Something", sort, Sensitivity.PLAIN, **more)
    fill(sales, greta, field, typed)
    assert FieldValue.objects.get().plain == kept
    entry = Entry.objects.get(kind="book.field-filled")
    assert json.loads(bytes(entry.body))["body"]["field"] == str(field.ref)
    fill(sales, greta, field, "")
    assert not FieldValue.objects.exists()


def test_a_sealed_value_is_nowhere_in_the_plain_and_is_found_by_whoever_searches(
    made: Callable[..., CustomField], office: Client, greta: UUID
) -> None:
    field = made("Contract", Sort.TEXT, Sensitivity.IDENTIFIER)
    fill(office, greta, field, "KT-4711-99")
    row = FieldValue.objects.get()
    assert row.plain is None
    assert Sealed.objects.filter(person=greta, record=row.ref, field_class="identifier").exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM book_fieldvalue v WHERE v::text LIKE '%4711%'")
        assert cursor.fetchone() == (0,)
    assert "Greta" in office.get(reverse("desk:search"), {"q": "KT-4711-99"}).content.decode()
    fill(office, greta, field, "")
    assert not Sealed.objects.filter(record=row.ref).exists()


def test_a_class_that_the_role_does_not_have_is_not_filled_in(
    made: Callable[..., CustomField], sales: Client, greta: UUID
) -> None:
    field = made("Allergies", Sort.TEXT, Sensitivity.SPECIAL)
    page = fill(sales, greta, field, "nuts").content.decode()
    assert "Law or role do not let this be changed" in page
    assert not FieldValue.objects.exists()


def test_what_is_sealed_to_somebody_is_not_written_over_by_them(
    made: Callable[..., CustomField], office: Client, sales: Client, greta: UUID
) -> None:
    field = made("Contract", Sort.TEXT, Sensitivity.IDENTIFIER)
    fill(office, greta, field, "KT-4711-99")
    assert "stays sealed to you" in fill(sales, greta, field, "X").content.decode()


def test_whoever_saves_over_another_s_value_is_shown_it(
    made: Callable[..., CustomField], sales: Client, greta: UUID
) -> None:
    field = made("Points", Sort.NUMBER, Sensitivity.PLAIN)
    address = reverse("book:field-fill", args=[greta, field.ref])
    shown = sales.get(address).context["form"].initial["version"]
    fill(sales, greta, field, "5")
    answer = sales.post(address, {"value": "7", "version": shown})
    assert "Somebody else changed this meanwhile: 5" in answer.content.decode()
    sales.post(address, answer.context["form"].data)
    assert FieldValue.objects.get().plain == "7"


def test_what_is_no_number_is_refused_with_why(made: Callable[..., CustomField], sales: Client, greta: UUID) -> None:
    field = made("Points", Sort.NUMBER, Sensitivity.PLAIN)
    assert "Enter a number" in fill(sales, greta, field, "many").content.decode()


# ---------------------------------------------------------------- files


def attach(client: Client, person: UUID, name: str, content: bytes) -> Any:  # noqa: ANN401 - a response of Django's test client
    file = SimpleUploadedFile(name, content, content_type="text/html")
    return client.post(reverse("book:attach", args=[person]), {"file": file}, follow=True)


def test_a_file_comes_back_as_it_went_in_and_never_as_a_page(sales: Client, greta: UUID) -> None:
    content = b"<script>alert(1)</script>" + bytes(range(256)) * 40
    attach(sales, greta, "Grünwald contract.html", content)
    row = Attachment.objects.get()
    assert row.size == len(content)
    answer = sales.get(reverse("book:attachment", args=[greta, row.ref]))
    assert answer.content == content
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment; filename")
    assert "Gr%C3%BCnwald" in answer["Content-Disposition"]


def test_its_name_and_contents_are_sealed(sales: Client, greta: UUID) -> None:
    attach(sales, greta, "Grünwald.txt", b"Grete wants a kettle")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM vault_sealed WHERE position('kettle'::bytea IN ciphertext) > 0")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT count(*) FROM book_attachment a WHERE a::text ILIKE '%nwald%'")
        assert cursor.fetchone() == (0,)


def test_an_empty_and_a_too_large_file_are_refused(sales: Client, greta: UUID) -> None:
    assert "The submitted file is empty" in attach(sales, greta, "a.txt", b"").content.decode()
    assert "at most 10 megabytes" in attach(sales, greta, "a.txt", b"x" * (LARGEST_FILE + 1)).content.decode()
    assert not Attachment.objects.exists()


def test_a_file_that_is_taken_away_is_gone(sales: Client, greta: UUID) -> None:
    attach(sales, greta, "a.txt", b"x")
    row = Attachment.objects.get()
    sales.post(reverse("book:detach", args=[greta, row.ref]))
    assert not Attachment.objects.exists()
    assert not Sealed.objects.filter(field_class="attachment").exists()


def test_marketing_reads_no_files(sales: Client, greta: UUID, firm: Entity, staff_in: Callable[..., Staff]) -> None:
    attach(sales, greta, "a.txt", b"x")
    tom = client_of(staff_in("marketing", entity=firm))
    answer = tom.get(reverse("book:attachment", args=[greta, Attachment.objects.get().ref]))
    assert answer.status_code == 302


def test_filling_in_and_keeping_a_file_put_somebody_among_those_who_changed_last(
    made: Callable[..., CustomField], sales: Client, greta: UUID
) -> None:
    field = made("Orders", Sort.NUMBER, Sensitivity.PLAIN)
    before = datetime(2026, 1, 1, tzinfo=UTC)

    def moves(act: Callable[[], Any]) -> bool:
        Person.objects.filter(ref=greta).update(changed_at=before)
        act()
        return Person.objects.get(ref=greta).changed_at > before

    assert moves(lambda: fill(sales, greta, field, "4"))
    assert moves(lambda: fill(sales, greta, field, ""))
    assert moves(lambda: attach(sales, greta, "a.txt", b"x"))
    file = Attachment.objects.get()
    assert moves(lambda: sales.post(reverse("book:detach", args=[greta, file.ref])))


def test_a_person_s_page_shows_both_and_leads_to_their_forms(
    made: Callable[..., CustomField], sales: Client, greta: UUID
) -> None:
    field = made("Points", Sort.NUMBER, Sensitivity.PLAIN)
    fill(sales, greta, field, "12.5")
    attach(sales, greta, "Offer.pdf", b"%PDF")
    page = sales.get(reverse("desk:person", args=[greta])).content.decode()
    assert "Points" in page
    assert "12.5" in page
    assert "Offer.pdf" in page
    assert reverse("book:field-fill", args=[greta, field.ref]) in page
    assert reverse("book:attach", args=[greta]) in page
