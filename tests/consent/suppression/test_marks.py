"""Addresses as the suppression list knows them: however they are written, one address has one mark."""

from __future__ import annotations

import pytest

from comity.book.models import Reach
from comity.consent.suppression.marks import Mark, Unclear, calling_codes, mark_of, spelled


@pytest.mark.parametrize(
    ("reach", "places", "ways"),
    [
        ("email", "", ["greta@kettle.example", " Greta@Kettle.Example ", "GRETA@KETTLE.EXAMPLE."]),
        ("email", "", ["mailto:greta@kettle.example", "greta@kettle.example"]),
        ("email", "", ["info@bücher.example", "info@xn--bcher-kva.example"]),
        ("email", "", ["ｇreta@kettle.example", "greta@kettle.example"]),
        ("phone", "DE", ["+49 (0)30 5550199", "0049 30 5550199", "030/555-0199", "+49 30 5550199 ext. 4"]),
        ("phone", "", ["tel:+49-30-5550199", "+49 30 5550199"]),
        ("phone", "IT", ["+39 06 5550199", "06 5550199"]),
        ("phone", "US", ["+1 (212) 555-0199", "212-555-0199", "1 212 555 0199", "001 212 555 0199"]),
        ("phone", "GB", ["+44 20 7946 0018", "020 7946 0018"]),
        ("phone", "HU", ["+36 1 555 0199", "06 1 555 0199"]),
        ("post", "", ["Hauptstraße 1, 10115 Berlin", "hauptstraße 1\n10115 berlin"]),
    ],
)  # fmt: skip
def test_one_address_has_one_spelling(reach: str, places: str, ways: list[str]) -> None:
    found = {spelled(reach, way, places=[places] if places else []) for way in ways}
    assert len(found) == 1, found


@pytest.mark.parametrize(
    ("reach", "value", "places"),
    [
        ("email", "nobody", []),
        ("email", "a@b", []),
        ("email", "a@b.example, c@d.example", []),
        ("email", "", []),
        ("phone", "555 0199 123", []),
        ("phone", "030 5550199", ["DE", "AT"]),
        ("phone", "030 5550199", ["XX"]),
        ("phone", "call me", ["DE"]),
        ("phone", "12", ["DE"]),
        ("post", " - ", []),
    ],
)
def test_what_is_no_address_or_of_no_known_country_is_refused(reach: str, value: str, places: list[str]) -> None:
    with pytest.raises(Unclear):
        spelled(reach, value, places=places)


def test_countries_that_share_a_calling_code_leave_no_doubt() -> None:
    assert spelled("phone", "212 555 0199", places=["US", "CA"]) == "12125550199"


def test_every_country_has_a_calling_code_of_the_plan() -> None:
    known = {
        "DE": "49",
        "GB": "44",
        "GG": "44",
        "US": "1",
        "JM": "1",
        "IT": "39",
        "VA": "39",
        "KZ": "7",
        "IE": "353",
        "CN": "86",
    }
    assert {place: calling_codes()[place] for place in known} == known
    assert {len(code) for code in calling_codes().values()} == {1, 2, 3}


@pytest.mark.django_db
@pytest.mark.usefixtures("folder")
def test_marks_tell_ways_apart_and_say_nothing() -> None:
    mark = mark_of(Reach.EMAIL, "greta@kettle.example")
    assert mark == mark_of(Reach.EMAIL, "Greta@kettle.example")
    assert mark != Mark("messenger", mark_of(Reach.MESSENGER, "greta@kettle.example").digest)
    assert b"greta" not in mark.digest
    assert -(2**63) <= mark.number < 2**63
