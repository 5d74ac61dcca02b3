"""Marks: by what stands in a file, one can tell which export it is from, and whether a row was in it.

Every export has a code of eight letters. It stands in the name of the file, in what the file says of itself, and at the
beginning of each row's mark; the rest of a mark is a BLAKE2b of the person's ref under a key of that export alone (RFC
7693, 2.5). So one row is enough to find the export, a mark cannot be made up, and the same person has another mark in
every export.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from hashlib import blake2b
from typing import Final
from uuid import UUID

from comity.refs import LETTERS, eight

CODE_LETTERS: Final = 8
MARK_BYTES: Final = 5
"""40 bits, which are eight letters too: a chance hit among a million people is one in a million."""
KEY_BYTES: Final = 16

MARK: Final = re.compile(rf"\b([{LETTERS}]{{{CODE_LETTERS}}})-([{LETTERS}]{{{CODE_LETTERS}}})\b")
CODE: Final = re.compile(rf"\bcomity-([{LETTERS}]{{{CODE_LETTERS}}})\b", re.IGNORECASE)


def new_code() -> str:
    """Make the code of an export."""
    return eight(secrets.randbits(8 * MARK_BYTES))


def new_mark_key() -> bytes:
    """Make the key by which an export marks its rows."""
    return secrets.token_bytes(KEY_BYTES)


def marks(*, code: str, key: bytes, persons: Iterable[UUID]) -> list[str]:
    """Return the mark of each person in one export."""
    keyed = blake2b(key=bytes(key), digest_size=MARK_BYTES)
    return [f"{code}-{eight(_number(keyed.copy(), person))}" for person in persons]


def _number(keyed: blake2b, person: UUID) -> int:
    keyed.update(person.bytes)
    return int.from_bytes(keyed.digest(), "big")
