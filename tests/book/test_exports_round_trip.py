"""What was exported, brought in again, and exported again, is the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from comity.book.actions import NewPoint
from comity.book.exports.actions import Wanted, hand_out
from comity.book.exports.models import Format
from comity.book.imports.looking import dialect_of
from comity.book.imports.newcomers import Spoken
from comity.book.models import Person, Reach, Tag, Tagging
from comity.consent.actions import About, give_consent, withdraw_consent
from comity.consent.exporting import line, read_line
from comity.consent.models import Consent, Standing
from comity.staff.models import Entity, Staff
from comity.vault.actions import destroy_person_key
from tests.book.imported import Bring, bring, look_at, tom
from tests.book.people import CUSTOMER, Add, newcomer
from tests.book.taking_out import EVERYTHING, Sign, Take, lines_of, rows_of, sign, take, wanted

__all__ = ["bring", "look_at", "sign", "take", "tom", "wanted"]

pytestmark = pytest.mark.django_db

SAID = datetime(2026, 5, 4, 10, tzinfo=UTC)
OF_ITS_OWN = {"Person ref", "Export mark", "schema", "export"}
"""What is another in every export, or for every newcomer."""


@pytest.fixture
def people(add: Add, firm: Entity) -> list[UUID]:
    """Give people with all that a file may say of them, some of it hard to write down."""
    points = [
        NewPoint(reach=Reach.EMAIL, value="=greta@kettle.example"),
        NewPoint(reach=Reach.EMAIL, value="greta@home.example"),
        NewPoint(reach=Reach.PHONE, value="+493055501990"),
        NewPoint(reach=Reach.POST, value="Hauptstraße 1\n10115 Berlin"),
    ]
    facts = {"home": "DE", "language": "de", "birth_year": 1980, "birth_month": 4, "capacity": "consumer"}
    relation = CUSTOMER | {"notice_on": date(2024, 3, 18)}
    greta = add(
        newcomer("Greta", "-Grünwald", "DE", points=points, facts=facts, relation=relation, organisation="Nord; GmbH")
    )
    oliver = add(newcomer("Oliver", "O'Brien", "GB", points=[]))
    Tagging.objects.bulk_create(
        Tagging(tag=Tag.objects.create(name=name), person_id=greta) for name in ("VIP", "@Messe, Köln")
    )
    about = About(person=greta, entity=firm, purpose="marketing", channel="email")
    give_consent(about=about, said_at=SAID, notice="News; v3", source="form", heard_by=None, express=True)
    withdraw_consent(about=about, said_at=SAID.replace(month=6), source="call", heard_by=None)
    return [greta, oliver]


def without_own(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    kept = [{name: value for name, value in row.items() if name not in OF_ITS_OWN} for row in rows]
    return sorted(kept, key=lambda row: str(row["Given name"]))


def empty_the_book() -> None:
    for person in Person.objects.values_list("ref", flat=True):
        destroy_person_key(person=person, staff=None)
    Standing.objects.all().delete()
    Consent.objects.all().delete()
    Person.objects.all().delete()


@pytest.mark.parametrize("format_", [Format.CSV, Format.JSON])
def test_export_import_export_is_the_identity(
    format_: Format, people: list[UUID], tom: Staff, take: Take, sign: Sign, bring: Bring, wanted: Wanted
) -> None:
    columns = [*EVERYTHING, "consent:marketing/email"]
    what = replace(wanted, purpose="marketing", format=format_, columns=columns)

    def exported(persons: list[UUID]) -> tuple[bytes, list[dict[str, object]]]:
        export = take(tom, persons, what)
        assert export.permitted == len(people)
        sign()
        handed = hand_out(export=export, staff=tom)
        file = b"".join(handed.pieces)
        again = replace(handed, pieces=iter([file]))  # type: ignore[arg-type]  # as well as a parcel
        return file, without_own([*(rows_of(again) if format_ == Format.CSV else lines_of(again))])

    file, first = exported(people)
    empty_the_book()
    bring(file, name=f"people.{'csv' if format_ == Format.CSV else 'jsonl'}")
    _, second = exported(list(Person.objects.values_list("ref", flat=True)))
    assert second == first


@pytest.mark.parametrize(("format_", "tells_all"), [(Format.CSV, True), (Format.VCARD, False)])
def test_a_file_that_has_no_room_for_refusals_is_not_taken_to_tell_them(
    format_: Format, tells_all: bool, people: list[UUID], tom: Staff, take: Take, sign: Sign, look_at: Bring,
    wanted: Wanted,
) -> None:  # fmt: skip
    export = take(tom, people, replace(wanted, purpose="marketing", format=format_, columns=["full", "email"]))
    sign()
    file = b"".join(hand_out(export=export, staff=tom).pieces)
    looked = look_at(file, name=f"people.{'csv' if format_ == Format.CSV else 'vcf'}")
    assert (dialect_of(looked).id == "comity") is tells_all  # only our own columns are taken to tell every no


def test_a_line_of_what_was_said_reads_back() -> None:
    for one in (
        Spoken(said="given", said_at=SAID, notice="a; b%3B\nc", source="x: y", express=False, double_opt_in=True),
        Spoken(said="withdrawn", said_at=SAID),
    ):
        assert read_line(line(one), purpose=one.purpose, channel=one.channel) == one
