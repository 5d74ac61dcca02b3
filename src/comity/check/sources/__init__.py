"""Other people's files as a relation that DuckDB can query: CSV, Excel, Parquet, JSON lines, vCard."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb

from comity.check.answers import Reject
from comity.check.sources.badfile import BadFile, empty, file_faults, shown
from comity.check.sources.delimited import read_delimited
from comity.check.sources.staging import Keep, Progress, Reading, Scratch, Table, everything

__all__ = ["BadFile", "Progress", "Source", "open_source"]

_CONTAINER = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # OLE: an old .xls, or an encrypted .xlsx
_NOT_TABLES = (
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "compressed (gzip)"),
    (b"BZh", "compressed (bzip2)"),
    (b"\xfd7zXZ\x00", "compressed (xz)"),
    (b"(\xb5/\xfd", "compressed (zstd)"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"{\\rtf", "a text document (RTF)"),
    (b"PARE", "a Parquet file with an encrypted footer"),
)
_PAGES = (b"<!doctype", b"<html", b"<?xml", b"<table")


@dataclass(frozen=True, kw_only=True)
class Source:
    """A table to check. Close it, or use it in a `with`: temporary copies vanish then.

    `relation` is text for a FROM: columns c0, c1, … as VARCHAR (empty: NULL or ''), in the order of `columns`, and
    `row` as BIGINT, from 1, counted over all rows of the file; its rows and `rejects` together are all there are.

    INVARIANT: `relation`, `rejects` and `notes` speak of the same, exact reading. For a regular CSV file that costs a
    pass to count its rows when they are first asked for; `load` proves the count on the way, so call it first.
    The connection must keep DuckDB's default `preserve_insertion_order = true`.
    """

    columns: tuple[str, ...]
    kind: str  # 'CSV', 'Excel', 'Parquet', 'JSON', 'vCard'
    encoding: str  # 'UTF-8', 'GB18030', …; '' where the kind says it
    _reading: Reading

    @property
    def relation(self) -> str:
        """Text for a FROM that reads every row that can be read, from the file or from a temporary copy."""
        with file_faults(self._reading.path):
            return self._reading.relation()

    @property
    def rejects(self) -> tuple[Reject, ...]:
        """Rows that could not be read, in the file's order."""
        with file_faults(self._reading.path):
            return self._reading.rejects()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the report should know of how the file was read, in whole sentences."""
        with file_faults(self._reading.path):
            return self._reading.notes()

    def load(self, name: str, expressions: Sequence[str], keep: Keep = everything) -> None:
        """Make the temporary table `name`, with `row` and a column for each expression, in any order.

        This is the way to read a file once and in parallel. An expression is over one row: "c3", or "lower(c4) AS x".
        `keep` turns text for a FROM that has them into the query of what is to be kept of each row.
        Raises BadFile if the file turns out to be damaged.
        """
        with file_faults(self._reading.path):
            self._reading.load(name, expressions, keep)

    def glimpse(self, name: str, expressions: Sequence[str]) -> bool:
        """Make such a table of the first rows, without their places; False where the file is short or may be broken."""
        with file_faults(self._reading.path):
            return self._reading.glimpse(name, expressions)

    def refusal(self, fault: duckdb.Error) -> BadFile:
        """Return what to tell of a fault that DuckDB met while somebody else's query read `relation`."""
        return self._reading.refusal(fault)

    def close(self) -> None:
        self._reading.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def open_source(
    path: Path, connection: duckdb.DuckDBPyConnection, *, headless: bool = False, progress: Progress | None = None,
    within: Path | None = None,
) -> Source:  # fmt: skip
    """Open a file of any kind that we read, told by its content rather than its name.

    `headless` lets the first row of a CSV file be data where it plainly is, as in a bare list of addresses; the columns
    are then called 'column 1' and so on. Without it such a file is refused: its first person would pass for a header.
    Temporary copies lie in `within`, else where this machine keeps temporary files.
    Raises BadFile, and nothing else, whatever the bytes.
    """
    scratch = Scratch(within)
    try:
        with file_faults(path):
            table = _read(path, connection, headless=headless, scratch=scratch, progress=progress)
    except BaseException:
        scratch.close()
        raise
    return Source(columns=table.columns, kind=table.kind, encoding=table.encoding, _reading=table.reading)


def _read(
    path: Path, connection: duckdb.DuckDBPyConnection, *, headless: bool, scratch: Scratch, progress: Progress | None
) -> Table:
    head = _head(path)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", _CONTAINER)):
        from comity.check.sources.spreadsheets import read_spreadsheet

        return read_spreadsheet(path, connection, scratch=scratch, progress=progress)
    if head.startswith(b"PAR1"):
        from comity.check.sources.parquet import read_parquet

        return read_parquet(path, connection, scratch=scratch)
    _refuse(path, head)
    text = _plain(head)
    if text.startswith("begin:vcard"):
        from comity.check.sources.vcards import read_vcards

        return read_vcards(path, connection, scratch=scratch, progress=progress)
    if _is_json(path, text):
        from comity.check.sources.jsonlines import read_json

        return read_json(path, connection, scratch=scratch, progress=progress)
    return read_delimited(path, connection, headless=headless, scratch=scratch, progress=progress)


def _head(path: Path) -> bytes:
    if path.is_dir():
        raise BadFile("this is a folder, not a file", where=shown(path), cure="Name the exported file in it")
    if path.exists() and not path.is_file():
        raise BadFile("this is not an ordinary file", where=shown(path), cure="Save what it gives to a file first")
    with path.open("rb") as file:
        head = file.read(16 * 2**10)
    if not head:
        raise empty(path)
    return head


def _refuse(path: Path, head: bytes) -> None:
    """Say what a file is that we know and cannot read as a table."""
    for mark, says in _NOT_TABLES:
        if head.startswith(mark):
            packed = "compressed" in says or "archive" in says
            cure = "Unpack it first" if packed else "Export the list as CSV or Excel"
            raise BadFile(f"the file is {says}", where=shown(path), cure=cure)
    if head.lstrip(codecs.BOM_UTF8 + b" \t\r\n").lower().startswith(_PAGES):
        cure = "Open it in a spreadsheet and save it as .xlsx or CSV"
        raise BadFile("the file is a web page or XML, whatever its name says", where=shown(path), cure=cure)


def _plain(head: bytes) -> str:
    """Return the first characters, small and without a byte order mark, well enough to tell the kind."""
    wide = "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    return head.decode(wide, "ignore").replace("\0", "").lstrip().lower()


def _is_json(path: Path, text: str) -> bool:
    """Tell JSON from a table whose first header begins with a bracket: by its name, else by how it goes on."""
    if not text.startswith(("{", "[")):
        return False
    if path.suffix.lower() in {".json", ".jsonl", ".ndjson"}:
        return True
    if text[1:].lstrip().startswith(("{", "]")) and text.startswith("["):
        return True
    return text.startswith("{") and text[1:].lstrip().startswith(('"', "}"))
