"""vCard 2.1, 3.0 and 4.0: one card a person, as address books export them."""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from comity.check.sources.badfile import BadFile, shown
from comity.check.sources.staging import Progress, Rejects, Scratch, StagedRows, Table
from comity.check.sources.surveying import LONGEST_LINE
from comity.check.sources.texts import open_text

COLUMNS = (
    "Full Name",
    "First Name",
    "Last Name",
    "Email",
    "Other Emails",
    "Phone",
    "Other Phones",
    "Street",
    "City",
    "State",
    "Postal Code",
    "Country",
    "Birthday",
    "Gender",
    "Language",
    "Company",
    "Title",
    "Kind",
    "Categories",
    "Notes",
    "UID",
)
_SPLIT = re.compile(r"(?<!\\);")
_ESCAPED = re.compile(r"\\([\\;,:nN])")
_BIRTHDAY = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:T.*)?")
_SIMPLE = {
    "FN": "Full Name",
    "BDAY": "Birthday",
    "GENDER": "Gender",
    "LANG": "Language",
    "TITLE": "Title",
    "KIND": "Kind",
    "CATEGORIES": "Categories",
    "NOTE": "Notes",
    "UID": "UID",
}
_MANY = {"EMAIL": ("Email", "Other Emails"), "TEL": ("Phone", "Other Phones")}
_ADDRESS = ("Street", "City", "State", "Postal Code", "Country")
_BINARY = {"PHOTO", "LOGO", "SOUND", "KEY"}


class Malformed(ValueError):
    """A card cannot be read; the text says why."""


@dataclass(frozen=True)
class Property:
    """One line of a card, unfolded: TEL;TYPE=CELL:+49 30 1234."""

    name: str
    parameters: frozenset[str]  # as written, in capitals: 'TYPE=CELL', 'PREF'
    value: str

    @property
    def preferred(self) -> bool:
        return any(text in {"PREF", "PREF=1", "TYPE=PREF"} or "PREF" in text.split(",") for text in self.parameters)

    def parts(self) -> list[str]:
        """Return the value's parts, which semicolons divide."""
        return [_plain(part) for part in _SPLIT.split(self.value)]


def read_vcards(
    path: Path, connection: duckdb.DuckDBPyConnection, *, scratch: Scratch, progress: Progress | None
) -> Table:
    """Open a vCard file. Cards are told apart by BEGIN and END; one without its END is rejected."""
    text = open_text(path, scratch, progress)
    rejects = Rejects(shown(path))
    with StagedRows(path=path, width=len(COLUMNS), scratch=scratch) as staged:
        for row, lines in enumerate(_cards(text.lines(progress)), 1):
            try:
                found = _cells(lines)
                staged.add(row, [found.get(name, "") for name in COLUMNS])
            except Malformed as fault:
                rejects.add(row=row, why=str(fault), text=b"\n".join(lines).decode("utf-8", "backslashreplace"))
    if not staged.count and not rejects.rows:
        raise BadFile("the file has no card", where=shown(path), cure="Export the address book again")
    reading = staged.reading(connection, rejects=rejects.rows)
    return Table(columns=COLUMNS, kind="vCard", encoding=text.encoding, reading=reading)


def _cards(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    """Yield the lines of each card, from its BEGIN; a card that was cut off lacks its END."""
    card: list[bytes] = []
    size = 0
    for ended in lines:
        line = ended.rstrip(b"\r\n")
        mark = line.strip().upper()
        if mark == b"BEGIN:VCARD" and card:
            yield card
            card, size = [], 0
        if mark == b"BEGIN:VCARD" or card or mark:
            size += len(line)
            if size <= LONGEST_LINE:
                card.append(line)
        if mark == b"END:VCARD":
            yield card
            card, size = [], 0
    if card:
        yield card


def _cells(lines: list[bytes]) -> dict[str, str]:
    if lines[0].strip().upper() != b"BEGIN:VCARD":
        raise Malformed("it does not begin with BEGIN:VCARD")
    if lines[-1].strip().upper() != b"END:VCARD":
        raise Malformed("the card has no END:VCARD, or is longer than 16 MB")
    cells: dict[str, str] = {}
    properties = sorted((_property(line) for line in _unfolded(lines[1:-1])), key=lambda found: not found.preferred)
    for found in properties:
        _take(found, cells)
    if not cells.get("Full Name"):
        cells["Full Name"] = " ".join(filter(None, (cells.get("First Name"), cells.get("Last Name"))))
    return cells


def _unfolded(lines: list[bytes]) -> Iterator[bytes]:
    """Join what was folded: lines that begin with a space, and after a quoted-printable line that ends in '='."""
    whole: list[bytes] = []
    printable = False
    for line in lines:
        if whole and printable and whole[-1].endswith(b"="):
            whole[-1:] = [whole[-1][:-1], line]
        elif whole and line.startswith((b" ", b"\t")):
            whole.append(line[1:])
        else:
            if whole:
                yield b"".join(whole)
            whole = [line]
            printable = b"QUOTED-PRINTABLE" in line.partition(b":")[0].upper()
    if whole:
        yield b"".join(whole)


def _property(line: bytes) -> Property:
    head, colon, value = _halves(line)
    if not colon:
        if line.strip():
            raise Malformed("a line of it has no colon")
        return Property("", frozenset(), "")
    name, *parameters = head.decode("utf-8", "replace").upper().split(";")
    name = name.rpartition(".")[2].strip()  # item1.EMAIL
    if name in _BINARY:
        return Property("", frozenset(), "")
    return Property(name, frozenset(parameters), _decoded(value, parameters))


def _halves(line: bytes) -> tuple[bytes, bytes, bytes]:
    """Split at the first colon that no quotes enclose."""
    at = -1
    while (at := line.find(b":", at + 1)) >= 0:
        if line.count(b'"', 0, at) % 2 == 0:
            return line[:at], b":", line[at + 1 :]
    return line.partition(b":")


def _decoded(value: bytes, parameters: list[str]) -> str:
    charset = next((text[8:].strip('"') for text in parameters if text.startswith("CHARSET=")), "utf-8")
    if any(text in {"QUOTED-PRINTABLE", "ENCODING=QUOTED-PRINTABLE"} for text in parameters):
        value = quopri.decodestring(value)
    else:
        charset = "utf-8"  # the file's own encoding is undone already
    try:
        return value.decode(charset).replace("\0", "")
    except (LookupError, UnicodeError):  # 'hex' is a codec too, and looking it up as text fails
        raise Malformed(f"it has characters that are not {charset[:40]}") from None


def _take(found: Property, cells: dict[str, str]) -> None:
    if found.name == "N":
        last, first, *_ = [*found.parts(), "", ""]
        cells.setdefault("Last Name", last)
        cells.setdefault("First Name", first)
    elif found.name == "ADR":
        _take_address(found, cells)
    elif found.name == "ORG":
        cells.setdefault("Company", found.parts()[0])
    elif found.name in _MANY:
        first, others = _MANY[found.name]
        value = re.sub(r"^(tel|mailto):", "", _plain(found.value), flags=re.IGNORECASE).strip()
        cells[others if cells.get(first) else first] = ";".join(filter(None, (cells.get(others, ""), value)))
    elif found.name in _SIMPLE:
        column = _SIMPLE[found.name]
        value = _birthday(found.value) if found.name == "BDAY" else _plain(found.value)
        cells[column] = ";".join(filter(None, (cells.get(column, ""), value)))


def _take_address(found: Property, cells: dict[str, str]) -> None:
    """Take the first address that names anything: box, extension, street, city, region, code, country."""
    if not cells.keys() & {*_ADDRESS}:
        parts = [*found.parts(), *[""] * 7][2:7]
        cells.update({column: part for column, part in zip(_ADDRESS, parts, strict=True) if part})


def _birthday(value: str) -> str:
    written = _BIRTHDAY.fullmatch(value.strip())
    return "-".join(written.groups()) if written else value.strip()


def _plain(value: str) -> str:
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], value).strip()
