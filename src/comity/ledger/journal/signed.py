"""The newest checkpoints that were signed, kept beside the journal: the ledger's own, and what a witness cosigned.

A database whose ledger does not have the checkpoint over so many entries with that root was put back, or written anew.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from comity.ledger.comity_verify import Checkpoint, NotProven, read_checkpoint, read_note
from comity.ledger.journal.lines import JournalTrouble, NoJournal
from comity.ledger.witness import keep_file

log = logging.getLogger(__name__)

OWN, COSIGNED = "ledger.checkpoint", "witness.checkpoint"
"""How the files are called. More of them, such as a witness's from another machine, may be put beside them."""


class LedgerBehind(JournalTrouble):
    """The ledger of this database is shorter than it was, or another one."""


class Seen(NamedTuple):
    """A checkpoint that was kept, and in which file."""

    path: Path
    checkpoint: Checkpoint


_read: dict[Path, tuple[int, int, Checkpoint]] = {}


def seen(folder: Path) -> list[Seen]:
    """Return the checkpoints that lie beside the journal. Raises NoJournal for a file that holds none."""
    try:
        names = [name for name in sorted(os.listdir(folder)) if name.endswith(".checkpoint")]  # noqa: PTH208 - it is asked often
        return [Seen(path, _checkpoint(path)) for path in map(folder.joinpath, names)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise NoJournal(f"{folder} cannot be read: {error.strerror}") from None


def _checkpoint(path: Path) -> Checkpoint:
    its = path.stat()
    known = _read.get(path)
    if known is None or known[:2] != (its.st_mtime_ns, its.st_ino):
        try:
            checkpoint = read_checkpoint(read_note(path.read_text("utf-8")).text)
        except (NotProven, UnicodeDecodeError) as error:
            raise NoJournal(f"{path} holds no checkpoint: {error}. Put it back, or take it away knowingly") from None
        known = _read[path] = (its.st_mtime_ns, its.st_ino, checkpoint)
    return known[2]


def compare(found: Sequence[Seen], roots: Sequence[bytes | memoryview | None]) -> None:
    """Raise LedgerBehind unless the database has each of these; `roots` are what it has over as many entries."""
    for each, root in zip(found, roots, strict=False):
        if root is None or bytes(root) != each.checkpoint.root:
            raise LedgerBehind(
                f"this database was put back to an earlier day, or is another one: its ledger is not the one of "
                f"{each.checkpoint.size:,} entries that {each.path.name} signs. Cure: comity journal replay"
            )


def keep_signed(folder: Path, note: str, *, called: str = OWN) -> None:
    """Keep a signed checkpoint beside the journal, unless a later one is there. Never fails: it is logged."""
    try:
        size = read_checkpoint(read_note(note).text).size
        path = folder / called
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists() or _checkpoint(path).size < size:
            keep_file(path, note)
    except (OSError, NotProven, JournalTrouble) as error:
        log.error("The newest checkpoint was not kept beside the journal: %s", error)  # noqa: TRY400 - it is no fault of ours


def set_aside(found: Seen) -> Path:
    """Keep a checkpoint as evidence, and let it say no more what this database must have."""
    aside = found.path.with_name(f"{found.path.name}.{found.checkpoint.size}")
    found.path.rename(aside)
    return aside
