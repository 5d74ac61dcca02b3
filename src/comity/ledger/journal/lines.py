"""What a line of the journal is: a number, the seal of it and all lines before it, and what somebody said no to.

Lines are sealed in a chain: HMAC-SHA256 under a key of the journal's own, over the seal before, the number and the
text. So without the key nobody can alter a line, take one out, or put one in, and stay unnoticed. Cutting off the end
is noticed by a database that knows of a later line, and by no other (docs/threats.md).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

from comity.ledger.bodies import canonical

KEY: Final = Path("keys/journal.key")
"""Where in Comity's folder the key lies that seals the lines."""
KEY_BYTES: Final = 32
SEAL_BYTES: Final = 16


class JournalTrouble(RuntimeError):
    """The journal and this database do not fit together, or it cannot be used. Nothing is sent until that is mended."""


class Altered(JournalTrouble):
    """A line is not what was written, is missing, or was written under another key."""


class NoJournal(JournalTrouble):
    """The journal, its key, or lines that this database knows to be in it, are not there."""


class Unwritable(JournalTrouble):
    """Nothing can be appended. What was said is in the database, and waits there."""


class Place(NamedTuple):
    """How far a journal goes: the number of its last line, and that line's seal."""

    number: int = 0
    seal: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Said:
    """Somebody's no, as a room has it: refs, keyed hashes, days and words of our own, never what names anybody."""

    ref: UUID
    kind: str
    at: datetime
    said: Mapping[str, Any]

    @property
    def text(self) -> bytes:
        """The one spelling that is sealed."""
        at = self.at.astimezone(UTC).isoformat(timespec="microseconds")
        return canonical({"at": at, "kind": self.kind, "ref": str(self.ref), "said": self.said})


@dataclass(frozen=True, kw_only=True)
class Line(Said):
    """The same, in its place in the journal."""

    place: Place


class JournalKey:
    """What seals lines."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @property
    def book(self) -> str:
        """What each file of the journal says at its head, so that the journal of another book is known."""
        return hmac.digest(self._secret, b"comity journal 1: book", hashlib.sha256)[:8].hex()

    def seal(self, before: Place, text: bytes) -> Place:
        """Return the place of the line that follows."""
        number = before.number + 1
        sealed = hmac.digest(self._secret, b"%b\0%d %b" % (before.seal, number, text), hashlib.sha256)
        return Place(number, sealed[:SEAL_BYTES])

    def write(self, before: Place, said: Said) -> tuple[Place, bytes]:
        """Return a line as it stands in the file, with its place."""
        place = self.seal(before, said.text)
        return place, b"%d %b %b\n" % (place.number, place.seal.hex().encode(), said.text)

    def check(self, before: Place, raw: bytes) -> tuple[Place, bytes]:
        """Return the place of the line that follows, and its text. Raises Altered."""
        try:
            number, sealed, text = raw.rstrip(b"\n").split(b" ", 2)
            place = Place(int(number), bytes.fromhex(sealed.decode("ascii")))
        except ValueError:
            raise Altered(f"what follows line {before.number} is no line") from None
        if not hmac.compare_digest(self.seal(before, text).seal, place.seal) or place.number != before.number + 1:
            raise Altered(f"line {before.number + 1} is not what was written there, or lines were taken out or put in")
        return place, text

    def read(self, before: Place, raw: bytes) -> Line:
        """Read the line that follows. Raises Altered."""
        place, text = self.check(before, raw)
        told = json.loads(text)
        return Line(
            ref=UUID(told["ref"]), kind=told["kind"], at=datetime.fromisoformat(told["at"]), said=told["said"],
            place=place,
        )  # fmt: skip


# ---------------------------------------------------------------- the key's file


def read_journal_key(path: Path) -> JournalKey | None:
    """Return the key, or None where there is none. Raises NoJournal where it is not whole, or others may read it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NoJournal(f"{path} cannot be read: {error.strerror}") from None
    with os.fdopen(descriptor, "r", encoding="ascii", errors="replace") as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise NoJournal(f"{path} can be read by others. Say: chmod 600 '{path}'")
        text = file.read(1_000).strip()
    if len(text) != 2 * KEY_BYTES or not set(text) <= set("0123456789abcdef"):
        raise NoJournal(f"{path} does not hold a key. Put it back from your copy of the keys.")
    return JournalKey(bytes.fromhex(text))


def make_journal_key(path: Path) -> JournalKey:
    """Make the key, or take the one that somebody made at the same moment. Raises NoJournal, Unwritable."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = path.with_name(f"{path.name}.{os.getpid()}.new")
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w") as file:
            file.write(f"{os.urandom(KEY_BYTES).hex()}\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(aside, path)  # whole, and only where there is none
        except FileExistsError:
            pass
        finally:
            aside.unlink()
        keep_entries(path.parent)
    except OSError as error:
        raise Unwritable(f"the journal's key cannot be made at {path}: {error.strerror}") from None
    key = read_journal_key(path)
    if key is None:
        raise NoJournal(f"{path} is missing")
    return key


def keep_entries(folder: Path) -> None:
    """Make sure that a folder's entries survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
