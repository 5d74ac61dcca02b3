"""What tests of the vault ask for: a folder of keys, the cast with names and addresses, decisions that permit."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from comity.ledger.actions import record
from comity.refs import new_ref
from comity.vault import actions, keyring, rotation
from comity.vault.gate import Warrant
from comity.vault.models import Epoch, PersonKey, RecordedDecision
from comity.vault.queries import Among
from comity.vault.sealing import FieldClass, Fields, Label
from tests.conftest import lack

DATA = Path(os.environ.get("COMITY_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
HERE = UUID("0192f000-0000-7000-8000-000000000000")

NAMES: dict[str, Fields] = {
    "Greta": {"given": "Greta", "family": "Grünwald", "title": "Dr."},
    "Paul": {"given": "Paul", "family": "Béranger"},
    "Nadia": {"given": "Nadia", "family": "Lefèvre", "former": ["Moreau"]},
    "Oliver": {"given": "Oliver", "family": "O'Brien"},
    "Sofia": {"given": "Sofía", "family": "González Ibáñez"},
    "Jan": {"given": "Łukasz Jan", "family": "Wiśniewski"},
    "Hannah": {"full": "Hannah Thompson", "also": ["Annie"]},
    "Carlos": {"full": "Carlos de la Cruz"},
    "Tyler": {"given": "Tyler", "family": "Schwarzenegger"},
    "Mei": {"family": "曾", "given": "小美"},
    "Luca": {"given": "Luca", "family": "Sørensen"},
    "Aiko": {"full": "欧阳明华"},
    "Bruno": {"given": "Bruno", "family": "Weiß"},
}
CONTACTS: dict[str, Fields] = {
    who: {
        "email": [f"{who.lower()}.{place}@example.org"],
        "phone": f"+49 30 5550{place:03d}",
        "customer_number": f"KD-{place:05d}",
    }
    for place, who in enumerate(NAMES, 101)
}
NOTES: dict[str, Fields] = {who: {"text": f"{who} called about the kettle and sounded pleased."} for who in NAMES}
HEALTH: Fields = {"diagnosis": "Pollenallergie"}


def ref_of(who: str) -> UUID:
    """Give somebody of the cast a ref that is the same in every test."""
    return uuid5(HERE, who)


def label(who: str, field_class: FieldClass = FieldClass.NAME) -> Label:
    return Label(ref_of(who), field_class, "person", ref_of(who))


def blobs_of(who: str) -> list[tuple[Label, Fields]]:
    return [
        (label(who, FieldClass.NAME), NAMES[who]),
        (label(who, FieldClass.CONTACT), CONTACTS[who]),
        (label(who, FieldClass.NOTE), NOTES[who]),
        (label(who, FieldClass.SPECIAL), HEALTH),
    ]


def everybody(**narrowed: UUID | list[UUID]) -> Among:
    """Give whom a search may be among: all who have a key, or some of them."""
    return Among.of(PersonKey.objects.filter(**narrowed).values_list("person", flat=True))


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    """Give Comity a folder of its own for its keys."""
    settings.FOLDER = tmp_path / "comity"
    settings.FOLDER.mkdir(mode=0o700)
    keyring.forget()
    return tmp_path / "comity"


@pytest.fixture
def epoch(db: None) -> Epoch:
    """Begin the first epoch."""
    del db
    return rotation.begin_first_epoch(staff=None)


@pytest.fixture
def cast(epoch: Epoch) -> list[str]:
    """Seal the whole cast: names, contact points, notes, and something about their health."""
    del epoch
    actions.seal_many(blobs=[blob for who in NAMES for blob in blobs_of(who)])
    return list(NAMES)


@pytest.fixture
def ada() -> UUID:
    """Ada is of our staff."""
    return new_ref()


Permit = Callable[..., Warrant]


@pytest.fixture
def permit(ada: UUID) -> Permit:
    """Record a decision that permits Ada to look at some of the cast; what is given changes it."""

    def recorded(*who: str, **changes: Any) -> Warrant:  # noqa: ANN401 - the columns of the table
        persons = [ref_of(each) for each in who]
        row = {
            "staff": ada,
            "operation": "view",
            "purpose": "service",
            "field_classes": ["name", "contact", "note"],
            "verdict": "permit",
            "persons": persons,
            "permitted": persons,
            "day": timezone.now().date(),
            "fresh_until": timezone.now() + timedelta(minutes=15),
        }
        with transaction.atomic():
            row["entry"] = record(kind="counsel.decided", body={}, staff=ada, persons=persons)
            made = RecordedDecision.objects.create(**row | changes)
        return Warrant(decision=made.ref, staff=ada, operation="view", purpose="service")

    return recorded


@pytest.fixture(scope="session")
def naughty() -> list[str]:
    """Give strings that break programs."""
    path = DATA / "naughty-strings.json"
    if not path.is_file():
        lack(f"No naughty strings: {path} is not there (COMITY_TEST_DATA names its folder)")
    strings: list[str] = json.loads(path.read_text("utf-8"))
    return strings
