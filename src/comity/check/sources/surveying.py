"""Every byte of a text file looked at once, by as many processes as there are cores. Nothing but the standard library.

A part of a file can be looked at before it is known whether it begins within quotes: it is counted both ways, and told
when the parts before it are put together with it. This module is run as a program for every part but the first.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LONGEST_LINE = 16 * 2**20  # bytes; a longer line is no row of a customer list
_PIECE = 2**18  # small enough for the processor to keep it near
_WORTHWHILE = 64 * 2**20  # bytes of a part for which it pays to start a process
_MOST_PARTS = 4
_KEPT = b'"\r\n,;\t|'
_OTHER_BYTES = bytes(set(range(256)) - set(_KEPT))
_GAP = re.compile(rb"\n\r?\n")


class EndlessLine(ValueError):
    """A line is longer than any row; `at` is where it begins, in bytes."""

    def __init__(self, at: int) -> None:
        self.at = at
        super().__init__(f"a line is longer than {LONGEST_LINE // 2**20} MB")


class HasNul(ValueError):
    """There is a NUL; `line` says where, counted in line feeds from the beginning of the part."""

    def __init__(self, line: int) -> None:
        self.line = line
        super().__init__("the text has NUL bytes")


class Part(NamedTuple):
    """What a run of whole lines has shown. Of a pair, the first is so if it begins outside quotes."""

    valid: bool = True  # UTF-8 throughout
    newlines: tuple[int, int] = (0, 0)  # line feeds that no quotes enclose
    returns: tuple[int, int] = (0, 0)  # of these, the ones with a carriage return before them
    gaps: tuple[int, int] = (0, 0)  # pieces with a line without a delimiter that no quotes enclose
    lone_returns: bool = False  # there is a carriage return without a line feed after it
    turns: bool = False  # the number of quotes is odd
    ended: bool = True  # the last line has its end
    lines: int = 0  # line feeds, enclosed or not

    def and_then(self, after: Part) -> Part:
        """Return what this part and the one after it have shown together."""
        begins = (1, 0) if self.turns else (0, 1)  # which way the part after it does, for each way of this one

        def both(mine: tuple[int, int], its: tuple[int, int]) -> tuple[int, int]:
            return mine[0] + its[begins[0]], mine[1] + its[begins[1]]

        return Part(
            valid=self.valid and after.valid,
            newlines=both(self.newlines, after.newlines),
            returns=both(self.returns, after.returns),
            gaps=both(self.gaps, after.gaps),
            lone_returns=self.lone_returns or after.lone_returns,
            turns=self.turns != after.turns,
            ended=after.ended,
            lines=self.lines + after.lines,
        )


# ---------------------------------------------------------------- pieces of a file


def pieces(
    path: Path | str, start: int, end: int | None = None, progress: Callable[[int, int], None] | None = None
) -> Iterator[bytes]:
    """Yield the bytes from `start` to `end`, about a quarter of a megabyte at a time, always whole lines.

    Raises EndlessLine.
    """
    with open(path, "rb") as opened:  # noqa: PTH123 - pathlib would take longer to load than the rest of this
        size = os.fstat(opened.fileno()).st_size
        opened.seek(start)
        while piece := opened.read(_PIECE if end is None else min(_PIECE, end - opened.tell())):
            yield piece + _rest_of_line(piece, opened)
            if progress:
                progress(opened.tell(), size)


def _rest_of_line(piece: bytes, opened: BinaryIO) -> bytes:
    if piece.endswith(b"\n"):
        return b""
    rest = opened.readline(LONGEST_LINE)
    if len(rest) < LONGEST_LINE or rest.endswith(b"\n"):
        return rest
    cut = rest.rfind(b"\r", 0, -1) + 1  # lines of an old Macintosh end so
    if not cut:
        raise EndlessLine(opened.tell() - len(rest))
    opened.seek(cut - len(rest), os.SEEK_CUR)
    return rest[:cut]


# ---------------------------------------------------------------- looking


def looked_at(path: Path | str, start: int, *, progress: Callable[[int, int], None] | None = None) -> Part:
    """Look at every byte from `start` on. Raises EndlessLine, HasNul."""
    cuts = [start, *_cuts(path, start)]
    if len(cuts) == 1:
        return _part(path, start, None, progress)
    others: list[subprocess.Popen[bytes]] = []
    try:
        others += [_begun(path, begin, end) for begin, end in zip(cuts[1:], [*cuts[2:], None], strict=True)]
        whole = _part(path, start, cuts[1], _of_all(progress, len(cuts)))
        for other in others:
            whole = whole.and_then(_told(other))
    except (ValueError, OSError):  # whatever it is, one process finds it and says where
        return _part(path, start, None, progress)
    finally:
        for other in others:
            other.kill()
            with other:  # it is waited for, and its pipe closed
                pass
    return whole


def _cuts(path: Path | str, start: int) -> Iterator[int]:
    """Yield where a line begins, for each further part of a file that is large enough to be divided."""
    size = os.stat(path).st_size - start  # noqa: PTH116 - as above
    parts = min(os.cpu_count() or 1, _MOST_PARTS, size // _WORTHWHILE)
    with open(path, "rb") as opened:  # noqa: PTH123 - as above
        for part in range(1, parts):
            opened.seek(start + part * size // parts)
            if not opened.readline(LONGEST_LINE).endswith(b"\n"):
                return
            yield opened.tell()


def _begun(path: Path | str, start: int, end: int | None) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-I", "-S", __file__, os.fspath(path), str(start), "" if end is None else str(end)]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603 - our own file


def _told(other: subprocess.Popen[bytes]) -> Part:
    out, _err = other.communicate()
    valid, newlines, returns, gaps, *rest = json.loads(out)
    return Part(valid, tuple(newlines), tuple(returns), tuple(gaps), *rest)


def _of_all(progress: Callable[[int, int], None] | None, parts: int) -> Callable[[int, int], None] | None:
    """Tell of the first part's progress as of the whole's: the others go on beside it."""
    if progress is None:
        return None
    return lambda at, size: progress(min(at * parts, size), size)


def _part(path: Path | str, start: int, end: int | None, progress: Callable[[int, int], None] | None = None) -> Part:
    found = Part()
    for piece in pieces(path, start, end, progress):
        if b"\0" in piece:
            raise HasNul(found.lines + piece.count(b"\n", 0, piece.index(b"\0")) + 1)
        found = found.and_then(_piece(piece))
    return found


def _piece(piece: bytes) -> Part:
    """Count the line ends of some lines, as fast as the bytes come: only whether quotes before it are even matters."""
    marks = piece.translate(None, _OTHER_BYTES)
    returns = marks.count(b"\r")
    parts = marks.replace(b'""', b"").split(b'"')
    outside, inside = b'"'.join(parts[::2]), b'"'.join(parts[1::2])
    return Part(
        valid=piece.isascii() or _decodes(piece),
        newlines=(outside.count(b"\n"), inside.count(b"\n")),
        returns=(outside.count(b"\r\n"), inside.count(b"\r\n")) if returns else (0, 0),
        gaps=(bool(_GAP.search(b"\n" + outside)), bool(_GAP.search(inside))),
        # a return and a line feed may meet only because what stood between them is left out
        lone_returns=bool(returns) and returns != piece.count(b"\r\n"),
        turns=len(parts) % 2 == 0,
        ended=piece.endswith((b"\n", b"\r")),
        lines=marks.count(b"\n"),
    )


def _decodes(line: bytes) -> bool:
    with suppress(UnicodeDecodeError):
        line.decode()
        return True
    return False


if __name__ == "__main__":
    _file, _start, _end = sys.argv[1:]
    sys.stdout.write(json.dumps(_part(_file, int(_start), int(_end) if _end else None)))
