"""Any bytes as the parts of a message: broken ones too, in bounded time, and nothing is ever raised.

Python's own parser follows whatever it is told; what strangers send here is cut at a size, a depth and a number of
parts, and read as far as it makes sense.
"""

from __future__ import annotations

import binascii
import quopri
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header
from email.utils import parsedate_to_datetime
from html import unescape
from typing import Final

LARGEST: Final = 1 << 20
"""Bytes of a message that are read; what comes after is not looked at."""
DEEPEST: Final = 6
"""Parts within parts."""
MOST_PARTS: Final = 60
MOST_HEADERS: Final = 200
LONGEST_HEADER: Final = 4_000
LONGEST_TEXT: Final = 100_000
"""Letters of one part that are read."""

HEADER: Final = re.compile(r"([!-9;-~]{1,80})[ \t]*:(.*)", re.DOTALL)
PARAMETER: Final = re.compile(r";\s*([A-Za-z0-9*-]{1,40})\s*=\s*(?:\"([^\"]{0,200})\"|([^\s;\"]{1,200}))")
LINES: Final = re.compile(rb"\r\n|\r|\n")
EMPTY_LINE: Final = re.compile(rb"(?:\r\n|\n|\r(?!\n))[ \t]*(?:\r\n|\n|\r(?!\n))")
TAGS: Final = re.compile(
    r"<(?:style|script)\b.{0,20000}?</(?:style|script)\s*>|<br\s*/?>|</p\s*>|<[^<>]{0,2000}>", re.IGNORECASE | re.DOTALL
)
BREAKS: Final = re.compile(r"<(?:br|/p)", re.IGNORECASE)
WITHIN: Final = ("message/rfc822", "message/global", "message/rfc822-headers")
HEADS_ALONE: Final = ("text/rfc822-headers", "message/global-headers")

Heads = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of a message, or the message itself. Names of headers and the kind are in lower case."""

    kind: str = "text/plain"
    parameters: Mapping[str, str] = field(default_factory=dict)
    heads: Heads = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    parts: tuple[Part, ...] = ()

    def head(self, name: str) -> str:
        """Return the first header of a name, decoded; empty where there is none."""
        return decoded(self.heads.get(name, ("",))[0])

    def all_heads(self, *names: str) -> list[str]:
        """Return all headers of these names, as they stand there."""
        return [value for name in names for value in self.heads.get(name, ())]

    def walk(self) -> Iterator[Part]:
        """Give this part, and all within it."""
        yield self
        for part in self.parts:
            yield from part.walk()

    @property
    def text(self) -> str:
        """What the part says, as text."""
        return as_text(self)[:LONGEST_TEXT]


@dataclass
class _Budget:
    parts: int = MOST_PARTS


def read(raw: bytes) -> Part:
    """Read a message. Whatever cannot be read is left out."""
    data = raw[:LARGEST]
    if data.startswith((b"From ", b">From ")):  # of a mailbox file
        data = data.partition(b"\n")[2]
    return _part(data.lstrip(b"\r\n"), _Budget(), 0)


def _part(data: bytes, budget: _Budget, depth: int, kind: str = "text/plain") -> Part:
    budget.parts -= 1
    heads, body = split(data)
    told = heads.get("content-type", ("",))[0]
    kind = (told.partition(";")[0].strip().lower() or kind) if told else kind
    parameters = {
        name.lower(): quoted or bare for name, quoted, bare in PARAMETER.findall(";" + told.partition(";")[2])
    }
    made = Part(kind=kind, parameters=parameters, heads=heads, body=body)
    if depth >= DEEPEST or budget.parts <= 0:
        return made
    return Part(kind=kind, parameters=parameters, heads=heads, body=body, parts=_within(made, budget, depth))


def _within(part: Part, budget: _Budget, depth: int) -> tuple[Part, ...]:
    if part.kind in WITHIN:
        return (_part(_undone(part).lstrip(b"\r\n"), budget, depth + 1),)
    if not part.kind.startswith("multipart/"):
        return ()
    default = "message/rfc822" if part.kind == "multipart/digest" else "text/plain"
    made = []
    for piece in _pieces(part):
        if budget.parts <= 0:
            break
        made.append(_part(piece, budget, depth + 1, default))
    return tuple(made)


def _pieces(part: Part) -> list[bytes]:
    """Return the pieces between the boundaries; where the last one is missing, all that is left."""
    boundary = part.parameters.get("boundary", "")
    if not boundary:
        return []
    line = re.compile(
        rb"(?:\A|\r\n|\n|\r)--" + re.escape(boundary.encode("utf-8", "replace")) + rb"(--)?[ \t]*(?=\r|\n|\Z)"
    )
    pieces, begin = [], -1
    for found in line.finditer(part.body):
        if begin >= 0:
            pieces.append(part.body[begin : found.start()])
        if found[1] or len(pieces) > MOST_PARTS:
            return [_after_break(piece) for piece in pieces]
        begin = found.end()
    if begin >= 0:
        pieces.append(part.body[begin:])
    return [_after_break(piece) for piece in pieces]


def _after_break(piece: bytes) -> bytes:
    """Take away the line break that ends a boundary; another one means that there are no headers."""
    return re.sub(rb"\A(?:\r\n|\n|\r)", b"", piece)


def split(data: bytes) -> tuple[Heads, bytes]:
    """Return headers and body. What does not begin with a header is body alone."""
    if data[:1] in {b"\r", b"\n"}:
        return {}, data.lstrip(b"\r\n")
    found = EMPTY_LINE.search(data)
    head, body = (data[: found.start()], data[found.end() :]) if found else (data, b"")
    heads = read_heads(head)
    return (heads, body) if heads else ({}, data)


def read_heads(head: bytes) -> Heads:
    """Return headers by name. A line that is none is left out, a first line that is none means that there are none."""
    unfolded: list[str] = []
    for line in LINES.split(head)[: MOST_HEADERS * 10]:
        text = _as_letters(line)
        if text[:1] in {" ", "\t"} and unfolded:
            if len(unfolded[-1]) < LONGEST_HEADER:
                unfolded[-1] += " " + text.strip()
        else:
            unfolded.append(text)
    heads: dict[str, list[str]] = {}
    for number, line in enumerate(unfolded[:MOST_HEADERS]):
        match = HEADER.fullmatch(line[:LONGEST_HEADER])
        if match:
            heads.setdefault(match[1].lower(), []).append(match[2].strip())
        elif number == 0:
            return {}
    return {name: tuple(values) for name, values in heads.items()}


def _as_letters(line: bytes) -> str:
    """Return a line of a header: UTF-8 where it is (RFC 6532), else each byte a letter."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def decoded(value: str) -> str:
    """Return a header with its encoded words read (RFC 2047); as it stands there where they cannot be."""
    if "=?" not in value:
        return value
    with suppress(HeaderParseError, ValueError, LookupError, binascii.Error, AssertionError):
        pieces = decode_header(value[:LONGEST_HEADER])
        return "".join(piece if isinstance(piece, str) else in_charset(piece, charset) for piece, charset in pieces)
    return value


def in_charset(data: bytes, charset: str | None) -> str:
    """Return bytes as text, whatever they say they are."""
    for name in (charset or "utf-8", "utf-8"):
        with suppress(LookupError, UnicodeDecodeError, ValueError):
            return data.decode(name)
    return data.decode("latin-1")


def _undone(part: Part) -> bytes:
    """Return the bytes of a part without their encoding."""
    how = part.heads.get("content-transfer-encoding", ("",))[0].strip().lower()
    if how == "base64":
        letters = re.sub(rb"[^A-Za-z0-9+/]", b"", part.body)
        with suppress(binascii.Error, ValueError):
            return b64decode(
                letters[: len(letters) // 4 * 4]
                + (letters[len(letters) // 4 * 4 :] + b"==")[:4] * bool(len(letters) % 4 > 1)
            )
        return b""
    if how == "quoted-printable":
        with suppress(ValueError, binascii.Error):
            return quopri.decodestring(part.body)
    return part.body


def as_text(part: Part) -> str:
    """Return what a part says, without markup."""
    text = in_charset(_undone(part), part.parameters.get("charset"))[: LONGEST_TEXT * 4]
    if part.kind == "text/html":
        text = unescape(TAGS.sub(lambda tag: "\n" if BREAKS.match(tag[0]) else " ", text))
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")


def message_within(report: Part) -> Part | None:
    """Return the message that a report brought back, or at least its headers."""
    for part in report.walk():
        if part.kind in WITHIN and part.parts:
            return part.parts[0]
        if part.kind in HEADS_ALONE:
            return Part(heads=read_heads(part.text.encode("utf-8", "replace").strip()))
    return None


def groups_of(part: Part) -> list[Heads]:
    """Return the groups of fields of a report: of the message first, then of each recipient (RFC 3464, 2.1)."""
    data = _undone(part).lstrip(b"\r\n")
    found = [read_heads(group) for group in EMPTY_LINE.split(data)[:MOST_HEADERS]]
    return [group for group in found if group]


def words_of(message: Part) -> str:
    """Return what a message says: its plain text, or else its page as text; nothing where it has neither."""
    leaves = [part for part in _own(message) if not part.parts]
    plain = [part.text for part in leaves if part.kind == "text/plain"]
    pages = [part.text for part in leaves if part.kind == "text/html"]
    return next((text for text in (*plain, *pages) if text.strip()), "")


def _own(part: Part) -> Iterator[Part]:
    """Give the parts that whoever wrote the message wrote: not those of messages within it."""
    yield part
    if part.kind not in WITHIN:
        for each in part.parts:
            yield from _own(each)


def moment(value: str) -> datetime | None:
    """Return the instant that a header names; nothing where it names none that can be."""
    with suppress(ValueError, TypeError, IndexError, OverflowError):
        found = parsedate_to_datetime(value.strip())
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    return None
