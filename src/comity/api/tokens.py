"""What a token is: `comity_`, 43 random letters and digits, and six that check them, so that a leaked one is known.

    comity_[0-9A-Za-z]{49}

is what a scanner of published code looks for. We keep its SHA-256, which is enough to know it again: 256 random bits
are not guessed.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
import zlib
from typing import Final

PREFIX: Final = "comity_"
LETTERS: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM, CHECKING = 43, 6
FORM: Final = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{RANDOM + CHECKING}}}")


def new_token() -> str:
    """Make a token of 256 random bits."""
    random = _spelt(secrets.randbits(256), RANDOM)
    return f"{PREFIX}{random}{_check(random)}"


def is_token(text: str) -> bool:
    """Say whether a text is a token that was copied whole: a mistyped one is known without asking the database."""
    if not FORM.fullmatch(text):
        return False
    return hmac.compare_digest(_check(text[len(PREFIX) : -CHECKING]), text[-CHECKING:])


def digest(token: str) -> bytes:
    """Return what we keep of a token."""
    return hashlib.sha256(token.encode()).digest()


def derived(token: str, what: str) -> bytes:
    """Return a key that only the holder of the token and we, while we answer them, can make."""
    return hmac.digest(token.encode(), f"comity {what}".encode(), "sha256")


def _check(random: str) -> str:
    return _spelt(zlib.crc32(f"{PREFIX}{random}".encode()), CHECKING)


def _spelt(number: int, length: int) -> str:
    letters = []
    for _ in range(length):
        number, letter = divmod(number, len(LETTERS))
        letters.append(LETTERS[letter])
    return "".join(reversed(letters))
