"""A service as somebody else would write it, after docs/connectors.md alone: points of loyal customers, in memory.

It lies, breaks or dawdles when it is told to.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes now").decode()


@dataclass
class Loyalty:
    """The members of the service, and how it is to behave."""

    members: list[dict[str, Any]] = field(default_factory=list)
    port: int = 0
    lies: bool = False  # it says that it erased, and does not
    slow: bool = False  # it erases when it is asked how far it is
    says: bytes | None = None  # instead of any answer
    code: int = 200
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    wanted: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, Any], dict[str, str]]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/privacy/"

    def known(self, said: dict[str, Any]) -> list[dict[str, Any]]:
        emails = {each.lower() for each in said["known"].get("email", [])}
        return [each for each in self.members if each["email"].lower() in emails]

    def find(self, said: dict[str, Any]) -> dict[str, Any]:
        return {"found": {"members": self.known(said)}, "mark": "at your service"}

    def erase(self, said: dict[str, Any]) -> dict[str, Any]:
        if said["run"] in self.runs:
            return self.runs[said["run"]]
        if self.slow:
            self.wanted[said["run"]] = said
            return {"state": "working"}
        gone = self.known(said)
        if not self.lies:
            self.members = [each for each in self.members if each not in gone]
        self.runs[said["run"]] = {
            "state": "done",
            "erased": {"members": len(gone)},
            "left": {"invoices": "the tax office wants them"},
        }
        return self.runs[said["run"]]

    def status(self, said: dict[str, Any]) -> dict[str, Any]:
        self.slow = False
        return self.erase(self.wanted.get(said["run"], said))


def signed(headers: dict[str, str], body: bytes) -> bool:
    """Say whether it is we who ask, and now: as Standard Webhooks has it."""
    told = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    right = "v1," + base64.b64encode(hmac.new(key, told, hashlib.sha256).digest()).decode()
    fresh = abs(time.time() - int(headers["webhook-timestamp"])) < 300
    return fresh and hmac.compare_digest(right, headers["webhook-signature"])


@contextmanager
def loyalty() -> Iterator[Loyalty]:
    """Start the service, and stop it."""
    here = Loyalty(members=[{"email": f"{name}@kettle.example", "points": 7} for name in ("Greta", "oliver")])

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            what, said = self.path.rpartition("/")[2], json.loads(body)
            here.asked.append((what, said, headers))
            code = here.code if signed(headers, body) else 401
            answer = (
                here.says if here.says is not None or code != 200 else json.dumps(getattr(here, what)(said)).encode()
            )
            self.send_response(code)
            self.end_headers()
            self.wfile.write(answer or b"")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    here.port = server.server_address[1]
    threading.Thread(target=server.serve_forever).start()
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()
