"""Excel workbooks (.xlsx): the first sheet that holds a table.

A workbook is a zip of XML, so a small file can ask for any amount of memory. Before it is opened, every part is
inflated once in small pieces, to see that its size is honest and how far its cells reach: calamine keeps the rectangle.
"""

from __future__ import annotations

import errno
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from comity.check.sources.badfile import BadFile, header_only, shown
from comity.check.sources.staging import Progress, Scratch, StagedRows, Table, header

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

Cell = int | float | str | bool | time | date | datetime | timedelta

_MOST_BYTES = 2 * 2**30  # inflated
_MOST_PARTS = 10_000
_MOST_CELLS = 50_000_000  # of a rectangle, empty ones among them: 32 bytes each
_BOMB_BYTES, _BOMB_RATIO = 200 * 2**20, 250  # XML shrinks some 20 to 60 times
_PIECE = 2**20
_OVERLAP = 64
_REFERENCE = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{0,3}\d{1,9})["']""")
_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_TITLE_ROWS = 30  # in which the header is looked for
_EXACT = 10**15
_SAVE = "Open it in a spreadsheet and save the sheet as CSV (UTF-8)"


def read_spreadsheet(
    path: Path, connection: duckdb.DuckDBPyConnection, *, scratch: Scratch, progress: Progress | None
) -> Table:
    """Open a workbook. BLIND SPOT: one long shared string that very many cells repeat can still fill the memory."""
    _inspect(path, progress)
    try:
        return _read(path, connection, scratch)
    except (BadFile, OSError):
        raise
    except BaseException as fault:  # a panic of calamine is no Exception
        if isinstance(fault, Exception) or type(fault).__name__ == "PanicException":
            raise _damaged(path) from fault
        raise


def _damaged(path: Path) -> BadFile:
    return BadFile("the Excel file is damaged", where=shown(path), cure="Open it in a spreadsheet and save it again")


# ---------------------------------------------------------------- before it is opened


def _inspect(path: Path, progress: Progress | None) -> None:
    with path.open("rb") as file:
        if file.read(2) != b"PK":
            raise _old_or_encrypted(path, file.read(2**20))
    try:
        with zipfile.ZipFile(path) as book:
            parts = book.infolist()
            _judge_kind(path, {part.filename for part in parts})
            _judge_sizes(path, parts)
            _judge_parts(path, book, parts, progress)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, RuntimeError) as fault:
        raise _damaged(path) from fault
    except OSError as fault:
        if fault.errno == errno.EINVAL:  # a part is said to lie before the beginning of the file
            raise _damaged(path) from fault
        raise


def _old_or_encrypted(path: Path, head: bytes) -> BadFile:
    if "EncryptedPackage".encode("utf-16-le") in head:
        cure = "Open it with its password and save a copy without one"
        return BadFile("the Excel file is encrypted with a password", where=shown(path), cure=cure)
    cure = "Open it in Excel, without a password if it has one, and save it as .xlsx"
    return BadFile("the file is an old Excel file (.xls) or an encrypted one", where=shown(path), cure=cure)


def _judge_kind(path: Path, names: set[str]) -> None:
    if "xl/workbook.bin" in names:
        raise BadFile("the file is a binary Excel file (.xlsb)", where=shown(path), cure="Save it as .xlsx")
    if "content.xml" in names:
        raise BadFile("the file is an OpenDocument file", where=shown(path), cure="Save it as .xlsx or CSV")
    if not any(name.lower().startswith("xl/") for name in names):
        raise BadFile("the file is a zip archive", where=shown(path), cure="Unpack it and name one file in it")


def _judge_sizes(path: Path, parts: list[zipfile.ZipInfo]) -> None:
    inflated = sum(part.file_size for part in parts)
    packed = max(1, path.stat().st_size)
    if len(parts) > _MOST_PARTS or inflated > _MOST_BYTES:
        raise BadFile(
            f"the Excel file is too large: {inflated:,} bytes in {len(parts):,} parts", where=shown(path), cure=_SAVE
        )
    if inflated > _BOMB_BYTES and inflated > _BOMB_RATIO * packed:
        raise BadFile(
            f"the Excel file grows {inflated // packed:,} times when it is opened, as only a zip bomb does",
            where=shown(path),
            cure="Do not open it if you do not know who made it; else save the sheet as CSV",
        )


def _judge_parts(path: Path, book: zipfile.ZipFile, parts: list[zipfile.ZipInfo], progress: Progress | None) -> None:
    total, done = sum(part.file_size for part in parts), 0
    for part in parts:
        reach = _Reach()
        # zipfile stops at the declared size, and complains if the check sum is of more
        with book.open(part) as opened:
            while piece := opened.read(_PIECE):
                reach.add(piece)
                done += len(piece)
                if progress:
                    progress(done, total)
        if reach.cells > _MOST_CELLS:
            raise BadFile(
                f"its cells reach over {reach.rows:,} rows and {reach.columns:,} columns, too many to open",
                where=f"{shown(path)}, {Path(part.filename).name}",
                cure=_SAVE,
            )


class _Reach:
    """How far the cells of a part reach, if it is a sheet."""

    def __init__(self) -> None:
        self.rows = self.columns = 0
        self._tail = b""
        self._sheet = False

    @property
    def cells(self) -> int:
        return self.rows * self.columns

    def add(self, piece: bytes) -> None:
        piece = self._tail + piece
        self._tail = piece[-_OVERLAP:]
        self._sheet = self._sheet or b"sheetData" in piece
        if self._sheet:
            references = b"\n".join(_REFERENCE.findall(piece)).upper()
            names = {*references.translate(None, b"0123456789").split(b"\n")}
            numbers = {*references.translate(None, _LETTERS).split(b"\n")} - {b""}
            self.columns = max(self.columns, *map(_column, names))
            self.rows = max([self.rows, *map(int, numbers)])


def _column(letters: bytes) -> int:
    """Return the number of a column: A is 1, AA is 27."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


# ---------------------------------------------------------------- its table


def _read(path: Path, connection: duckdb.DuckDBPyConnection, scratch: Scratch) -> Table:
    from python_calamine import CalamineWorkbook

    with CalamineWorkbook.from_path(str(path)) as book:
        names = _names(book)
        bare = False
        for name in names:
            found = _Sheet(book.get_sheet_by_name(name))
            if found.has_table:
                return _staged(path, connection, scratch, found, others=[other for other in names if other != name])
            bare = bare or found.has_header
    if bare:
        raise header_only(path)
    raise BadFile("no sheet of it has a table", where=shown(path), cure="Name a file whose sheet has a header and rows")


def _names(book: CalamineWorkbook) -> list[str]:
    """Return the names of the sheets, those that are shown first."""
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    sheets = [sheet for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    return [sheet.name for sheet in sorted(sheets, key=lambda sheet: sheet.visible != SheetVisibleEnum.Visible)]


class _Sheet:
    """A sheet's rows as text, without empty ones; calamine begins at the first used column."""

    def __init__(self, sheet: CalamineSheet) -> None:
        self.name = sheet.name
        self._sheet = sheet
        top = [sum(map(bool, row)) for row in islice(self._filled(), _TITLE_ROWS)]
        widest = max(top, default=0)
        self.titles = next((number for number, filled in enumerate(top) if 2 * filled >= widest), 0)
        self.has_header = bool(top)
        self.has_table = len(top) > self.titles + 1
        self.cells = next(islice(self._filled(), self.titles, None), []) if top else []

    def rows(self) -> Iterator[list[str]]:
        """Yield the rows below the header."""
        return islice(self._filled(), self.titles + 1, None)

    def width(self) -> int:
        """Return the number of columns that have a header or a cell in some row."""
        named = max((number for number, cell in enumerate(self.cells, 1) if cell), default=0)
        for row in self.rows():
            if any(row[named:]):
                named = max(number for number, cell in enumerate(row, 1) if cell)
        return named

    def _filled(self) -> Iterator[list[str]]:
        for row in self._sheet.iter_rows():
            cells = [text(cell) for cell in row]
            if any(cells):
                yield cells


def _staged(
    path: Path, connection: duckdb.DuckDBPyConnection, scratch: Scratch, sheet: _Sheet, *, others: list[str]
) -> Table:
    width = sheet.width()
    columns = header(sheet.cells[:width], path)
    with StagedRows(path=path, width=width, scratch=scratch) as staged:
        for number, row in enumerate(sheet.rows(), 1):
            staged.add(number, row[:width])
    reading = staged.reading(connection, notes=_notes(sheet, others))
    return Table(columns=columns, kind="Excel", encoding="", reading=reading)


def _notes(sheet: _Sheet, others: list[str]) -> list[str]:
    notes = []
    if others:
        named = ", ".join(f"'{name}'" for name in others[:5]) + (" …" if len(others) > 5 else "")  # noqa: PLR2004 - a line
        notes.append(f"Of the workbook, only the sheet '{sheet.name}' was read; not {named}.")
    if sheet.titles:
        notes.append(f"Rows above the sheet's header, which were not read: {sheet.titles}.")
    return notes


def text(cell: Cell) -> str:
    """Return a cell as text: dates as ISO writes them, whole numbers without a fraction."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _EXACT:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "seconds")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell)
