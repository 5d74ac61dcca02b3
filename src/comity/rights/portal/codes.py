"""What a code is made of, and what browsers carry: all of it keyed, so that the database alone yields none of it.

A code is the keyed hash of its row's ref, so it stands nowhere: neither it nor a hash of it that could be tried. What a
browser carries is sealed as links are (`comity.consent.preferences.links`), under numbers that no link has: which code
was asked for or which visit goes on, of which entity, and the address that was typed, which so is with its owner alone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import struct
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Final
from uuid import UUID

from cryptography.exceptions import InvalidTag

from comity.consent.suppression.keys import link_key, link_key_of, suppression_key

if TYPE_CHECKING:
    from comity.rights.portal.models import Code

DIGITS: Final = 8
HEAD: Final = struct.Struct(">BH")  # what it lets do, number of the key
LONGEST: Final = 900
CLIENT_BYTES: Final = 16
NETWORK: Final = {4: 32, 6: 64}
"""Bits of an address that tell one caller from another: of version 6 everybody has a whole network."""


class Lets(IntEnum):
    """What a pass lets do. Numbers that no link begins with."""

    TRY = 16  # try a code
    VISIT = 17


class BadPass(Exception):
    """It is no pass of ours, or lets something else, or at another entity."""


@dataclass(frozen=True, kw_only=True)
class Pass:
    """What a browser carries: the ref of a code or of a visit, of which entity, and the address that was typed."""

    lets: Lets
    ref: UUID
    entity: UUID
    address: str = field(repr=False)


def digits_of(code: Code) -> str:
    """Return the digits of a code. Raises KeyTrouble."""
    number = int.from_bytes(_keyed("portal-code", code.ref.bytes + bytes(code.mark)), "big")
    return f"{number % 10**DIGITS:0{DIGITS}}"


def is_right(code: Code, typed: str) -> bool:
    """Tell whether somebody typed a code, in a time that says nothing of how near they came. Raises KeyTrouble."""
    plain = "".join(mark for mark in typed if mark.isdecimal() and mark.isascii())
    return hmac.compare_digest(plain.encode(), digits_of(code).encode())


def client_mark(address: str | None) -> bytes:
    """Return the keyed hash of a network address, cut to what tells callers apart."""
    try:
        read = ipaddress.ip_address(address or "")
    except ValueError:
        return _keyed("portal-client", b"")[:CLIENT_BYTES]
    network = ipaddress.ip_network((read, NETWORK[read.version]), strict=False)
    return _keyed("portal-client", str(network).encode())[:CLIENT_BYTES]


def word_of(visit: UUID) -> str:
    """Return what the forms of a visit carry, so that no page of others sends them."""
    return _keyed("portal-form", visit.bytes).hex()[:32]


def _keyed(what: str, said: bytes) -> bytes:
    """HMAC-SHA-256 under the key that hashes addresses; the words before the zero are those of no address."""
    return hmac.digest(suppression_key().hashing, f"{what}\0".encode() + said, hashlib.sha256)


# ---------------------------------------------------------------- passes


def sealed(known: Pass) -> str:
    """Return a pass as a cookie has it. Raises KeyTrouble."""
    key = link_key()
    head = HEAD.pack(known.lets, key.number)
    body = known.ref.bytes + known.entity.bytes + known.address.encode()
    return base64.urlsafe_b64encode(head + key.sealing.encrypt(body, [head])).decode("ascii").rstrip("=")


def read_pass(text: str, *, lets: Lets, entity: UUID) -> Pass:
    """Return what a pass says that lets this be done at this entity. Raises BadPass, KeyTrouble."""
    known = _opened(text)
    if known.lets is not lets or known.entity != entity:
        raise BadPass("it lets something else, or at another entity")
    return known


def _opened(text: str) -> Pass:
    if len(text) > LONGEST:
        raise BadPass("it is longer than ours are")
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        head = raw[: HEAD.size]
        lets, number = HEAD.unpack(head)
        key = link_key_of(number)
        if key is None:
            raise BadPass("no key of ours made it")
        body = key.sealing.decrypt(raw[HEAD.size :], [head])
        ref, entity = UUID(bytes=body[:16]), UUID(bytes=body[16:32])
        return Pass(lets=Lets(lets), ref=ref, entity=entity, address=body[32:].decode())
    except (binascii.Error, InvalidTag, UnicodeError, ValueError, struct.error) as error:
        raise BadPass("it is none of ours, or was changed") from error
