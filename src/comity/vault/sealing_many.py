"""Sealing thousands of people who are new: a key for each, their blobs with the tokens, straight into PostgreSQL.

What seals a million people is paid for each blob, so rows are written in PostgreSQL's binary COPY format as they are
made, and whatever is the same for many blobs is made once.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby, islice
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import connection

from comity.vault import keyring
from comity.vault.models import Epoch
from comity.vault.sealing import KEY_BYTES, NONCE_BYTES, FieldClass, Fields, Label, seal_blob, wrap
from comity.vault.tokens import INDEXED

Blob = tuple[Label, Fields]

AT_ONCE: Final = 20_000
"""Persons whose wrapped keys are held in memory until their blobs are all written."""
WRITTEN_AT_ONCE: Final = 100
"""Persons whose rows are handed to PostgreSQL in one go: few, so that it works while we do."""

KEYS: Final = "COPY vault_personkey (person, epoch_id, wrapped) FROM STDIN (FORMAT binary)"
SEALED: Final = (
    "COPY vault_sealed (person, field_class, record, kind, schema, ciphertext, tokens) FROM STDIN (FORMAT binary)"
)


def write_sealed(blobs: Iterable[Blob], *, epoch: Epoch, schema: int) -> int:
    """Make keys for persons and write their blobs; return how many persons. Blobs of one person follow each other."""
    rows = _Rows(epoch, schema)
    people = ((person, list(held)) for person, held in groupby(blobs, key=_whose))
    count = 0
    while True:
        keys: list[bytes] = []
        _copy(SEALED, rows.of_blobs(islice(people, AT_ONCE), keys))
        _copy(KEYS, keys)
        count += len(keys)
        if len(keys) < AT_ONCE:
            return count


def _whose(blob: Blob) -> UUID:
    return blob[0].person


class _Rows:
    """Turns new persons into rows of PostgreSQL's binary COPY format."""

    def __init__(self, epoch: Epoch, schema: int) -> None:
        key = keyring.epoch_key(epoch.number, epoch.check_value)
        self.wrapping, self.epoch, self.schema = key.wrapping, _short(epoch.number), schema
        self.tokens = keyring.tokens_of(epoch.number, epoch.check_value)

    def of_blobs(self, people: Iterable[tuple[UUID, list[Blob]]], keys: list[bytes]) -> Iterator[bytes]:
        """Give the blobs of each person as rows, and put the row of the key among `keys`."""
        for person, held in people:
            secret, wrapped_with, *nonces = _drawn(len(held))
            ref, key = _ref(person), AESGCM(secret)
            keys.append(b"\0\3" + ref + self.epoch + _sized(wrap(self.wrapping, person, secret, nonce=wrapped_with)))
            rows = [
                b"\0\7" + ref + self._blob(key, label, fields, nonce)
                for (label, fields), nonce in zip(held, nonces, strict=True)
            ]
            yield b"".join(rows)

    def _blob(self, key: AESGCM, label: Label, fields: Fields, nonce: bytes) -> bytes:
        """Return all columns but the first."""
        before, behind = _alike(label.field_class, label.kind, self.schema)
        tokens = self.tokens.of(label.field_class, fields) if label.field_class in INDEXED else ()
        sealed = seal_blob(key, label, self.schema, fields, nonce=nonce)
        return b"".join((before, _ref(label.record), behind, _sized(sealed), _array(tokens)))


def _drawn(blobs: int) -> list[bytes]:
    """Draw what one person takes of chance, in one go: a key, the nonce to wrap it with, and a nonce for each blob."""
    chance = os.urandom(KEY_BYTES + NONCE_BYTES * (1 + blobs))
    return [chance[:KEY_BYTES], *(chance[at : at + NONCE_BYTES] for at in range(KEY_BYTES, len(chance), NONCE_BYTES))]


@lru_cache(maxsize=1_024)
def _alike(field_class: FieldClass, kind: str, schema: int) -> tuple[bytes, bytes]:
    """Return the columns that all blobs of a sort share: the one before the record's ref, and those behind it."""
    return _sized(field_class.encode()), _sized(kind.encode()) + _short(schema)


def _copy(statement: str, rows: Iterable[bytes]) -> None:
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as copy:
        copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
        more = iter(rows)
        while some := b"".join(islice(more, WRITTEN_AT_ONCE)):
            copy.write(some)
        copy.write(b"\xff\xff")


# ---------------------------------------------------------------- columns


def _sized(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


def _ref(ref: UUID) -> bytes:
    return b"\0\0\0\x10" + ref.int.to_bytes(16, "big")


def _short(number: int) -> bytes:
    return b"\0\0\0\2" + number.to_bytes(2, "big")


BIGINT: Final = 20
"""The number of PostgreSQL's type bigint."""


def _array(tokens: Iterable[bytes]) -> bytes:
    """Write bigints as PostgreSQL's binary array; in order, since another would tell what each stands for."""
    held = sorted(tokens)
    return _head(len(held)) + b"\0\0\0\10".join(held) if held else b"\xff\xff\xff\xff"  # NULL


@lru_cache(maxsize=1_024)
def _head(many: int) -> bytes:
    """Return what stands before so many bigints: size, dimensions, no nulls, type, how many, first index."""
    return struct.pack(">iiiiiii", 20 + 12 * many, 1, 0, BIGINT, many, 1, 8)
