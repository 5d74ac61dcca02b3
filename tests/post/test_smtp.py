"""A mail relay, well or ill: what became of a message is never guessed."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from pytest_django import Settings

from comity.post import smtp
from comity.post.gateways import Answer, Outcome
from comity.post.letters import Letter
from comity.post.models import Gateway
from comity.post.secrets import NoSecret, forget_secret, keep_secret, secret_of
from comity.post.smtp import Relay, check
from tests.post.relays import free_port, moody, relay

LETTER = Letter(to="greta@kettle.example", sender="news@comity.example", data=b"Subject: Hello\r\n\r\n.one\r\ntwo")
SOON = 1.0
HANGS = None
HANGS_UP = ""


@contextmanager
def to(port: int) -> Iterator[Relay]:
    way = Relay(Gateway(kind="smtp", settings={"host": "127.0.0.1", "port": port, "security": "none"}))
    yield way
    way.close()


def handed(way: Relay, seconds: float = 5.0, letter: Letter = LETTER) -> Answer:
    return way.hand_over(letter, until=time.monotonic() + seconds)


def test_a_message_arrives_as_it_was_written_dots_at_the_beginning_of_lines_too() -> None:
    with relay() as (kept, port), to(port) as way:
        assert handed(way).outcome is Outcome.SENT
    assert kept.kept[0].to == "greta@kettle.example"
    assert kept.kept[0].data == b"Subject: Hello\r\n\r\n.one\r\ntwo\r\n"


def test_one_connection_serves_many_messages() -> None:
    with moody() as (mood, port), to(port) as way:
        assert [handed(way).outcome for _ in range(3)] == [Outcome.SENT] * 3
    assert mood.seen.count("EHLO") == 1
    assert mood.seen.count("DATA") == len(mood.messages) == 3


@pytest.mark.parametrize(
    ("script", "outcome", "why"),
    [
        ({"HELLO": HANGS}, Outcome.AGAIN, "timeout"),
        ({"HELLO": HANGS_UP}, Outcome.AGAIN, "no-answer"),
        ({"HELLO": "554 go away"}, Outcome.AGAIN, "busy"),
        ({"MAIL": HANGS}, Outcome.AGAIN, "timeout"),
        ({"MAIL": "451 later"}, Outcome.AGAIN, "busy"),
        ({"MAIL": "550 never"}, Outcome.FAILED, "refused"),
        ({"RCPT": "450 greylisted"}, Outcome.AGAIN, "busy"),
        ({"RCPT": "550 no such user"}, Outcome.FAILED, "no-such-address"),
        ({"RCPT": HANGS_UP}, Outcome.AGAIN, "no-answer"),
        ({"DATA": "421 closing"}, Outcome.AGAIN, "busy"),
        ({"DATA": "250 what?"}, Outcome.AGAIN, "busy"),
        ({".": "452 full"}, Outcome.AGAIN, "busy"),
        ({".": "554 spam"}, Outcome.FAILED, "policy"),
        ({".": "251 taken, and passed on"}, Outcome.SENT, ""),
        ({".": "354 what?"}, Outcome.UNCERTAIN, "no-answer"),
        ({".": "421 closing"}, Outcome.AGAIN, "busy"),
        ({".": HANGS}, Outcome.UNCERTAIN, "timeout"),
        ({".": HANGS_UP}, Outcome.UNCERTAIN, "broken-off"),
        ({".": "gibberish"}, Outcome.UNCERTAIN, "no-answer"),
    ],
    ids=str,
)
def test_only_what_surely_did_not_go_out_is_tried_again(
    script: dict[str, str | None], outcome: Outcome, why: str
) -> None:
    with moody(script=script) as (mood, port), to(port) as way:
        began = time.monotonic()
        answer = handed(way, SOON)
        assert (answer.outcome, answer.why) == (outcome, why)
        assert time.monotonic() - began < 2 * SOON
    assert bool(mood.messages) == ("." in script)


def test_a_relay_that_dies_in_the_middle_of_a_message_leaves_us_not_knowing() -> None:
    with moody(script={"body": HANGS_UP}) as (_mood, port), to(port) as way:
        long = Letter(to=LETTER.to, sender=LETTER.sender, data=b"x\r\n" * 1_000_000)
        assert handed(way, letter=long).outcome is Outcome.UNCERTAIN


def test_a_relay_that_says_a_letter_a_second_is_cut_off_in_time() -> None:
    with moody(drip=0.3) as (_mood, port), to(port) as way:
        began = time.monotonic()
        assert handed(way, SOON).outcome is Outcome.AGAIN
        assert time.monotonic() - began < 2 * SOON


def test_where_no_relay_is_nothing_was_sent() -> None:
    with to(free_port()) as way:
        answer = handed(way)
    assert (answer.outcome, answer.why) == (Outcome.AGAIN, "no-answer")


def test_a_connection_that_the_relay_closed_meanwhile_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "IDLE", -1)
    with moody(script={"NOOP": HANGS_UP}) as (mood, port), to(port) as way:
        assert [handed(way).outcome for _ in range(2)] == [Outcome.SENT] * 2
    assert mood.seen.count("EHLO") == 2


def test_after_a_fault_the_next_message_goes_out() -> None:
    with moody(script={"RCPT": "550 no such user"}) as (mood, port), to(port) as way:
        assert handed(way).outcome is Outcome.FAILED
        del mood.script["RCPT"]
        assert handed(way).outcome is Outcome.SENT
    assert mood.seen.count("EHLO") == 1


def test_no_address_can_slip_a_command_in() -> None:
    with moody() as (mood, port), to(port) as way:
        bad = Letter(to="a@b.example>\r\nRCPT TO:<c@d.example", sender=LETTER.sender, data=LETTER.data)
        assert handed(way, letter=bad).outcome is Outcome.FAILED
    assert mood.seen.count("RCPT") == 0


def test_an_address_that_the_relay_cannot_spell_fails_and_stops_nobody_else() -> None:
    with moody() as (mood, port), to(port) as way:
        other = Letter(to="greta@bücher.example", sender=LETTER.sender, data=LETTER.data)
        assert handed(way, letter=other).outcome in {Outcome.AGAIN, Outcome.FAILED}
        assert handed(way).outcome is Outcome.SENT
    assert len(mood.messages) == 1


def test_what_comes_too_late_to_be_sent_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def slow(*given: Any, **more: Any) -> Any:  # noqa: ANN401 - as it is
        time.sleep(0.6)
        return real(*given, **more)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    with moody() as (mood, port), to(port) as way:
        answer = handed(way, 0.3)
    assert (answer.outcome, answer.why) == (Outcome.AGAIN, "timeout")
    assert mood.messages == []


def test_a_password_that_cannot_be_said_is_no_fault_of_the_message(settings: Settings, tmp_path: Path) -> None:
    settings.FOLDER = tmp_path
    with moody(script={"EHLO": "250-moody\r\n250 AUTH PLAIN"}) as (mood, port):
        known = {"host": "127.0.0.1", "port": port, "security": "none", "sign_in_as": "news"}
        gateway = Gateway(kind="smtp", settings=known)
        for secret in (None, "pässword"):
            if secret:
                keep_secret(gateway.ref, secret)
            answer = handed(Relay(gateway))
            assert (answer.outcome, answer.why) == (Outcome.AGAIN, "sign-in")
    assert mood.messages == []


class TestSettings:
    def test_good_ones_are_kept_without_their_secret(self) -> None:
        given = {"host": "mail.example.com", "port": 465, "security": "tls", "sign_in_as": "news", "password": "secret"}
        assert check(given) == {"host": "mail.example.com", "port": 465, "security": "tls", "sign_in_as": "news"}

    @pytest.mark.parametrize(
        ("wrong", "named"),
        [
            ({"host": ""}, "host"), ({"host": "a b"}, "host"), ({"host": "x\r\ny"}, "host"), ({"port": 0}, "port"),
            ({"port": "25"}, "port"), ({"security": "ssl3"}, "security"), ({"security": "none"}, "security"),
            ({"host": "mail..example.com"}, "host"), ({"host": "-x.example.com"}, "host"),
        ],
        ids=str,
    )  # fmt: skip
    def test_bad_ones_are_named(self, wrong: dict[str, object], named: str) -> None:
        with pytest.raises(ValidationError) as told:
            check({"host": "mail.example.com"} | wrong)
        assert list(told.value.message_dict) == [named]


def test_a_secret_lies_in_a_file_that_nobody_else_may_read(settings: Settings, tmp_path: Path) -> None:
    settings.FOLDER = tmp_path
    ref = uuid4()
    with pytest.raises(NoSecret, match="is not there"):
        secret_of(ref)
    keep_secret(ref, "first")
    keep_secret(ref, "sécond")
    (file,) = (tmp_path / "gateways").iterdir()
    assert secret_of(ref) == "sécond"
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o644)
    with pytest.raises(NoSecret, match="Others may read"):
        secret_of(ref)
    forget_secret(ref)
    assert not file.exists()
