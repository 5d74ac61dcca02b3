"""Relays that are half there: nobody waits longer than was agreed, and what may have gone out is never sent again."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from comity.post import smtp
from comity.post.gateways import Outcome
from comity.post.letters import Letter
from tests.post.relays import moody
from tests.post.test_smtp import LETTER, handed, to

SOON = 1.0
LARGE = Letter(to=LETTER.to, sender=LETTER.sender, data=b"x" * 70 * 200_000)


@contextmanager
def half_there(answers: list[bytes]) -> Iterator[int]:
    """Run a relay that gives these answers, each to a line, and then neither reads nor speaks nor hangs up."""
    over = threading.Event()

    def talk(line: socket.socket) -> None:
        with line, suppress(OSError):
            for answer in answers:
                line.sendall(answer + b"\r\n")
                if answer is not answers[-1]:
                    line.recv(4096)
            over.wait(20)

    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=talk, args=[server.accept()[0]], daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        over.set()


WELL = [b"220 here", b"250 here", b"250 from", b"250 to"]


@pytest.mark.parametrize(
    ("answers", "letter", "outcome"),
    [
        ([b"220-one line of two"], LETTER, Outcome.AGAIN),  # in the middle of its banner
        (WELL[:1], LETTER, Outcome.AGAIN),
        (WELL[:3], LETTER, Outcome.AGAIN),
        (WELL, LETTER, Outcome.AGAIN),  # it does not say that it wants the message
        ([*WELL, b"354 go on"], LETTER, Outcome.UNCERTAIN),  # after the dot
        ([*WELL, b"354 go on"], LARGE, Outcome.UNCERTAIN),  # in the middle of the message: it reads no more
    ],
    ids=["banner", "hello", "from", "data", "dot", "message"],
)
def test_a_connection_that_is_half_open_is_cut_in_time(answers: list[bytes], letter: Letter, outcome: Outcome) -> None:
    with half_there(answers) as port, to(port) as way:
        began = time.monotonic()
        answer = handed(way, SOON, letter)
        assert (answer.outcome, answer.why) == (outcome, "timeout")
        assert time.monotonic() - began < 2 * SOON


def test_nobody_listens_to_a_port_that_takes_connections() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)  # the machine takes them, and no program does
        with to(server.getsockname()[1]) as way:
            began = time.monotonic()
            answer = handed(way, SOON)
            assert (answer.outcome, answer.shut) == (Outcome.AGAIN, True)
            assert time.monotonic() - began < 2 * SOON


def test_a_kept_connection_that_died_without_a_word_costs_time_and_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    with moody(script={"NOOP": None}) as (mood, port), to(port) as way:
        assert handed(way).outcome is Outcome.SENT
        monkeypatch.setattr(smtp, "IDLE", -1)
        assert handed(way, SOON).outcome is Outcome.AGAIN
        del mood.script["NOOP"]
        assert handed(way).outcome is Outcome.SENT
    assert len(mood.messages) == 2
