"""Providers that take messages over HTTP: one request for each, and an exact account of what became of it.

An adapter knows one provider: how a letter is asked of it, and what its answers mean. All else is here, once: TLS is
verified, no redirect is followed, an answer is read up to a size, and whatever goes on at the end of the time is cut.

Until the first byte of a request is sent, whatever fails has certainly not been sent. From then until an answer that
says so, nobody knows: so an answer of "error on our side" (5xx) is uncertain, and the way is shut for this round, or
one outage of the provider would make a whole campaign uncertain.
"""

from __future__ import annotations

import http.client
import json
import select
import ssl
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from comity.post.gateways import Answer, Kind, Outcome, Setting
from comity.post.in_time import done_by
from comity.post.secrets import NoSecret, secret_of

if TYPE_CHECKING:
    from comity.post.letters import Letter
    from comity.post.models import Gateway

IDLE: Final = 4.0
"""Seconds for which a connection is kept between messages: servers close idle ones, mostly after five."""
CONNECTING: Final = 5.0
"""Seconds that a connection may take: it comes before anything is sent."""
LARGEST: Final = 65_536
"""Bytes of an answer that are read; whatever is longer is no answer of a provider."""
HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
WELL, ELSEWHERE, WRONG, BROKEN = 200, 300, 400, 500
"""What codes say by their first digit (RFC 9110, 15)."""
SIGN_IN: Final = frozenset({401, 403, 407})
TOO_MANY, TOO_SLOW = 429, 408
LONGEST_CODE: Final = 20


class NotAsked(ValueError):
    """A letter of which no request can be made: the address is none for this provider, or something is lacking."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked of a provider, by POST: a path with its query, headers, and the body."""

    path: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a provider answered, within the time and the size."""

    code: int
    body: bytes = field(repr=False)

    def told(self) -> Mapping[str, Any]:
        """Return the JSON object of the answer; an empty one where there is none."""
        try:
            told = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return told if isinstance(told, dict) else {}


class Adapter(Protocol):
    """One provider's interface: facts about it, and no connections, clocks or files."""

    channels: frozenset[str]
    says: str
    address: str
    """Where it is, without a path; a gateway may say another, such as one in the region where data must stay."""
    settings: tuple[Setting, ...]

    def request(self, letter: Letter, settings: Mapping[str, Any], secret: str) -> Request:
        """Return what is asked. Raises NotAsked.

        Where the provider takes a key by which it knows a request that it had before, `letter.key` is it.
        """

    def read(self, reply: Reply) -> Answer:
        """Return what an answer of 2xx, or of a refusal (4xx), means. What it does not know is UNCERTAIN or FAILED."""


class Line:
    """The way to one provider. It belongs to one thread."""

    def __init__(self, gateway: Gateway, adapter: Adapter) -> None:
        self._settings, self._ref, self._adapter = gateway.settings, gateway.ref, adapter
        self._place = urlsplit(str(gateway.settings.get("address") or adapter.address))
        self._connection: http.client.HTTPConnection | None = None
        self._used = 0.0

    def hand_over(self, letter: Letter, *, until: float) -> Answer:
        """Hand a letter over; see `Way`."""
        try:
            request = self._adapter.request(letter, self._settings, secret_of(self._ref))
        except NoSecret:
            return Answer(outcome=Outcome.AGAIN, why="sign-in", shut=True)
        except NotAsked as error:
            return Answer(outcome=Outcome.FAILED, why=error.why)
        if not _is_clean(request):
            return Answer(outcome=Outcome.FAILED, why="policy")
        try:
            with self._in_time(until):
                connection = self._ready(until)
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            self._drop()
            return _before(error, late=time.monotonic() >= until)
        if time.monotonic() >= until:
            self._drop()
            return Answer(outcome=Outcome.AGAIN, why="timeout", shut=True)
        return self._asked(connection, request, until)

    def close(self) -> None:
        """Let go of the connection."""
        self._drop()

    def _ready(self, until: float) -> http.client.HTTPConnection:
        kept = self._connection
        if kept is not None and (time.monotonic() - self._used > IDLE or _has_ended(kept)):
            self._drop()
        if self._connection is None:
            self._connection = self._made(max(0.1, min(CONNECTING, until - time.monotonic())))
            self._connection.connect()
            self._connection.auto_open = 0  # or it would connect anew in the middle
        return self._connection

    def _made(self, patience: float) -> http.client.HTTPConnection:
        host, port = self._place.hostname or "", self._place.port
        if self._place.scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=patience, context=ssl.create_default_context())
        return http.client.HTTPConnection(host, port, timeout=patience)

    def _asked(self, connection: http.client.HTTPConnection, request: Request, until: float) -> Answer:
        """Send the request. From here on, whatever is not an answer leaves us not knowing."""
        try:
            with self._in_time(until):
                connection.request("POST", request.path, body=request.body, headers=dict(request.headers))
                got = connection.getresponse()
                body = got.read(LARGEST + 1)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._drop()
            late = isinstance(error, TimeoutError) or time.monotonic() >= until
            return Answer(outcome=Outcome.UNCERTAIN, why="timeout" if late else "broken-off")
        if got.will_close or len(body) > LARGEST:
            self._drop()
        self._used = time.monotonic()
        if len(body) > LARGEST:
            return Answer(outcome=Outcome.UNCERTAIN, why="no-answer", code=str(got.status))
        return _meaning(self._adapter, Reply(code=got.status, body=body))

    def _in_time(self, until: float) -> AbstractContextManager[None]:
        """Be done by `until`, even if the provider says a letter a second."""
        return done_by(until, lambda: self._connection.sock if self._connection is not None else None)

    def _drop(self) -> None:
        if self._connection is not None:
            with suppress(OSError):
                self._connection.close()
        self._connection = None


def _has_ended(connection: http.client.HTTPConnection) -> bool:
    """Say whether the other side hung up, or says something that nobody asked: then another connection is made."""
    line = connection.sock
    return line is None or bool(select.select([line], [], [], 0)[0])


def _is_clean(request: Request) -> bool:
    """Say whether no value of a person or of settings could begin a further header, or another request."""
    parts = [request.path, *request.headers, *request.headers.values()]
    return request.path.startswith("/") and all(part.isascii() and part.isprintable() for part in parts)


def _before(error: Exception, *, late: bool) -> Answer:
    """Return what a failure means that came before the request: it has certainly not been sent."""
    if isinstance(error, ssl.SSLError) and not late:
        return Answer(outcome=Outcome.AGAIN, why="tls", shut=True)
    why = "timeout" if late or isinstance(error, TimeoutError) else "no-answer"
    return Answer(outcome=Outcome.AGAIN, why=why, shut=True)


def _meaning(adapter: Adapter, reply: Reply) -> Answer:
    """Return what an answer means; what means the same at every provider is said here."""
    code = str(reply.code)
    if reply.code in SIGN_IN:
        return Answer(outcome=Outcome.AGAIN, why="sign-in", code=code, shut=True)
    if reply.code == TOO_MANY:
        return Answer(outcome=Outcome.AGAIN, why="busy", code=code, shut=True)
    if ELSEWHERE <= reply.code < WRONG:
        return Answer(outcome=Outcome.AGAIN, why="elsewhere", code=code, shut=True)
    if reply.code < WELL or reply.code >= BROKEN or reply.code == TOO_SLOW:
        return Answer(outcome=Outcome.UNCERTAIN, why="no-answer", code=code, shut=True)
    return adapter.read(reply)


def code_of(value: object, reply: Reply) -> str:
    """Return the provider's own code of a refusal if it is a number, else that of HTTP: never words of theirs."""
    said = str(value)
    return said if said.lstrip("-").isdecimal() and len(said) <= LONGEST_CODE else str(reply.code)


# ---------------------------------------------------------------- its settings

PLACE: Final = Setting(
    name="address", says=gettext_lazy("Address"),
    help=gettext_lazy("Where the provider is, with https. Leave it empty for the usual one."),
    needed=False,
)  # fmt: skip


def kind_of(adapter: Adapter) -> Kind:
    """Return the kind of gateway that an adapter makes."""
    wanted = (*adapter.settings, PLACE)

    def check(given: Mapping[str, Any]) -> Mapping[str, Any]:
        wrong: dict[str, str] = {}
        kept: dict[str, str] = {}
        for one in wanted:
            value = str(given.get(one.name) or "").strip()
            if (value or one.needed) and not one.holds(value):
                wrong[one.name] = str(one.cure) or _("It is not given, or has letters that stand in no such value.")
            if value:
                kept[one.name] = value
        if "address" in kept and not _may_be(urlsplit(kept["address"])):
            wrong["address"] = _("An https address without a path; http is for this machine alone.")
        if wrong:
            raise ValidationError(wrong)
        return kept

    return Kind(
        channels=adapter.channels, check=check, open=lambda gateway: Line(gateway, adapter), says=adapter.says,
        settings=wanted, signs_in=True,
    )  # fmt: skip


def _may_be(place: SplitResult) -> bool:
    try:
        plain = not (place.path.strip("/") or place.query or place.fragment or place.username) and place.port != 0
    except ValueError:
        return False
    return plain and bool(place.hostname) and (place.scheme == "https" or place.hostname in HERE)
