"""Parcels: files that must wait outside the database, each sealed under a key of its own that lies inside it.

Whoever has the folder alone, or the database alone, has nothing; and to forget the key is to destroy the file. A parcel
is sealed in pieces, as the STREAM construction does it (Hoang, Reyhanitabar, Rogaway and Vizár 2015): the nonce of each
piece has its number and whether it is the last, so that no piece can be left out, put elsewhere, or cut off unseen.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from comity.vault.sealing import TAG_BYTES, BrokenSeal, new_key

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

PIECE: Final = 1 << 18
"""Bytes that are sealed together; the last piece may be shorter, and is empty where nothing is left for it."""
LAST, MORE = b"\1", b"\0"


class Parcel(io.RawIOBase):
    """A file to write into, once and from beginning to end; what reaches the disk is sealed."""

    def __init__(self, path: Path) -> None:
        """Make the file, which nobody but we may read. Raises FileExistsError."""
        self.key = new_key()
        self.size = 0
        self._sealing, self._number, self._held = AESGCM(self.key), 0, bytearray()
        self._digest = hashlib.sha256()
        self._file: IO[bytes] = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")

    @property
    def digest(self) -> bytes:
        """The SHA-256 of what was written so far."""
        return self._digest.digest()

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        """Take some bytes; they are sealed as soon as they fill a piece."""
        held = bytes(data)
        self._digest.update(held)
        self._held += held
        self.size += len(held)
        while len(self._held) > PIECE:
            self._put(bytes(self._held[:PIECE]), MORE)
            del self._held[:PIECE]
        return len(held)

    def close(self) -> None:
        """Seal the last piece and put all of it on the disk. What is dropped without that does not open."""
        if not self.closed:
            self._put(bytes(self._held), LAST)
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        super().close()

    def drop(self) -> None:
        """Leave the file as it is, without its last piece: something went wrong, and it is not to be opened."""
        self._file.close()
        super().close()

    def _put(self, piece: bytes, last: bytes) -> None:
        self._file.write(self._sealing.encrypt(_nonce(self._number, last), piece, None))
        self._number += 1


def _nonce(number: int, last: bytes) -> bytes:
    return number.to_bytes(11, "big") + last


class OpenParcel(Iterator[bytes]):
    """What was written into a parcel, piece by piece. Closes the file at its end; `close` it if that is not reached."""

    def __init__(self, file: IO[bytes], key: bytes) -> None:
        self._file, self._sealing, self._number = file, AESGCM(key), 0
        self._next = self._read()

    def __next__(self) -> bytes:
        """Give a piece. Raises BrokenSeal where the file is not what was sealed."""
        if not self._next and self._number:
            self.close()
            raise StopIteration
        piece, self._next = self._next, self._read()
        try:
            opened = self._sealing.decrypt(_nonce(self._number, MORE if self._next else LAST), piece, None)
        except InvalidTag:
            self.close()
            raise BrokenSeal(f"piece {self._number} of this parcel does not open: make the file anew") from None
        self._number += 1
        return opened

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _read(self) -> bytes:
        return b"" if self._file.closed else self._file.read(PIECE + TAG_BYTES)
