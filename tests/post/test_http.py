"""Providers over HTTP: what a hand-over says in every mood of the other side, and what no value of a person can do."""

from __future__ import annotations

import json
import select
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import pytest
from django.core.exceptions import ValidationError
from pytest_django import Settings

from comity.post.gateways import KINDS, Answer, Outcome, Way
from comity.post.letters import Letter
from comity.post.models import Gateway
from comity.post.secrets import keep_secret
from comity.refs import new_ref
from tests.post.far_sides import Mood, far_side
from tests.post.relays import free_port

SID = "AC0123456789abcdef0123456789abcdef"
REF = UUID("01a20433-f953-708c-98b5-be67f9c95674")
NUMBER = "+4915100000001"


def letter(text: str = "Kettles are back.", to: str = NUMBER) -> Letter:
    return Letter(to=to, sender="", data=text.encode(), ref=REF, attempt=2)


def by_template(*values: str, to: str = NUMBER) -> Letter:
    told = {"template": "kettles_1", "language": "de", "parameters": values, "text": "…"}
    return Letter(to=to, sender="", data=json.dumps(told).encode(), ref=REF, attempt=2)


@contextmanager
def way(kind: str, secret: str = "a-token", **settings: object) -> Iterator[Way]:  # noqa: S107 - of the tests
    gateway = Gateway(ref=new_ref(), channel="sms", kind=kind, settings=settings)
    if secret:
        keep_secret(gateway.ref, secret)
    opened = KINDS[kind].open(gateway)
    try:
        yield opened
    finally:
        opened.close()


@pytest.fixture(autouse=True)
def own_folder(settings: Settings, tmp_path: Path) -> None:
    settings.FOLDER = tmp_path


def handed(mood: dict[str, object], within: float = 5.0, sent: Letter | None = None) -> tuple[Answer, Mood]:
    """Hand a text message over to Twilio in this mood."""
    with far_side(**mood) as (behaves, address), way("twilio", account=SID, sender="Acme", address=address) as out:
        return out.hand_over(sent or letter(), until=time.monotonic() + within), behaves


def test_what_a_provider_takes_is_sent_with_everything_it_asks_for() -> None:
    answer, mood = handed({})
    assert (answer.outcome, answer.code) == (Outcome.SENT, "201")
    (asked,) = mood.asked
    assert asked.line == f"POST /2010-04-01/Accounts/{SID}/Messages.json HTTP/1.1"
    assert asked.headers["Authorization"] == f"Basic {b64encode(f'{SID}:a-token'.encode()).decode()}"
    assert parse_qs(asked.body.decode()) == {"To": [NUMBER], "From": ["Acme"], "Body": ["Kettles are back."]}


REFUSED = b'{"code": 21211, "message": "no", "status": 400}'


@pytest.mark.parametrize(
    ("mood", "outcome", "why", "shut"),
    [
        ({"code": 400, "says": REFUSED}, "failed", "no-such-address", False),
        ({"code": 400, "says": b'{"code": 21610}'}, "failed", "opted-out", False),
        ({"code": 400, "says": b'{"code": 99999}'}, "failed", "policy", False),
        ({"code": 400, "says": b"<html>"}, "failed", "policy", False),
        ({"code": 429, "says": b"{}"}, "again", "busy", True),
        ({"code": 401, "says": b"{}"}, "again", "sign-in", True),
        ({"code": 302, "more": "Location: http://127.0.0.1:9/\r\n"}, "again", "elsewhere", True),
        ({"code": 307, "more": "Location: https://example.com/\r\n"}, "again", "elsewhere", True),
        ({"code": 500}, "uncertain", "no-answer", True),
        ({"code": 503}, "uncertain", "no-answer", True),
        ({"code": 408}, "uncertain", "no-answer", True),
        ({"says": b"not json"}, "uncertain", "no-answer", True),
        ({"says": b"[1]"}, "uncertain", "no-answer", True),
        ({"says": b'{"sid": "other", "status": "queued"}'}, "uncertain", "no-answer", True),
        ({"says": b'{"a": ' + b"[" * 9_000}, "uncertain", "no-answer", True),
        ({"says": b"x" * 70_000}, "uncertain", "no-answer", False),
        ({"raw": b"HELLO\r\n\r\n", "ends_after": 1}, "uncertain", "broken-off", False),
        ({"raw": b"HTTP/1.1 201 X\r\nContent-Length: 90\r\n\r\n{", "ends_after": 1}, "uncertain", "no-answer", True),
        ({"dies": True}, "uncertain", "broken-off", False),
        ({"deaf": True}, "uncertain", "broken-off", False),
    ],
)  # fmt: skip
def test_every_mood_has_its_outcome(mood: dict[str, object], outcome: str, why: str, shut: bool) -> None:
    answer, _mood = handed(mood)
    assert (answer.outcome.value, answer.why, answer.shut) == (outcome, why, shut)


@pytest.mark.parametrize("mood", [{"hangs": True}, {"drip": 0.05}], ids=["hangs", "says a letter at a time"])
def test_whoever_takes_too_long_is_cut_and_nobody_knows(mood: dict[str, object]) -> None:
    began = time.monotonic()
    answer, behaved = handed(mood, within=0.5)
    assert time.monotonic() - began < 1.5
    assert len(behaved.asked) == 1
    assert (answer.outcome, answer.why) == (Outcome.UNCERTAIN, "timeout")


def test_where_nobody_listens_nothing_has_gone_out() -> None:
    with way("twilio", account=SID, sender="Acme", address=f"http://127.0.0.1:{free_port()}") as out:
        answer = out.hand_over(letter(), until=time.monotonic() + 5)
    assert (answer.outcome, answer.why, answer.shut) == (Outcome.AGAIN, "no-answer", True)


def test_a_provider_that_cannot_prove_who_it_is_gets_nothing() -> None:
    with (
        far_side() as (mood, address),
        way("twilio", account=SID, sender="A", address=address.replace("http", "https")) as out,
    ):
        answer = out.hand_over(letter(), until=time.monotonic() + 2)
    assert (answer.outcome, answer.shut) == (Outcome.AGAIN, True)
    assert not [one for one in mood.asked if "POST" in one.line]


def test_without_its_secret_nothing_is_tried() -> None:
    with far_side() as (mood, address), way("twilio", secret="", account=SID, sender="A", address=address) as out:
        answer = out.hand_over(letter(), until=time.monotonic() + 2)
    assert (answer.outcome, answer.why, mood.lines) == (Outcome.AGAIN, "sign-in", 0)


def test_one_connection_serves_many_and_another_is_made_where_it_ended() -> None:
    with far_side(ends_after=3) as (mood, address), way("twilio", account=SID, sender="A", address=address) as out:
        answers = [out.hand_over(letter(), until=time.monotonic() + 2).outcome for _ in range(3)]
        assert (answers, mood.lines) == ([Outcome.SENT] * 3, 1)
        wait_for_its_end(out)
        assert out.hand_over(letter(), until=time.monotonic() + 2).outcome == Outcome.SENT
        assert mood.lines == 2


def wait_for_its_end(out: Any) -> None:  # noqa: ANN401 - a Line
    """Wait until the other side's goodbye is here."""
    line = out._connection.sock
    assert select.select([line], [], [], 5)[0]


@pytest.mark.parametrize("to", ["+49 151", "4915100000001", "+49151\r\nX: y", "+49151&Body=x", "", "@acme"])
def test_what_is_no_number_is_asked_of_nobody(to: str) -> None:
    answer, mood = handed({}, sent=letter(to=to))
    assert (answer.outcome, answer.why, mood.lines) == (Outcome.FAILED, "no-such-address", 0)


@pytest.mark.parametrize(
    "text", ["a&To=+4915199999999&b", "a\r\nX-Evil: yes\r\n\r\nPOST /", "{given}\0%0d%0a", "茶🍵\n二"]
)
def test_whatever_a_message_says_is_nothing_but_its_text(text: str) -> None:
    _answer, mood = handed({}, sent=letter(text))
    (asked,) = mood.asked
    assert parse_qs(asked.body.decode(), keep_blank_values=True) == {"To": [NUMBER], "From": ["Acme"], "Body": [text]}
    assert "X-Evil" not in asked.headers


@pytest.mark.parametrize("secret", ["a\r\nX-Evil: yes", "ключ"])
def test_a_secret_with_a_line_break_begins_no_header(secret: str) -> None:
    with (
        far_side() as (mood, address),
        way("whatsapp", secret, number="12345", version="v23.0", address=address) as out,
    ):
        answer = out.hand_over(by_template("x"), until=time.monotonic() + 2)
    assert (answer.outcome, mood.lines) == (Outcome.FAILED, 0)


def test_a_template_of_whatsapp_gets_the_values_in_their_order() -> None:
    taken = b'{"messaging_product": "whatsapp", "messages": [{"id": "wamid.x"}]}'
    with (
        far_side(code=200, says=taken) as (mood, address),
        way("whatsapp", number="12345", version="v23.0", address=address) as out,
    ):
        assert out.hand_over(by_template('Mi"ra', "{{2}}"), until=time.monotonic() + 2).outcome == Outcome.SENT
        mood.says = b'{"error": {"code": 131050}}'
        mood.code = 400
        assert out.hand_over(by_template("Mira"), until=time.monotonic() + 2).why == "opted-out"
        mood.says, mood.code = b"{}", 200
        assert out.hand_over(by_template("Mira"), until=time.monotonic() + 2).outcome == Outcome.UNCERTAIN
    asked = mood.asked[0]
    assert asked.line == "POST /v23.0/12345/messages HTTP/1.1"
    assert asked.headers["Authorization"] == "Bearer a-token"
    told = json.loads(asked.body)
    assert (told["to"], told["template"]["name"]) == (NUMBER[1:], "kettles_1")
    assert [one["text"] for one in told["template"]["components"][0]["parameters"]] == ['Mi"ra', "{{2}}"]


def test_wechat_knows_an_attempt_again_by_its_key_and_says_in_its_answer_what_it_means() -> None:
    with (
        far_side(code=200, says=b'{"errcode": 0, "errmsg": "ok", "msgid": 1}') as (mood, address),
        way("wechat", "a&b=c", fields="thing1,thing2", address=address) as out,
    ):
        to = "oQx_1234-abcdEFGH"
        assert out.hand_over(by_template("茶", "x", to=to), until=time.monotonic() + 2).outcome == Outcome.SENT
        told = json.loads(mood.asked[0].body)
        assert mood.asked[0].line == "POST /cgi-bin/message/template/send?access_token=a%26b%3Dc HTTP/1.1"
        assert told["data"] == {"thing1": {"value": "茶"}, "thing2": {"value": "x"}}
        assert len(told["client_msg_id"]) == 32
        assert out.hand_over(by_template("茶", to=to), until=time.monotonic() + 2).why == "policy"
        for says, outcome in ((42001, "again"), (43004, "failed"), (40003, "failed"), (-1, "uncertain"), (7, "failed")):
            mood.says = json.dumps({"errcode": says}).encode()
            answer = out.hand_over(by_template("茶", "x", to=to), until=time.monotonic() + 2)
            assert answer.outcome.value == outcome


@pytest.mark.parametrize(
    ("kind", "given", "wrong"),
    [
        ("twilio", {"account": "AC1", "sender": "Acme"}, "account"),
        ("twilio", {"account": SID, "sender": "Acme\r\nX"}, "sender"),
        ("twilio", {"account": SID, "sender": "Acme", "address": "http://example.com"}, "address"),
        ("twilio", {"account": SID, "sender": "Acme", "address": "https://example.com/x?y"}, "address"),
        ("twilio", {"account": SID, "sender": "Acme", "address": "https://a:99999"}, "address"),
        ("whatsapp", {"number": "12345", "version": "v23/../.."}, "version"),
        ("wechat", {"fields": "a, b"}, "fields"),
    ],
)
def test_settings_that_would_lead_elsewhere_are_refused(kind: str, given: dict[str, str], wrong: str) -> None:
    with pytest.raises(ValidationError) as raised:
        KINDS[kind].check(given)
    assert wrong in raised.value.message_dict


def test_nothing_of_a_letter_or_a_request_shows_where_errors_are_logged() -> None:
    from comity.post.adapters import Twilio

    asked = Twilio().request(letter("a secret text"), {"account": SID, "sender": "Acme"}, "a-token")
    shown = repr(asked) + repr(letter("a secret text"))
    assert not [each for each in ("secret", "a-token", NUMBER) if each in shown]
