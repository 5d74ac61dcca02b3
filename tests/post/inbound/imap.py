"""A mail server of our own for these tests: as much of IMAP4rev1 (RFC 3501) as reading one mailbox takes."""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Mailbox:
    """A mailbox: its messages by their numbers, and what was marked. `dies_after` hangs up after so many fetches."""

    messages: dict[int, bytes] = field(default_factory=dict)
    validity: int = 7
    seen: set[int] = field(default_factory=set)
    fetched: list[int] = field(default_factory=list)
    dies_after: int = 1_000
    password: str = "in-the-file"  # noqa: S105 - of a server that lives for one test

    def add(self, *raw: bytes) -> None:
        """Put messages into it."""
        for each in raw:
            self.messages[max(self.messages, default=0) + 1] = each


class Talk(socketserver.StreamRequestHandler):
    """One connection."""

    def handle(self) -> None:
        """Answer until the other side leaves."""
        self.say(b"* OK ready")
        while line := self.rfile.readline():
            tag, _space, rest = line.strip().partition(b" ")
            if not self.answer(tag, rest):
                return

    @property
    def box(self) -> Mailbox:
        """The mailbox that this server has."""
        held: Mailbox = self.server.box  # type: ignore[attr-defined]  # put there below
        return held

    def say(self, line: bytes) -> None:
        """Write a line."""
        self.wfile.write(line + b"\r\n")

    def answer(self, tag: bytes, told: bytes) -> bool:
        """Answer one command; return whether to go on."""
        word = told.split()[0].upper()
        if word == b"LOGIN" and self.box.password.encode() not in told:
            self.say(tag + b" NO wrong")
            return True
        if word == b"CAPABILITY":
            self.say(b"* CAPABILITY IMAP4rev1")
        elif word == b"SELECT":
            self.say(b"* %d EXISTS\r\n* OK [UIDVALIDITY %d] ok" % (len(self.box.messages), self.box.validity))
        elif word == b"UID" and not self.by_number(told.split(None, 2)[1].upper(), told):
            return False
        self.say(tag + b" OK done")
        return word != b"LOGOUT"

    def by_number(self, word: bytes, told: bytes) -> bool:
        """Answer a command about messages by their numbers; return whether to go on."""
        first = int(re.findall(rb"\d+", told)[0])
        if word == b"SEARCH":  # 5:* gives the last one too, whatever its number (RFC 3501, 6.4.8)
            last = max(self.box.messages, default=0)
            numbers = sorted({one for one in self.box.messages if one >= first} | ({last} if last else set()))
            self.say(b"* SEARCH " + b" ".join(b"%d" % one for one in numbers))
        elif word == b"FETCH":
            if len(self.box.fetched) >= self.box.dies_after:
                return False
            self.box.fetched.append(first)
            raw = self.box.messages[first]
            self.say(b"* 1 FETCH (UID %d BODY[]<0> {%d}\r\n%s)" % (first, len(raw), raw))
        elif word == b"STORE":
            self.box.seen.add(first)
        return True


@contextmanager
def mail_server(box: Mailbox) -> Iterator[int]:
    """Serve a mailbox on a free port of this machine; give the port."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk) as server:
        server.daemon_threads = True
        server.box = box  # type: ignore[attr-defined]  # read by each connection
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()
