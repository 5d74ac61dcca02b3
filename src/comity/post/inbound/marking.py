"""Marks in what we send, by which what comes back is known: a forged report cannot shut the address of a stranger.

A mark holds the ref of a message and sixty-four bits of HMAC-SHA-256 over it, under a key outside the database. Whoever
did not get the message, or carry it, has no mark. It is 42 letters of an alphabet without case, since mail servers may
change the case of an address, behind one letter for where it stands.
"""

from __future__ import annotations

import base64
import hmac
import re
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID


class Where(StrEnum):
    """Where a mark stands. A mark for one place says nothing in another."""

    BOUNCES = "b"  # the address that servers report to
    REFUSES = "u"  # the address that mail programs write to when somebody unsubscribes
    NAMES = "m"  # the Message-ID


MAC_BYTES: Final = 8
LENGTH: Final = 42
"""Letters of a mark without the first one."""
SHAPE: Final = re.compile(r"(?<![a-z0-9])([bum])([a-z2-7]{42})(?![a-z0-9])", re.IGNORECASE)


class Mark(NamedTuple):
    """A mark as it was found, not looked through yet."""

    where: Where
    key: int
    message: UUID
    mac: bytes


def make_mark(where: Where, message: UUID, *, key: int, secret: bytes) -> str:
    """Return the mark of a message for one place, under the key of that number."""
    told = key.to_bytes(2, "big") + message.bytes
    return where.value + base64.b32encode(told + _mac(where, told, secret)).decode("ascii").lower().rstrip("=")


def _mac(where: Where, told: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, where.value.encode() + told, "sha256")[:MAC_BYTES]


def find_marks(text: str) -> list[str]:
    """Return what in a text has the shape of a mark, in its order, each once."""
    return list(dict.fromkeys(found[0].lower() for found in SHAPE.finditer(text)))


def open_mark(text: str) -> Mark | None:
    """Return what a mark says; nothing where it has another shape."""
    found = SHAPE.fullmatch(text)
    if not found:
        return None
    told = base64.b32decode(found[2].upper() + "=" * (-LENGTH % 8))
    return Mark(Where(found[1].lower()), int.from_bytes(told[:2], "big"), UUID(bytes=told[2:18]), told[18:])


def is_of(mark: Mark, secret: bytes) -> bool:
    """Say whether a mark was made with this secret."""
    told = mark.key.to_bytes(2, "big") + mark.message.bytes
    return hmac.compare_digest(_mac(mark.where, told, secret), mark.mac)
