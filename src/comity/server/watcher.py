"""Keep one PostgreSQL running for as long as somebody holds its lease, and stop it when nobody does.

This runs as a process of its own and needs nothing beyond the standard library. Everybody who uses the server holds a
shared lock on the file `lease`; the system takes a lock back when its process ends, also from one that was killed. The
watcher waits for the exclusive lock: once it has it, nobody is left.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import Enum, auto
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import BinaryIO

from comity.server.folder import open_lock

LOG_LIMIT = 5_000_000
"""Bytes in `log`; what is older is in `log.1`, and what is older than that is gone."""

POLITELY = 60  # seconds for a fast shutdown, with its checkpoint
FIRMLY = 10  # seconds for an immediate one, which the next start recovers from
IN_THE_WAY = 30  # seconds for what an earlier server left running to go away
LOOK_AGAIN = 0.01  # seconds between two looks at what only a file tells
SLOWEST = 10.0  # seconds between two attempts to start again

STILL_THERE = ("pre-existing shared memory block", "already exists")  # the second is said of a lock file
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, kw_only=True)
class Order:
    """What the watcher is told when it starts."""

    root: str
    data: str
    socket: str
    command: list[str]
    uid: int
    gid: int

    def as_json(self) -> str:
        """Return the form in which it reaches the watcher."""
        return json.dumps(asdict(self))


class Event(Enum):
    """What the watcher waits for."""

    NOBODY_LEFT = auto()
    SERVER_ENDED = auto()


class Log:
    """What the server says, in a file that cannot grow without end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.last: deque[str] = deque(maxlen=20)
        self._file = self._opened()

    def write(self, line: bytes) -> None:
        """Add a line. A full disk loses the line, not the server."""
        self.last.append(line.decode(errors="replace").rstrip())
        try:
            if self._file.tell() + len(line) > LOG_LIMIT:
                self._file.close()
                self.path.replace(self.path.with_name(f"{self.path.name}.1"))
                self._file = self._opened()
            self._file.write(line)
        except OSError:
            return

    def say(self, words: str) -> None:
        """Add a line of our own."""
        self.write(f"{time.strftime('%Y-%m-%d %H:%M:%S UTC', time.gmtime())} comity: {words}\n".encode())

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _opened(self) -> BinaryIO:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.fdopen(os.open(self.path, flags, 0o600), "ab", buffering=0)


class Watcher:
    """One server from its start to its end, through as many processes as that takes."""

    def __init__(self, order: Order, answer: Callable[[str], None]) -> None:
        self.order = order
        self.data = Path(order.data)
        self.log = Log(Path(order.root) / "log")
        self.events: SimpleQueue[Event] = SimpleQueue()
        self.leaving = False
        self.answered = False
        self._answer = answer

    def run(self) -> None:
        """Keep the server until nobody is left; start it again when it was killed."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.events.put(Event.NOBODY_LEFT))
        threading.Thread(target=self._wait_for_the_lease, daemon=True).start()
        self._clear_the_way()
        patience = time.monotonic() + IN_THE_WAY
        for pause in _pauses():
            code = self._one_life()
            if self.leaving or code == 0:  # 0: somebody else asked it to stop
                return
            if not self.answered and not self._may_pass(patience):
                self.answer("\n".join(self.log.last))
                return
            self.log.say(f"PostgreSQL ended with {code}; it is started again.")
            if self._happens(within=pause):
                return

    def answer(self, problem: str = "") -> None:
        """Tell whoever started us that the server is ready, or why it is not."""
        if not self.answered:
            self._answer(problem)
        self.answered = True

    def _wait_for_the_lease(self) -> None:
        fcntl.flock(open_lock(Path(self.order.root) / "lease"), fcntl.LOCK_EX)
        self.events.put(Event.NOBODY_LEFT)

    def _one_life(self) -> int:
        """Run one server process to its end; return how it ended."""
        server = self._launch()
        while not says_ready(self.data, server.pid):
            if event := self._happens(within=LOOK_AGAIN):
                break
        else:
            self.answer()
            event = self._happens()
        if event is Event.NOBODY_LEFT:
            self._stop(server)
        return server.wait()

    def _launch(self) -> subprocess.Popen[bytes]:
        us = os.geteuid() == self.order.uid
        server = subprocess.Popen(  # noqa: S603 - the command comes from the process that started us
            self.order.command,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            user=None if us else self.order.uid,
            group=None if us else self.order.gid,
            extra_groups=None if us else [],
            preexec_fn=_end_with_parent(),  # noqa: PLW1509 - our other threads wait in system calls and hold no lock
        )
        threading.Thread(target=self._listen, args=[server], daemon=True).start()
        return server

    def _listen(self, server: subprocess.Popen[bytes]) -> None:
        """Write down what the server says. It has ended once the last of its processes is gone, for all can write."""
        if server.stderr:
            for line in server.stderr:
                self.log.write(line)
        self.events.put(Event.SERVER_ENDED)

    def _happens(self, within: float | None = None) -> Event | None:
        try:
            event = self.events.get(timeout=within)
        except Empty:
            return None
        self.leaving = self.leaving or event is Event.NOBODY_LEFT
        return event

    def _stop(self, server: subprocess.Popen[bytes]) -> None:
        for number, seconds in ((signal.SIGINT, POLITELY), (signal.SIGQUIT, FIRMLY), (signal.SIGKILL, FIRMLY)):
            server.send_signal(number)
            if self._ends(within=seconds):
                return
            self.log.say(f"PostgreSQL did not stop {seconds} s after {number.name}.")

    def _ends(self, within: float) -> bool:
        until = time.monotonic() + within
        while (left := until - time.monotonic()) > 0:
            if self._happens(within=left) is Event.SERVER_ENDED:
                return True
        return False

    def _may_pass(self, patience: float) -> bool:
        """Say whether the start failed only because processes of a server that was killed are still going away."""
        told = "\n".join(self.log.last)
        return time.monotonic() < patience and any(words in told for words in STILL_THERE)

    def _clear_the_way(self) -> None:
        """Stop a server that outlived its watcher; else remove what a dead one left that names a living process.

        PostgreSQL itself removes such a file where its process is gone. The number may be another's by now, or that of
        a process whose end nobody has taken note of. Nobody listens on the socket, so it is not the server's.
        """
        path = Path(self.order.socket)
        files = [self.data / "postmaster.pid", path.with_name(f"{path.name}.lock")]
        if listens(path):
            self._stop_orphan(path, _written_pid(files[0]))
            return
        for file in files:
            if (pid := _written_pid(file)) and _lives(pid):
                self.log.say(f"{file} names process {pid}, which is not this server; the file is removed.")
                file.unlink()

    def _stop_orphan(self, path: Path, pid: int | None) -> None:
        if pid is None:
            return
        self.log.say(f"PostgreSQL, process {pid}, outlived its watcher; it is stopped.")
        os.kill(pid, signal.SIGINT)
        until = time.monotonic() + POLITELY
        while listens(path) and time.monotonic() < until:
            time.sleep(LOOK_AGAIN)


def says_ready(data: Path, pid: int | None = None) -> bool:
    """Say whether the server (that process) has written that it takes connections, as pg_ctl reads it."""
    try:
        lines = (data / "postmaster.pid").read_text("utf-8", "replace").splitlines()
    except OSError:
        return False
    return len(lines) > 7 and lines[7].strip() == "ready" and pid in {None, _number(lines[0])}  # noqa: PLR2004 - line 8


def listens(path: Path) -> bool:
    """Say whether somebody listens on the socket. Its folder is closed to others, so that is the server."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def _pauses() -> Iterator[float]:
    pause = 0.05
    while True:
        yield pause
        pause = min(2 * pause, SLOWEST)


def _written_pid(file: Path) -> int | None:
    try:
        return _number(file.read_text("utf-8", "replace").partition("\n")[0].strip())
    except OSError:
        return None


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and int(text) > 1 else None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _end_with_parent() -> Callable[[], None] | None:
    """Give what makes Linux stop the server when even its watcher is killed. Other systems have no such thing."""
    if sys.platform != "linux":
        return None
    prctl, us = ctypes.CDLL(None).prctl, os.getpid()

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != us:
            os._exit(1)

    return ask


def main() -> None:
    """Read the order from standard input, answer on standard output in one line, and watch."""
    order = Order(**json.load(sys.stdin))
    mark = open_lock(Path(order.root) / "watcher")
    fcntl.flock(mark, fcntl.LOCK_EX)
    os.pwrite(mark, f"{os.getpid():<12}\n".encode(), 0)  # for people; nothing relies on it
    Watcher(order, _tell).run()


def _tell(problem: str) -> None:
    """Answer, and let go of the pipe, since nobody may wait for it any more."""
    os.write(1, json.dumps({"problem": problem}).encode() + b"\n")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)
    os.close(nowhere)
