"""The people of these tests, one of whom is in every shelf that a test can fill by what the rooms themselves do."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from comity.book.actions import NewActivity
from comity.book.editing.leave import ask_leave
from comity.book.fields.actions import attach, fill_in, make_field
from comity.book.opening import Look
from comity.counsel.duties import note_event
from comity.rights.requests.models import Request
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from comity.vault.sealing import FieldClass
from tests.book.people import Add, add, aiko, firm, folder, greta, look, newcomer, oliver
from tests.staff.people import ada, adam, dublin, make_staff, olga, shanghai, staff_in
from tests.web.conftest import no_second_factor

__all__ = [
    "ada", "adam", "add", "aiko", "dublin", "firm", "folder", "greta", "look", "no_second_factor", "olga", "oliver",
    "shanghai", "staff_in",
]  # fmt: skip

NOTE = "Greta came with Oliver O'Brien (oliver@kettle.example) and wants =2+3 kettles."
FILE = b"%PDF-1.4 the order of a kettle"


@pytest.fixture
def mira(add: Add, firm: Entity, oliver: UUID) -> UUID:
    """Mira in Berlin: a customer of whom there are a note about another, a field, a file and a request."""
    del oliver
    note = NewActivity(doing="note", at=datetime(2026, 10, 2, 9, tzinfo=UTC), text=NOTE)
    order = NewActivity(doing="order", at=datetime(2021, 3, 2, 9, tzinfo=UTC), text="A red kettle.")
    person = add(newcomer("Mira", "Sørensen", "DE", activities=[note, order], organisation="Nordlicht GmbH"))
    told = {"name": "Passport number", "sort": "text", "sensitivity": "identifier", "why": "customs", "choices": []}
    sana = make_staff("support")
    with behind_wall(staff=sana.ref, entities=[firm.ref]):
        looks = Look(viewer=sana, entity=firm, purpose="service")
        field = make_field(told=told, entity=firm, made_by=sana)
        fill_in(leave=ask_leave(looks, person, FieldClass.IDENTIFIER), field=field, value="C01X00T47")
        attach(leave=ask_leave(looks, person, FieldClass.ATTACHMENT), name="../order<1>.pdf", content=FILE)
    return person


@pytest.fixture
def asked(mira: UUID, firm: Entity, olga: Staff) -> Request:
    """Mira asks to see everything, and the law counts what we owe her."""
    with behind_wall(staff=olga.ref, entities=[firm.ref]):
        return ask(mira, firm, olga)


def ask(person: UUID, firm: Entity, staff: Staff, *, kind: str = "access", language: str = "en") -> Request:
    """Note that somebody asks for something, and what the law says of it."""
    request = Request.objects.create(
        entity=firm, person=person, kind=kind, came_by="email", language=language, received_on=date(2026, 11, 2),
        handler=staff, noted_by=staff, state="working",
    )  # fmt: skip
    event = {
        "event.kind": "request-received", "event.on": request.received_on, "event.request": kind, "event.by": "person",
    }  # fmt: skip
    note_event(event=event, entity=firm, about=request.ref, persons=[person], staff=staff)
    return request
