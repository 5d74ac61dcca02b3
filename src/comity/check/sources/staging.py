"""What every reader ends in: a relation that DuckDB can query, with the rows that could not be read beside it.

Formats that DuckDB does not read as they are become a temporary copy: UTF-8, one delimiter, the row's number first.
"""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import duckdb

from comity.check.answers import Reject
from comity.check.sources.badfile import BadFile, shown

MOST_COLUMNS = 16_384  # what Excel can hold
_DUCKDB_LINE = 2 * 2**20  # what DuckDB expects unless told otherwise
_FULL_TEXTS = 64 * 2**20  # characters of rejected rows kept whole; of rows beyond, the beginning
_BEGINNING = 200
_MOST_REJECTS = 1_000_000
_NOT_OF_THE_FILE = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException, duckdb.InterruptException)


class Progress(Protocol):
    """Told now and then how far the reading is, in bytes of the file; a file may be read more than once."""

    def __call__(self, done: int, total: int, /) -> None: ...


def quoted(text: str) -> str:
    """Return a string literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


class Scratch:
    """A folder for temporary copies that only we may enter; it is made when first needed and vanishes on `close`.

    It is made in `within`, else where this machine keeps temporary files.
    """

    def __init__(self, within: Path | None = None) -> None:
        self._within = within
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def path(self, name: str) -> Path:
        """Return the path of a new temporary file, made empty and readable to us alone."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="comity-", dir=self._within, ignore_cleanup_errors=True)
        path = Path(self._folder.name) / name
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
        return path

    def close(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


@dataclass
class Rejects:
    """The rows that could not be read, in bounded memory."""

    where: str
    rows: list[Reject] = field(default_factory=list)
    _room: int = _FULL_TEXTS

    def add(self, *, row: int, why: str, text: str) -> None:
        if len(self.rows) >= _MOST_REJECTS:
            raise BadFile(
                f"more than {_MOST_REJECTS:,} rows cannot be read; the last: {why}",
                where=f"{self.where}, row {row:,}",
                cure="Export the file again as UTF-8 CSV, or as Excel or Parquet",
            )
        if len(text) > self._room and len(text) > _BEGINNING:
            text = text[:_BEGINNING] + "…"
        self._room -= len(text)
        self.rows.append(Reject(row=row, why=why, text=text))


Keep = Callable[[str], str]
"""Turns text for a FROM into the query of what is to be kept of each row."""


def everything(rows: str) -> str:
    return f"SELECT * FROM {rows}"


class Reading:
    """A table that is known to be right: its relation, the rows left out of it, and what a reader should know."""

    def __init__(
        self,
        *,
        connection: duckdb.DuckDBPyConnection,
        path: Path,
        relation: str,
        scratch: Scratch,
        rejects: Sequence[Reject] = (),
        notes: Sequence[str] = (),
    ) -> None:
        self._connection = connection
        self.path = path
        self._relation = relation
        self._scratch = scratch
        self._rejects = tuple(rejects)
        self._notes = tuple(notes)

    def rejects(self) -> tuple[Reject, ...]:
        return self._rejects

    def notes(self) -> tuple[str, ...]:
        return self._notes

    def relation(self) -> str:
        return self._relation

    def load(self, name: str, expressions: Sequence[str], keep: Keep = everything) -> None:
        rows = f"(SELECT {', '.join(['row', *expressions])} FROM {self.relation()}) AS cells"
        self._create(f"CREATE OR REPLACE TEMP TABLE {name} AS {keep(rows)}")

    def glimpse(self, name: str, expressions: Sequence[str]) -> bool:  # noqa: ARG002 (few copies are so long that it pays)
        return False

    def close(self) -> None:
        self._scratch.close()

    def _create(self, sql: str) -> None:
        try:
            self._connection.execute(sql)
        except _NOT_OF_THE_FILE:
            raise
        except duckdb.Error as fault:
            raise self.refusal(fault) from fault

    def refusal(self, fault: duckdb.Error) -> BadFile:
        lines = str(fault).strip().splitlines() or [type(fault).__name__]
        if isinstance(fault, duckdb.OutOfMemoryException) or "space left" in str(fault).lower():
            cure = "Free some space, or name a larger folder for temporary files in TMPDIR"
            return BadFile("the disk or the memory is full", where=shown(self.path), cure=cure)
        return BadFile(
            f"the file is damaged ({lines[0][:200]})", where=shown(self.path), cure="Export or download it again"
        )


@dataclass(frozen=True, kw_only=True)
class Table:
    """What a reader hands to `open_source`."""

    columns: tuple[str, ...]
    kind: str
    encoding: str
    reading: Reading


class StagedRows:
    """The temporary copy while it is written. Rows have the header's number of cells and carry their own number."""

    def __init__(self, *, path: Path, width: int, scratch: Scratch, delimiter: str = ",") -> None:
        self.path = path
        self.width = width
        self.count = 0
        self._scratch = scratch
        self._longest = 0
        self._multiline = False
        self._copy = scratch.path("rows.csv")
        # lone surrogates, which JSON can spell and UTF-8 cannot, become question marks
        self._file = self._copy.open("w", encoding="utf-8", errors="replace", newline="", buffering=2**20)
        self._delimiter = delimiter
        self._writer = csv.writer(self._file, delimiter=delimiter, lineterminator="\n")
        # the other one leaves a lone carriage return bare
        self._careful = csv.writer(self._file, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            self._file.close()
        else:
            with suppress(OSError):  # what went wrong first is the thing to tell
                self._file.close()

    def add(self, row: int, cells: Sequence[str]) -> None:
        """Write one row; missing cells at its end are empty."""
        joined = "".join(cells)
        self._longest = max(self._longest, len(joined))
        multiline = "\n" in joined or "\r" in joined
        self._multiline = self._multiline or multiline
        writer = self._careful if multiline else self._writer
        writer.writerow((row, *cells, *[""] * (self.width - len(cells))))
        self.count += 1

    def add_plain(self, row: int, text: str) -> None:
        """Write one row whose cells stand already between delimiters, without quotes, as many as there are columns."""
        self._longest = max(self._longest, len(text))
        self._file.write(f"{row}{self._delimiter}{text}\n")
        self.count += 1

    def reading(
        self, connection: duckdb.DuckDBPyConnection, *, rejects: Sequence[Reject] = (), notes: Sequence[str] = ()
    ) -> Reading:
        """Return the copy as a relation. DuckDB reads it in parallel unless a cell has more than one line."""
        names = ["'row': 'BIGINT'", *(f"'c{n}': 'VARCHAR'" for n in range(self.width))]
        options = {
            "columns": "{" + ", ".join(names) + "}",
            "auto_detect": "false",
            "header": "false",
            "delim": quoted(self._delimiter),
            "quote": "'\"'",
            "escape": "'\"'",
            "new_line": r"'\n'",  # else it might take one within a cell for the rule
            "compression": "'none'",
            "parallel": "false" if self._multiline else "true",
            # a character is at most four bytes, and quoting at worst doubles them
            "max_line_size": str(max(_DUCKDB_LINE, 8 * self._longest + 8 * self.width + 32)),
        }
        spelled = ", ".join(f"{name}={value}" for name, value in options.items())
        relation = f"(SELECT * FROM read_csv({quoted(str(self._copy))}, {spelled}))"
        return Reading(
            connection=connection,
            path=self.path,
            relation=relation,
            scratch=self._scratch,
            rejects=rejects,
            notes=notes,
        )


def header(cells: Iterable[str], path: Path) -> tuple[str, ...]:
    """Return the columns' names. An empty one is called by its number; a name that stands twice is refused."""
    names = tuple(cell.strip() or f"column {number}" for number, cell in enumerate(cells, 1))
    seen: dict[str, int] = {}
    for number, name in enumerate(names, 1):
        if name in seen:
            raise BadFile(
                f"the header '{name[:80]}' stands twice, in columns {seen[name]} and {number}",
                where=f"{shown(path)}, first row",
                cure="Rename or delete one of the two columns",
            )
        seen[name] = number
    if len(names) > MOST_COLUMNS:
        raise BadFile(
            f"the table has {len(names):,} columns",
            where=f"{shown(path)}, first row",
            cure=f"Keep the columns that matter, at most {MOST_COLUMNS:,}",
        )
    return names
