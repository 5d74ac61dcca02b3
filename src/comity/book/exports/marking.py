"""Marks: by what stands in a file, one can tell which export it is from, and whether a row was in it.

Every export has a code of eight letters. It stands in the name of the file, in what the file says of itself, and at the
beginning of each row's mark; the rest of a mark is an HMAC of the person's ref under a key of that export alone. So one
row is enough to find the export, a mark cannot be made up, and the same person has another mark in every export.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from comity.refs import LETTERS, PAIRS

CODE_LETTERS: Final = 8
MARK_BYTES: Final = 5
"""40 bits, which are eight letters too: a chance hit among a million people is one in a million."""
KEY_BYTES: Final = 16

MARK: Final = re.compile(rf"\b([{LETTERS}]{{{CODE_LETTERS}}})-([{LETTERS}]{{{CODE_LETTERS}}})\b")
CODE: Final = re.compile(rf"\bcomity-([{LETTERS}]{{{CODE_LETTERS}}})\b", re.IGNORECASE)


def new_code() -> str:
    """Make the code of an export."""
    return _letters(secrets.token_bytes(MARK_BYTES))


def new_mark_key() -> bytes:
    """Make the key by which an export marks its rows."""
    return secrets.token_bytes(KEY_BYTES)


def marks(*, code: str, key: bytes, persons: Iterable[UUID]) -> list[str]:
    """Return the mark of each person in one export."""
    before, key, digest = f"{code}-", bytes(key), hmac.digest
    return [before + _letters(digest(key, person.bytes, "sha256")[:MARK_BYTES]) for person in persons]


def _letters(some: bytes) -> str:
    number = int.from_bytes(some, "big")
    return PAIRS[number >> 30] + PAIRS[number >> 20 & 1023] + PAIRS[number >> 10 & 1023] + PAIRS[number & 1023]
