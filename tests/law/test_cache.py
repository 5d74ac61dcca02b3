"""The cache is only ever a faster way to the same book: any doubt about it, and the packs are read anew."""

from __future__ import annotations

import gc
import hashlib
import io
import os
import pickle
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from comity.law import SHIPPED, Lawbook, lawbook, may, read_packs
from comity.law import cache as cache_room
from comity.law.loading import pack_files
from tests.law.people import DAY, US, USES
from tests.law.tiny_packs import rule, write_pack


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    return write_pack(tmp_path / "packs", rule())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The roots from which packs were read, one entry each time."""
    seen: list[Path] = []

    def read(root: Path) -> Lawbook:
        seen.append(root)
        return read_packs(root)

    monkeypatch.setattr(cache_room, "read_packs", read)
    return seen


def cached(folder: Path) -> Path:
    [path] = folder.glob("law-*.bin")
    return path


def seal(payload: bytes) -> bytes:
    """Return a payload as the cache keeps it, with a hash that fits."""
    return hashlib.sha256(payload).digest() + payload


def test_the_second_time_the_packs_are_not_read(packs: Path, folder: Path, readings: list[Path]) -> None:
    first = lawbook(packs, folder)
    assert lawbook(packs, folder) == first
    assert readings == [packs]


def test_the_shipped_law_answers_alike_from_the_cache(book: Lawbook, folder: Path, readings: list[Path]) -> None:
    lawbook(SHIPPED, folder)
    again = lawbook(SHIPPED, folder)
    assert len(readings) == 1
    assert again == book
    for use in USES.values():
        facts = {**US, **use, "person.home": "DE|US-CA", "consent.given": True}
        assert may(again, facts, day=DAY).as_json() == may(book, facts, day=DAY).as_json()


def test_one_changed_byte_in_any_file_makes_it_anew(packs: Path, folder: Path, readings: list[Path]) -> None:
    lawbook(packs, folder)
    for number, path in enumerate(pack_files(packs), 2):
        path.write_bytes(path.read_bytes() + b"\n")
        lawbook(packs, folder)
        assert len(readings) == number, path.name


def test_a_file_that_comes_goes_or_is_renamed_makes_it_anew(packs: Path, folder: Path, readings: list[Path]) -> None:
    lawbook(packs, folder)
    more = packs / "xx" / "rules" / "more.toml"
    more.write_text(rule(id='"xx-law/more"'))
    assert len(lawbook(packs, folder).rules()) == 2
    more.rename(more.with_name("other.toml"))
    assert lawbook(packs, folder).rules()[0].source.file == "xx/rules/other.toml"
    more.with_name("other.toml").unlink()
    assert len(lawbook(packs, folder).rules()) == 1
    assert len(readings) >= 3


def test_another_engine_or_another_python_has_another_cache(
    packs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mine = cache_room.contents_hash(packs)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "version_info", (3, 99, 0))
        assert cache_room.contents_hash(packs) != mine
    engine = tmp_path / "engine"
    shutil.copytree(Path(cache_room.__file__).parent, engine)
    with (engine / "deciding.py").open("a") as file:
        file.write("\n")
    monkeypatch.setattr(cache_room, "__file__", str(engine / "cache.py"))
    assert cache_room.contents_hash(packs) != mine


def test_an_older_cache_is_swept_away(packs: Path, folder: Path) -> None:
    lawbook(packs, folder)
    old = cached(folder)
    (packs / "xx" / "rules" / "rules.toml").write_text(rule(says='"Changed."'))
    lawbook(packs, folder)
    assert not old.exists()
    assert [path.suffix for path in folder.iterdir()] == [".bin"]


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "a flipped bit": lambda good: good[:-10] + bytes([good[-10] ^ 1]) + good[-9:],
    "half of it": lambda good: good[: len(good) // 2],
    "nothing": lambda _: b"",
    "noise": lambda good: os.urandom(len(good)),
    "another hash": lambda good: bytes(32) + good[32:],
    "something that is no book": lambda _: seal(pickle.dumps({"laws": 1})),
    "not a pickle": lambda _: seal(b"not a pickle at all"),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_cache_is_ignored_and_made_anew(packs: Path, folder: Path, readings: list[Path], how: str) -> None:
    good = lawbook(packs, folder)
    path = cached(folder)
    path.write_bytes(DAMAGE[how](path.read_bytes()))
    assert lawbook(packs, folder) == good
    assert lawbook(packs, folder) == good
    assert len(readings) == 2


class Runs:
    """A pickle of this calls something when it is read."""

    def __init__(self, call: Callable[..., object], *words: object) -> None:
        self.call = (call, words)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


def through(module: str, chain: str, *arguments: bytes) -> bytes:
    """Return a pickle, written by hand, that calls what a dotted name within one of our own modules leads to."""
    words = b"".join(b"\x8c" + bytes([len(word)]) + word for word in (module.encode(), chain.encode()))
    return b"\x80\x04" + words + b"\x93(" + b"".join(b"\x8c" + bytes([len(a)]) + a for a in arguments) + b"tR."


def test_a_planted_pickle_runs_nothing(
    packs: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = lawbook(packs, folder)
    touched = tmp_path / "touched"
    monkeypatch.setenv("TOUCHED", str(touched))
    act = b"open(__import__('os').environ['TOUCHED'], 'w').close()"
    planted = [
        pickle.dumps(Runs(os.system, f"touch {touched}")),
        pickle.dumps(Runs(eval, act.decode())),
        pickle.dumps([Runs(exec, act.decode())], protocol=0),
        pickle.dumps(Runs(open, str(touched), "w")),
        through("comity.law.vocabulary", "re.enum.bltns.eval", act),
        through("comity.law.vocabulary", "difflib._namedtuple.__globals__", act),
        through("comity.law.conditions", "ast.sys.modules.get", b"os"),
        through("comity.law.conditions", "parse", act, act),
        through("comity.law.lawbook", "Lawbook.__init__", act),
    ]
    for payload in planted:
        cached(folder).write_bytes(seal(payload))
        with pytest.raises(pickle.UnpicklingError, match="does not belong in a lawbook"):
            cache_room._Reader(io.BytesIO(payload)).load()
        assert lawbook(packs, folder) == good
        assert not touched.exists()


def test_the_planted_pickles_would_run_without_our_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touched = tmp_path / "touched"
    monkeypatch.setenv("TOUCHED", str(touched))
    act = "open(__import__('os').environ['TOUCHED'], 'w').close()"
    pickle.loads(pickle.dumps(Runs(eval, act)))  # noqa: S301 (that is the point)
    assert touched.exists()


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="modes and owners of files are POSIX")
class TestWhoseFileItIs:
    @pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
    def test_a_file_that_others_may_write_is_ignored(
        self, packs: Path, folder: Path, readings: list[Path], mode: int
    ) -> None:
        lawbook(packs, folder)
        cached(folder).chmod(mode)
        lawbook(packs, folder)
        assert len(readings) == 2
        assert not cached(folder).stat().st_mode & 0o022  # made anew, for us alone

    def test_a_file_of_somebody_else_is_ignored(
        self, packs: Path, folder: Path, readings: list[Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lawbook(packs, folder)
        monkeypatch.setattr(os, "getuid", lambda: os.geteuid() + 1)
        lawbook(packs, folder)
        assert len(readings) == 2

    def test_what_is_written_is_for_us_alone(self, packs: Path, folder: Path) -> None:
        lawbook(packs, folder)
        assert cached(folder).stat().st_mode & 0o777 == 0o600
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_written_is_no_error(packs: Path, folder: Path, readings: list[Path]) -> None:
    folder.write_text("a file stands where the folder would be")
    assert lawbook(packs, folder) == lawbook(packs, folder)
    assert len(readings) == 2


def test_a_read_only_folder_is_no_error(packs: Path, folder: Path) -> None:
    folder.mkdir(mode=0o500)
    try:
        assert lawbook(packs, folder).laws
    finally:
        folder.chmod(0o700)


def test_a_full_disk_is_no_error_and_leaves_nothing_behind(
    packs: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, target: Path) -> Path:  # noqa: ARG001 (the signature of Path.replace)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert lawbook(packs, folder).laws
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("xdg", "home", "expected"),
    [("/x", "/h", "/x/comity"), ("", "/h", "/h/.cache/comity"), ("/x", "", "/x/comity"), ("", "", None)],
)
def test_where_the_cache_is_kept(monkeypatch: pytest.MonkeyPatch, xdg: str, home: str, expected: str | None) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", xdg)
    monkeypatch.setenv("HOME", home)
    found = cache_room.cache_folder()
    assert str(found) == expected if expected else str(os.getuid()) in found.name


def test_it_is_quick(folder: Path) -> None:
    """Over 300 rules in under 100 ms from the cache, and under 1 s without (CPU time, the best of five)."""
    assert len(read_packs().rules()) > 300
    assert quickest(read_packs) < 1.0
    lawbook(SHIPPED, folder)
    assert quickest(lambda: lawbook(SHIPPED, folder)) < 0.1


def quickest(act: Callable[[], object]) -> float:
    took = []
    for _ in range(5):
        gc.collect()
        started = time.process_time()
        act()
        took.append(time.process_time() - started)
    return min(took)
