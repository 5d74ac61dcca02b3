"""A folder as a store: CSV files and files of JSON lines, one collection in a file or in a folder of them.

It is used as buckets are: files are listed, read, and replaced whole. A file in which something was erased is written
beside and put in the place of the old one, if that is still as it was read; every other line stays as it was, byte for
byte.
"""

from __future__ import annotations

import csv
import json
import os
import tempfile
from collections.abc import Collection as Several
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Final, cast

from comity.rights.connectors.datasets import Collection, Key
from comity.rights.connectors.masking import Erased, ToErase, masked_fields, put, stand_in
from comity.rights.connectors.stores import StoreError
from comity.rights.connectors.walking import Cells, Value, Via, alike, values_in

CSV, LINES = (".csv",), (".jsonl", ".ndjson")
LONGEST_LINE: Final = 4_000_000
BOM: Final = "\ufeff"


@dataclass(frozen=True, slots=True)
class Line:
    """One record of a file as it stands there, and what it says; the head of a CSV file says nothing."""

    raw: str
    cells: Cells | None


class Folder:
    """What a bucket can do, in a folder of this machine: list, read, replace."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> list[str]:
        """Return the files, by their path below the folder. Raises StoreError."""
        if not self.path.is_dir():
            raise StoreError(f"the folder {self.path} is not there, or not open to us")
        found = (each for each in self.path.rglob("*") if each.is_file() and not each.is_symlink())
        return sorted(str(each.relative_to(self.path)) for each in found if not each.name.startswith("."))

    def lines(self, name: str) -> Iterator[str]:
        """Give the lines of a file as they stand there. Raises StoreError."""
        try:
            with (self.path / name).open(encoding="utf-8", newline="") as file:
                while line := file.readline(LONGEST_LINE):
                    if len(line) == LONGEST_LINE:
                        raise StoreError(f"{name}: a line has more than {LONGEST_LINE:,} letters")
                    yield line
        except UnicodeDecodeError:
            raise StoreError(f"{name} is not UTF-8; save it so") from None
        except OSError as error:
            raise StoreError(f"{name} cannot be read: {error.strerror}") from None

    def mark(self, name: str) -> tuple[int, ...]:
        """Return what changes whenever a file does."""
        try:
            told = (self.path / name).stat()
        except OSError as error:
            raise StoreError(f"{name} cannot be read: {error.strerror}") from None
        return told.st_ino, told.st_size, told.st_mtime_ns

    def write_beside(self, name: str, lines: Iterable[str]) -> Path:
        """Write what a file is to be, beside it. Raises StoreError."""
        there = self.path / name
        aside = None
        try:
            handle, aside = tempfile.mkstemp(dir=there.parent, prefix=f".{there.name}.", suffix=".part")
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.writelines(lines)
                file.flush()
                os.fchmod(file.fileno(), there.stat().st_mode & 0o777)
                os.fsync(file.fileno())
        except (OSError, StoreError) as error:
            if aside:
                Path(aside).unlink(missing_ok=True)
            if isinstance(error, StoreError):
                raise
            raise StoreError(f"{name} cannot be written anew: {error.strerror}") from None
        return Path(aside)

    def replace(self, name: str, aside: Path, mark: tuple[int, ...]) -> None:
        """Put what was written in the place of a file that is still as it was. Raises StoreError if it is not."""
        if self.mark(name) != mark:
            raise StoreError(f"{name} was changed by somebody else meanwhile; try again")
        try:
            aside.replace(self.path / name)
        except OSError as error:
            raise StoreError(f"{name} cannot be replaced: {error.strerror}") from None
        folder = os.open((self.path / name).parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class FolderStore:
    """The collections of one dataset, in the files of one folder."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    # ------------------------------------------------------------ finding

    def find(
        self, collection: Collection, field: str, values: Several[Value], *, identity: str = ""
    ) -> Iterator[Cells]:
        """Give the rows that have one of these values in a field. Raises StoreError."""
        sought = {alike(each, identity) for each in values}
        for cells in self._rows(collection):
            if any(alike(each, identity) in sought for each in values_in(cells, field)):
                yield cells

    def others(
        self, collection: Collection, field: str, values: Several[Value], but: Several[tuple[Value, ...]]
    ) -> set[Value]:
        """Return which of these values rows have in a field that are none of those whose ids are given."""
        sought, found = {alike(each): each for each in values}, set[Value]()
        for cells in self._rows(collection):
            there = {alike(each) for each in values_in(cells, field)} & sought.keys()
            if there and self.id_of(collection, cells) not in but:
                found |= {sought[each] for each in there}
        return found

    def id_of(self, collection: Collection, cells: Cells) -> tuple[Value, ...]:
        """Return the key of a row; where the description names none, all of it."""
        return tuple(_plain(cells.get(name)) for name in collection.primary or collection.columns)

    def _rows(self, collection: Collection) -> Iterator[Cells]:
        for name in self.files_of(collection.key):
            for line in self._read(name, collection):
                if line.cells is not None:
                    yield line.cells

    def files_of(self, key: Key) -> list[str]:
        """Return the files of a collection: one called as it is, or all in a folder called so. Raises StoreError."""
        kinds = CSV + LINES
        whole = {f"{key.name}{kind}" for kind in kinds}
        names = (name for name in self.folder.names() if name.endswith(kinds))
        found = [name for name in names if name in whole or name.startswith(f"{key.name}/")]
        if not found:
            raise StoreError(f"{key}: there is no file {key.name}.csv or {key.name}.jsonl, and no folder {key.name}/")
        return found

    def _read(self, name: str, collection: Collection) -> Iterator[Line]:
        read = _csv_lines if name.endswith(CSV) else _json_lines
        try:
            yield from read(self.folder.lines(name), collection, name)
        except csv.Error as error:
            raise StoreError(f"{name} is not CSV: {error}") from None

    # ------------------------------------------------------------ erasing

    def erase(self, wanted: Sequence[ToErase], categories: Several[str]) -> Sequence[Erased]:
        """Mask or delete rows. All files are written beside before the first is replaced. Raises StoreError."""
        ready: list[tuple[str, Path, tuple[int, ...]]] = []
        counted: dict[Key, int] = {}
        try:
            for each in wanted:
                for name in self.files_of(each.collection.key):
                    mark, many = self.folder.mark(name), [0]
                    ready.append((name, self.folder.write_beside(name, self._left(name, each, categories, many)), mark))
                    counted[each.collection.key] = counted.get(each.collection.key, 0) + many[0]
            for name, aside, mark in ready:
                self.folder.replace(name, aside, mark)
        finally:
            for _name, aside, _mark in ready:
                with suppress(OSError):
                    aside.unlink(missing_ok=True)
        return [
            Erased(key=each.collection.key, rows=counted[each.collection.key], deleted=each.collection.deleted)
            for each in wanted
        ]

    def _left(self, name: str, wanted: ToErase, categories: Several[str], many: list[int]) -> Iterator[str]:
        """Give the lines that a file is to have, and count those that are not as they were."""
        collection = wanted.collection
        vias: dict[tuple[Value, ...], Via] = dict(wanted.rows)
        fields = masked_fields(collection, categories)
        for line in self._read(name, collection):
            via = vias.get(self.id_of(collection, line.cells)) if line.cells is not None else None
            if line.cells is None or via is None or not _still(line.cells, via) or not (collection.deleted or fields):
                yield line.raw
                continue
            many[0] += 1
            if not collection.deleted:
                masked: Cells = line.cells
                for each in fields:
                    blank = stand_in(each, str, nullable=True)
                    masked = cast("Cells", put(dict(masked), each.path, blank))
                yield _written(masked, line.raw, name)


def _still(cells: Cells, via: Via) -> bool:
    return any(alike(each) == alike(via.value) for each in values_in(cells, via.field))


def _plain(value: object) -> Value:
    return json.dumps(value, sort_keys=True) if isinstance(value, dict | list) else value


def _csv_lines(lines: Iterator[str], collection: Collection, name: str) -> Iterator[Line]:
    taken: list[str] = []

    def taking() -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line

    reader = csv.reader(taking(), strict=True)
    head = next(reader, [])
    columns = [each.removeprefix(BOM) for each in head]
    yield Line("".join(taken), None)
    if missing := [each for each in collection.columns if each not in columns]:
        raise StoreError(f"{name} has no column {missing[0]!r}, which {collection.place.file} describes")
    taken.clear()
    for row in reader:
        if row and len(row) != len(columns):
            raise StoreError(
                f"{name}, line {reader.line_num}: {len(row)} cells stand there, and {len(columns)} columns"
            )
        cells = {column: cell or None for column, cell in zip(columns, row, strict=True)} if row else None
        yield Line("".join(taken), cells)
        taken.clear()


def _json_lines(lines: Iterator[str], collection: Collection, name: str) -> Iterator[Line]:
    del collection  # a key that is not there says nothing
    for number, line in enumerate(lines, 1):
        if not line.strip().removeprefix(BOM):
            yield Line(line, None)
            continue
        try:
            told = json.loads(line.removeprefix(BOM))
        except (ValueError, RecursionError):
            raise StoreError(f"{name}, line {number}: this is no JSON") from None
        if not isinstance(told, dict):
            raise StoreError(f"{name}, line {number}: this is no object")
        yield Line(line, told)


def _written(cells: Mapping[str, object], raw: str, name: str) -> str:
    """Write a record as the others are written: its end of line, and all that was not masked, as it was."""
    end = raw[len(raw.rstrip("\r\n")) :]
    if not name.endswith(CSV):
        return json.dumps(cells, ensure_ascii=False) + end
    out = StringIO()
    csv.writer(out, lineterminator="").writerow(["" if each is None else each for each in cells.values()])
    return out.getvalue() + end
