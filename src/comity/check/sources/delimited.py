"""CSV and its kin: cells between commas, semicolons, tabs or bars.

A regular file (UTF-8, RFC 4180) is read by DuckDB, in parallel, where it lies; DuckDB reads strictly, and the rows it
returns are counted against our own survey of the bytes. Wherever it refuses or the counts differ, and for every file that
is not regular, the exact path reads line by line, keeps what can be kept, and says of each other row why it cannot.

What counts as a row: every line with something on it, after the header. A quoted cell may go on over lines. A row with
fewer cells than the header has empty ones at its end; one with more is rejected unless the surplus is empty.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from comity.check.sources.badfile import BadFile, file_faults, shown
from comity.check.sources.staging import (
    LONGEST_LINE,
    Progress,
    Reading,
    Rejects,
    Scratch,
    StagedRows,
    Table,
    empty,
    header,
    header_only,
    quoted,
)
from comity.check.sources.texts import Text, open_text

_DELIMITERS = ",;\t|"
_DECLARED = re.compile(rb"\s*\"?sep=(.)\"?\r?\n?", re.IGNORECASE)  # Excel's own first line
_SNIFFED_ROWS = 1_000
_SHORT_IS_USUAL = 0.2  # share of short rows from which a file's writer just leaves empty cells out
_MOST_BROKEN = 8  # lines of one row that line breaks outside quotes have taken apart
_MOST_LINES = 100_000  # in one row; a quote that is still open then was never meant to enclose them


# ---------------------------------------------------------------- one row


class Broken(ValueError):
    """The quoting of a row cannot be understood; the text says why."""


class Row:
    """A row while it is read, line by line, until no quoted cell is open."""

    def __init__(self, delimiter: str, *, backslash: bool = False) -> None:
        self._delimiter = delimiter
        body = r'[^"\\]*(?:(?:""|\\.)[^"\\]*)*' if backslash else r'[^"]*(?:""[^"]*)*'
        self._body = re.compile(body, re.DOTALL)
        self._spaced = re.compile(rf' +"({body})" *(?={re.escape(delimiter)}|$)', re.DOTALL)
        self._unescape = re.compile(r'""|\\(.)', re.DOTALL) if backslash else None
        self._cells: list[str] = []
        self._open: list[str] | None = None

    def split(self, line: str, end: str) -> list[str] | None:
        """Return the row's cells, or None if a cell goes on in the next line, to be split next."""
        if self._open is None:
            if '"' not in line:
                return line.split(self._delimiter)
            self._cells, at = [], 0
        else:
            at = self._close(line, 0)
        while at <= len(line):
            at = self._close(line, at + 1) if line.startswith('"', at) else self._bare(line, at)
        if self._open is not None:
            self._open.append(end)
            return None
        return self._cells

    def forget(self) -> None:
        self._open = None

    def _bare(self, line: str, at: int) -> int:
        """Take the unquoted cell that begins at `at`; return where the next one begins."""
        spaced = self._spaced.match(line, at) if line.startswith(" ", at) else None
        if spaced:
            self._cells.append(self._plain(spaced[1]))
            return spaced.end() + 1
        end = line.find(self._delimiter, at)
        end = len(line) if end < 0 else end
        self._cells.append(line[at:end])
        return end + 1

    def _close(self, line: str, at: int) -> int:
        """Take the quoted text that goes on at `at`; return where the next cell begins, beyond the line if it is open."""
        body = self._body.match(line, at)
        end = body.end() if body else at
        parts = self._open or []
        if end >= len(line) or line[end] != '"':
            self._open = [*parts, line[at:]] if not parts else parts
            if parts:
                parts.append(line[at:])
            return len(line) + 1
        self._cells.append(self._plain("".join([*parts, line[at:end]])))
        self._open = None
        after = end + 1
        while line.startswith(" ", after):
            after += 1
        if after < len(line) and line[after] != self._delimiter:
            raise Broken("a quoted cell has text after its closing quote")
        return after + 1

    def _plain(self, text: str) -> str:
        if self._unescape is None:
            return text.replace('""', '"')
        return self._unescape.sub(lambda found: found[1] or '"', text)


@dataclass(frozen=True, slots=True)
class Record:
    """One row as it stands in the file: its cells, or why there are none; and its text."""

    cells: list[str]
    text: str
    fault: str = ""
    whole: bool = True  # the last line has its end


_LINE = re.compile(r"(?s)(.*?)(\r\n|\n|\r|)\Z")


def records(lines: Iterable[bytes], dialect: Dialect) -> Iterator[Record]:
    """Yield rows and broken rows. After a broken one, reading starts anew at the line below the row's first.

    Blank lines are not rows. Bytes that are not UTF-8 make the row that they stand in a broken one.
    """
    source = _Again(iter(lines))
    row = Row(dialect.delimiter, backslash=dialect.backslash)
    taken: list[bytes] = []
    size = 0
    for line in source:
        if not taken and _blank(line):
            continue
        taken.append(line)
        size += len(line)
        made = _record(row, taken, long=size > LONGEST_LINE or len(taken) > _MOST_LINES)
        if made is None:
            continue
        if made.fault == "" or len(taken) == 1 or made.cells:
            yield made
        else:
            yield _faulty(taken[:1], made.fault)
            source.give_back(taken[1:])
        taken, size = [], 0
    if taken:
        yield _faulty(taken[:1], _NEVER_CLOSED)
        if len(taken) > 1:
            yield from records(taken[1:], dialect)
