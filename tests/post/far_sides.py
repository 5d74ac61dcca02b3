"""A provider for these tests: a real HTTP server on this machine that answers as it is told to, or does worse."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.parser import BytesParser

TWILIO_TAKEN = b'{"sid": "SM0123456789abcdef0123456789abcdef", "status": "queued", "error_code": null}'


@dataclass(kw_only=True)
class Asked:
    """What a provider was asked."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass(kw_only=True)
class Mood:
    """How a provider behaves: its code and words, in pieces so many seconds apart; or what it does instead.

    `hangs` says nothing after the request, `dies` closes then, `deaf` closes before it has read anything. It hangs up
    after as many requests as `ends_after` says.
    """

    code: int = 201
    says: bytes = TWILIO_TAKEN
    more: str = ""
    raw: bytes | None = None
    drip: float = 0.0
    hangs: bool = False
    dies: bool = False
    deaf: bool = False
    ends_after: int = 0
    asked: list[Asked] = field(default_factory=list)
    lines: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def talk(self, line: socket.socket) -> None:
        self.lines += 1
        with line, suppress(OSError), line.makefile("rb") as heard:
            while not self.deaf and (first := heard.readline()):
                self._hear(first, heard)
                if self.hangs:
                    self.over.wait(30)
                if self.hangs or self.dies:
                    return
                self._answer(line)
                if len(self.asked) == self.ends_after:
                    return

    def _hear(self, first: bytes, heard) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - a file
        lines = []
        while (each := heard.readline()).strip():
            lines.append(each)
        headers = BytesParser().parsebytes(b"".join(lines), headersonly=True)
        body = heard.read(int(headers["content-length"] or 0))
        self.asked.append(Asked(line=first.decode("latin-1").strip(), headers=dict(headers.items()), body=body))

    def _answer(self, line: socket.socket) -> None:
        head = f"HTTP/1.1 {self.code} X\r\nContent-Length: {len(self.says)}\r\n{self.more}\r\n".encode()
        whole = self.raw if self.raw is not None else head + self.says
        if not self.drip:
            line.sendall(whole)
            return
        for each in whole:
            line.sendall(bytes([each]))
            if self.over.wait(self.drip):
                return


@contextmanager
def far_side(**moods: object) -> Iterator[tuple[Mood, str]]:
    """Run a provider; give how it behaves, and its address."""
    mood = Mood(**moods)  # type: ignore[arg-type]  # of Mood
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    line, _address = server.accept()
                    threading.Thread(target=mood.talk, args=[line], daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield mood, f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            mood.over.set()
