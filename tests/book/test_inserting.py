"""Many rows at once hold what one by one would: each type of value, nothing, and whatever letters."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from comity.book.inserting import copy_rows, insert_rows
from comity.book.models import Capacity, ContactPoint, Organisation, Person, Reach
from comity.refs import new_ref, new_refs
from comity.staff.models import Entity

pytestmark = pytest.mark.django_db
PLUS_8 = timezone(timedelta(hours=8))
ROWS: list[dict[str, Any]] = [
    {
        "home": "US-CA|US-NV", "home_from": ["country", "phone"], "birth_year": 1899, "birth_month": 12,
        "capacity": Capacity.BUSINESS, "objected_at": datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        "protected_office": True, "last_contact_on": date(1999, 12, 31),
    },
    {
        "home": "", "home_from": (), "birth_year": None, "birth_month": None, "capacity": "",
        "objected_at": datetime(2026, 11, 22, 7, tzinfo=PLUS_8), "protected_office": False,
        "last_contact_on": date(2026, 2, 28),
    },
    {
        "home": 'say "no"\\', "home_from": ['a,"b"', "c\\d", "{}", "", "NULL"], "birth_year": 2020, "birth_month": None,
        "capacity": "consumer", "objected_at": None, "protected_office": None, "last_contact_on": None,
    },
]  # fmt: skip


def test_each_type_of_value_is_written_as_it_is(dublin: Entity) -> None:
    refs, columns = new_refs(len(ROWS)), list(ROWS[0])
    rows = [(ref, *row.values()) for ref, row in zip(refs, ROWS, strict=True)]
    insert_rows(Person, ["ref", *columns], rows, alike={"entities": [dublin.ref], "language": "de", "subscriber": ""})
    held = [Person.objects.get(ref=ref) for ref in refs]
    wanted = [{**row, "home_from": list(row["home_from"])} for row in ROWS]
    assert [{name: getattr(one, name) for name in columns} for one in held] == wanted
    assert [(one.entities, one.language) for one in held] == [([dublin.ref], "de")] * 3


def test_text_comes_in_in_all_scripts_and_without_its_nuls(dublin: Entity) -> None:
    names = ["Grünwald & Söhne", "株式会社みどり", "🫖", "with\0nul", "it's {1,2}", "NULL"]
    rows = [(new_ref(), name) for name in names]
    insert_rows(
        Organisation, ["ref", "name"], rows, alike={"entities": [dublin.ref], "place": "", "domain": "", "trade": ""}
    )
    held = dict(Organisation.objects.values_list("ref", "name"))
    assert [held[ref] for ref, _ in rows] == [name.replace("\0", "") for name in names]


def test_rows_of_a_table_without_a_wall_are_copied(dublin: Entity) -> None:
    person = Person.objects.create(entities=[dublin.ref])
    at = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    rows = [
        (new_ref(), person.ref, Reach.EMAIL, True, None, False, at),
        (new_ref(), person.ref, Reach.PHONE, True, True, False, None),
    ]
    columns = ["ref", "person_id", "reach", "first", "mobile", "impersonal", "verified_at"]
    copy_rows(ContactPoint, columns, rows)
    assert sorted(ContactPoint.objects.values_list(*columns)) == sorted(rows)
    assert all(ContactPoint.objects.values_list("added_at", flat=True))


def test_no_row_is_no_statement() -> None:
    insert_rows(Person, ["ref"], [], alike={})
    copy_rows(ContactPoint, ["ref"], [])
    assert not Person.objects.exists()


def test_refs_made_together_are_in_order_and_none_is_twice() -> None:
    refs = new_refs(5_000)
    assert refs == sorted(set(refs))
    assert {(ref.version, ref.variant) for ref in refs} == {(7, "specified in RFC 4122")}
