"""The book of these tests: Greta in Berlin, a customer; Oliver in Leeds; Aiko in Osaka, for which there is no pack."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pytest_django import Settings

from comity.book.actions import NewActivity, Newcomer, NewPoint, add_persons
from comity.book.models import Reach, Source
from comity.book.opening import Look
from comity.refs import new_ref
from comity.staff.models import Entity, Staff
from comity.vault import keyring, rotation

DAY = date(2026, 11, 22)
CALL = "Greta wants the blue kettle before Christmas."

ORDINARY: dict[str, Any] = {
    "org.lia_on_file": True, "org.public_body": False, "org.nonprofit": False, "org.hipaa_role": "none",
    "org.financial_institution": False, "org.data_broker": False, "org.online_for_children": False,
    "use.in_notice": True,
}  # fmt: skip
"""What the law asks of an ordinary firm."""

CUSTOMER: dict[str, Any] = {
    "customer_since": date(2024, 3, 18), "contract_running": True, "source": Source.PERSON, "notice": "Customers v2",
}  # fmt: skip


def newcomer(given: str, family: str, home: str, **more: Any) -> Newcomer:  # noqa: ANN401 - parts of a Newcomer
    """Return somebody with an e-mail address and a number."""
    points = [
        NewPoint(reach=Reach.EMAIL, value=f"{given.lower()}@kettle.example"),
        NewPoint(reach=Reach.PHONE, value="+49 30 5550199"),
    ]
    parts: dict[str, Any] = {"points": points, "facts": {"home": home}, "relation": CUSTOMER} | more
    return Newcomer(name={"given": given, "family": family}, **parts)


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    """Give Comity a folder of its own for its keys."""
    settings.FOLDER = tmp_path / "comity"
    settings.FOLDER.mkdir(mode=0o700)
    keyring.forget()
    return tmp_path / "comity"


@pytest.fixture
def firm(dublin: Entity, folder: Path) -> Entity:
    """Say of the Dublin entity what the law asks, and make its keys."""
    del folder
    dublin.facts = ORDINARY
    dublin.save()
    rotation.begin_first_epoch(staff=None)
    return dublin


Add = Callable[[Newcomer], UUID]


@pytest.fixture
def add(firm: Entity) -> Add:
    """Give a function that brings somebody into the book of the Dublin entity."""

    def added(one: Newcomer) -> UUID:
        add_persons(newcomers=[one], entity=firm, staff=None)
        return one.ref

    return added


@pytest.fixture
def greta(add: Add) -> UUID:
    call = NewActivity(doing="call", at=datetime(2026, 10, 30, 9, tzinfo=UTC), text=CALL, minutes=14)
    return add(newcomer("Greta", "Grünwald", "DE", activities=[call], organisation="Nordlicht GmbH"))


@pytest.fixture
def oliver(add: Add) -> UUID:
    return add(newcomer("Oliver", "O'Brien", "GB"))


@pytest.fixture
def aiko(add: Add) -> UUID:
    return add(newcomer("Aiko", "Tanaka", "JP"))


@pytest.fixture
def look(ada: Staff, firm: Entity) -> Look:
    """Ada looks, for what people ordered."""
    return Look(viewer=ada, entity=firm, purpose="service")


def refs(many: int) -> Iterable[UUID]:
    """Give so many refs of nobody."""
    return [new_ref() for _ in range(many)]
