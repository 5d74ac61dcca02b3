"""Lists of people who opted out or may not be contacted: addresses and numbers in any text file, one or many a line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from comity.check.entity import OrgError

_ADDRESS = re.compile(r"[^\s,;|<>\"'()]+@[^\s,;|<>\"'()]+")
_NUMBER = re.compile(r"\+?\d[\d ().\-/]{5,}\d")
TABLE = "suppressed"


def read_lists(paths: Iterable[Path]) -> frozenset[str]:
    """Return every e-mail address (lower case) and phone number (digits alone) in the files. Raises OrgError."""
    return frozenset(entry for path in paths for entry in _entries(path))


def _entries(path: Path) -> frozenset[str]:
    try:
        text = path.read_text("utf-8-sig", errors="replace")
    except OSError as error:
        raise OrgError(f"the list {path} cannot be read: {error.strerror}") from None
    addresses = {found.lower().strip(".") for found in _ADDRESS.findall(text)}
    numbers = {digits(found) for found in _NUMBER.findall(_ADDRESS.sub(" ", text))}
    if not addresses | numbers:
        raise OrgError(f"the list {path} holds neither an e-mail address nor a phone number")
    return frozenset(addresses | numbers)


def digits(number: str) -> str:
    """Return a phone number's digits without the zeros or the plus before them, so that +49… and 0049… are one."""
    return re.sub(r"\D", "", number).lstrip("0")


def listed_sql(cell: str, *, phone: bool) -> str:
    """Return SQL that is 'listed' for a cell that stands in the lists."""
    entry = f"LTRIM(TRANSLATE({cell}, '+ ().-/', ''), '0')" if phone else f"LOWER(TRIM({cell}))"
    return f"CASE WHEN {entry} IN (SELECT cell FROM {TABLE}) THEN 'listed' ELSE NULL END"
