"""A file that cannot be read at all: what is wrong with it, where, and the cure."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_BARRED = {errno.EACCES, errno.EPERM}


class BadFile(Exception):
    """The whole file is refused. Its text is for the person who gave the file: place, fault and cure, in one line."""

    def __init__(self, what: str, *, where: str, cure: str) -> None:
        super().__init__(f"{where}: {what}. {cure}")
        self.what = what
        self.where = where
        self.cure = cure


def shown(path: Path) -> str:
    """Return the file's name as it can be printed, whatever its bytes and however long it is."""
    name = path.name or str(path)
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in name)[:255]


@contextmanager
def file_faults(path: Path) -> Iterator[None]:
    """Say what the operating system says about the file, or about the temporary copy, as a `BadFile`."""
    try:
        yield
    except OSError as fault:
        raise _fault(path, fault) from fault


def _fault(path: Path, fault: OSError) -> BadFile:
    where = shown(path)
    if fault.errno in _FULL:
        return BadFile(
            "the disk is full, so the file could not be copied to be read",
            where=where,
            cure="Free some space, or name a larger folder for temporary files in TMPDIR",
        )
    if isinstance(fault, FileNotFoundError | NotADirectoryError):
        return BadFile("there is no such file", where=where, cure="Check the path and the spelling of the name")
    if fault.errno in _BARRED:
        return BadFile("you may not read this file", where=where, cure="Ask its owner for the right to read it")
    why = fault.strerror or type(fault).__name__
    return BadFile(
        f"the file could not be read ({why})", where=where, cure="Copy the file to a local disk and try again"
    )


def header_only(path: Path) -> BadFile:
    return BadFile("the file has a header and no rows", where=shown(path), cure="Export it again, with its records")


def empty(path: Path) -> BadFile:
    return BadFile("the file is empty", where=shown(path), cure="Export it again")
