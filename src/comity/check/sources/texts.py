"""A text file as UTF-8: its encoding found, every byte of it looked at once, and its lines given in bounded memory.

A file in UTF-8 is read where it lies. Any other encoding becomes a temporary copy in UTF-8, in which a byte 0xFF, that
UTF-8 does not have, stands where something could not be decoded; so the row around it can be found and rejected.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from comity.check.sources import charsets
from comity.check.sources.badfile import BadFile, empty, shown
from comity.check.sources.staging import Progress, Scratch
from comity.check.sources.surveying import EndlessLine, HasNul, looked_at, pieces

_PIECE = 2**18  # as it is read to be converted
_FEW = 2
_SAMPLE = 32 * 2**10
_UNDECODABLE = b"\xff"
_CONTROLS = bytes(set(range(0x20)) - set(b"\t\n\r\f\x1a")) + b"\x7f"
_MARKS = (  # the longer mark first: UTF-32's begins like UTF-16's
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What one pass over the bytes of a UTF-8 file has shown."""

    valid: bool  # UTF-8 throughout
    newlines: int  # line feeds that no quotes enclose, if every quote is paired
    returns: int  # of these, the ones with a carriage return before them
    lone_returns: bool  # there is a carriage return without a line feed after it
    unpaired: bool  # the number of quotes is odd
    ended: bool  # the last line has its end
    gaps: bool  # there is a line without a delimiter that no quotes enclose; it may be blank

    @property
    def records(self) -> int:
        """Rows, the header and blank lines among them, if the file keeps to RFC 4180."""
        return self.newlines + (not self.ended)

    @property
    def regular(self) -> bool:
        """Tell whether it is the kind of file that two readers cannot read differently."""
        one_end = self.returns in {0, self.newlines}
        return self.valid and one_end and not self.lone_returns and not self.unpaired


@dataclass(frozen=True, kw_only=True)
class Text:
    """A text file to be read as UTF-8 from `path`, which is the file itself or a copy of it."""

    file: Path
    path: Path
    start: int  # bytes of the byte order mark
    encoding: str
    survey: Survey

    def lines(self, progress: Progress | None = None) -> Iterator[bytes]:
        """Yield the lines with their ends: LF, CR or CRLF."""
        for piece in _pieces(self.path, self.start, self.file, progress):
            yield from piece.splitlines(keepends=True)

    def head(self) -> bytes:
        """Return the first lines, about a quarter of a megabyte, cut where a line ends."""
        return next(_pieces(self.path, self.start, self.file, None), b"")


def open_text(path: Path, scratch: Scratch, progress: Progress | None = None) -> Text:
    """Find the encoding, and look at every byte: a file with NULs, endless lines or mixed encodings is refused."""
    encoding, mark = _marked(path)
    if encoding == "utf-8":
        survey = _survey(path, mark, path, progress)
        if survey.valid:
            spelled = "UTF-8 with BOM" if mark else "UTF-8"
            return Text(file=path, path=path, start=mark, encoding=spelled, survey=survey)
        encoding = "utf-8" if mark else _other(path)
    if encoding == "utf-8":
        return Text(file=path, path=path, start=mark, encoding="UTF-8", survey=survey)
    copy = _converted(path, mark, encoding, scratch)
    found = _survey(copy, 0, path, progress)
    return Text(file=path, path=copy, start=0, encoding=charsets.spelled(encoding), survey=found)


# ---------------------------------------------------------------- the encoding


def _marked(path: Path) -> tuple[str, int]:
    """Return the encoding that the first bytes show, and the length of the byte order mark."""
    with path.open("rb") as file:
        head = file.read(64 * 2**10)
    if not head.strip():
        raise empty(path)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding, len(mark)
    wide = _wide(head)
    if not wide and _scarcely_text(head):
        raise _not_text(path)
    return wide or "utf-8", 0


def _wide(head: bytes) -> str | None:
    """Recognise UTF-16 without a mark: the zero bytes of its ASCII characters stand all on one side."""
    left, right = head[0::2].count(0), head[1::2].count(0)
    if left + right < max(2, len(head) // 50):
        return None
    encoding = "utf-16-be" if left > right else "utf-16-le"
    text = head[: len(head) // 2 * 2].decode(encoding, "replace")
    odd = text.count("\0") + text.count("\N{REPLACEMENT CHARACTER}")
    return encoding if odd <= 1 and not _scarcely_text(text.encode("utf-8", "replace")) else None


def _scarcely_text(head: bytes) -> bool:
    return 0 not in head and len(head) - len(head.translate(None, _CONTROLS)) > max(8, len(head) // 20)


def _not_text(path: Path) -> BadFile:
    return BadFile(
        "the file is not text, nor a kind of table that we know",
        where=shown(path),
        cure="Export it as CSV, Excel (.xlsx), Parquet, JSON lines or vCard",
    )


@dataclass
class _Lines:
    """Lines with characters beyond ASCII: those that are UTF-8, those that are not, and a sample of these."""

    good: int = 0
    bad: int = 0
    sample: bytes = b""

    def add(self, line: bytes) -> None:
        if _decodes(line):
            self.good += 1
        else:
            self.bad += 1
            if len(self.sample) < _SAMPLE:
                self.sample += line[:_SAMPLE] + b"\n"


def _decodes(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _other(path: Path) -> str:
    """Return the encoding of a file that is not UTF-8 throughout: UTF-8 still, if few lines are not; else our guess."""
    lines = _Lines()
    for piece in _pieces(path, 0, path, None):
        if not piece.isascii():
            for line in piece.splitlines():
                if not line.isascii():
                    lines.add(line)
    if lines.good >= 9 * lines.bad or (lines.good >= lines.bad and lines.bad <= _FEW):
        return "utf-8"
    encoding = charsets.guess(lines.sample)
    if encoding is None:
        raise _not_text(path) if _scarcely_text(lines.sample) else _unknown(path)
    if lines.good > lines.bad / (50 if encoding.startswith(("cp125", "iso", "mac")) else 5):
        raise _mixed(path, f"{lines.good:,} lines are UTF-8 and {lines.bad:,} look like {charsets.spelled(encoding)}")
    return encoding


def _unknown(path: Path) -> BadFile:
    return BadFile("the text is in no encoding that we know", where=shown(path), cure="Export it again as UTF-8")


def _mixed(path: Path, how: str) -> BadFile:
    return BadFile(
        f"the text mixes encodings: {how}",
        where=shown(path),
        cure="Export each part again as UTF-8, then put them together",
    )


# ---------------------------------------------------------------- the copy in UTF-8


def _mark_undecodable(fault: UnicodeError) -> tuple[str, int]:
    if not isinstance(fault, UnicodeDecodeError):
        raise fault
    return "\udcff", fault.end


codecs.register_error("comity-mark-undecodable", _mark_undecodable)


def _converted(path: Path, mark: int, encoding: str, scratch: Scratch) -> Path:
    copy = scratch.path("utf-8.txt")
    decoder = codecs.getincrementaldecoder(encoding)("comity-mark-undecodable")
    lost = beyond = 0
    with path.open("rb") as file, copy.open("wb") as out:
        file.seek(mark)
        while True:
            piece = file.read(_PIECE)
            text = decoder.decode(piece, final=not piece)
            encoded = text.encode("utf-8", "surrogateescape")
            lost += encoded.count(_UNDECODABLE)
            beyond += len(encoded) - len(text)  # at least one for each character beyond ASCII
            out.write(encoded)
            if not piece:
                break
    if lost > _FEW and lost * 20 > beyond:
        raise _mixed(path, f"it looks like {charsets.spelled(encoding)}, but {lost:,} characters of it are not")
    return copy


# ---------------------------------------------------------------- every byte once


def _pieces(path: Path, start: int, file: Path, progress: Progress | None) -> Iterator[bytes]:
    """Yield the bytes, about a quarter of a megabyte at a time, always whole lines."""
    with _told_of(file):
        yield from pieces(path, start, progress=progress)


@contextmanager
def _told_of(file: Path) -> Iterator[None]:
    """Say of a file that is no table what is wrong with it, and where."""
    try:
        yield
    except EndlessLine as error:
        raise BadFile(
            str(error),
            where=f"{shown(file)}, byte {error.at:,}",
            cure="Export the file again, one row a line; this is no table, or a quote or line end is lost in it",
        ) from None
    except HasNul as error:
        raise BadFile(
            "the file has NUL bytes, so it is not plain text or was damaged",
            where=f"{shown(file)}, line {error.line:,}",
            cure="Export or copy it again, as UTF-8 text",
        ) from None


def _survey(path: Path, start: int, file: Path, progress: Progress | None) -> Survey:
    with _told_of(file):
        found = looked_at(path, start, progress=progress)
    return Survey(
        valid=found.valid,
        newlines=found.newlines[0],
        returns=found.returns[0],
        lone_returns=found.lone_returns,
        unpaired=found.turns,
        ended=found.ended,
        gaps=bool(found.gaps[0]),
    )


_BLANKS = re.compile(rb"\n(?:\r?\n)+")


def blank_lines(text: Text) -> int:
    """Count the lines with nothing on them that no quotes enclose."""
    found, inside = 0, False
    for piece in _pieces(text.path, text.start, text.file, None):
        parts = piece.split(b'"')
        outside = b"x".join(parts[inside::2])
        lead = b"" if inside else b"\n"
        found += sum(run.count(b"\n") - 1 for run in _BLANKS.findall(lead + outside))
        inside ^= len(parts) % 2 == 0
    return found
