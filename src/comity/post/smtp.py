"""A mail relay: one connection, kept open between messages, and an exact account of what became of each.

Until the first byte of a message is sent, whatever fails has certainly not been sent. From then until the relay
answers, nobody knows: the relay may have taken it and died.
"""

from __future__ import annotations

import re
import smtplib
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from comity.post.gateways import Answer, Kind, Outcome
from comity.post.in_time import done_by
from comity.post.secrets import NoSecret, secret_of

if TYPE_CHECKING:
    from comity.post.letters import Letter
    from comity.post.models import Gateway

IDLE: Final = 20.0
"""Seconds after which a kept connection is asked whether it still lives."""
CONNECTING: Final = 5.0
"""Seconds that a connection may take: it comes before anything is sent."""
HIGHEST_PORT: Final = 65_535
SECURITY: Final = ("tls", "starttls", "none")
ADDRESS: Final = re.compile(r"[^\s\x00-\x1f\x7f<>()\[\]\\,;:\"@]+@[^\s\x00-\x1f\x7f<>()\\,;\"@]+")
"""What an address may be made of: nothing that means something to a relay."""
LEADING_DOT: Final = re.compile(rb"(?m)^\.")
LINE_END: Final = re.compile(rb"\r\n|\r|\n")
ACCEPTED, TAKEN_TOO, GO_ON, CLOSING = 250, {251, 252}, 354, 421
WELL, WELL_NO_MORE, FOR_NOW, LASTING = 200, 300, 400, 500
"""What codes say by their first digit (RFC 5321, 4.2.1): done, refused for now, refused for good."""
ENHANCED: Final = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}(?=\s|$)")
"""What a relay says more exactly before its words (RFC 2034)."""
HOST: Final = re.compile(
    r"(?=.{1,253}\Z)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?|[0-9a-fA-F:.]+"
)
HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class _Seen:
    """A connection that is known before it is made: so it can be cut while it is being made."""

    def __init__(self, seen: Callable[[Any], None], *given: Any, **more: Any) -> None:  # noqa: ANN401 - as smtplib has it
        seen(self)
        super().__init__(*given, **more)


class _Line(_Seen, smtplib.SMTP): ...


class _SafeLine(_Seen, smtplib.SMTP_SSL): ...


class Relay:
    """The way to one mail relay. It belongs to one thread."""

    def __init__(self, gateway: Gateway) -> None:
        self._settings, self._ref = gateway.settings, gateway.ref
        self._connection: smtplib.SMTP | None = None
        self._used = 0.0

    def hand_over(self, letter: Letter, *, until: float) -> Answer:
        """Hand a letter over; see `Way`."""
        if not (ADDRESS.fullmatch(letter.to) and ADDRESS.fullmatch(letter.sender)):
            return Answer(outcome=Outcome.FAILED, why="no-such-address")
        try:
            with self._in_time(until):
                relay = self._ready(until)
        except (OSError, smtplib.SMTPException, UnicodeError, NoSecret) as error:
            self._drop()
            return replace(_before(error, late=time.monotonic() >= until), shut=True)
        try:
            with self._in_time(until):
                refused = self._envelope(relay, letter)
        except (OSError, smtplib.SMTPException, UnicodeError, NoSecret) as error:
            self._drop()
            return _before(error, late=time.monotonic() >= until)
        if refused is None and time.monotonic() >= until:
            self._drop()
            return Answer(outcome=Outcome.AGAIN, why="timeout")
        return refused or self._message(relay, letter, until)

    def close(self) -> None:
        """Say goodbye, or just go."""
        if self._connection is not None:
            with suppress(OSError, smtplib.SMTPException), self._in_time(time.monotonic() + 1):
                self._connection.quit()
            self._drop()

    # ------------------------------------------------------------ up to the message

    def _ready(self, until: float) -> smtplib.SMTP:
        if self._connection is not None and time.monotonic() - self._used > IDLE:
            self._ask_whether_it_lives(self._connection)
        if self._connection is None:
            self._connection = self._connected(until)
        self._used = time.monotonic()
        return self._connection

    def _ask_whether_it_lives(self, relay: smtplib.SMTP) -> None:
        try:
            alive = relay.noop()[0] == ACCEPTED
        except (OSError, smtplib.SMTPException):
            alive = False
        if not alive:
            self._drop()

    def _connected(self, until: float) -> smtplib.SMTP:
        host, port, security = self._settings["host"], self._settings["port"], self._settings["security"]
        patience = max(0.1, min(CONNECTING, until - time.monotonic()))
        context = ssl.create_default_context()
        relay: smtplib.SMTP
        if security == "tls":
            relay = _SafeLine(self._seen, host, port, timeout=patience, context=context)
        else:
            relay = _Line(self._seen, host, port, timeout=patience)
        if security == "starttls":
            relay.starttls(context=context)
        if name := self._settings.get("sign_in_as"):
            relay.login(name, secret_of(self._ref))
        relay.ehlo_or_helo_if_needed()
        return relay

    def _seen(self, relay: smtplib.SMTP) -> None:
        self._connection = relay

    def _envelope(self, relay: smtplib.SMTP, letter: Letter) -> Answer | None:
        """Say from whom and to whom; return the answer if the relay does not want it."""
        options = ["SMTPUTF8"] if relay.has_extn("smtputf8") and not (letter.to + letter.sender).isascii() else []
        steps: list[tuple[str, Callable[[], tuple[int, bytes]], set[int]]] = [
            ("refused", lambda: relay.mail(letter.sender, options), {ACCEPTED}),
            ("no-such-address", lambda: relay.rcpt(letter.to), {ACCEPTED, *TAKEN_TOO}),
            ("refused", lambda: relay.docmd("DATA"), {GO_ON}),
        ]
        for why, step, good in steps:
            code, text = step()
            if code not in good:
                self._reset(relay, code)
                return _refused(code, why, text)
        return None

    def _reset(self, relay: smtplib.SMTP, code: int) -> None:
        """Be ready for the next one, or close: 421 says that the relay does."""
        try:
            ready = code != CLOSING and relay.rset()[0] == ACCEPTED
        except (OSError, smtplib.SMTPException):
            ready = False
        if not ready:
            self._drop()

    # ------------------------------------------------------------ the message

    def _message(self, relay: smtplib.SMTP, letter: Letter, until: float) -> Answer:
        """Send it. From here on, whatever is not an answer leaves us not knowing."""
        data = LEADING_DOT.sub(b"..", LINE_END.sub(b"\r\n", letter.data))
        try:
            with self._in_time(until):
                relay.send(data + (b"" if data.endswith(b"\r\n") else b"\r\n") + b".\r\n")
                code, text = relay.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            late = isinstance(error, TimeoutError) or time.monotonic() >= until
            return Answer(outcome=Outcome.UNCERTAIN, why="timeout" if late else "broken-off")
        if WELL <= code < WELL_NO_MORE:
            return Answer(outcome=Outcome.SENT, code=str(code))
        if code == CLOSING or code < FOR_NOW:
            self._drop()
        if code < FOR_NOW:  # -1 is what smtplib makes of an answer that is none
            return Answer(outcome=Outcome.UNCERTAIN, why="no-answer")
        return _refused(code, "policy", text)

    def _in_time(self, until: float) -> AbstractContextManager[None]:
        """Be done by `until`, even if the relay says a letter a second."""
        return done_by(until, lambda: self._connection.sock if self._connection is not None else None)

    def _drop(self) -> None:
        if self._connection is not None:
            with suppress(OSError):
                self._connection.close()
        self._connection = None


def _before(error: Exception, *, late: bool) -> Answer:
    """Return what a failure means that came before the message: it has certainly not been sent."""
    if isinstance(error, NoSecret | smtplib.SMTPAuthenticationError | UnicodeError):
        return Answer(outcome=Outcome.AGAIN, why="sign-in")
    if isinstance(error, smtplib.SMTPResponseException):
        return Answer(outcome=Outcome.AGAIN, why="busy", code=str(error.smtp_code))
    if isinstance(error, ssl.SSLError):
        return Answer(outcome=Outcome.AGAIN, why="tls")
    if late or isinstance(error, TimeoutError):
        return Answer(outcome=Outcome.AGAIN, why="timeout")
    return Answer(outcome=Outcome.AGAIN, why="no-answer")


def _refused(code: int, why: str, text: bytes) -> Answer:
    lasting, enhanced = code >= LASTING, ENHANCED.match(text)
    said = f"{code} {enhanced[0].decode()}" if enhanced else str(code)
    return Answer(outcome=Outcome.FAILED if lasting else Outcome.AGAIN, why=why if lasting else "busy", code=said)


# ---------------------------------------------------------------- its settings


def check(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the settings of a relay as they are kept. Raises ValidationError, naming the setting and its cure."""
    wrong: dict[str, str] = {}
    host, port, security = str(given.get("host", "")).strip(), given.get("port", 587), given.get("security", "starttls")
    if not HOST.fullmatch(host):
        wrong["host"] = _("The name of the relay, as in mail.example.com.")
    if not isinstance(port, int) or not 1 <= port <= HIGHEST_PORT:
        wrong["port"] = _("A number from 1 to 65535; 587 is usual.")
    if security not in SECURITY:
        wrong["security"] = _("One of: tls, starttls, none.")
    if security == "none" and host and host not in HERE:
        wrong["security"] = _("Without encryption only on this machine: choose starttls or tls.")
    if wrong:
        raise ValidationError(wrong)
    kept = {"host": host, "port": port, "security": security}
    return kept | ({"sign_in_as": str(given["sign_in_as"])} if given.get("sign_in_as") else {})


KIND: Final = Kind(channels=frozenset({"email"}), check=check, open=Relay)
