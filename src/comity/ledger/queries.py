"""Reading the ledger: its checkpoints, its proofs, an entry's bundle, and waiting until an entry is covered."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from django.db import connection, transaction

from comity.ledger.bundles import write_bundle
from comity.ledger.comity_verify import Bundle, PublicKey
from comity.ledger.keys import LEDGER, read_key, signed_by
from comity.ledger.merkle import consistency_proof, inclusion_proof
from comity.ledger.models import Checkpoint, Cosignature, Entry, Tile
from comity.ledger.sequencer import SIGNED, WANTED

PATIENCE = timedelta(seconds=30)
LOOK = 0.25
"""Seconds until the waiting look again, should a notification be lost."""


class NotCovered(RuntimeError):
    """No checkpoint covers the entry: nothing may be claimed of it yet."""


def latest_checkpoint() -> Checkpoint | None:
    """Return the checkpoint over the most entries."""
    return Checkpoint.objects.order_by("-size").first()


def signed_note(checkpoint: Checkpoint) -> str:
    """Return a checkpoint with all its signatures: the ledger's, then the witnesses'."""
    lines = Cosignature.objects.filter(checkpoint=checkpoint).order_by("witness").values_list("line", flat=True)
    return checkpoint.note + "".join(lines)


def public_key(*, folder: Path) -> PublicKey:
    """Return the key that verifies this ledger, from the signing key in Comity's folder.

    Raises KeyProblem where that key is missing, can be read by others, or did not sign the last checkpoint.
    """
    key = read_key(folder / LEDGER).public
    newest = latest_checkpoint()
    if newest is not None:
        signed_by(key, newest.note)
    return key


def tile(level: int, index: int) -> bytes:
    """Return the hashes of a tile; none where there is no such tile."""
    return bytes(Tile.objects.filter(level=level, index=index).values_list("hashes", flat=True).first() or b"")


def consistency(*, old: int, new: int) -> list[bytes]:
    """Return the proof that the ledger of `new` entries begins with that of `old`; both at least 1."""
    return consistency_proof(old=old, new=new, tile=tile)


def bundle(*, entry: UUID) -> str:
    """Return an entry's proof as a .tlog-proof, the entry itself in it. Raises NotCovered while it is pending.

    Of the checkpoints that cover it, the newest that a witness cosigned is taken, else the newest.
    """
    with transaction.atomic():
        found = Entry.objects.get(pk=entry)
        checkpoint = None if found.leaf_index is None else _best(found.leaf_index)
        if found.leaf_index is None or checkpoint is None:
            raise NotCovered(f"entry {entry} is pending: no checkpoint covers it. Is the sequencer running?")
        proof = inclusion_proof(index=found.leaf_index, size=checkpoint.size, tile=tile)
        note, extra = signed_note(checkpoint), bytes(found.body)
    return write_bundle(Bundle(found.leaf_index, tuple(proof), note, extra))


def _best(index: int) -> Checkpoint | None:
    covering = Checkpoint.objects.filter(size__gt=index).order_by("-size")
    return covering.filter(cosignatures__isnull=False).first() or covering.first()


def wait_for_checkpoint(entry: UUID, *, patience: timedelta = PATIENCE) -> Checkpoint:
    """Wait until a checkpoint covers the entry, and return the first that does.

    What must not be claimed before it can be proven (an erasure, an export, a broken glass) calls this after its
    commit. Raises NotCovered when `patience` ends, and RuntimeError inside a transaction, where it would wait for ever.
    """
    if connection.in_atomic_block:
        raise RuntimeError("wait_for_checkpoint was called inside the transaction that must be committed before")
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {SIGNED}")
        try:
            cursor.execute(f"NOTIFY {WANTED}")
            return _awaited(entry, time.monotonic() + patience.total_seconds())
        finally:
            cursor.execute(f"UNLISTEN {SIGNED}")


def _awaited(entry: UUID, until: float) -> Checkpoint:
    while True:
        index = Entry.objects.values_list("leaf_index", flat=True).get(pk=entry)
        if index is not None:
            return Checkpoint.objects.filter(size__gt=index).earliest("size")
        if time.monotonic() > until:
            raise NotCovered(f"no checkpoint covers entry {entry} yet. It is recorded. Is the sequencer running?")
        for _ in connection.connection.notifies(timeout=LOOK, stop_after=1):
            pass


class Here:
    """The ledger of this database, as a witness looks at it."""

    def latest(self) -> str:
        """Return the newest signed checkpoint."""
        newest = latest_checkpoint()
        if newest is None:
            raise NotCovered("the ledger has no checkpoint yet")
        return newest.note

    def consistency(self, *, old: int, new: int) -> list[bytes]:
        """Make the proof from the tiles in the database."""
        return consistency(old=old, new=new)
