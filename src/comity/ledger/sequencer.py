"""The sequencer: gives what was recorded its place in the tree and signs the tree, a batch in each transaction.

One sequencer works at a time (an advisory lock); should two ever work, the keys of the tables let one of them commit.
What it does is all in one transaction, so a sequencer that is killed leaves nothing half done. Writers never wait for
it, and do not tell it that they wrote: a NOTIFY in each transaction would make them commit one after the other.
"""

from __future__ import annotations

import logging
import signal
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import psycopg

from comity.ledger.comity_verify import Checkpoint, NotProven, Tree, leaf_hash
from comity.ledger.connecting import own_connection
from comity.ledger.journal import signed
from comity.ledger.journal.keeping import journal_folder
from comity.ledger.journal.lines import JournalTrouble
from comity.ledger.keys import LEDGER, read_key, signed_by
from comity.ledger.notes import SigningKey, checkpoint_text

LOCK = 0x636F6D6974790001
"""Of the advisory lock: "comity" and a number."""
SIGNED, WANTED = "comity_ledger_signed", "comity_ledger_wanted"
"""Channels: a checkpoint was signed; somebody waits for one."""

BATCH = 10_000
"""Entries in one transaction, at most."""
PACE = 0.1
"""Seconds between two batches, so that one signature and one flush serve many entries; who waits for one wakes us."""
IDLE = 0.25
"""Seconds between two looks while nothing is recorded; who waits for a checkpoint wakes the sequencer at once."""
PUT_BACK = 10.0
"""Seconds until the next look at a database that was put back, and waits for its journal to be replayed."""
AGAIN = 1.0
"""Seconds until the next attempt while the database is gone or another sequencer works."""

log = logging.getLogger(__name__)

NUMBERED = """
WITH pending AS (
    SELECT ref, %(size)s + row_number() OVER (ORDER BY ref) - 1 AS place
    FROM (SELECT ref FROM ledger_entry WHERE leaf_index IS NULL ORDER BY ref LIMIT %(most)s) AS oldest
)
UPDATE ledger_entry AS entry SET leaf_index = pending.place
FROM pending WHERE entry.ref = pending.ref
RETURNING entry.leaf_index, entry.body
"""
EXTENDED = """
INSERT INTO ledger_tile (level, index, hashes) VALUES (%s, %s, %s)
ON CONFLICT (level, index) DO UPDATE SET hashes = EXCLUDED.hashes
"""


class LedgerBroken(RuntimeError):
    """Entries, tiles and checkpoints contradict each other, so nothing more is signed until somebody has looked."""


class Sequencer:
    """Numbers entries over a connection of its own, which is in autocommit."""

    def __init__(self, connection: psycopg.Connection, key: SigningKey) -> None:
        self.connection, self.key = connection, key
        self.signed = ""  # the newest checkpoint of ours

    def claim(self) -> bool:
        """Become the one sequencer until the connection ends; False while another is.

        Raises KeyProblem where this key did not sign the last checkpoint.
        """
        claimed = self.connection.execute("SELECT pg_try_advisory_lock(%s)", [LOCK]).fetchone()
        if claimed != (True,):
            return False
        self._last()
        self.connection.execute(f"LISTEN {WANTED}")
        return True

    def refuse_if_put_back(self, journal: Path) -> None:
        """Raise JournalTrouble where a later checkpoint was signed than this database has: it would be contradicted."""
        seen = signed.seen(journal)
        asked = "SELECT (SELECT root FROM ledger_checkpoint WHERE size = %s)"
        found = [self.connection.execute(asked, [each.checkpoint.size]).fetchone() for each in seen]
        signed.compare(seen, [row[0] if row else None for row in found])

    def number(self) -> int:
        """Number what is pending, at most a batch; return how many. All in one transaction.

        Raises LedgerBroken where entries, tiles and checkpoints do not fit together; then nothing was numbered.
        """
        try:
            with self.connection.transaction():
                return self._batch(self._tree())
        except psycopg.IntegrityError as error:
            raise LedgerBroken(f"{error.diag.message_primary}. It was to be numbered anew: verify the ledger") from None

    def _batch(self, tree: Tree) -> int:
        before, tiles = tree.size, dict[tuple[int, int], bytes]()
        numbered = self.connection.execute(NUMBERED, {"size": before, "most": BATCH}, binary=True).fetchall()
        for _, body in sorted(numbered):
            tiles |= {(level, index): hashes for level, index, hashes in tree.add(leaf_hash(body))}
        if numbered:
            grown = {(level, at): hashes for level, at, hashes in tree.partial() if _grew(level, before, tree.size)}
            self._store(tree, tiles | grown)
        return len(numbered)

    def wait(self, seconds: float) -> None:
        """Wait so long, or until somebody wants a checkpoint."""
        for _ in self.connection.notifies(timeout=seconds, stop_after=1):
            return

    def _tree(self) -> Tree:
        """Take up the tree where the last checkpoint left it."""
        last = self._last()
        if last is None:
            return Tree()
        try:
            tree = Tree.of(last.size, self._tile)
        except NotProven as error:
            raise LedgerBroken(f"{error}: verify the ledger") from None
        if tree.root() != last.root:
            raise LedgerBroken(
                f"the tiles are not those that the checkpoint over {last.size} entries signs: verify the ledger"
            )
        return tree

    def _last(self) -> Checkpoint | None:
        found = self.connection.execute("SELECT note FROM ledger_checkpoint ORDER BY size DESC LIMIT 1").fetchone()
        if found is None:
            return None
        return signed_by(self.key.public, found[0])

    def _tile(self, level: int, index: int) -> bytes:
        place = [level, index]
        found = self.connection.execute(
            "SELECT hashes FROM ledger_tile WHERE level = %s AND index = %s", place, binary=True
        )
        row = found.fetchone()
        return row[0] if row else b""

    def _store(self, tree: Tree, tiles: dict[tuple[int, int], bytes]) -> None:
        checkpoint = Checkpoint(self.key.name, tree.size, tree.root())
        note = self.signed = self.key.sign(checkpoint_text(checkpoint))
        with self.connection.cursor() as cursor:
            cursor.executemany(EXTENDED, [(*place, hashes) for place, hashes in tiles.items()])
            cursor.execute(
                "INSERT INTO ledger_checkpoint (size, root, note, signed_at) VALUES (%s, %s, %s, %s)",
                [tree.size, checkpoint.root, note, datetime.now(UTC)],
            )
            cursor.execute("SELECT pg_notify(%s, %s)", [SIGNED, str(tree.size)])


def _grew(level: int, before: int, after: int) -> bool:
    """Tell whether the tiles of a level hold more in a tree of `after` entries than in one of `before`."""
    return before >> 8 * level != after >> 8 * level


def sequence(*, folder: Path, stop: Event) -> None:
    """Number and sign until `stop` is set. `folder` is Comity's, with the key in it.

    Waits while another sequencer works or the database is gone. After KeyProblem and LedgerBroken nothing is signed.
    """
    key = read_key(folder / LEDGER)
    while not stop.is_set():
        try:
            with own_connection() as connection:
                _work(Sequencer(connection, key), journal_folder(folder), stop)
        except psycopg.OperationalError as error:
            log.warning("The sequencer lost the database and tries again: %s", str(error).strip())
        stop.wait(AGAIN)


def _work(sequencer: Sequencer, journal: Path, stop: Event) -> None:
    if not sequencer.claim():
        return
    try:
        sequencer.refuse_if_put_back(journal)
    except JournalTrouble as error:
        log.error("Nothing is signed: %s", error)  # noqa: TRY400 - it is no fault of ours
        stop.wait(PUT_BACK)
        return
    while not stop.is_set():
        numbered = sequencer.number()
        if numbered:
            signed.keep_signed(journal, sequencer.signed)
        if numbered < BATCH:
            sequencer.wait(PACE if numbered else IDLE)


def run(*, folder: Path) -> None:
    """Be the sequencer's process: `sequence` until SIGTERM or SIGINT, then finish the batch and return."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    sequence(folder=folder, stop=stop)
