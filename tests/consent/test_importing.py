"""What a file says of yeses and noes is in the ledger as what we heard ourselves is, and overrules no more."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from comity.book.imports.newcomers import Spoken, SpokenWrongly
from comity.book.imports.running import commitment
from comity.book.models import Person
from comity.consent.actions import About, withdraw_consent
from comity.consent.importing import Hand
from comity.consent.models import Consent, Standing
from comity.ledger.models import Entry
from comity.staff.models import Entity
from tests.book.imported import GRETA, Bring
from tests.book.people import newcomer

pytestmark = pytest.mark.django_db
NOON = datetime(2025, 4, 24, 12, tzinfo=UTC)


def said_entries() -> list[tuple[list[UUID], dict[str, Any]]]:
    entries = Entry.objects.filter(kind="consent.said").order_by("recorded_at", "ref")
    return [(entry.persons, json.loads(bytes(entry.body))["body"]) for entry in entries]


@pytest.mark.parametrize("says", ["given", "refused"])
def test_what_a_file_says_of_somebody_in_the_book_is_in_the_ledger(greta: UUID, firm: Entity, says: str) -> None:
    spoken = Spoken(said=says, said_at=NOON, source="import")
    Hand().write(spoken={greta: [spoken]}, entity=firm, heard_by=None)
    body = {
        "consent": str(Consent.objects.get().ref), "said": says, "purpose": "marketing", "channel": "email",
        "entity": str(firm.ref),
    }  # fmt: skip
    assert said_entries() == [([greta], body)]


def test_an_import_records_a_yes_that_it_fills_in(bring: Bring) -> None:
    bring([GRETA])
    assert said_entries() == []  # a newcomer's is in the commitment of the batch
    row = list(GRETA)
    row[7] = "2026-05-01"
    bring([row], for_known="fill")
    assert [(persons, body["said"]) for persons, body in said_entries()] == [([Person.objects.get().ref], "given")]


@pytest.mark.parametrize(
    "change",
    [{"spoken": [Spoken(said="refused", said_at=NOON)]}, {"relation": {"customer_since": date(2020, 1, 1)}}],
    ids=["what they said", "what is between us"],
)
def test_the_commitment_of_a_batch_is_over_all_that_newcomers_came_with(change: dict[str, Any]) -> None:
    one = newcomer("Greta", "Grünwald", "DE")
    other = newcomer("Greta", "Grünwald", "DE", ref=one.ref, relation=change.get("relation", one.relation))
    before = commitment(b"salt", [one], {one.ref: [Spoken(said="given", said_at=NOON)]})
    spoken = change.get("spoken", [Spoken(said="given", said_at=NOON)])
    assert commitment(b"salt", [other], {one.ref: spoken}) != before
    assert commitment(b"salt", [one], {one.ref: [Spoken(said="given", said_at=NOON)]}) == before


def test_a_yes_of_the_day_of_a_no_overrules_it_neither_in_the_book_nor_in_a_file(
    greta: UUID, firm: Entity, add: Callable[..., UUID]
) -> None:
    about = About(person=greta, entity=firm, purpose="marketing", channel="email")
    withdraw_consent(about=about, said_at=NOON, source="Letter", heard_by=None)
    oliver = add(newcomer("Oliver", "O'Brien", "GB"))
    yes, no = Spoken(said="given", said_at=NOON), Spoken(said="refused", said_at=NOON)
    Hand().write(spoken={greta: [yes], oliver: [no, yes]}, entity=firm, heard_by=None)
    stands = list(Standing.objects.filter(person__in=[greta, oliver]))
    assert [(stand.given, stand.opted_out_on) for stand in stands] == [(None, NOON.date())] * 2


def test_a_file_of_ours_speaks_of_purposes_and_channels_of_the_law_only() -> None:
    with pytest.raises(SpokenWrongly, match="not a purpose and a channel of the law"):
        Hand().read(about="greta@kettle.example/email", cell="given 2025-04-24")
