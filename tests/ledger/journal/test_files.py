"""The journal on the disk: what was appended is read back, and what was altered, cut, torn or swapped is noticed."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from comity.ledger.journal import files as module
from comity.ledger.journal.files import Files
from comity.ledger.journal.lines import (
    Altered,
    JournalKey,
    JournalTrouble,
    NoJournal,
    Place,
    Said,
    Unwritable,
    make_journal_key,
    read_journal_key,
)
from comity.refs import new_ref

WHEN = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
KEY, OTHER = JournalKey(b"k" * 32), JournalKey(b"o" * 32)


def noes(many: int) -> list[Said]:
    return [Said(ref=new_ref(), kind="tests.no", at=WHEN, said={"n": number}) for number in range(many)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def a_journal(folder: Path, many: int = 5) -> Files:
    files = Files(folder, KEY)
    for said in noes(many):
        files.append([said], files.end())
    return files


def read(folder: Path, after: Place = Place(), key: JournalKey = KEY) -> list[int]:  # noqa: B008 - it never changes
    return [line.said["n"] for line in Files(folder, key).lines(after)]


def only_file(folder: Path) -> Path:
    (path,) = folder.glob("lines-*")
    return path


def test_what_was_appended_is_read_back_from_wherever_one_left_off(folder: Path) -> None:
    files, said = Files(folder, KEY), noes(7)
    places = files.append(said, Place())
    assert [line.ref for line in files.lines(Place())] == [one.ref for one in said]
    assert read(folder, after=places[3]) == [4, 5, 6]
    assert Files(folder, KEY).end() == places[-1]
    assert (folder.stat().st_mode & 0o777, only_file(folder).stat().st_mode & 0o777) == (0o700, 0o600)


def test_several_files_are_one_journal_and_old_ones_may_go(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", 400)
    files = a_journal(folder, 12)
    paths = sorted(folder.glob("lines-*"))
    assert len(paths) > 2
    assert read(folder) == list(range(12))
    known = next(line.place for line in files.lines(Place()) if line.place.number == 8)
    paths[0].unlink()
    assert read(folder, after=known) == [8, 9, 10, 11]
    with pytest.raises(NoJournal, match="put the older files of the journal back"):
        read(folder)


def test_a_torn_last_line_is_cut_off_by_whoever_appends_next(folder: Path) -> None:
    files = a_journal(folder, 3)
    with only_file(folder).open("ab") as file:
        file.write(b"4 00aa {half a li")
    fresh = Files(folder, KEY)
    assert fresh.end() == files.end()
    fresh.append(noes(1), fresh.end())
    assert read(folder) == [0, 1, 2, 0]


def take_out(lines: list[bytes]) -> None:
    del lines[2]


def swap(lines: list[bytes]) -> None:
    lines[2], lines[3] = lines[3], lines[2]


def alter(lines: list[bytes]) -> None:
    lines[2] = lines[2].replace(b'{"n":1}', b'{"n":7}')


def double(lines: list[bytes]) -> None:
    lines.insert(2, lines[2])


def blot(lines: list[bytes]) -> None:
    lines[2] = b"\0" * 40 + b"\n"


@pytest.mark.parametrize("harm", [take_out, swap, alter, double, blot])
def test_whatever_is_done_to_a_line_is_noticed(folder: Path, harm: Callable[[list[bytes]], None]) -> None:
    a_journal(folder)
    lines = only_file(folder).read_bytes().splitlines(keepends=True)
    harm(lines)
    only_file(folder).write_bytes(b"".join(lines))
    with pytest.raises(Altered, match=r"line [123]"):
        read(folder)
    with pytest.raises(Altered):
        Files(folder, KEY).end()


def test_a_file_that_is_gone_from_the_middle_is_noticed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", 400)
    a_journal(folder, 12)
    sorted(folder.glob("lines-*"))[1].unlink()
    with pytest.raises(Altered, match="lines between them are gone"):
        read(folder)


def test_the_journal_of_another_book_is_refused(folder: Path) -> None:
    a_journal(folder)
    with pytest.raises(Altered, match="of another book"):
        read(folder, key=OTHER)


def test_a_line_that_this_database_knows_otherwise_is_refused(folder: Path) -> None:
    a_journal(folder)
    with pytest.raises(Altered, match="not the one that this database knows"):
        read(folder, after=Place(3, b"x" * 16))


def test_nobody_appends_behind_anything_but_the_end(folder: Path) -> None:
    files = a_journal(folder, 2)
    with pytest.raises(JournalTrouble, match="goes to line 2, not 1"):
        files.append(noes(1), Place(1, b"x" * 16))


def test_a_journal_that_others_may_read_is_refused(folder: Path) -> None:
    a_journal(folder)
    only_file(folder).chmod(0o644)
    with pytest.raises(NoJournal, match="chmod 600"):
        Files(folder, KEY).end()


@contextmanager
def a_full_disk(path: Path) -> Iterator[None]:
    """Let no file grow beyond what this one has, as on a disk that is full."""
    before, signal_before = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, signal_before)


def test_on_a_full_disk_nothing_is_half_written(folder: Path) -> None:
    files = a_journal(folder, 3)
    whole = only_file(folder).read_bytes()
    with a_full_disk(only_file(folder)), pytest.raises(Unwritable, match="nothing can be appended"):
        files.append(noes(1), files.end())
    assert only_file(folder).read_bytes() == whole
    files.append(noes(1), files.end())
    assert read(folder) == [0, 1, 2, 0]


def test_the_key_is_made_once_however_many_begin_at_once(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "journal.key"
    make = f"from pathlib import Path; from comity.ledger.journal.lines import *; make_journal_key(Path({str(path)!r}))"
    begun = [subprocess.Popen([sys.executable, "-c", make], env=os.environ) for _ in range(2)]
    assert [one.wait(60) for one in begun] == [0, 0]
    again = read_journal_key(path)
    assert again is not None
    assert make_journal_key(path).book == again.book
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]
    path.chmod(0o640)
    with pytest.raises(NoJournal, match="chmod 600"):
        read_journal_key(path)
