"""The witness: somebody else who remembers the ledger's last checkpoint and signs only what begins with it.

It keeps three files in a folder of its own, best on another machine and in other hands: its key, the ledger's key, and
the last checkpoint that it cosigned. A ledger that was rolled back, or written and signed anew, is refused.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from comity.ledger.comity_verify import (
    COSIGNATURE,
    Checkpoint,
    Folder,
    NotProven,
    PublicKey,
    read_note,
    verified_head,
    verify_consistency,
)
from comity.ledger.keys import make_key, read_key
from comity.ledger.merkle import consistency_proof

KEY, LEDGER, SEEN = "witness.key", "ledger.vkey", "checkpoint"


class WitnessRefuses(RuntimeError):
    """What the ledger shows does not follow from what the witness has seen; it signs nothing and forgets nothing."""


class RolledBack(WitnessRefuses):
    """The ledger is smaller than it was."""


class Forked(WitnessRefuses):
    """The ledger does not begin with what the witness has seen: it was written anew."""


class Source(Protocol):
    """Where a witness looks at a ledger."""

    def latest(self) -> str:
        """Return the newest signed checkpoint."""

    def consistency(self, *, old: int, new: int) -> list[bytes]:
        """Return the proof that the tree of `new` entries begins with that of `old`."""


class Exported:
    """A ledger in a folder, as `exporting` wrote it."""

    def __init__(self, folder: Path) -> None:
        self.folder = Folder(folder)

    def latest(self) -> str:
        """Return the checkpoint of the export."""
        return "".join(self.folder.checkpoints())

    def consistency(self, *, old: int, new: int) -> list[bytes]:
        """Make the proof from the export's tiles."""
        return consistency_proof(old=old, new=new, tile=lambda level, index: self.folder.tile(level, index) or b"")


@dataclass(frozen=True)
class Seen:
    """What a witness has seen and cosigned: the checkpoint, its note, and the line the witness puts below it."""

    checkpoint: Checkpoint
    note: str
    line: str
    witness: PublicKey


def begin_witness(*, folder: Path, name: str, ledger: PublicKey) -> PublicKey:
    """Make a witness that knows this ledger and has seen nothing of it; return the key that others verify it with."""
    key = make_key(folder / KEY, name, COSIGNATURE)
    keep_file(folder / LEDGER, f"{ledger}\n")
    keep_file(folder / SEEN, "")
    return key.public


def last_seen(folder: Path) -> str:
    """Return the note of the last checkpoint seen, empty before the first; WitnessRefuses where it is missing."""
    try:
        return (folder / SEEN).read_text("utf-8")
    except FileNotFoundError:
        raise WitnessRefuses(
            f"{folder / SEEN} is missing. A witness that forgot what it saw is none: put it back from its backup. "
            "A new witness is begun in an empty folder."
        ) from None


def look(*, folder: Path, source: Source, at: datetime) -> Seen:
    """Look at the ledger's newest checkpoint, and cosign it if it begins with the last one seen; remember it first.

    Raises RolledBack, Forked, NotProven (a signature is not the ledger's), and OSError where the files cannot be used.
    """
    with _alone(folder):
        key = read_key(folder / KEY, COSIGNATURE)
        ledger = PublicKey.read((folder / LEDGER).read_text("utf-8"))
        note = source.latest()
        checkpoint = verified_head(note, ledger).checkpoint
        _follows(checkpoint, last_seen(folder), ledger, source)
        text = read_note(note).text
        line = key.cosign(text, at)
        keep_file(folder / SEEN, note)
        return Seen(checkpoint, note, line, key.public)


def _follows(new: Checkpoint, seen: str, ledger: PublicKey, source: Source) -> None:
    """Raise unless the new checkpoint's tree begins with the one seen; every tree begins with nothing."""
    if not seen:
        return
    old = verified_head(seen, ledger).checkpoint
    if new.size < old.size:
        raise RolledBack(f"the ledger has {new.size} entries, and had {old.size} when this witness last saw it")
    proof = [] if new.size == old.size else _asked(source, old, new)
    try:
        verify_consistency(old=old.size, old_root=old.root, new=new.size, new_root=new.root, proof=proof)
    except NotProven as error:
        raise Forked(f"{error}: the ledger was written anew") from None


def _asked(source: Source, old: Checkpoint, new: Checkpoint) -> list[bytes]:
    try:
        return source.consistency(old=old.size, new=new.size)
    except (ValueError, LookupError) as error:
        raise Forked(
            f"the ledger has no proof that its {new.size} entries begin with the {old.size} seen: {error}"
        ) from None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let only one process look for this witness at a time."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def keep_file(path: Path, text: str) -> None:
    """Write a file so that after a crash it is either the old one or the new one, whole."""
    beside = path.with_name(path.name + ".new")
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
