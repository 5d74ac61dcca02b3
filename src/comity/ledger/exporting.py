"""Exporting the ledger into a folder that any tool for tiled logs reads (c2sp.org/tlog-tiles), entries and all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg

from comity.ledger.comity_verify import HASH, WIDTH, tile_path
from comity.ledger.connecting import own_connection
from comity.ledger.verifying import Database


class NothingToExport(RuntimeError):
    """No checkpoint was signed yet."""


def export(folder: Path) -> int:
    """Write the ledger as it stands at one moment into a new folder; return how many entries it has.

    What is wrong with the ledger is exported as it is: who gets the folder verifies it.
    """
    folder.mkdir(parents=True)
    with own_connection() as connection, connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        note, size = _newest(connection)
        for index, packed, width in _packed(Database(connection).entries()):
            _write(folder, "entries", index, packed, width)
        with connection.cursor("tiles", binary=True) as cursor:
            for level, index, hashes in cursor.execute("SELECT level, index, hashes FROM ledger_tile ORDER BY 1, 2"):
                _write(folder, level, index, hashes, len(hashes) // HASH)
    (folder / "checkpoint").write_text(note, "utf-8")
    return size


def _newest(connection: psycopg.Connection) -> tuple[str, int]:
    newest = connection.execute("SELECT note, size FROM ledger_checkpoint ORDER BY size DESC LIMIT 1").fetchone()
    if newest is None:
        raise NothingToExport("the ledger has no checkpoint yet: record something, with the sequencer running")
    note, size = newest
    lines = connection.execute("SELECT line FROM ledger_cosignature WHERE checkpoint_id = %s ORDER BY witness", [size])
    return note + "".join(line for (line,) in lines), size


def _packed(entries: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes, int]]:
    """Give files of up to 256 entries, each with its length before it; with their index and how many are in it."""
    packed, index, width = bytearray(), 0, 0
    for _, entry in entries:
        packed += len(entry).to_bytes(2, "big") + entry
        width += 1
        if width == WIDTH:
            yield index, bytes(packed), width
            packed, index, width = bytearray(), index + 1, 0
    if width:
        yield index, bytes(packed), width


def _write(folder: Path, level: int | str, index: int, content: bytes, width: int) -> None:
    path = folder / tile_path(level, index)
    if width < WIDTH:
        path = path.with_name(path.name + ".p") / str(width)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
