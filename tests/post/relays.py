"""Relays for these tests: a real one that keeps what it gets, and one that misbehaves as it is told to."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class Kept:
    """What came in at a relay: to whom, when it was begun, and the message."""

    to: str
    began: float
    data: bytes
    sender: str = ""  # of the envelope

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.data, policy=default)


@dataclass
class Keeper:
    """Keeps every message, and remembers when each was begun."""

    kept: list[Kept] = field(default_factory=list)
    _began: dict[int, float] = field(default_factory=dict)

    async def handle_MAIL(  # noqa: N802 - the name that aiosmtpd looks for
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, options: Sequence[str]
    ) -> str:
        self._began[id(session)] = time.monotonic()
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        began = self._began[id(session)]
        for to in envelope.rcpt_tos:
            self.kept.append(
                Kept(to=to, began=began, data=cast("bytes", envelope.content), sender=envelope.mail_from or "")
            )
        return "250 Taken"

    def to(self, address: str) -> list[Kept]:
        return [each for each in self.kept if each.to == address]


@contextmanager
def relay(keeper: Keeper | None = None) -> Iterator[tuple[Keeper, int]]:
    """Run a real SMTP server on a free port of this machine; give what it keeps, and the port."""
    keeper = keeper or Keeper()
    port = free_port()
    server = Controller(keeper, hostname="127.0.0.1", port=port, enable_SMTPUTF8=True)
    server.start()
    try:
        yield keeper, port
    finally:
        server.stop()


def free_port() -> int:
    """Return a port of this machine on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@dataclass
class Moody:
    """A relay that answers as a script says: a line for each command; None says nothing more; "" hangs up.

    `after` is what it does when the whole message is there. `seen` is what it was told.
    """

    script: dict[str, str | None] = field(default_factory=dict)
    drip: float = 0.0
    seen: list[str] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)

    def answer(self, command: str) -> str | None:
        usual = {"HELLO": "220 moody", "EHLO": "250 moody", "DATA": "354 go on", ".": "250 taken", "QUIT": "221 bye"}
        return self.script.get(command, usual.get(command, "250 well"))

    def talk(self, line: socket.socket) -> None:
        with line, suppress(OSError):
            heard = line.makefile("rb")
            if not self._say(line, "HELLO"):
                return
            while told := heard.readline():
                command = told.split()[0].decode().upper()
                self.seen.append(command)
                if not self._say(line, command) or command == "QUIT":
                    return
                if command == "DATA" and self.answer("DATA") == "354 go on" and not self._take(line, heard):
                    return

    def _take(self, line: socket.socket, heard: Any) -> bool:  # noqa: ANN401 - a file
        taken = b""
        while (part := heard.readline()) != b".\r\n":
            if not part:
                return False
            taken += part
            if "body" in self.script:
                return False
        self.messages.append(taken)
        return self._say(line, ".")

    def _say(self, line: socket.socket, command: str) -> bool:
        words = self.answer(command)
        if words is None:
            with suppress(OSError):
                line.recv(1)  # until the other side gives up
            return False
        if not words:
            return False
        for letter in f"{words}\r\n".encode():
            line.sendall(bytes([letter]))
            time.sleep(self.drip)
        return True


@contextmanager
def moody(**moods: Any) -> Iterator[tuple[Moody, int]]:  # noqa: ANN401 - of Moody
    """Run a relay that misbehaves; give it, and its port."""
    mood = Moody(**moods)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    line, _address = server.accept()
                    threading.Thread(target=mood.talk, args=[line], daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield mood, server.getsockname()[1]
