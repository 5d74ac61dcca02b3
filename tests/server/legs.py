"""The same room worked in by root and by an ordinary account, each in a process that is told what to do."""

from __future__ import annotations

import atexit
import json
import os
import pwd
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Self

import psycopg
import typing_extensions

import comity
from comity.server.binaries import Programs
from comity.server.premises import Premises, Runner, open_premises
from tests.conftest import lack

LEGS = ("root", "ordinary")
SITE = Path(psycopg.__file__).parents[1]
LONGEST = 60  # seconds for anything to happen


@dataclass(frozen=True)
class Leg:
    """Who works: root, or an ordinary account; with an interpreter that the account can run."""

    name: str
    runner: Runner
    python: str
    paths: tuple[str, ...]

    @property
    def is_root(self) -> bool:
        return self.runner.uid == 0

    def run(self, *arguments: str | Path, environ: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start a program of Python as this account, told and heard through pipes."""
        us = self.runner.is_us
        return subprocess.Popen(
            [self.python, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd="/",
            env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(self.paths), **(environ or {})},
            user=None if us else self.runner.uid,
            group=None if us else self.runner.gid,
            extra_groups=None if us else [],
        )


def leg_named(name: str) -> Leg:
    """Return a leg, or skip it where this process cannot stand on it."""
    if os.geteuid() != 0:
        if name == "root":
            lack("These tests do not run as root, so how root works is not tested here")
        return Leg(name, Runner(os.geteuid(), os.getegid()), sys.executable, (*copied(), str(SITE)))
    if name == "root":
        return Leg(name, Runner(0, 0), sys.executable, (*copied(), str(SITE)))
    nobody = pwd.getpwnam("nobody")
    runner = Runner(nobody.pw_uid, nobody.pw_gid)
    return Leg(name, runner, interpreter(runner), (*copied(), *([str(SITE)] if runner.reaches(SITE) else [])))


def interpreter(runner: Runner) -> str:
    """Return a Python of our version that the account may run: ours may lie in root's own folder."""
    name = f"python3.{sys.version_info.minor}"
    found = [sys.executable, *(str(path / name) for path in (Path("/usr/bin"), Path("/usr/local/bin")))]
    for path in found:
        if Path(path).exists() and runner.reaches(Path(path)):
            return path
    return lack(f"No {name} that an ordinary account may run: {', '.join(found)}")


@cache
def copied() -> tuple[str, ...]:
    """Give a folder, open to all, with this room and psycopg: they are all that it needs."""
    place = Path(tempfile.mkdtemp(prefix="comity-room-", dir="/tmp"))
    atexit.register(shutil.rmtree, place)
    source = Path(comity.__file__).parent
    shutil.copytree(source / "server", place / "comity" / "server")
    shutil.copy(source / "__init__.py", place / "comity")
    for part in (*SITE.glob("psycopg"), *SITE.glob("psycopg_binary*")):
        shutil.copytree(part, place / part.name)
    shutil.copy(typing_extensions.__file__, place)
    for path in (place, *place.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return (str(place),)


@contextmanager
def ground_of(leg: Leg) -> Iterator[Path]:
    """Give a new folder of the leg's account; afterwards end what was started on it and remove what was made of it."""
    ground = Path(tempfile.mkdtemp(prefix="comity-ground-", dir="/tmp"))
    leg.runner.takes(ground)
    try:
        yield ground
    finally:
        for link in ground.rglob("postgres"):
            if link.is_symlink() or link.is_dir():
                sweep(link)
        shutil.rmtree(ground)


def sweep(name: Path) -> None:
    """End and remove a server whose test has failed half-way."""
    if not name.exists():
        return
    premises = premises_at(name)
    for file in (premises.watcher, premises.data / "postmaster.pid"):
        with suppress(OSError, ValueError, IndexError):
            pid = int(file.read_text().split()[0])
            with going(pid):
                os.kill(pid, signal.SIGKILL)
    premises.remove()


class Household:
    """A process that uses a private server, as a leg's account."""

    def __init__(self, leg: Leg, folder: Path, *, programs: Programs | None = None, durable: bool = False) -> None:
        self.folder = folder
        self._process = leg.run(Path(__file__).with_name("household.py"))
        self._heard: SimpleQueue[str] = SimpleQueue()
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()
        self._words: dict[str, object] = {"folder": str(folder), "programs": None, "durable": durable}
        if programs:
            self._words["programs"] = [str(programs.folder), programs.version, programs.site and str(programs.site)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        return self._process.pid

    def tell(self, word: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps({**self._words, "do": word}) + "\n")
        self._process.stdin.flush()

    def hear(self) -> dict[str, str]:
        line = self._heard.get(timeout=LONGEST)
        try:
            heard: dict[str, str] = json.loads(line)
        except ValueError:
            raise AssertionError(line + "".join(self._heard.get() for _ in range(self._heard.qsize()))) from None
        return heard

    def _listen(self) -> None:
        assert self._process.stdout
        with self._process.stdout as lines:
            for line in lines:
                self._heard.put(line)

    def limit_files_to(self, size: int) -> None:
        """Let no file grow beyond this size, whichever of its processes writes it."""
        self.tell(f"limit {size}")
        self.hear()

    def start(self) -> dict[str, str]:
        """Start the server, or find it; return its URLs and how long that took, or what was refused."""
        self.tell("start")
        return self.hear()

    def stop(self) -> dict[str, str]:
        self.tell("stop")
        return self.hear()

    def kill(self) -> None:
        """End the process as nothing can prevent or notice."""
        self._process.kill()
        self._process.wait()
        self._listening.join()
        assert self._process.stdin
        with suppress(BrokenPipeError):
            self._process.stdin.close()


def premises_of(folder: Path) -> Premises:
    """Return a folder's premises as they are, looked at by whoever runs the tests."""
    return premises_at(folder / "postgres")


def premises_at(name: Path) -> Premises:
    root = name.resolve(strict=True)
    its = next(path for path in (root / "data", root) if path.exists()).stat()
    return Premises(root=root, runner=Runner(its.st_uid, its.st_gid))


def server_pid(folder: Path) -> int:
    return int((premises_of(folder).data / "postmaster.pid").read_text().split()[0])


def watcher_pid(folder: Path) -> int:
    return int(premises_of(folder).watcher.read_text())


@contextmanager
def going(*pids: int) -> Iterator[None]:
    """Whatever happens in the block: these processes, which live before it, are gone soon after it."""
    handles = [os.pidfd_open(pid) for pid in pids]
    try:
        yield
        for pid, handle in zip(pids, handles, strict=True):
            assert select.select([handle], [], [], LONGEST)[0], f"process {pid} is still there"
    finally:
        for handle in handles:
            os.close(handle)


__all__ = [
    "LEGS", "LONGEST", "Household", "Leg", "going", "ground_of", "leg_named", "open_premises", "premises_of",
    "server_pid", "watcher_pid",
]  # fmt: skip
