"""The files that an export can be: CSV, Excel, vCard 4 and JSON lines, each written row by row into any stream.

Rows are cells in the order of the columns. Whoever is left out is told to the writer too: an Excel file has them on a
sheet of their own; beside the others stands a file that the page of the export offers.
"""

from __future__ import annotations

import json
import re
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Final, cast
from xml.sax.saxutils import escape

from comity.book.exports.cells import SUSPECT, guarded, together
from comity.book.exports.columns import Cell, Column
from comity.book.exports.models import Format

SCHEMA: Final = "comity.export/1"
"""The version of a line of JSON; docs and tests hold export.schema.json to it."""
LEFT_OUT: Final = ("Person ref", "Verdict", "Because", "Missing")
"""The columns in which it is said who is not in the file, and why."""


@dataclass(frozen=True, kw_only=True)
class About:
    """What a file says of itself."""

    code: str
    entity: str
    purpose: str
    recipient: str
    asked_by: str
    asked_at: datetime

    def told(self) -> list[tuple[str, str]]:
        """Return it as names and values."""
        return [
            ("Export", f"comity-{self.code}"), ("Entity", self.entity), ("Purpose", self.purpose),
            ("Recipient", self.recipient), ("Asked by", self.asked_by), ("Asked at", self.asked_at.isoformat()),
        ]  # fmt: skip


class Writer(ABC):
    """Writes one file: the head when it is made, then rows, then the end."""

    media: str
    suffix: str

    def __init__(self, out: IO[bytes], columns: Sequence[Column], about: About) -> None:
        self.out, self.columns, self.about = out, columns, about
        self.begin()

    def begin(self) -> None:  # noqa: B027 - some files have nothing there
        """Write what stands before the rows."""

    @abstractmethod
    def people(self, cells: Sequence[Sequence[Cell]]) -> None:
        """Write the rows of some people, given column by column."""

    def end(self, left_out: Iterable[Sequence[str]]) -> None:
        """Write what stands behind the rows; `left_out` are rows of LEFT_OUT, for a file that has room for them."""
        del left_out


# ---------------------------------------------------------------- CSV


class Csv(Writer):
    """RFC 4180 in UTF-8, with the mark at its beginning by which spreadsheets know that it is."""

    media, suffix = "text/csv; charset=utf-8", "csv"

    def begin(self) -> None:
        self.out.write(b"\xef\xbb\xbf" + csv_bytes([[column.header] for column in self.columns]))

    def people(self, cells: Sequence[Sequence[Cell]]) -> None:
        self.out.write(csv_bytes(cells))


def csv_bytes(columns: Iterable[Sequence[Cell]]) -> bytes:
    """Return rows as CSV, given column by column, two at least; nothing in them is what a spreadsheet would run."""
    rows = zip(*map(_written, columns), strict=True)
    return "\r\n".join([*map(",".join, rows), ""]).encode("utf-8", "surrogatepass")


def _written(cells: Sequence[Cell]) -> Sequence[str]:
    """Return a column as it stands in the file. What few cells need is looked for in all of them at once."""
    texts = _texts(cells)
    whole = "\0".join(["", *texts])
    if _BEGINS_SUSPECT.search(whole):
        texts = list(map(guarded, texts))
    if _APART.search(whole):
        texts = [f'"{text.replace(QUOTE, QUOTE + QUOTE)}"' if _APART.search(text) else text for text in texts]
    return texts


def _texts(cells: Sequence[Cell]) -> Sequence[str]:
    """Return the cells of a column, which are all of one sort, as texts."""
    if cells and isinstance(cells[0], str):
        return cast("Sequence[str]", cells)
    return [together(cell) if cell else "" for cell in cells]


_BEGINS_SUSPECT: Final = re.compile(f"\0[{re.escape(''.join(SUSPECT))}]")
_APART: Final = re.compile('[",\r\n]')
"""What would end a cell that is not in quotes (RFC 4180, 2.6)."""
QUOTE: Final = '"'

# ---------------------------------------------------------------- JSON


class JsonLines(Writer):
    """One object a line; export.schema.json says what is in it."""

    media, suffix = "application/jsonl; charset=utf-8", "jsonl"

    def people(self, cells: Sequence[Sequence[Cell]]) -> None:
        headers = [column.header for column in self.columns]
        head = {"schema": SCHEMA, "export": self.about.code}
        rows = zip(*(list(map(_one_text, column)) for column in cells), strict=True)
        lines = (_encoded(head | {h: cell for h, cell in zip(headers, row, strict=True) if cell}) for row in rows)
        self.out.write("".join(f"{line}\n" for line in lines).encode("utf-8", "surrogatepass"))


def _one_text(cell: Cell) -> str:
    """Return a cell as one text, that reads back as one of CSV does: no list, since readers join those as they like."""
    text = cell if isinstance(cell, str) else together(cell)
    return guarded(text) if text[:1] == "'" else text


_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

# ---------------------------------------------------------------- vCard


class VCard(Writer):
    """RFC 6350. What has no property there is left out, but for the ref and the mark; so are refusals."""

    media, suffix = "text/vcard; charset=utf-8", "vcf"

    def people(self, cells: Sequence[Sequence[Cell]]) -> None:
        ids = [column.id for column in self.columns]
        rows = zip(*cells, strict=True)
        cards = (card(dict(zip(ids, row, strict=True)), code=self.about.code) for row in rows)
        self.out.write("".join(cards).encode("utf-8", "replace"))


NOT_TOLD: Final = "This card does not tell what its person refused or objected to. Comity does."
"""Said in each card; NOTE is what others write of a person, and so is no place for it."""
OCTETS: Final = 75
"""The longest line, without its end (RFC 6350, 3.2)."""


def card(cells: Mapping[str, Cell], *, code: str = "") -> str:
    """Return one vCard, by the ids of columns."""
    lines = ["BEGIN:VCARD", "VERSION:4.0", "PRODID:-//Comity//Export//EN", "KIND:individual", *_lines(cells)]
    if code:
        lines += [f"X-COMITY-EXPORT:comity-{code}", f"X-COMITY-NOTE:{NOT_TOLD}"]
    return "".join(_folded(line) for line in [*lines, "END:VCARD"])


def _lines(cells: Mapping[str, Cell]) -> Iterable[str]:
    given, family, full = (_text(cells.get(part, "")) for part in ("given", "family", "full"))
    emails, ref = _values(cells.get("email", "")), _text(cells.get("ref", ""))
    yield f"FN:{full or _whole(given, family) or next(iter(map(_escaped, emails)), '') or ref}"  # a card must have one
    if given or family:
        yield f"N:{family};{given};;;"
    for column, name in PROPERTIES.items():
        for value in _values(cells.get(column, "")):
            yield f"{name}:{_escaped(value)}"
    for value in _values(cells.get("address", "")):
        yield f"ADR:;;{_escaped(value)};;;;"
    if tags := _values(cells.get("tags", "")):
        yield "CATEGORIES:" + ",".join(map(_escaped, tags))
    if year := _text(cells.get("birth-year", "")):
        month = _text(cells.get("birth-month", ""))
        yield f"BDAY:{year:0>4}-{month:0>2}" if month else f"BDAY:{year:0>4}"


PROPERTIES: Final = {
    "email": "EMAIL", "phone": "TEL;VALUE=text", "organisation": "ORG", "post": "TITLE", "ref": "UID;VALUE=text",
    "mark": "X-COMITY-MARK",
}  # fmt: skip


def _whole(given: str, family: str) -> str:
    han = bool(family) and all("一" <= letter <= "鿿" for letter in family + given)
    return f"{family}{given}" if han else f"{given} {family}".strip()


def _values(cell: Cell) -> list[str]:
    return ([cell] if cell else []) if isinstance(cell, str) else cell


def _text(cell: Cell) -> str:
    return _escaped(cell if isinstance(cell, str) else together(cell))


def _escaped(text: str) -> str:
    for plain, written in (("\\", "\\\\"), (",", "\\,"), (";", "\\;"), ("\r\n", "\\n"), ("\n", "\\n"), ("\r", "\\n")):
        text = text.replace(plain, written)
    return _CONTROLS.sub("", text)


_CONTROLS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f]")


def _folded(line: str) -> str:
    """Break a line into lines of at most 75 octets, never within a character."""
    if line.isascii() and len(line) <= OCTETS:
        return f"{line}\r\n"
    pieces, piece, room = [], "", OCTETS
    for letter in line:
        size = len(letter.encode("utf-8", "replace"))
        if size > room:
            pieces.append(piece)
            piece, room = "", OCTETS - 1  # the space that says that a line goes on
        piece, room = piece + letter, room - size
    return "\r\n ".join([*pieces, piece]) + "\r\n"


# ---------------------------------------------------------------- Excel

MOST_ROWS: Final = 1_048_575
"""People for whom an Excel sheet has a row, below the one with the headers."""
LONGEST_CELL: Final = 32_767


class Excel(Writer):
    """Office Open XML (ECMA-376), all cells text: nothing in it is computed, and `+49…` stays what it is.

    Ours, since what the known packages write lies in the clear on the disk, or as a whole in memory, before it is done.
    """

    media, suffix = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"

    def begin(self) -> None:
        self.archive = zipfile.ZipFile(self.out, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        for name, text in {**FRAME, "docProps/custom.xml": _properties(self.about)}.items():
            self.archive.writestr(name, _XML + text)
        self.sheet = self._opened(1)
        self._put(self.sheet, [[column.header for column in self.columns]], head=True)

    def people(self, cells: Sequence[Sequence[Cell]]) -> None:
        rows = zip(*cells, strict=True)
        self._put(self.sheet, ([cell if isinstance(cell, str) else "\n".join(cell) for cell in row] for row in rows))

    def end(self, left_out: Iterable[Sequence[str]]) -> None:
        self._closed(self.sheet)
        for number, head, rows in ((2, LEFT_OUT, left_out), (3, ("About", ""), self.about.told())):
            sheet = self._opened(number)
            self._put(sheet, [head], head=True)
            self._put(sheet, rows)
            self._closed(sheet)
        self.archive.close()

    def _opened(self, number: int) -> IO[bytes]:
        sheet = self.archive.open(f"xl/worksheets/sheet{number}.xml", "w", force_zip64=True)
        sheet.write(f'{_XML}<worksheet xmlns="{_MAIN}">{_FROZEN}<sheetData>'.encode())
        return sheet

    def _put(self, sheet: IO[bytes], rows: Iterable[Sequence[str]], *, head: bool = False) -> None:
        text = "".join(f"<row>{''.join(_cell(each, head=head) for each in row)}</row>" for row in rows)
        sheet.write(text.encode("utf-8", "replace"))

    def _closed(self, sheet: IO[bytes]) -> None:
        sheet.write(b"</sheetData></worksheet>")
        sheet.close()


def _cell(text: str, *, head: bool) -> str:
    if not text:
        return "<c/>"
    style = ' s="1"' if head else ' s="2"' if text[0] in "=+-@" else ""  # 2: as if an apostrophe stood before it
    return f'<c t="inlineStr"{style}><is><t xml:space="preserve">{_xml(text[:LONGEST_CELL])}</t></is></c>'


_UNWRITTEN: Final = re.compile("_x(?=[0-9A-Fa-f]{4}_)|[\x00-\x08\x0b-\x1f\ufffe\uffff]")


def _xml(text: str) -> str:
    """Escape as XML does and, what XML cannot hold, as ECMA-376 does (22.9.2.19: _x000D_)."""
    return _UNWRITTEN.sub(lambda found: f"_x{ord(found[0][0]):04X}_{found[0][1:]}", escape(text))


def _properties(about: About) -> str:
    types = "http://schemas.openxmlformats.org/officeDocument/2006"
    told = "".join(
        f'<property fmtid="{{D5CDD505-2E9C-101B-9397-08002B2CF9AE}}" pid="{number}" name="{escape(name)}">'
        f"<vt:lpwstr>{_xml(value)}</vt:lpwstr></property>"
        for number, (name, value) in enumerate(about.told(), 2)
    )
    return f'<Properties xmlns="{types}/custom-properties" xmlns:vt="{types}/docPropsVTypes">{told}</Properties>'


_XML: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_SHEETML: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_FROZEN: Final = (
    '<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" '
    'state="frozen"/></sheetView></sheetViews>'
)
SHEETS: Final = ("People", "Left out", "About")
FRAME: Final = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEETML}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_SHEETML}.styles+xml"/>'
        '<Override PartName="/docProps/custom.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.custom-properties+xml"/>'
        + "".join(
            f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_SHEETML}.worksheet+xml"/>'
            for n in (1, 2, 3)
        )
        + "</Types>"
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
        f'<Relationship Id="rId2" Type="{_OFFICE}/custom-properties" Target="docProps/custom.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        + "".join(f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(SHEETS, 1))
        + "</sheets></workbook>"
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        + "".join(
            f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
            for n in (1, 2, 3)
        )
        + f'<Relationship Id="rId4" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
    ),
    "xl/styles.xml": (
        f'<styleSheet xmlns="{_MAIN}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/>'
        '<sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/>'
        '</fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/>'
        '<top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" '
        'borderId="0"/></cellStyleXfs><cellXfs count="3"><xf numFmtId="49" fontId="0" fillId="0" borderId="0" '
        'xfId="0"/><xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/><xf numFmtId="49" '
        'fontId="0" fillId="0" borderId="0" xfId="0" quotePrefix="1"/></cellXfs></styleSheet>'
    ),
}
"""The parts of the archive that are the same in every file."""

WRITERS: Final[Mapping[str, type[Writer]]] = {
    Format.CSV: Csv, Format.XLSX: Excel, Format.VCARD: VCard, Format.JSON: JsonLines,
}  # fmt: skip
