"""A campaign that was sent by a real relay, and what its readers and their servers send back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from pytest_django import Settings

from comity.book.opening import Look
from comity.outreach.campaigns.actions import change_campaign, look_at_audience, make_campaign
from comity.outreach.campaigns.dispatching import begin_campaign
from comity.outreach.campaigns.models import Imprint
from comity.outreach.composing.content import Content, Wording
from comity.post.inbound.actions import make_inbox, take_in
from comity.post.inbound.models import Arrival, Inbox, Sort
from comity.post.inbound.understanding import understand
from comity.post.models import Dispatch
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from tests.post.relays import Kept, relay
from tests.post.writing import germans, says_yes, send_all, way_out

CONTENT = Content(language="en", wordings={"en": Wording(subject="Kettles", body="Kettles are back.")})


@pytest.fixture
def look(tom: Staff, firm: Entity, settings: Settings) -> Look:
    """Tom looks, for marketing."""
    settings.ADDRESS = urlsplit("https://book.comity.example")
    return Look(viewer=tom, entity=firm, purpose="marketing")


@pytest.fixture
def bounces(firm: Entity) -> Inbox:
    """Make a folder in which what comes back is read, and the address to which it comes."""
    return make_inbox(
        entity=firm, sort=Sort.FOLDER, channel="email", name="Bounces", settings={}, made_by=None,
        address="back@mail.comity.example",
    )  # fmt: skip


@dataclass
class Sent:
    """A campaign that went out: to whom, and what each of them got."""

    look: Look
    people: list[UUID]
    dispatch: Dispatch
    kept: list[Kept]

    def got(self, number: int) -> EmailMessage:
        """Return what one of them got."""
        (one,) = [each for each in self.kept if each.to == f"person-{number}@kettle.example"]
        return one.message

    def sender(self, number: int) -> str:
        """Return the envelope's sender of what one of them got."""
        (one,) = [each for each in self.kept if each.to == f"person-{number}@kettle.example"]
        return one.sender

    def again(self) -> Sent:
        """Send another campaign to the same people."""
        return campaign(self.look, self.people)


def campaign(look: Look, people: list[UUID]) -> Sent:
    with relay() as (kept, port):
        dispatch = _begun(look, port)
        send_all(dispatch)
    return Sent(look=look, people=people, dispatch=dispatch, kept=kept.kept)


def _begun(look: Look, port: int) -> Dispatch:
    with behind_wall(staff=look.viewer.ref, entities=[look.entity.ref]):
        made = make_campaign(entity=look.entity, name="Kettles", purpose="marketing", query="", made_by=look.viewer)
        change_campaign(
            campaign=made, by=look.viewer, content=CONTENT.as_json(), gateway=way_out(look.entity, port=port)
        )
        made = look_at_audience(campaign=made, look=look)
        dispatch = begin_campaign(campaign=made, look=look).dispatch
    assert dispatch is not None
    return dispatch


@pytest.fixture
def sent(look: Look, bounces: Inbox) -> Callable[[int], Sent]:
    """Give what brings so many people into the book, who agreed, and writes to them."""
    del bounces
    Imprint.objects.create(entity=look.entity, address="news@comity.example", postal_address="1 Quay Street\nDublin")

    def send(many: int) -> Sent:
        people = germans(many, look.entity)
        says_yes(people, look.entity)
        return campaign(look, people)

    return send


def comes(inbox: Inbox, raw: bytes) -> Arrival | None:
    """Let a message come in."""
    return take_in(inbox=inbox, heard=understand(raw), raw=raw)


def arrivals(entity: Entity) -> list[Arrival]:
    with behind_wall(staff=None, entities=[entity.ref]):
        return list(Arrival.objects.order_by("arrived_at", "ref"))
