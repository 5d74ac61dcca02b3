"""Keys of this room that lie outside the database: the one that hashes addresses, and those that make links.

Each lies in a file of its own, `keys/suppression-1-….key`, beside the keys of the epochs and kept as they are (mode
0600, in a folder of mode 0700). The database has its number and a check value, so the right key is known when it is
seen. A key that is not there, or is another one, is an error: nothing is sent, and no link is made, until it is back.

INVARIANT: the key that hashes addresses is made once. With another one no address would be found on the list any more.
"""

from __future__ import annotations

import hmac
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import connection, transaction

from comity.consent.suppression.models import KeptKey, Serves
from comity.vault.epochs import WrongKey, read_secret, write_secret

KEY_BYTES: Final = 32
CHECK_BYTES: Final = 16
SHOWN: Final = 8
"""Hexadecimal digits of the check value in a file's name."""
WITHOUT: Final = "nobody knows which addresses refused, or which links are ours"
MAKING: Final = 0x636F6D_6B657973
"""The lock of whoever makes a key: two processes must not make two first ones."""


@dataclass(frozen=True, kw_only=True)
class OutsideKey:
    """One secret and what is derived from it."""

    serves: str
    number: int
    secret: bytes = field(repr=False)

    @cached_property
    def hashing(self) -> bytes:
        """Hashes addresses."""
        return self._derived("hashing addresses", KEY_BYTES)

    @cached_property
    def sealing(self) -> AESSIV:
        """Seals links (RFC 5297): the same contents always become the same link, and another one is no link of ours."""
        return AESSIV(self._derived("sealing links", 2 * KEY_BYTES))

    @cached_property
    def marking(self) -> bytes:
        """Marks what we send, so that what comes back is known (`comity.post.inbound.marking`)."""
        return self._derived("marking messages", KEY_BYTES)

    @cached_property
    def check_value(self) -> bytes:
        """What the database keeps, to know this key again."""
        return self._derived("check value", CHECK_BYTES)

    def _derived(self, purpose: str, length: int) -> bytes:
        """HKDF with SHA-256 (RFC 5869) over the secret; the purpose keeps the derived keys apart."""
        info = f"comity consent 1: {purpose} of {self.serves} {self.number}".encode()
        return HKDF(algorithm=hashes.SHA256(), length=length, salt=None, info=info).derive(self.secret)


def suppression_key() -> OutsideKey:
    """Return the key that hashes addresses; it is made when it is first needed. Raises KeyTrouble.

    The database is asked about it once a process: it is never another one.
    """
    return _for_addresses(settings.FOLDER)


@lru_cache(maxsize=4)
def _for_addresses(folder: Path) -> OutsideKey:
    known = _known(Serves.SUPPRESSION)
    number, check_value = known[-1] if known else _begin(Serves.SUPPRESSION, number=1)
    return _loaded(folder, Serves.SUPPRESSION, number, check_value)


def link_key() -> OutsideKey:
    """Return the key with which links are made now, or were a minute ago. Raises KeyTrouble."""
    numbers = _for_links(settings.FOLDER, _minute())
    number, check_value = numbers[-1] if numbers else _begin(Serves.LINKS, number=1)
    if not numbers:
        _for_links.cache_clear()
    return _loaded(settings.FOLDER, Serves.LINKS, number, check_value)


def link_key_of(number: int) -> OutsideKey | None:
    """Return the key of that number, or None if there never was one. Raises KeyTrouble if there was."""
    known = dict(_for_links(settings.FOLDER, _minute()))
    if number not in known:
        known = dict(_known(Serves.LINKS))  # another process may have made it since
    return _loaded(settings.FOLDER, Serves.LINKS, number, known[number]) if number in known else None


def turn_link_key() -> int:
    """Make links with a new key from now on, and return its number; those that are out work as long as they would."""
    with transaction.atomic():
        known = _known(Serves.LINKS)
        number, _ = _begin(Serves.LINKS, number=known[-1][0] + 1 if known else 1)
    _for_links.cache_clear()
    return number


@lru_cache(maxsize=4)
def _for_links(folder: Path, minute: int) -> list[tuple[int, bytes]]:
    """Return what the database knows of the keys of links: asked once a minute, not for each of a million links."""
    del folder, minute
    return _known(Serves.LINKS)


def _minute() -> int:
    return int(time.monotonic() // 60)


def key_files() -> Iterator[tuple[str, Path]]:
    """Give each key that the database knows, with the file in which it must lie."""
    for serves in Serves.values:
        for number, check_value in _known(serves):
            yield f"{serves} {number}", key_file(settings.FOLDER, serves, number, check_value)


def key_file(folder: Path, serves: str, number: int, check_value: bytes) -> Path:
    """Where a key lies."""
    return folder / "keys" / f"{serves}-{number}-{check_value.hex()[:SHOWN]}.key"


def forget() -> None:
    """Let go of all keys that this process holds. They are loaded again when they are needed."""
    _loaded.cache_clear()
    _for_addresses.cache_clear()
    _for_links.cache_clear()


def _known(serves: str) -> list[tuple[int, bytes]]:
    rows = KeptKey.objects.filter(serves=serves).order_by("number").values_list("number", "check_value")
    return [(number, bytes(check_value)) for number, check_value in rows]


# ---------------------------------------------------------------- making


@transaction.atomic
def _begin(serves: str, *, number: int) -> tuple[int, bytes]:
    """Make a key, or take the file that is there: a database from before the key was made has no row of it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [MAKING])
    if known := [each for each in _known(serves) if each[0] >= number]:  # somebody else was quicker
        return known[-1]
    key = _left_behind(serves, number) or _make(serves, number)
    KeptKey.objects.create(serves=serves, number=number, check_value=key.check_value)
    return number, key.check_value


def _left_behind(serves: str, number: int) -> OutsideKey | None:
    """Return the key of this number whose file is there already. Raises WrongKey where there are several."""
    files = sorted((settings.FOLDER / "keys").glob(f"{serves}-{number}-*.key"))
    if len(files) > 1:
        names = ", ".join(file.name for file in files)
        raise WrongKey(
            f"{names} are all there, and the database knows none of them: leave the one that it was used with."
        )
    return OutsideKey(serves=serves, number=number, secret=read_secret(files[0], without=WITHOUT)) if files else None


def _make(serves: str, number: int) -> OutsideKey:
    key = OutsideKey(serves=serves, number=number, secret=os.urandom(KEY_BYTES))
    write_secret(key_file(settings.FOLDER, serves, number, key.check_value), key.secret)
    return key


# ---------------------------------------------------------------- loading


@lru_cache(maxsize=16)
def _loaded(folder: Path, serves: str, number: int, check_value: bytes) -> OutsideKey:
    path = key_file(folder, serves, number, check_value)
    key = OutsideKey(serves=serves, number=number, secret=read_secret(path, without=WITHOUT))
    if not hmac.compare_digest(key.check_value, check_value):
        raise WrongKey(
            f"{path} is not the key that this database was used with. Put back the file that belongs to this database. "
            "Nothing is sent until then."
        )
    return key
