"""The journal on the disk: files of lines, one after the other, to which lines are only ever appended.

A file is called by the number of its first line, and begins with a head: whose journal it is, and the seal that its
first line follows. So an old file may be deleted, once no backup from before its last line will ever be put back, and
what is left is still sealed. A last line without its end is what a crash leaves of a line that nobody was told of; it
is cut off by whoever appends next.
"""

from __future__ import annotations

import fcntl
import os
import stat
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from comity.ledger.journal.lines import Altered, JournalKey, JournalTrouble, Line, NoJournal, Place, Said, keep_entries
from comity.ledger.journal.lines import Unwritable as CannotWrite

LARGEST: Final = 4 * 2**20
"""Bytes of a file, after which the next one begins."""
FORMAT: Final = b"comity-journal 1"
BEGINS: Final = "lines-"
"""How its files are called; what comes to be one is called otherwise until it is whole."""


@dataclass(frozen=True)
class _Read:
    """How far a file was read and found whole."""

    path: Path
    offset: int
    place: Place


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Say in which file a line is that was altered."""
    try:
        yield
    except Altered as error:
        raise Altered(f"{path}: {error}") from None


class Files:
    """The files of one journal. May be used by several threads."""

    def __init__(self, folder: Path, key: JournalKey) -> None:
        self.folder, self.key = folder, key
        self._read: _Read | None = None
        self._turn = threading.Lock()

    def end(self) -> Place:
        """Return how far the journal goes. What was read before is not read again. Raises JournalTrouble."""
        with self._turn:
            return self._up_to_date().place if self._files() else Place()

    def lines(self, after: Place) -> Iterator[Line]:
        """Give the lines that follow a place. Raises Altered where the journal does not go on from it; NoJournal."""
        files = self._files()
        first = [_number(path) for path in files]
        if not files or first[0] > after.number + 1:
            raise NoJournal(
                f"{self.folder} begins with line {first[0] if first else 'none'}, and the lines after {after.number} "
                "are wanted: put the older files of the journal back"
            )
        begin = max(at for at, number in enumerate(first) if number <= after.number + 1)
        place: Place | None = None
        for path in files[begin:]:
            for line, before in self._lines_of(path, place):
                self._same(after, before)
                place = line.place
                self._same(after, place)
                if line.place.number > after.number:
                    yield line

    def every_line(self) -> Iterator[Line]:
        """Give all lines of all files that are there, comparing each file with the one before."""
        place: Place | None = None
        for path in self._files():
            for line, _before in self._lines_of(path, place):
                place = line.place
                yield line

    @staticmethod
    def _same(known: Place, found: Place) -> None:
        if known.number == found.number and known.seal != found.seal:
            raise Altered(
                f"line {known.number} is not the one that this database knows: it is the journal of another book, or "
                "was altered"
            )

    def append(self, said: Sequence[Said], after: Place) -> list[Place]:
        """Append, and return the places once all is on the disk; `after` must be the end. Raises JournalTrouble."""
        with self._turn, self._alone():
            read = self._up_to_date() if self._files() else self._begin(Place())
            if read.place != after:
                raise JournalTrouble(f"the journal goes to line {read.place.number}, not {after.number}")
            if read.offset >= LARGEST:
                read = self._begin(read.place)
            places, text, place = [], bytearray(), read.place
            for one in said:
                place, line = self.key.write(place, one)
                places.append(place)
                text += line
            _append(read.path, read.offset, bytes(text))
            self._read = _Read(read.path, read.offset + len(text), place)
            return places

    def set_aside(self, called: str) -> None:
        """Move all files out of the way, into a folder of that name beside them."""
        with self._turn, self._alone():
            aside = self.folder / called
            aside.mkdir(mode=0o700)
            for path in self._files():
                path.rename(aside / path.name)
            keep_entries(self.folder)
            self._read = None

    # ------------------------------------------------------------ reading

    def _files(self) -> list[Path]:
        try:
            return [self.folder / name for name in sorted(os.listdir(self.folder)) if name.startswith(BEGINS)]  # noqa: PTH208 - it is asked often
        except FileNotFoundError:
            return []
        except OSError as error:
            raise NoJournal(f"{self.folder} cannot be read: {error.strerror}") from None

    def _up_to_date(self) -> _Read:
        newest = self._files()[-1]
        known = self._read if self._read and self._read.path == newest else None
        size = newest.stat().st_size
        if known and size == known.offset:
            return known
        if known and size < known.offset:
            raise Altered(f"{newest} is shorter than it was")
        read = known or _Read(newest, *self._head(newest))
        with newest.open("rb") as file:
            file.seek(read.offset)
            offset, place = read.offset, read.place
            for raw in file:
                if not raw.endswith(b"\n"):
                    break  # somebody appends it just now, or died while appending it
                with _named(newest):
                    place, _text = self.key.check(place, raw)
                offset += len(raw)
        self._read = _Read(newest, offset, place)
        return self._read

    def _lines_of(self, path: Path, follows: Place | None) -> Iterator[tuple[Line, Place]]:
        """Give the lines of a file, each with the place that it follows."""
        offset, place = self._head(path)
        if follows is not None and place != follows:
            raise Altered(f"{path} does not follow line {follows.number}: lines between them are gone")
        with path.open("rb") as file:
            file.seek(offset)
            for raw in file:
                if not raw.endswith(b"\n"):
                    return
                with _named(path):
                    line = self.key.read(place, raw)
                yield line, place
                place = line.place

    def _head(self, path: Path) -> tuple[int, Place]:
        """Return where a file's lines begin, and which place they follow."""
        with path.open("rb") as file:
            _refuse_open(path, os.fstat(file.fileno()))
            raw = file.readline(200)
        told = raw.decode("ascii", "replace").rstrip("\n").split(" ")
        if not raw.startswith(FORMAT + b" ") or not raw.endswith(b"\n") or len(told) != 5:  # noqa: PLR2004 - its parts
            raise Altered(f"{path} does not begin as a file of a journal does")
        if told[2] != self.key.book:
            raise Altered(f"{path} is of the journal of another book: its key is not {self.key.book}'s but {told[2]}'s")
        place = Place(int(told[3]), bytes.fromhex(told[4].removeprefix("-")))
        if _number(path) != place.number + 1:
            raise Altered(f"{path} has another file's name")
        return len(raw), place

    # ------------------------------------------------------------ writing

    def _begin(self, after: Place) -> _Read:
        """Begin the next file."""
        path = self.folder / f"{BEGINS}{after.number + 1:012}.journal"
        head = b"%b %b %d %b\n" % (FORMAT, self.key.book.encode(), after.number, after.seal.hex().encode() or b"-")
        aside = path.with_name(f"new-{path.name}")
        try:
            handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(head)
                file.flush()
                os.fsync(file.fileno())
            aside.rename(path)
            keep_entries(self.folder)
        except OSError as error:
            raise _cannot(path, error) from None
        return _Read(path, len(head), after)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let nobody else append: two databases with the keys of one must not both go on with its journal."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise _cannot(self.folder, error) from None
        try:
            _refuse_open(self.folder, os.fstat(handle))
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def _append(path: Path, offset: int, text: bytes) -> None:
    """Write behind the last whole line, and wait for the disk; if that fails, take it all back."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
        try:
            if os.fstat(handle).st_size > offset:
                os.ftruncate(handle, offset)
            if os.write(handle, text) < len(text):
                raise OSError(0, "there is no room for it")  # noqa: TRY301 - as if it had been refused
            os.fsync(handle)
        except OSError:
            with suppress(OSError):
                os.ftruncate(handle, offset)
            raise
        finally:
            os.close(handle)
    except OSError as error:
        raise _cannot(path, error) from None


def _cannot(path: Path, error: OSError) -> CannotWrite:
    return CannotWrite(f"nothing can be appended to {path}: {error.strerror}. Make room, or let Comity's account write")


def _number(path: Path) -> int:
    try:
        return int(path.name.removeprefix(BEGINS).removesuffix(".journal"))
    except ValueError:
        raise Altered(f"{path} is no file of a journal: move it away") from None


def _refuse_open(path: Path, found: os.stat_result) -> None:
    """Refuse what others may look into: it tells who said no."""
    if stat.S_IMODE(found.st_mode) & 0o077:
        want = "700" if stat.S_ISDIR(found.st_mode) else "600"
        raise NoJournal(f"others may reach {path}. Say: chmod {want} '{path}'")
