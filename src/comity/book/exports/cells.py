"""One cell of a CSV file: several values in it, and nothing that a spreadsheet would run; read back as it was.

Each function has its inverse beside it, and for every text `unguarded(guarded(text)) == text` and
`apart(together(values)) == values`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

SUSPECT: Final = frozenset("'=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""Letters with which a cell must begin for `guarded` to change it."""
_RUN: Final = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""What spreadsheets take for a formula or a command, the full-width forms too; and the same behind apostrophes."""
_NEXT: Final = re.compile(r"\n(?! )")


def guarded(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: an apostrophe stands before what could be one."""
    return "'" + text if text[:1] in SUSPECT and _RUN.match(text) else text


def unguarded(text: str) -> str:
    """Return what `guarded` was given; a text that it cannot have written is left alone."""
    return text[1:] if text[:1] == "'" and _RUN.match(text) else text


def together(values: Iterable[str]) -> str:
    """Return several values as one cell, a line each. A further line of the same value begins with a space."""
    return "\n".join([_one(value) for value in values if value])


def apart(cell: str) -> list[str]:
    """Return the values that `together` put into a cell."""
    return [_read(line) for line in _NEXT.split(cell)] if cell else []


def _one(value: str) -> str:
    folded = value.replace("\n", "\n ") if "\n" in value else value
    return "\\" + folded if folded[0] in " \\\n" else folded


def _read(line: str) -> str:
    bare = line[1:] if line[:1] == "\\" else line
    return bare.replace("\n ", "\n")
