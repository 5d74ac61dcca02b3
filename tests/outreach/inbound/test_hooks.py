"""Webhooks of gateways, over real HTTP: forged, replayed, told twice and in any order, and what people text back."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pytest_django.live_server_helper import LiveServer

from comity.book.actions import Newcomer, NewPoint, add_persons
from comity.book.models import Reach
from comity.consent.actions import About, give_consent
from comity.consent.models import Consent
from comity.consent.suppression.marks import mark_of
from comity.consent.suppression.models import Suppressed
from comity.consent.suppression.queries import is_suppressed
from comity.outreach.inbound.remembering import remember
from comity.post.actions import begin_dispatch
from comity.post.inbound.actions import make_inbox
from comity.post.inbound.hooks import LARGEST, TOLERANCE, signature
from comity.post.inbound.models import Arrival, Did, Inbox, Sort
from comity.post.inbound.queries import returned_of
from comity.post.letters import Letter
from comity.post.models import Dispatch, Gateway, Message
from comity.post.secrets import secret_of
from comity.refs import new_ref
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from tests.outreach.inbound.sending import Sent
from tests.post.writing import KIND

pytestmark = pytest.mark.django_db(transaction=True)
NUMBER = "+12025550143"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass
class Gate:
    """A gateway that tells what happened."""

    inbox: Inbox
    server: LiveServer

    def posts(self, body: bytes, **changed: str) -> tuple[int, str]:
        """Send a request, signed as it must be but for what is changed."""
        at, ref = changed.get("at", str(int(time.time()))), changed.get("ref", str(new_ref()))
        signed = signature(changed.get("secret", secret_of(self.inbox.ref)), ref=ref, at=int(at), body=body)
        heads = {"webhook-id": ref, "webhook-timestamp": at, "webhook-signature": changed.get("signature", signed)}
        line = http.client.HTTPConnection(self.server.thread.host, self.server.thread.port, timeout=20)
        line.request("POST", changed.get("path", f"/inbound/{self.inbox.ref}/"), body, heads)
        answer = line.getresponse()
        said = answer.status, answer.read().decode()
        line.close()
        return said

    def tells(self, *events: Mapping[str, object]) -> dict[str, int]:
        """Tell events; return how many were taken and how many known."""
        code, said = self.posts(json.dumps({"events": events}).encode())
        assert code == 200, said
        told: dict[str, int] = json.loads(said)
        return told


def event(type_: str, at: timedelta = timedelta(), **more: object) -> dict[str, object]:
    return {"id": str(new_ref()), "type": type_, "occurred_at": (datetime.now(UTC) + at).isoformat(), **more}


def texts(text: str, at: timedelta = timedelta()) -> dict[str, object]:
    return event("inbound", at) | {"from": NUMBER, "text": text}


@pytest.fixture
def gate(firm: Entity, live_server: LiveServer) -> Gate:
    """Make the webhook of a gateway for text messages."""
    made = make_inbox(entity=firm, sort=Sort.HOOK, channel="sms", name="Texts", settings={}, made_by=None)
    return Gate(inbox=made, server=live_server)


@dataclass
class Texted:
    """Somebody to whom a text message went."""

    person: UUID
    message: UUID
    dispatch: Dispatch


@pytest.fixture
def texted(firm: Entity, tom: Staff) -> Texted:
    """Bring somebody of New York into the book who agreed to texts, and got one."""
    one = Newcomer(
        name={"given": "Nina"}, ref=new_ref(), facts={"home": "US-NY"}, relation={"source": "person"},
        points=[NewPoint(reach=Reach.PHONE, value=NUMBER)],
    )  # fmt: skip
    add_persons(newcomers=[one], entity=firm, staff=None)
    give_consent(
        about=About(person=one.ref, entity=firm, purpose="marketing", channel="sms"), said_at=NOON - timedelta(days=9),
        notice="Texts v1", source="Form", heard_by=None, express=True,
    )  # fmt: skip
    gateway = Gateway.objects.create(entity=firm, channel="sms", kind="folder", name="Texts")
    dispatch = begin_dispatch(
        kind=KIND, about=new_ref(), entity=firm, purpose="marketing", gateway=gateway, staff=tom, persons=[one.ref]
    )
    with behind_wall(staff=None, entities=[firm.ref]):
        message = Message.objects.get(dispatch=dispatch)
    nobody: Any = None
    remember(nobody, dispatch, [(message, Letter(to=NUMBER, sender="COMITY", data=b""))])
    return Texted(person=one.ref, message=message.ref, dispatch=dispatch)


def said(person: UUID, entity: Entity) -> list[str]:
    with behind_wall(staff=None, entities=[entity.ref]):
        return [row.said for row in Consent.objects.filter(person=person).order_by("said_at", "recorded_at")]


def stopped(firm: Entity, channel: str = "sms", purpose: str = "marketing") -> bool:
    with behind_wall(staff=None, entities=[firm.ref]):
        return is_suppressed(entity=firm, mark=mark_of("phone", NUMBER), purpose=purpose, channel=channel)


# ---------------------------------------------------------------- whether it is the gateway


def test_what_nobody_signed_is_not_taken_and_says_nothing_of_what_is_there(gate: Gate, firm: Entity) -> None:
    body = json.dumps({"events": [texts("STOP")]}).encode()
    late, early = (str(int(time.time()) + by) for by in (-TOLERANCE - 60, TOLERANCE + 60))
    answers = [
        gate.posts(body, secret="whsec_AAAA"), gate.posts(body, signature=""), gate.posts(body, signature="v1,x v2,y"),  # noqa: S106 - a wrong one
        gate.posts(body, path=f"/inbound/{new_ref()}/"),
    ]  # fmt: skip
    assert {code for code, _said in answers} == {401}
    assert len({said for _code, said in answers}) == 1
    assert [gate.posts(body, at=at)[0] for at in (late, early)] == [401, 401]
    assert not stopped(firm)


def test_a_signature_is_of_this_very_body(gate: Gate) -> None:
    at, ref = str(int(time.time())), "once"
    signed = signature(secret_of(gate.inbox.ref), ref=ref, at=int(at), body=b'{"events": []}')
    assert gate.posts(b'{"events": [ ]}', at=at, ref=ref, signature=signed)[0] == 401
    assert gate.posts(b'{"events": []}', at=at, ref="other", signature=signed)[0] == 401
    assert gate.posts(b'{"events": []}', at=at, ref=ref, signature=f"v1,bm8= {signed}")[0] == 200


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'{"events": {}}', b'{"events": [1]}', b'{"events": [{"type": "bounced"}]}', b"[" * 100_000,
     b'{"events": [{"id": "1", "type": "bounced", "occurred_at": "yesterday"}]}', b'\xff{"events": []}',
     json.dumps({"events": [{}] * 501}).encode()],
)  # fmt: skip
def test_what_is_signed_and_no_list_of_events_is_refused_whole(body: bytes, gate: Gate) -> None:
    assert gate.posts(body)[0] == 400


def test_a_request_that_is_too_large_is_not_read(gate: Gate) -> None:
    assert gate.posts(b" " * (LARGEST + 1))[0] == 413


def test_an_ended_webhook_is_none(gate: Gate) -> None:
    with behind_wall(staff=None, entities=[gate.inbox.entity_id]):
        Inbox.objects.update(ended_at=NOON)
    assert gate.posts(b'{"events": []}')[0] == 401


# ---------------------------------------------------------------- what people text back


@pytest.mark.parametrize("text", ["STOP", "ＴＤ", "unsubscribe please"])
def test_stop_by_text_is_a_withdrawal_and_ends_texts_and_automatic_calls(
    text: str, gate: Gate, texted: Texted, firm: Entity
) -> None:
    assert gate.tells(texts(text)) == {"taken": 1, "known": 0}
    assert said(texted.person, firm) == ["given", "withdrawn"]
    assert stopped(firm)
    assert stopped(firm, "autocall")
    assert not stopped(firm, "call")


def test_an_event_told_twice_counts_once(gate: Gate, texted: Texted, firm: Entity) -> None:
    stop = texts("STOP")
    assert gate.tells(stop) == {"taken": 1, "known": 0}
    give_consent(
        about=About(person=texted.person, entity=firm, purpose="marketing", channel="sms"), said_at=datetime.now(UTC),
        notice="Texts v1", source="Form", heard_by=None, express=True,
    )  # fmt: skip
    assert gate.tells(stop, stop) == {"taken": 0, "known": 2}
    assert said(texted.person, firm) == ["given", "withdrawn", "given"]


def test_a_no_that_is_told_late_does_not_undo_a_later_yes(gate: Gate, texted: Texted, firm: Entity) -> None:
    give_consent(
        about=About(person=texted.person, entity=firm, purpose="marketing", channel="sms"), said_at=datetime.now(UTC),
        notice="Texts v1", source="Form", heard_by=None, express=True,
    )  # fmt: skip
    gate.tells(texts("STOP", timedelta(hours=-3)))
    assert said(texted.person, firm) == ["given", "withdrawn", "given"]
    with behind_wall(staff=None, entities=[firm.ref]):
        assert Consent.objects.latest("said_at").said == "given"


def test_what_may_be_a_no_by_text_holds_and_waits(gate: Gate, texted: Texted, firm: Entity) -> None:
    gate.tells(texts("stop it, I love it"))
    with behind_wall(staff=None, entities=[firm.ref]):
        row = Arrival.objects.get()
    assert (row.did, row.waits, row.person) == (Did.HELD, True, texted.person)
    assert said(texted.person, firm) == ["given"]


def test_start_is_no_yes(gate: Gate, texted: Texted, firm: Entity) -> None:
    gate.tells(texts("STOP", timedelta(minutes=-2)))
    gate.tells(texts("START"))
    assert said(texted.person, firm) == ["given", "withdrawn"]
    assert stopped(firm)
    with behind_wall(staff=None, entities=[firm.ref]):
        assert Arrival.objects.get(came="start").waits


def test_stop_from_a_number_that_nobody_knows_is_kept_for_that_number(gate: Gate, firm: Entity) -> None:
    gate.tells(texts("STOP"))
    assert stopped(firm)


# ---------------------------------------------------------------- what became of messages


def test_bounced_then_delivered_in_whatever_order_stays_shut(gate: Gate, texted: Texted, firm: Entity) -> None:
    bounced = event("bounced", timedelta(minutes=-5), message=str(texted.message), lasting=True)
    delivered = event("delivered", message=str(texted.message))
    gate.tells(delivered)
    gate.tells(bounced)
    assert stopped(firm, "call", "service")
    gate.tells(event("delivered", message=str(texted.message)))
    assert stopped(firm, "call", "service")
    with behind_wall(staff=None, entities=[firm.ref]):
        came = returned_of([texted.dispatch.ref])[texted.dispatch.ref]
    assert (came.bounced, came.delivered) == (1, 1)


def test_a_gateway_cannot_speak_of_messages_of_another_entity(
    gate: Gate, texted: Texted, firm: Entity, live_server: LiveServer
) -> None:
    other = Entity.objects.create(name="Other Ltd", place="IE")
    made = make_inbox(entity=other, sort=Sort.HOOK, channel="sms", name="Texts", settings={}, made_by=None)
    theirs = Gate(inbox=made, server=live_server)
    theirs.tells(
        event("bounced", message=str(texted.message), lasting=True), event("complained", message=str(texted.message))
    )
    assert not stopped(firm)
    with behind_wall(staff=None, entities=[other.ref]):
        assert set(Arrival.objects.values_list("did", flat=True)) == {Did.UNMATCHED}
        assert not Suppressed.objects.exists()
    del gate


def test_a_complaint_by_webhook_about_a_mail(
    sent: Callable[[int], Sent], firm: Entity, live_server: LiveServer
) -> None:
    first = sent(1)
    made = make_inbox(entity=firm, sort=Sort.HOOK, channel="email", name="Mail", settings={}, made_by=None)
    name = first.got(0)["Message-ID"]
    Gate(inbox=made, server=live_server).tells(event("complained", message=name))
    assert said(first.people[0], firm)[-1] == "withdrawn"
