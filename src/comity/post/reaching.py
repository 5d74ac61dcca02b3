"""Reaching somebody's server and nothing else: no machine of ours can be made to talk to itself or to its neighbours.

A name is resolved once; every address that comes back must be a public one, and the connection goes to an address that
was checked, not to the name, which may mean something else a moment later. TLS is checked against the name. Redirects
are not followed. Webhooks read of the answer its code alone; whoever asks for something reads it up to a size.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from django.conf import settings

LONGEST: Final = 15.0
"""Seconds from the first packet to the code of the answer."""
CONNECTS: Final = 5.0
TRIED: Final = 3
"""Addresses of one name that are tried."""
NOT_OTHERS: Final = [
    ipaddress.ip_network(each)
    for each in (
        "::ffff:0:0/96", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/23", "fec0::/10",
        "192.88.99.0/24", "100.64.0.0/10", "169.254.0.0/16", "0.0.0.0/8", "192.0.0.0/24", "240.0.0.0/4",
    )
]  # fmt: skip
"""Networks beside the private ones in which another address is hidden, or nobody's server can be."""

LARGEST: Final = 8_000_000
"""Bytes of an answer that are read."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]


class NotReached(Exception):
    """Nothing was sent, or no answer came back. The message says why; it holds nothing that the other side wrote."""


class Forbidden(NotReached):
    """The address is one to which nothing may be sent: the subject of the message says which, and why."""


@dataclass(frozen=True, kw_only=True)
class Post:
    """What is sent: where to, the headers, the body."""

    address: str
    headers: Mapping[str, str]
    body: bytes


def signature(secret: str, *, ref: UUID | str, at: int, body: bytes) -> str:
    """Sign as Standard Webhooks 1.0 has it: HMAC-SHA256 over id, time and body."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return "v1," + base64.b64encode(hmac.new(key, f"{ref}.{at}.".encode() + body, hashlib.sha256).digest()).decode()


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a name. Raises NotReached."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NotReached(f"{host} is no name that is known here") from None
    return list(dict.fromkeys(str(each[4][0]).partition("%")[0] for each in found))


def check_form(address: str) -> SplitResult:
    """Return the parts of an address to which webhooks may go, as far as its letters show. Raises Forbidden."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Forbidden("this is no address; write it like https://shop.example/comity") from None
    if parts.scheme != "https" and not (parts.scheme == "http" and settings.WEBHOOK_PLAIN):
        raise Forbidden("webhooks go to https:// alone")
    if not host or parts.username is not None or parts.fragment or not address.isascii() or not address.isprintable():
        raise Forbidden("write it like https://shop.example/comity, in ASCII, without name, password or #")
    if " " in address or "\\" in address or port == 0:
        raise Forbidden("write it like https://shop.example/comity")
    return parts


def check_address(text: str) -> Address:
    """Return an IP address if somebody else's server may be there. Raises Forbidden."""
    found = ipaddress.ip_address(text)
    if any(found.version == each.version and found in each for each in _ours()):
        return found
    hidden = any(found.version == each.version and found in each for each in NOT_OTHERS)
    if hidden or not found.is_global or found.is_multicast or found.is_reserved:
        raise Forbidden(f"{text} is not a public address; nothing is sent there (COMITY_WEBHOOK_NETWORKS may allow it)")
    return found


def _ours() -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(each) for each in settings.WEBHOOK_NETWORKS]


def reach(post: Post, *, resolve: Resolve = resolve, longest: float = LONGEST) -> int:
    """Send, and return the code of the answer. Raises NotReached, Forbidden."""
    return _talk(post, resolve, longest, most=0)[0]


def ask(
    post: Post, *, resolve: Resolve = resolve, longest: float = LONGEST, most: int = LARGEST
) -> tuple[int, bytes]:  # fmt: skip
    """Send, and return the code of the answer and all of it. Raises Forbidden, NotReached: also if it is too long."""
    return _talk(post, resolve, longest, most=most)


def _talk(post: Post, resolve: Resolve, longest: float, *, most: int) -> tuple[int, bytes]:
    parts = check_form(post.address)
    host = str(parts.hostname)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    checked = [str(check_address(each)) for each in resolve(host, port)]  # one that is forbidden forbids the name
    line = _Line(host, port, checked, tls=parts.scheme == "https")
    watch = threading.Timer(longest, line.cut)
    watch.start()
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        line.request("POST", path, body=post.body, headers=dict(post.headers))
        answer = line.getresponse()
        body = answer.read(most + 1) if most else b""
    except (OSError, http.client.HTTPException, ValueError, AttributeError) as error:
        raise NotReached(_told(error, host, cut=line.was_cut)) from None
    finally:
        watch.cancel()
        line.close()
    if most and line.was_cut:  # what came until then reads like a short answer
        raise NotReached(f"{host} did not answer in time")
    if len(body) > most:
        raise NotReached(f"{host} answered with more than {most:,} bytes")
    return answer.status, body


class _Line(http.client.HTTPConnection):
    """A connection to one of the checked addresses, whatever the name means by now."""

    def __init__(self, host: str, port: int, checked: list[str], *, tls: bool) -> None:
        super().__init__(host, port, timeout=CONNECTS)
        self.checked, self.tls, self.was_cut = checked[:TRIED], tls, False
        self.default_port = 443 if tls else 80  # which the header Host leaves out

    def connect(self) -> None:
        self.sock = self._connected()
        if self.tls:  # in two steps, so that `cut` can end a handshake that never does
            self.sock = trust().wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
            self.sock.do_handshake()

    def _connected(self) -> socket.socket:
        for address in self.checked[:-1]:
            with suppress(OSError):
                return socket.create_connection((address, self.port), timeout=CONNECTS)
        return socket.create_connection((self.checked[-1], self.port), timeout=CONNECTS)

    def cut(self) -> None:
        """End the connection from another thread: however slowly the other side speaks, it was given its time."""
        self.was_cut = True
        with suppress(OSError, AttributeError):
            self.sock.shutdown(socket.SHUT_RDWR)


def trust() -> ssl.SSLContext:
    """Return whose certificates count: those that this machine trusts."""
    return ssl.create_default_context()


def _told(error: Exception, host: str, *, cut: bool) -> str:
    if cut or isinstance(error, TimeoutError):
        return f"{host} did not answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{host} shows a certificate that is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"{host} does not speak TLS as we do"
    if isinstance(error, ConnectionRefusedError):
        return f"{host} does not listen"
    return f"{host} broke the connection off ({type(error).__name__})"
