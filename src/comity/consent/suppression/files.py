"""Files of addresses and numbers, one a line or in a column of a table: read line by line, and hashed at once."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from comity.book.models import Reach
from comity.consent.suppression.marks import Mark, Unclear, mark_of

FIRST_SHOWN: Final = 5
"""Lines that are named where something in them was not understood. What stands in them is shown to nobody."""
DELIMITERS: Final = ",;\t|"
SAMPLE: Final = 4_096


@dataclass
class Read:
    """What was found in a file."""

    taken: int = 0
    unclear: int = 0
    lines: list[int] = field(default_factory=list)  # the first of those that were unclear

    def miss(self, line: int) -> None:
        """Count a line in which nothing was found; the first line may be a header."""
        if line == 1:
            return
        self.unclear += 1
        if len(self.lines) < FIRST_SHOWN:
            self.lines.append(line)


def marks_in(
    file: BinaryIO, read: Read, *, reach: str | None = None, places: Iterable[str] = ()
) -> Iterator[Mark]:  # fmt: skip
    """Give the mark of each line: of its first cell that is an address of this kind, or of either kind if none is said.

    `read` counts while the lines are read.
    """
    home = tuple(places)
    ways: tuple[Callable[[str], Mark], ...] = (
        (lambda cell: mark_of(reach, cell, places=home),)
        if reach
        else (lambda cell: mark_of(Reach.EMAIL, cell), lambda cell: mark_of(Reach.PHONE, cell, places=home))
    )
    for number, cells in enumerate(_rows(file), 1):
        if not any(cell.strip() for cell in cells):
            continue
        if (mark := _first(cells, ways)) is None:
            read.miss(number)
            continue
        read.taken += 1
        yield mark


def _first(cells: Iterable[str], ways: Iterable[Callable[[str], Mark]]) -> Mark | None:
    for cell in cells:
        for way in ways:
            try:
                return way(cell)
            except Unclear:
                continue
    return None


def _rows(file: BinaryIO) -> Iterator[list[str]]:
    """Give the cells of each line, whatever separates them; bytes that are no text stay unreadable, and are missed."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="")
    head = text.read(SAMPLE)
    text.seek(0)
    separator = max(DELIMITERS, key=head.count)
    try:
        yield from _cells(csv.reader((line.replace("\0", "") for line in text), delimiter=separator))
    finally:
        text.detach()  # whoever opened the file closes it


def _cells(lines: Iterator[list[str]]) -> Iterator[list[str]]:
    """Give the lines; one that is no line of a table, such as one without an end, as a cell that is no address."""
    while True:
        try:
            yield next(lines)
        except StopIteration:
            return
        except csv.Error:
            yield ["?"]
