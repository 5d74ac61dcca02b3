"""Pages of what comes back: what waits is read and settled by whoever may, and ways in are made there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from comity.consent.suppression.models import Suppressed
from comity.ledger.models import Entry
from comity.outreach.inbound.queries import answers_seen_by
from comity.post.inbound.models import Arrival, Inbox
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from tests.outreach.inbound.sending import Sent, comes
from tests.outreach.inbound.test_answers import answers, said
from tests.staff.people import client_of, make_staff

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("optional")]


@pytest.fixture
def optional(settings: object) -> None:
    """Let everybody work without a second factor."""
    settings.SECOND_FACTOR = "optional"  # type: ignore[attr-defined]  # Django's own


@pytest.fixture
def sana(firm: Entity) -> Client:
    return client_of(make_staff("support", entity=firm))


def held(sent: Sent, inbox: Inbox) -> str:
    arrival = comes(inbox, answers(sent, "stop it, I love it"))
    assert arrival is not None
    return f"/answers/{arrival.ref}/"


def test_what_a_human_takes_for_a_no_is_one(sent: Callable[[int], Sent], bounces: Inbox, sana: Client) -> None:
    first = sent(1)
    path = held(first, bounces)
    assert path in sana.get("/answers/").content.decode()
    assert "It is a no" in sana.get(path).content.decode()
    assert sana.post(path, {"as": "no"})["Location"] == "/answers/"
    assert said(first.people[0], bounces.entity)[-1] == ("withdrawn", "marketing", "By reply, read by staff, email")
    assert sana.get(path).status_code == 404
    assert sana.post(path, {"as": "no"}).status_code == 404
    assert len(said(first.people[0], bounces.entity)) == 2


def test_what_a_human_takes_for_no_no_is_held_no_more(
    sent: Callable[[int], Sent], bounces: Inbox, sana: Client
) -> None:
    first = sent(1)
    sana.post(held(first, bounces), {"as": "seen"})
    assert len(first.again().kept) == 1


def test_mail_that_nobody_could_place_is_read_on_record_and_then_forgotten(bounces: Inbox, sana: Client) -> None:
    arrival = comes(
        bounces, b"From: Odd <odd@else.example>\r\nSubject: <b>Hm</b>\r\n\r\nWhere is my <i>kettle</i>?\r\n"
    )
    assert arrival is not None
    shown = sana.get(f"/answers/{arrival.ref}/").content.decode()
    assert "Where is my &lt;i&gt;kettle&lt;/i&gt;?" in shown
    assert Entry.objects.filter(kind="outreach.original-opened").exists()
    sana.post(f"/answers/{arrival.ref}/", {"as": "no"})
    with behind_wall(staff=None, entities=[bounces.entity_id]):
        row = Arrival.objects.get()
        assert Suppressed.objects.exists()
    assert (row.waits, row.parcel_key) == (False, None)


def test_what_waits_for_one_entity_is_not_seen_by_another(bounces: Inbox, shanghai: Entity) -> None:
    comes(bounces, b"From: x@y.example\r\n\r\nHello\r\n")
    far = make_staff("support", entity=shanghai, name="Mei Far")
    with behind_wall(staff=far.ref, entities=[bounces.entity_id, shanghai.ref]):
        assert not answers_seen_by(far).exists()


def test_ways_in_are_made_shown_and_ended(firm: Entity, folder: object) -> None:
    del folder
    adam = client_of(make_staff("administrator"))
    hook = adam.post(f"/coming-back/{firm.ref}/new/hook/", {"name": "Texts", "channel": "sms"}).content.decode()
    assert "whsec_" in hook
    assert "/inbound/" in hook
    wrong = adam.post(f"/coming-back/{firm.ref}/new/folder/", {"name": "Files", "address": "a b@x"}).content.decode()
    assert "bounces@mail.example.com" in wrong
    adam.post(f"/coming-back/{firm.ref}/new/folder/", {"name": "Files", "address": "back@mail.comity.example"})
    shown = adam.get("/coming-back/").content.decode()
    assert "Files" in shown
    assert "whsec_" not in shown
    with behind_wall(staff=None, entities=[firm.ref]):
        ref = Inbox.objects.get(name="Files").ref
    adam.post(f"/coming-back/{ref}/end/")
    assert "Files" not in adam.get("/coming-back/").content.decode()


def test_today_says_that_answers_wait(sent: Callable[[int], Sent], bounces: Inbox, sana: Client, tom: Staff) -> None:
    held(sent(1), bounces)
    assert "1 answer waits to be read" in sana.get("/today/").content.decode()
    assert "1 answer waits to be read" not in client_of(tom).get("/today/").content.decode()
