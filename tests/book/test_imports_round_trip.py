"""What goes out of the book comes in again as it was: import, export, import."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest

from comity.book.exports.actions import Wanted
from comity.book.models import Person
from comity.staff.models import Staff
from tests.book.imported import GRETA, OLIVER, Bring, row_of
from tests.book.taking_out import EVERYTHING, Sign, Take, hand_out, sign, take, text_of, wanted

__all__ = ["sign", "take", "wanted"]

pytestmark = pytest.mark.django_db

OURS_ALONE = {"Person ref", "Export mark"}
"""Columns that name the very row and the very export, so that they differ."""


def rows_of(file: bytes) -> list[dict[str, str]]:
    read = csv.DictReader(io.StringIO(file.decode("utf-8-sig"), newline=""))
    return [{name: cell for name, cell in row.items() if name not in OURS_ALONE} for row in read]


@pytest.fixture
def taken_out(wanted: Wanted, take: Take, sign: Sign, ada: Staff) -> Callable[[], bytes]:
    """Give a function that takes everybody out as CSV."""
    columns = [*EVERYTHING, "consent:marketing/email", "consent:marketing/sms", "consent:marketing/call"]
    everything = Wanted(entity=wanted.entity, purpose=wanted.purpose, format=wanted.format, columns=columns)

    def out() -> bytes:
        refs = list(Person.objects.order_by("ref").values_list("ref", flat=True))
        export = take(ada, refs, everything)
        sign()
        return text_of(hand_out(export=export, staff=ada)).encode()

    return out


def test_import_export_import_is_the_identity(bring: Bring, taken_out: Callable[[], bytes], olga: Staff) -> None:
    told = [
        GRETA,
        OLIVER,
        row_of(
            **{"First Name": "=Zoë", "Email": "zoe@kettle.example", "Phone Number": "", "Notes": "keine Werbung mehr"}
        ),
    ]
    bring(told, staff=olga, purpose="service", notice="Customers v2")
    first = taken_out()
    one = bring(first, staff=olga, purpose="service", for_known="add", source="person")
    assert one.dialect == "comity"
    assert (one.persons, Person.objects.count()) == (3, 6)
    again = taken_out()
    rows = rows_of(again)
    assert rows[:3] == rows_of(first)
    assert rows[3:] == rows[:3]
