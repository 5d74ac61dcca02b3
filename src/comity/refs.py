"""Refs: what everything in the book is called. UUIDs of version 7, so that what is made together is stored together."""

from __future__ import annotations

import secrets
import struct
import time
from collections.abc import Iterable
from uuid import UUID

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's alphabet: no letter that is taken for another when a ref is read aloud."""


LENGTH = 26
PAIRS = [first + second for first in LETTERS for second in LETTERS]
"""Two letters for ten bits."""


def new_ref() -> UUID:
    """Make a ref of now: 48 bits of milliseconds since 1970, 74 random bits (RFC 9562, 5.7)."""
    milliseconds = time.time_ns() // 1_000_000
    chance = secrets.randbits(74)
    upper = milliseconds << 16 | 0x7000 | chance >> 62
    lower = 0b10 << 62 | chance & (1 << 62) - 1
    return UUID(int=upper << 64 | lower)


def new_refs(many: int) -> list[UUID]:
    """Make so many refs of now, in order: for imports, at a third of what `new_ref` costs for each."""
    upper = time.time_ns() // 1_000_000 << 16 | 0x7000
    drawn = iter(struct.unpack(f">{2 * many}Q", secrets.token_bytes(16 * many)))
    numbers = [
        (upper | first & 0xFFF) << 64 | 0b10 << 62 | second & (1 << 62) - 1
        for first, second in zip(drawn, drawn, strict=True)
    ]
    return [UUID(int=number) for number in sorted(numbers)]


def shown(ref: UUID) -> str:
    """Return a ref as people see it: 26 letters, in the order of the refs."""
    number = ref.int
    return PAIRS[number >> 120] + eight(number >> 80 & FORTY) + eight(number >> 40 & FORTY) + eight(number & FORTY)


FORTY = (1 << 40) - 1
BYTES = 16
"""Of a ref."""


def eight(number: int) -> str:
    """Return 40 bits as eight letters."""
    return PAIRS[number >> 30] + PAIRS[number >> 20 & 1023] + PAIRS[number >> 10 & 1023] + PAIRS[number & 1023]


def as_array(refs: Iterable[UUID]) -> str:
    """Return refs as PostgreSQL writes an array: the quickest way to give it many. Nothing in it needs quoting."""
    return array_of([ref.bytes for ref in refs])


def array_of(refs: Iterable[bytes]) -> str:
    """Return refs that are bytes already as `as_array` does."""
    return "{" + b"".join(refs).hex(",", BYTES) + "}"


def spelled(refs: Iterable[UUID]) -> list[str]:
    """Return refs as `str` spells each, in half its time."""
    digits = [ref.bytes.hex() for ref in refs]
    return [f"{one[:8]}-{one[8:12]}-{one[12:16]}-{one[16:20]}-{one[20:]}" for one in digits]


def read_ref(text: str) -> UUID:
    """Read what `shown` wrote, in either case, or a UUID as programs write it. Raises ValueError, saying which text."""
    letters = text.strip().upper().replace("O", "0").replace("I", "1").replace("L", "1")
    if len(letters) == LENGTH and letters[0] in LETTERS[:8] and set(letters) <= set(LETTERS):
        number = 0
        for letter in letters:
            number = number << 5 | LETTERS.index(letter)
        return UUID(int=number)
    try:
        return UUID(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is no ref: 26 letters and digits, or a UUID") from None
