"""Somebody else's server in these tests: a real one, on this machine, that answers as told and keeps what it got."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Receiver:
    """What it is to answer, and what it got."""

    port: int = 0
    answers: int = 200
    location: str = ""
    silent: threading.Event = field(default_factory=threading.Event)  # while it is set, it says nothing
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?shop=1"

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Start a server, and stop it."""
    here = Receiver()
    over = threading.Event()

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            here.got.append((dict(self.headers), body))
            if here.silent.is_set():
                over.wait()
                return
            self.send_response(here.answers)
            if here.location:
                self.send_header("Location", here.location)
            self.end_headers()
            self.wfile.write(b"x" * 100_000)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    here.port = server.server_address[1]
    threading.Thread(target=server.serve_forever).start()
    try:
        yield here
    finally:
        over.set()
        server.shutdown()
        server.server_close()
