"""CSV and its kin: cells between commas, semicolons, tabs or bars.

A regular file (UTF-8, RFC 4180) is read by DuckDB, in parallel, where it lies; DuckDB reads strictly, and the rows it
returns are counted against our own survey of the bytes. Wherever it refuses or the counts differ, and for every other
file, the exact path reads line by line, keeps what can be kept, and says of each other row why it cannot.

What counts as a row: every line with something on it, after the header. A quoted cell may go on over lines. A row with
fewer cells than the header has empty ones at its end; one with more is rejected unless the surplus is empty.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import duckdb

from comity.check.answers import Reject
from comity.check.sources.badfile import BadFile, empty, file_faults, header_only, shown
from comity.check.sources.staging import (
    Keep,
    Progress,
    Reading,
    Rejects,
    Scratch,
    StagedRows,
    Table,
    everything,
    header,
    quoted,
)
from comity.check.sources.surveying import LONGEST_LINE
from comity.check.sources.texts import Text, blank_lines, open_text

_DELIMITERS = ",;\t|"
_DECLARED = re.compile(rb"\"?sep=([^\w\s\"\x80-\xff]|\t)\"?\r?\n?", re.IGNORECASE)  # Excel's own first line
_SNIFFED_ROWS = 1_000
_SHORT_IS_USUAL = 0.2  # share of short rows from which a file's writer just leaves empty cells out
_FEW_ARE_SHORT = 10  # and with so few, nothing is known of their writer
_MOST_BROKEN = 8  # lines of one row that line breaks outside quotes have taken apart
_LONG = 200_000  # rows from which it pays to look first, and to read in several streams
_GLIMPSED = 500_000  # rows that are looked at first
_PASSING = 0.82  # share of its time that a stream has left for its rows, by each stream whose rows it passes over
_MOST_LINES = 100_000  # in one row; a quote that is still open then was never meant to enclose them


# ---------------------------------------------------------------- one row


class Broken(ValueError):
    """The quoting of a row cannot be understood; the text says why."""


class Row:
    """A row while it is read, line by line, until no quoted cell is open.

    Where RFC 4180 is silent, we read as DuckDB does: a space may stand before a quoted cell, and spaces after it; and
    text that goes on in a second pair of quotes belongs to the same cell.
    """

    def __init__(self, delimiter: str, *, backslash: bool = False) -> None:
        self._delimiter = delimiter
        body = r'[^"\\]*(?:(?:""|\\.)[^"\\]*)*' if backslash else r'[^"]*(?:""[^"]*)*'
        self._body = re.compile(body, re.DOTALL)
        # a quote after a space opens a cell only if what closes it, if anything does, ends the cell
        self._spaced = re.compile(rf' "{body}(?:" *(?:[{re.escape(delimiter)}"]|$)|$)', re.DOTALL)
        self._unescape = re.compile(r'""|\\(.)', re.DOTALL) if backslash else None
        self._cells: list[str] = []
        self._open: list[str] | None = None

    def split(self, line: str, end: str) -> list[str] | None:
        """Return the row's cells, or None if a cell goes on in the next line, to be split next."""
        if self._open is None:
            if '"' not in line:
                return line.split(self._delimiter)
            if self._ordinary(line):
                with suppress(csv.Error):  # what is wrong, our own reading below finds out
                    return next(csv.reader([line], delimiter=self._delimiter, strict=True))
            self._cells, at = [], 0
        else:
            at = self._quoted(line, 0)
        while at <= len(line):
            at = self._next(line, at)
        if self._open is not None:
            self._open.append(end)
            return None
        return self._cells

    def forget(self) -> None:
        self._open = None

    def _ordinary(self, line: str) -> bool:
        """Tell whether the csv module, which is faster, reads the line as we do, or else refuses it."""
        return self._unescape is None and ' "' not in line and '" ' not in line

    def _next(self, line: str, at: int) -> int:
        """Take the cell that begins at `at`; return where the next one begins, beyond the line if none does."""
        if line.startswith('"', at):
            return self._quoted(line, at + 1)
        if line.startswith(' "', at) and self._spaced.match(line, at):
            return self._quoted(line, at + 2)
        end = line.find(self._delimiter, at)
        end = len(line) if end < 0 else end
        self._cells.append(line[at:end])
        return end + 1

    def _quoted(self, line: str, at: int) -> int:
        """Take quoted text, which goes on at `at`."""
        body = self._body.match(line, at)
        end = body.end() if body else at
        parts = [] if self._open is None else self._open
        if end >= len(line) or line[end] != '"':
            self._open = [*parts, line[at:]]
            return len(line) + 1
        after = end + 1
        while line.startswith(" ", after):
            after += 1
        if line.startswith('"', after):
            self._open = [*parts, line[at:end], line[end + 1 : after]]
            return after
        self._open = None
        self._cells.append(self._plain("".join([*parts, line[at:end]])))
        if after < len(line) and line[after] != self._delimiter:
            raise Broken("a quoted cell has text after its closing quote")
        return after + 1

    def _plain(self, text: str) -> str:
        if self._unescape is None:
            return text.replace('""', '"')
        return self._unescape.sub(lambda found: found[1] or '"', text)


@dataclass(frozen=True, slots=True)
class Record:
    """One row as it stands in the file: its lines, and its cells or why there are none."""

    lines: list[bytes]
    cells: list[str]
    fault: str = ""

    @property
    def text(self) -> str:
        return b"".join(self.lines).decode("utf-8", "backslashreplace").rstrip("\r\n")

    @property
    def ended(self) -> bool:
        """Tell whether its last line has an end; the last one of a file that was cut off has none."""
        return self.lines[-1].endswith((b"\n", b"\r"))


@dataclass(frozen=True, kw_only=True)
class Dialect:
    delimiter: str
    backslash: bool = False  # a quote in a quoted cell may be written \\" and not only ""
    declared: bool = False  # the first line says `sep=;` and is no row
    shortens: bool = False  # many rows leave their last, empty cells out


class Records:
    """The rows of some lines, broken ones too, so that each is counted.

    After a row whose quoting is broken, reading starts anew with the line below its first. A quote that is never closed
    thus costs one row and not the rest of the file; of the lines it had drawn in, only full rows count as read.
    """

    def __init__(self, lines: Iterable[bytes], dialect: Dialect, *, encoding: str = "UTF-8") -> None:
        self._lines = iter(lines)
        self._again: list[bytes] = []  # lines to be read anew, the next one last
        self._doubtful = 0  # how many of the next lines a broken quote had drawn in
        self._width = 0
        self._delimiter = dialect.delimiter.encode()
        self._row = Row(dialect.delimiter, backslash=dialect.backslash)
        self._undecodable = f"it has characters that are not {encoding}"
        if dialect.declared:
            next(self._lines, b"")

    def __iter__(self) -> Iterator[Record | str]:
        """Yield the rows. One that has no quotes and the header's number of cells comes as its text alone: most do."""
        while (line := self._next()) is not None:
            if b'"' not in line and line.count(self._delimiter) == self._width - 1 > 0:
                with suppress(UnicodeDecodeError):
                    yield line.decode().rstrip("\r\n")
                    continue
            if _blank(line, self._width):
                continue
            doubtful = self._doubtful > 0
            record = self._record(line)
            if doubtful and not record.fault and len(record.cells) != self._width:
                record = Record(record.lines, [], "it follows a row with broken quoting and is not a whole row itself")
            self._width = self._width or len(record.cells)
            yield record

    def _next(self) -> bytes | None:
        self._doubtful -= self._doubtful > 0
        return self._again.pop() if self._again else next(self._lines, None)

    def _record(self, first: bytes) -> Record:
        taken, size = [first], len(first)
        fault = ""
        while True:
            try:
                text = taken[-1].decode()
            except UnicodeDecodeError:
                text, fault = taken[-1].decode("utf-8", "backslashreplace"), self._undecodable
            try:
                cells = self._split(text)
            except Broken as broken:
                return self._broken(taken, fault or str(broken))
            if cells is not None:
                return self._whole(taken, cells, fault)
            line = self._next()
            if line is None:
                return self._broken(taken, fault or "a quote is opened and never closed")
            taken.append(line)
            size += len(line)
            if size > LONGEST_LINE or len(taken) > _MOST_LINES:
                return self._broken(taken, fault or "a quote is opened and not closed where a row could end")

    def _split(self, text: str) -> list[str] | None:
        body = text.rstrip("\r\n")
        return self._row.split(body, text[len(body) :])

    def _whole(self, taken: list[bytes], cells: list[str], fault: str) -> Record:
        if fault:
            return Record(taken, [], fault)
        if len(taken) > 1 and self._width not in {0, len(cells)} and self._full(taken[1]):
            return self._broken(taken, "a quote is opened that encloses the rows below")
        return Record(taken, cells)

    def _full(self, line: bytes) -> bool:
        """Tell whether the line is a row by itself."""
        return b'"' not in line and line.count(self._delimiter) == self._width - 1

    def _broken(self, taken: list[bytes], fault: str) -> Record:
        self._row.forget()
        self._again.extend(reversed(taken[1:]))
        self._doubtful = max(self._doubtful, len(taken) - 1)
        return Record(taken[:1], [], fault)


def _blank(line: bytes, width: int) -> bool:
    """Tell whether nothing is on the line. Spaces are something only where a row has one cell."""
    return not (line.strip(b"\r\n\x1a") if width == 1 else line.strip(b" \t\f\r\n\x1a"))


# ---------------------------------------------------------------- the dialect


def sniff(head: bytes) -> Dialect:
    """Find the delimiter that gives most rows the header's number of cells."""
    declared = _DECLARED.match(head)
    lines = head.splitlines(keepends=True)
    if declared:
        return _settle(lines, Dialect(delimiter=declared[1].decode("latin-1"), declared=True))
    choices = [Dialect(delimiter=char) for char in _DELIMITERS]
    return _settle(lines, max(choices, key=lambda dialect: _fit(lines, dialect)))


def _widths(lines: list[bytes], dialect: Dialect) -> list[int]:
    """Return the number of cells of the header and the first rows; 0 where a row is broken."""
    found = islice(Records(lines, dialect), _SNIFFED_ROWS)
    return [row.count(dialect.delimiter) + 1 if isinstance(row, str) else len(row.cells) for row in found]


def _fit(lines: list[bytes], dialect: Dialect) -> tuple[bool, float]:
    first, *others = _widths(lines, dialect) or [0]
    alike = sum(width == first for width in others) / len(others) if others else 1
    return first > 1, first * alike


def _settle(lines: list[bytes], dialect: Dialect) -> Dialect:
    if any(b'\\"' in line for line in lines):
        choices = (dialect, replace(dialect, backslash=True))
        dialect = min(choices, key=lambda choice: _widths(lines, choice).count(0))
    first, *others = _widths(lines, dialect) or [0]
    short = sum(0 < width < first for width in others)
    return replace(dialect, shortens=short > max(_FEW_ARE_SHORT, _SHORT_IS_USUAL * len(others)))


# ---------------------------------------------------------------- the exact path


@dataclass
class _Keeping:
    """Numbers the rows; keeps those with the right cells, and rejects the others."""

    staged: StagedRows
    rejects: Rejects
    dialect: Dialect
    row: int = 0
    padded: int = 0
    _short: list[tuple[int, Record]] = field(default_factory=list)

    def take(self, record: Record | str) -> None:
        self.row += 1
        if isinstance(record, str):
            self._keep_short()
            self.staged.add_plain(self.row, record)
            return
        cells, width = record.cells, self.staged.width
        if not record.fault and len(cells) < width:
            self._short.append((self.row, record))
            if len(self._short) >= 4 * _MOST_BROKEN:
                self._keep_short()
            return
        self._keep_short()
        if record.fault:
            self._reject(self.row, record, record.fault)
        elif any(cell.strip() for cell in cells[width:]):
            self._reject(self.row, record, f"it has {len(cells):,} cells, the header has {width:,}")
        else:
            self.staged.add(self.row, cells[:width])

    def finish(self) -> None:
        """Judge the last rows. One that is short and whose line has no end was cut off."""
        if self._short and not self.dialect.shortens and not self._short[-1][1].ended:
            row, record = self._short.pop()
            self._keep_short()
            self._reject(row, record, "the file ends in the middle of this row")
        self._keep_short()

    def _keep_short(self) -> None:
        if not self._short:
            return
        at = 0
        while at < len(self._short):
            torn = 0 if self.dialect.shortens else self._torn(at)
            for row, record in self._short[at : at + torn]:
                self._reject(
                    row, record, f"a line break outside quotes seems to have torn one row into these {torn} lines"
                )
            if not torn:
                self._pad(*self._short[at])
            at += torn or 1
        self._short.clear()

    def _torn(self, at: int) -> int:
        """Return how many short rows from here on add up to one, each break having cut one cell in two."""
        cells = 0
        for number, (_, record) in enumerate(self._short[at : at + _MOST_BROKEN], 1):
            cells += len(record.cells)
            if number > 1 and cells == self.staged.width + number - 1:
                return number
        return 0

    def _pad(self, row: int, record: Record) -> None:
        width = self.staged.width
        if len(record.cells) == 1 and width > 2:  # noqa: PLR2004 - of two cells, one is half the row
            self._reject(row, record, f"it has one cell, the header has {width:,}")
        else:
            self.staged.add(row, record.cells)
            self.padded += 1

    def _reject(self, row: int, record: Record, why: str) -> None:
        self.rejects.add(row=row, why=why, text=record.text)


@dataclass(frozen=True, kw_only=True)
class _File:
    """A delimited file whose header is understood."""

    text: Text
    dialect: Dialect
    columns: tuple[str, ...]
    headless: bool
    connection: duckdb.DuckDBPyConnection
    scratch: Scratch
    progress: Progress | None

    def exact(self) -> Reading:
        """Read line by line into a temporary copy."""
        path = self.text.file
        rejects = Rejects(shown(path))
        with file_faults(path), self._copy() as staged:
            keeping = _Keeping(staged=staged, rejects=rejects, dialect=self.dialect)
            rows = iter(Records(self.text.lines(self.progress), self.dialect, encoding=self.text.encoding))
            for record in rows if self.headless else islice(rows, 1, None):
                keeping.take(record)
            keeping.finish()
        return staged.reading(self.connection, rejects=rejects.rows, notes=_notes(keeping))

    def _copy(self) -> StagedRows:
        delimiter = self.dialect.delimiter
        return StagedRows(path=self.text.file, width=len(self.columns), scratch=self.scratch, delimiter=delimiter)

    def streams(self) -> str:
        """Return text for a FROM of all rows with their places, read in as many streams as DuckDB has threads.

        Only within a stream are rows counted in the file's order. One that begins later has rows to pass over, and so
        takes fewer. The survey says how many rows there are, so that a stream that had passed over too few or too many
        would show in their sum; where blank lines, which may count as rows or not, are among them, there is one stream.
        """
        found = self.connection.execute("SELECT current_setting('threads')").fetchone()
        threads = found[0] if found and self.rows >= _LONG and not self.text.survey.gaps else 1
        weights = [_PASSING**number for number in range(threads)]
        starts = [round(self.rows * sum(weights[:number]) / sum(weights)) for number in range(threads)]
        ends = [*starts[1:], None]
        return f"({' UNION ALL '.join(map(self._stream, starts, ends))}) AS streams"

    def _stream(self, start: int, end: int | None) -> str:
        limit = "" if end is None else f" LIMIT {end - start}"
        return f"SELECT row_number() OVER () + {start} AS row, * FROM (SELECT * FROM {self.direct(start)}{limit})"

    def direct(self, start: int = 0) -> str:
        """Return the table function by which DuckDB reads the file itself, from a row on."""
        passed = start + (not self.headless) if start else 0
        options = {
            "columns": "{" + ", ".join(f"'c{number}': 'VARCHAR'" for number in range(len(self.columns))) + "}",
            "auto_detect": "false",
            "header": "false" if self.headless or start else "true",
            "skip": str(self.dialect.declared + passed),
            "delim": quoted(self.dialect.delimiter),
            "quote": "'\"'",
            "escape": "'\"'",
            "compression": "'none'",
            "strict_mode": "true",
        }
        if not self.text.survey.returns:  # told of CRLF, DuckDB 2.0.0 finds no rows; it sees that for itself
            options["new_line"] = r"'\n'"
        spelled = ", ".join(f"{name}={value}" for name, value in options.items())
        return f"read_csv({quoted(str(self.text.path.absolute()))}, {spelled})"

    def regular(self, head: bytes) -> bool:
        """Tell whether DuckDB may read it: not where its rules differ from ours, nor by a name that it would expand."""
        path = str(self.text.path.absolute())
        plain = path.isprintable() and not any(char in path for char in "*?[]{}")
        return self.text.survey.regular and plain and not self.dialect.backslash and not _blank(head[:1], 0)

    @property
    def rows(self) -> int:
        """Rows and blank lines below the header, if the file is regular."""
        return self.text.survey.records - self.dialect.declared - (not self.headless)


@contextmanager
def _in_any_order(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let streams be read side by side: else DuckDB reads one after the other, so that all rows come in order.

    Within a stream the order stays, since rows are counted there.
    """
    connection.execute("SET preserve_insertion_order = false")
    try:
        yield
    finally:
        connection.execute("SET preserve_insertion_order = true")


def _notes(keeping: _Keeping) -> tuple[str, ...]:
    if not keeping.padded:
        return ()
    return (f"Rows with fewer cells than the header, whose missing last cells count as empty: {keeping.padded:,}.",)


# ---------------------------------------------------------------- the fast path


class DelimitedReading(Reading):
    """DuckDB's own reading of the file until it proves wrong; then, and from then on, the exact one."""

    def __init__(self, file: _File) -> None:
        relation = f"(SELECT row_number() OVER () AS row, * FROM {file.direct()})"
        super().__init__(connection=file.connection, path=file.text.file, relation=relation, scratch=file.scratch)
        self._file = file
        self._proved = False
        self._exact: Reading | None = None

    def relation(self) -> str:
        exact = self._settled()
        return exact.relation() if exact else super().relation()

    def rejects(self) -> tuple[Reject, ...]:
        exact = self._settled()
        return exact.rejects() if exact else ()

    def notes(self) -> tuple[str, ...]:
        exact = self._settled()
        return exact.notes() if exact else ()

    def load(self, name: str, expressions: Sequence[str], keep: Keep = everything) -> None:
        """Load in parallel: each row brings its place along, since DuckDB joins rows in any order."""
        cells = ", ".join(["row", *expressions])
        rows = f"(SELECT {cells} FROM {self._file.streams()}) AS cells"
        with _in_any_order(self._connection):
            if self._exact is None and self._proves(f"CREATE OR REPLACE TEMP TABLE {name} AS {keep(rows)}"):
                return
        if self._exact is not None:
            self._exact.load(name, expressions, keep)

    def glimpse(self, name: str, expressions: Sequence[str]) -> bool:
        rows = min(_GLIMPSED, self._file.rows // 4)
        if self._exact is not None or self._file.rows < _LONG:
            return False
        some = f"SELECT {', '.join(expressions)} FROM {self._file.direct()} LIMIT {rows}"
        with suppress(duckdb.InvalidInputException):  # what is wrong, reading the whole of it will tell
            self._connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {some}")
            return True
        return False

    def _settled(self) -> Reading | None:
        """Return the exact reading if DuckDB's own is not to be trusted; a pass over the file if that is still open."""
        if not self._proved and self._exact is None:
            self._proves(f"SELECT count(*) FROM {self._file.direct()}")
        return self._exact

    def _proves(self, query: str) -> bool:
        """Run a query that reads all rows and returns their number; tell whether it is the one that we counted."""
        try:
            found = self._connection.execute(query).fetchone()
        except duckdb.InvalidInputException:
            found = None
        except (duckdb.IOException, duckdb.OutOfMemoryException) as fault:
            raise self.refusal(fault) from fault
        self._proved = found is not None and self._expected(found[0])
        if not self._proved:
            self._exact = self._file.exact()
        return self._proved

    def _expected(self, rows: int) -> bool:
        """Compare with the survey. In a single column DuckDB takes blank lines for rows; elsewhere they are none."""
        file = self._file
        if rows == file.rows and len(file.columns) > 1:
            return rows > 0
        return 0 < rows == file.rows - blank_lines(file.text)


def read_delimited(
    path: Path, connection: duckdb.DuckDBPyConnection, *, headless: bool, scratch: Scratch, progress: Progress | None
) -> Table:
    """Open a CSV file. `headless` allows its first row to be data, where that is plain to see."""
    text = open_text(path, scratch, progress)
    head = text.head()
    dialect = sniff(head)
    first, *others = [*islice(Records(text.lines(), dialect, encoding=text.encoding), 2)] or [""]
    if not isinstance(first, Record):
        raise empty(path)
    columns, bare = _columns(path, first, headless=headless)
    if not others and not bare:
        raise header_only(path)
    file = _File(
        text=text,
        dialect=dialect,
        columns=columns,
        headless=bare,
        connection=connection,
        scratch=scratch,
        progress=progress,
    )
    reading = DelimitedReading(file) if file.regular(head) else file.exact()
    return Table(columns=columns, kind="CSV", encoding=text.encoding, reading=reading)


_ADDRESS = re.compile(r"\s*[^\s@,;]+@[^\s@,;]+\.[^\s@,;]+\s*")


def _columns(path: Path, first: Record, *, headless: bool) -> tuple[tuple[str, ...], bool]:
    """Return the columns' names, and whether they are ours because the first row holds data."""
    where = f"{shown(path)}, first row"
    if first.fault:
        raise BadFile(f"the header cannot be read: {first.fault}", where=where, cure="Correct it, or export again")
    address = next((cell for cell in first.cells if _ADDRESS.fullmatch(cell)), None)
    if address is None:
        return header(first.cells, path), False
    if not headless:
        cure = "Put a row with the columns' names above it"
        raise BadFile("the first row is already data, for it holds an e-mail address", where=where, cure=cure)
    return tuple(f"column {number}" for number in range(1, len(first.cells) + 1)), True
