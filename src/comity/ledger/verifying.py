"""Verifying the ledger in the database: what `comity_verify` finds in any, and what only a database can get wrong."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import psycopg

from comity.ledger.bodies import canonical, instant
from comity.ledger.comity_verify import Audit, NotProven, PublicKey, audit, read_checkpoint, read_note
from comity.ledger.connecting import own_connection

AT_ONCE = 2_000
"""Rows that a cursor brings at once."""

ENTRIES = """
SELECT leaf_index, body, ref, recorded_at, kind, staff, persons
FROM ledger_entry WHERE leaf_index IS NOT NULL ORDER BY leaf_index
"""
BEYOND = """
SELECT level, index FROM ledger_tile WHERE index >= div(div(%s, 256::numeric ^ level) + 255, 256) ORDER BY 1, 2
"""


def verify(*, key: PublicKey, seen: Sequence[str] = ()) -> Audit:
    """Read the whole ledger, as it stands at one moment, and tell everything that is wrong with it, and where.

    `seen` are signed checkpoints that were kept outside this database, such as a witness's: without them nobody can see
    that the ledger was rolled back, or written and signed anew.
    """
    with own_connection() as connection, connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return Database(connection).audit(key, seen)


class Database:
    """The ledger in the database, read over one connection and within one transaction."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        self.wrong = Audit()

    def audit(self, key: PublicKey, seen: Sequence[str]) -> Audit:
        """Audit it; the columns that only the database has too."""
        found = audit(self, key=key, seen=seen)
        for flaw in self.wrong.flaws:
            found.note(flaw.what, flaw.index)
        found.untold += self.wrong.untold
        for level, index in self._tiles_beyond(found.size):
            found.note(f"tile {level}/{index}: it is more than the tree has")
        return found

    def checkpoints(self) -> Iterable[str]:
        """Give the signed checkpoints, comparing the columns beside each with what it says."""
        with self.connection.cursor("checkpoints") as cursor:
            cursor.itersize = AT_ONCE
            cursor.execute("SELECT size, root, note FROM ledger_checkpoint ORDER BY size")
            for size, root, note in cursor:
                if not _agrees(size, root, note):
                    self.wrong.note(f"checkpoint {size}: its columns are not what it signs")
                yield note

    def entries(self) -> Iterator[tuple[int, bytes]]:
        """Give the entries, comparing the columns beside each with what was hashed."""
        with self.connection.cursor("entries", binary=True) as cursor:
            cursor.itersize = AT_ONCE
            for index, body, *columns in cursor.execute(ENTRIES):
                if not _says(body, columns):
                    self.wrong.note("its columns are not what its body says", index)
                yield index, body

    def tile(self, level: int, index: int) -> bytes | None:
        """Return a tile's hashes."""
        place = [level, index]
        found = self.connection.execute(
            "SELECT hashes FROM ledger_tile WHERE level = %s AND index = %s", place, binary=True
        )
        row = found.fetchone()
        return row[0] if row else None

    def _tiles_beyond(self, size: int) -> list[tuple[int, int]]:
        return self.connection.execute(BEYOND, [size]).fetchall()


def _agrees(size: int, root: bytes, note: str) -> bool:
    try:
        checkpoint = read_checkpoint(read_note(note).text)
    except NotProven:
        return False
    return (checkpoint.size, checkpoint.root) == (size, root)


def _says(body: bytes, columns: Sequence[Any]) -> bool:
    """Tell whether the columns of an entry repeat its body, and the body is spelled as bodies are."""
    ref, recorded_at, kind, staff, persons = columns
    try:
        said = json.loads(body)
        repeated = {
            "body": said["body"],
            "kind": kind,
            "persons": [str(person) for person in persons],
            "recorded_at": instant(recorded_at),
            "ref": str(ref),
            "staff": None if staff is None else str(staff),
        }
        return body == canonical(said) and said == repeated
    except (ValueError, TypeError, KeyError):
        return False
