from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID

import pytest

from comity.ledger.bodies import JSON, NotForTheLedger, canonical, checked, declare_words, entry_bytes
from comity.refs import new_ref

REF = UUID("01930f3e-7c00-7000-8000-000000000001")
WHEN = datetime(2026, 11, 22, 6, 48, 0, 5, tzinfo=UTC)

LET_IN: list[tuple[JSON, JSON]] = [
    (None, None),
    (True, True),
    (7, 7),
    (-7, -7),
    (REF, str(REF)),
    (str(REF), str(REF)),
    (date(2026, 11, 22), "2026-11-22"),
    (WHEN, "2026-11-22T06:48:00.000005Z"),
    (WHEN.astimezone(timezone(timedelta(hours=8))), "2026-11-22T06:48:00.000005Z"),
    ("permit", "permit"),
    ("eu-eprivacy/email-needs-consent", "eu-eprivacy/email-needs-consent"),
    ("hmac-sha256:" + "0f" * 32, "hmac-sha256:" + "0f" * 32),
    ("DE", "DE"),
    ("US-CA", "US-CA"),
    (
        [REF, {"verdict": "ask", "rules": ["house/no-nagging"]}],
        [str(REF), {"verdict": "ask", "rules": ["house/no-nagging"]}],
    ),
]

KEPT_OUT: list[object] = [
    "Mira Novak",
    "mira",
    "Mira",
    "MIRA",
    "mira-novak",
    "mira.novak",
    "mira@example.com",
    "+49 30 1234567",
    "49301234567",
    "李",
    "12 Example Street",
    "She called and wants her data erased.",
    "",
    " ",
    "permit ",
    "permit\n",
    "2026-11-22 ",
    "sha256:" + "0f" * 31,
    "http://example.com/mira",
    "house/" + "a" * 120,
    10**9,
    4_930_1234567,
    -(10**9),
    1.5,
    float("nan"),
    b"mira",
    {"Mira": 1},
    {"mira novak": 1},
    {1: 1},
    {"a" * 41: 1},
    {"note": "free text"},
    ["ask", "Mira"],
    [[[[[[[[1]]]]]]]],
    complex(1, 2),
    datetime(2026, 11, 22),  # noqa: DTZ001 - that it has no zone is the point
]


@pytest.mark.parametrize(("value", "spelled"), LET_IN, ids=str)
def test_refs_days_commitments_places_rules_and_verdicts_are_let_in(value: JSON, spelled: JSON) -> None:
    assert checked(value, at="a test") == spelled


@pytest.mark.parametrize("value", KEPT_OUT, ids=lambda value: repr(value)[:40])
def test_whatever_could_name_somebody_is_kept_out(value: JSON) -> None:
    with pytest.raises(NotForTheLedger):
        checked(value, at="a test")


def test_a_word_is_let_in_once_its_room_has_declared_it() -> None:
    with pytest.raises(NotForTheLedger, match=r"book: reason: 'left-the-firm' may not .*declare_words"):
        checked({"reason": "left-the-firm"}, at="book")
    declare_words("left-the-firm")
    assert checked({"reason": "left-the-firm"}, at="book") == {"reason": "left-the-firm"}


@pytest.mark.parametrize("word", ["Mira Novak", "mira@example.com", "", "+49", "a" * 121])
def test_no_word_is_declared_that_is_none(word: str) -> None:
    with pytest.raises(NotForTheLedger):
        declare_words(word)


def test_a_refused_text_is_not_shown_in_the_message() -> None:
    with pytest.raises(NotForTheLedger) as refused:
        checked("Mira Novak, 12 Example Street", at="book.changed: address")
    assert "Mira" not in str(refused.value)
    assert "book.changed: address: a text of 29 letters may not enter the ledger" in str(refused.value)


def test_an_entry_has_one_spelling() -> None:
    content = entry_bytes(
        ref=REF, recorded_at=WHEN, kind="book.changed", body={"z": 1, "a": ["ask", None]}, staff=None, persons=[REF]
    )
    assert content == (
        b'{"body":{"a":["ask",null],"z":1},"kind":"book.changed","persons":["01930f3e-7c00-7000-8000-000000000001"],'
        b'"recorded_at":"2026-11-22T06:48:00.000005Z","ref":"01930f3e-7c00-7000-8000-000000000001","staff":null}'
    )
    assert canonical(json.loads(content)) == content


@pytest.mark.parametrize(
    "kind", ["", "changed", "Book.changed", "book.changed mira", "mira@example.com", "a." + "b" * 60]
)
def test_a_kind_is_a_room_and_a_verb(kind: str) -> None:
    with pytest.raises(NotForTheLedger):
        entry_bytes(ref=REF, recorded_at=WHEN, kind=kind, body={}, staff=None, persons=[])


def test_persons_and_staff_are_refs() -> None:
    for wrong in ({"persons": ["mira"]}, {"staff": "ada"}):
        given = {
            "ref": REF,
            "recorded_at": WHEN,
            "kind": "book.changed",
            "body": {},
            "staff": None,
            "persons": [],
        } | wrong
        with pytest.raises(NotForTheLedger, match="is no ref"):
            entry_bytes(**given)  # type: ignore[arg-type]  # wrong on purpose


def test_an_entry_that_could_not_be_exported_is_refused() -> None:
    with pytest.raises(NotForTheLedger, match="write several"):
        entry_bytes(
            ref=REF,
            recorded_at=WHEN,
            kind="book.listed",
            body={},
            staff=None,
            persons=[new_ref() for _ in range(1_700)],
        )


def test_the_example_in_the_manual_is_an_entry() -> None:
    page = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text("utf-8")
    shown = json.loads(page.partition("```json\n")[2].partition("\n```")[0])
    made = entry_bytes(
        ref=UUID(shown["ref"]),
        recorded_at=datetime.fromisoformat(shown["recorded_at"]),
        kind=shown["kind"],
        body=shown["body"],
        staff=shown["staff"],
        persons=[UUID(person) for person in shown["persons"]],
    )
    assert f"```json\n{made.decode()}\n```" in page
