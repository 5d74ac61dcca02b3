"""Organisations, consents, search and the ledger."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from comity.consent.actions import About, give_consent, withdraw_consent
from comity.ledger.comity_verify import read_bundle, verified_head, verify_bundle
from comity.ledger.keys import LEDGER, make_key
from comity.ledger.models import Entry
from comity.staff.models import Entity, Staff
from tests.api.programs import Program, program_of
from tests.ledger.book import number
from tests.staff.people import make_staff

FIRM = {"name": "Nordlicht GmbH", "place": "DE", "domain": "nordlicht.example", "trade": "kettles"}


# ---------------------------------------------------------------- organisations


def test_organisations_are_made_read_changed_and_listed(program: Program, shanghai: Entity) -> None:
    made = program.post("/organisations", FIRM)
    assert made.status_code == 201, made.content
    path = f"/organisations/{made.json()['ref']}"
    kept = program.get(path).json()
    assert {name: kept[name] for name in FIRM} == FIRM
    assert made.json().keys() == {"ref", "letters"}
    part = program.post("/organisations", {"name": "Nordlicht Nord", "parent": made.json()["ref"]}).json()
    assert program.patch(path, {"name": "Nordlicht SE"}).status_code == 428
    told = program.patch(path, {"name": "Nordlicht SE"}, If_Match=made["ETag"])
    assert (told.status_code, told.json()) == (200, made.json())
    assert program.get(path).json() == kept | {"name": "Nordlicht SE"}
    assert program.patch(path, {"name": "X"}, If_Match=made["ETag"]).status_code == 412
    assert program.patch(path, {"parent": part["ref"]}, If_Match=told["ETag"]).status_code == 422
    listed = program.get("/organisations?name=nordlicht").json()["organisations"]
    assert [each["name"] for each in listed] == ["Nordlicht Nord", "Nordlicht SE"]
    kinds = Entry.objects.filter(kind__startswith="book.organisation").order_by("ref").values_list("kind", flat=True)
    assert list(kinds) == ["book.organisation-added"] * 2 + ["book.organisation-changed"]
    lin = program_of(make_staff("sales", entity=shanghai, name="Lin Chen"), shanghai)
    assert lin.get(path).status_code == 404
    assert lin.get("/organisations").json()["organisations"] == []


def test_organisations_come_page_by_page(program: Program) -> None:
    for letter in "CAB":
        program.post("/organisations", {"name": letter})
    first = program.get("/organisations?limit=2").json()
    second = program.get(f"/organisations?limit=2&cursor={first['next']}").json()
    assert [each["name"] for each in (*first["organisations"], *second["organisations"])] == ["A", "B", "C"]
    assert program.post("/organisations", {"name": "X", "place": "XX"}).status_code == 422
    assert program.post("/organisations", {"name": "X", "parent": str(uuid4())}).status_code == 404


# ---------------------------------------------------------------- consents


@pytest.fixture
def said(greta: UUID, firm: Entity, ada: Staff) -> list[str]:
    about = About(person=greta, entity=firm, purpose="marketing", channel="email")
    when = datetime(2026, 6, 1, 9, tzinfo=UTC)
    yes = give_consent(about=about, said_at=when, notice="News v3", source="form", heard_by=ada, separate=True)
    no = withdraw_consent(about=about, said_at=when.replace(month=9), source="mail", heard_by=ada)
    return [str(no.ref), str(yes.ref)]


def test_consents_are_read_the_latest_first(program: Program, greta: UUID, said: list[str], shanghai: Entity) -> None:
    found = program.get(f"/consents?person={greta}").json()["consents"]
    assert [each["ref"] for each in found] == said
    assert (found[1]["said"], found[1]["notice"], found[1]["separate"]) == ("given", "News v3", True)
    assert program.get(f"/consents/{said[0]}").json() == found[0]
    assert program.get("/consents?purpose=service").json()["consents"] == []
    first = program.get("/consents?limit=1").json()
    assert program.get(f"/consents?limit=1&cursor={first['next']}").json()["consents"][0]["ref"] == said[1]
    lin = program_of(make_staff("sales", entity=shanghai, name="Lin Chen"), shanghai)
    assert lin.get("/consents").json()["consents"] == []
    assert lin.get(f"/consents/{said[0]}").status_code == 404


# ---------------------------------------------------------------- search


@pytest.mark.parametrize(
    ("query", "how", "found"),
    [
        ("greta@kettle.example", "exact", True),
        ("greta@kettle.example", "any", True),
        ("Grün", "prefix", True),
        ("grunwald", "any", True),
        ("Gruenwaldt", "fuzzy", True),
        ("Gruenwaldt", "prefix", False),
        ("Greta", "exact", False),
        ("Tanaka", "any", False),
        ("   ", "any", False),
    ],
)
def test_persons_are_found(query: str, how: str, found: bool, program: Program, greta: UUID, aiko: UUID) -> None:
    del aiko
    told = program.post("/search", {"query": query, "purpose": "service", "how": how})
    assert told.status_code == 200, told.content
    assert [hit["ref"] for hit in told.json()["found"]] == ([str(greta)] if found else [])


# ---------------------------------------------------------------- the ledger


@pytest.mark.django_db(transaction=True)
def test_an_entry_is_proven_by_a_bundle_that_others_verify(
    greta: UUID, olga: Staff, firm: Entity, no_second_factor: None, folder: Path
) -> None:
    del no_second_factor
    program = program_of(olga, firm)
    entry = Entry.objects.get(kind="book.person-added")
    assert program.get("/ledger/checkpoint").status_code == 404
    pending = program.get(f"/ledger/entries/{entry.ref}/proof")
    assert (pending.status_code, pending["Retry-After"]) == (409, "1")
    key = make_key(folder / LEDGER, "example.com/ledger")
    number(key)
    told = program.get(f"/ledger/entries/{entry.ref}").json()
    assert (told["persons"], told["body"]["entity"]) == ([str(greta)], str(firm.ref))
    assert told["index"] is not None
    proof = read_bundle(program.get(f"/ledger/entries/{entry.ref}/proof").content.decode())
    head = verify_bundle(proof, key=key.public, entry=bytes(entry.body))
    checkpoint = program.get("/ledger/checkpoint")
    assert checkpoint["Content-Type"].startswith("text/plain")
    assert verified_head(checkpoint.content.decode(), key.public) == head
    assert program.get(f"/ledger/entries/{uuid4()}").status_code == 404
    assert program.get(f"/ledger/entries/{uuid4()}/proof").status_code == 404
