"""Addresses as the suppression list knows them: spelled in one way, then hashed under a key outside the database.

Whoever has the database alone cannot tell whose addresses are on the list, or try which ones are. A number is written
with its calling code before it is hashed; where that cannot be done for certain, there is no hash, and nothing is sent.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

from comity.book.models import Reach
from comity.consent.suppression.keys import suppression_key
from comity.vault import tokens

DIGEST_BYTES: Final = 16
"""128 bits of HMAC-SHA-256: among ten billion addresses the chance that two have the same is below one in 10**18."""


class Mark(NamedTuple):
    """What the list knows an address by: how it reaches somebody, and its keyed hash."""

    reach: str
    digest: bytes

    @property
    def number(self) -> int:
        """The number under which PostgreSQL locks it: the first eight bytes, as bigint has them."""
        return int.from_bytes(self.digest[:8], "big", signed=True)


class Unclear(ValueError):
    """What was given is no address of that kind, or a number whose country nobody knows. The message says the cure."""


def mark_of(reach: str, value: str, *, places: Iterable[str] = ()) -> Mark:
    """Return the mark of an address; `places` are those in which its owner may live. Raises Unclear, KeyTrouble."""
    return marked(reach, spelled(reach, value, places=places))


def marked(reach: str, spelling: str) -> Mark:
    """Return the mark of what `spelled` returned. Raises KeyTrouble."""
    said = message_of(reach, spelling)
    return Mark(str(reach), hmac.digest(suppression_key().hashing, said, hashlib.sha256)[:DIGEST_BYTES])


def message_of(reach: str, spelling: str) -> bytes:
    """Return what of an address is hashed."""
    return f"{Reach(reach).value}\0{spelling}".encode()


def spelled(reach: str, value: str, *, places: Iterable[str] = ()) -> str:
    """Return the one spelling of an address. Raises Unclear."""
    if reach == Reach.EMAIL:
        return _email(value)
    if reach == Reach.PHONE:
        return _number(value, frozenset(place.partition("-")[0] for place in places))
    if not (plain := tokens.identifier(value)):
        raise Unclear("There is nothing in it to go by.")
    return re.sub(r"\W", "", plain)


# ---------------------------------------------------------------- e-mail

ADDRESS: Final = re.compile(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+\.[^\s@<>,;\".]+")


def _email(value: str) -> str:
    """Return an address without case, and its domain as the network spells it."""
    plain = tokens.email(value).removeprefix("mailto:").rstrip(".")
    if not ADDRESS.fullmatch(plain):
        raise Unclear("This is no e-mail address; write it like name@example.com.")
    name, _, domain = plain.rpartition("@")
    try:
        return f"{name}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        return f"{name}@{domain}"


# ---------------------------------------------------------------- numbers

WITH_CODE: Final = re.compile(r"(?:\+|00)([1-9]\d{6,14})")
PUNCTUATION: Final = re.compile(r"[\s().\-–/\u2010\u2011\u00a0]")
NO_TRUNK: Final = frozenset({"IT", "SM", "VA"})
"""Countries in which the zero before an area code is part of the number."""
TRUNKS: Final = {"HU": "06", "RU": "8", "KZ": "8", "BY": "8", "US": "1", "CA": "1"}
"""What is dialled before the area code at home where it is not a zero."""
SHORTEST, LONGEST = 6, 14


def _number(value: str, places: frozenset[str]) -> str:
    """Return a number's digits with its calling code: E.164 without the plus."""
    plain = tokens.EXTENSION.split(unicodedata.normalize("NFKC", value).strip().casefold(), maxsplit=1)[0]
    digits = PUNCTUATION.sub("", plain.removeprefix("tel:").replace("(0)", ""))
    if found := WITH_CODE.fullmatch(digits):
        return found[1]
    if not re.fullmatch(rf"\d{{{SHORTEST},{LONGEST}}}", digits):
        raise Unclear("This is no phone number; write it with its calling code, like +49 30 5550199.")
    whole = {_from_home(digits, place) for place in places if place in calling_codes()}
    if len(whole) != 1 or len(whole) < len({calling_codes().get(place) for place in places}):
        raise Unclear("Nobody can tell which country this number is of: write it with its calling code, like +49.")
    return whole.pop()


def _from_home(digits: str, place: str) -> str:
    trunk = "" if place in NO_TRUNK else TRUNKS.get(place, "0")
    code = calling_codes()[place]
    national = digits.removeprefix(trunk) if trunk and len(digits) > SHORTEST else digits
    return code + national


OF_TWO_DIGITS: Final = re.compile(r"1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]")
"""Calling codes of one and two digits (ITU-T E.164); all others have three."""


@cache
def calling_codes() -> dict[str, str]:
    """Return the calling code of each country."""
    codes: dict[str, str] = {}
    for line in (files("comity.check") / "data" / "phones.tsv").read_text("utf-8").splitlines():
        place, _, beginnings = line.partition("\t")
        if beginnings:
            short = OF_TWO_DIGITS.match(beginnings)
            codes[place] = short[0] if short else beginnings[:3]
    return codes
