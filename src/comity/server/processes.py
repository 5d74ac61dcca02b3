"""Programs that run together and stop together: all are asked to, then made to, and none outlives us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType
from typing import BinaryIO

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GUARD_FAILED = 9
FIRST_FAILURE = 10
"""The exit code when the first program ended by itself; that of the second is one more, and so on."""

INTERRUPTED_TWICE = 130
US = "comity"  # what we say ourselves has our name before it
GRACE = 10.0  # seconds
SOURCE = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, kw_only=True)
class Program:
    """One program of the group: its name, the command that starts it, and what its environment has beside ours."""

    name: str
    command: Sequence[str]
    environ: Mapping[str, str] = field(default_factory=dict)
    niceness: int = 0
    """By how much it stands back when the processors are busy: 0 not at all, 19 always."""


GUARD = Program(name="the guard of these programs", command=())


@dataclass(frozen=True)
class Ended:
    """A program has ended."""

    program: Program
    code: int


class ProcessGroup:
    """Programs started in the order given and stopped in the reverse one, so that each may lean on those before it.

    They share one process group of the system, which a small guard leads. The guard holds a pipe to us; when it
    breaks, because we ended in whatever way, the guard ends the group. So also what the programs start themselves goes.
    """

    def __init__(self, programs: Sequence[Program], *, grace: float = GRACE, out: BinaryIO | None = None) -> None:
        self.programs = programs
        self.grace = grace
        self._out = out or sys.stdout.buffer
        self._events: SimpleQueue[Ended | signal.Signals] = SimpleQueue()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._listeners: list[threading.Thread] = []
        self._writing = threading.Lock()
        self._width = max(len(name) for name in (US, *(program.name for program in programs)))

    def run(self) -> int:
        """Run until a program ends or we are asked to stop; return the exit code that tells which."""
        with self._heeding_signals():
            with _guarded(self.grace) as guard:
                self._watch(GUARD, guard)
                code = self._run_in(guard.pid)
            for listener in self._listeners:
                listener.join(1)
        return code

    def _run_in(self, group: int) -> int:
        try:
            for program in self.programs:
                self._start(program, group)
        except OSError as error:
            self._say(f"{error.filename or 'a program'} cannot be started: {error.strerror}")
            return self._stop_after(Ended(self.programs[len(self._running)], 127))
        return self._stop_after(self._events.get())

    # ------------------------------------------------------------ start

    def _start(self, program: Program, group: int) -> None:
        process = subprocess.Popen(  # noqa: S603 - the caller's own programs
            program.command,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **program.environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=group,
        )
        with suppress(ProcessLookupError):  # it may have ended by now
            os.setpriority(os.PRIO_PROCESS, process.pid, program.niceness + os.nice(0))
        self._running[program.name] = process
        self._watch(program, process)
        self._listeners.append(threading.Thread(target=self._show, args=[program.name, process.stdout], daemon=True))
        self._listeners[-1].start()

    def _watch(self, program: Program, process: subprocess.Popen[bytes]) -> None:
        def wait() -> None:
            self._events.put(Ended(program, process.wait()))

        threading.Thread(target=wait, daemon=True).start()

    @contextmanager
    def _heeding_signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self._heed) for number in STOPPING}
        try:
            yield
        finally:
            for number, what in before.items():
                signal.signal(number, what)

    def _heed(self, number: int, _frame: FrameType | None) -> None:
        self._events.put(signal.Signals(number))

    # ------------------------------------------------------------ stop

    def _stop_after(self, event: Ended | signal.Signals) -> int:
        if isinstance(event, Ended):
            self._say(f"{event.program.name} ended {_told(event.code)}; all others are stopped.")
            code = GUARD_FAILED if event.program is GUARD else FIRST_FAILURE + self.programs.index(event.program)
        else:
            self._say(f"Stopping ({event.name}). Once more to kill.")
            code = 0
        return code if self._stop_all() else INTERRUPTED_TWICE

    def _stop_all(self) -> bool:
        """Ask one after the other to stop, the last one first. Say whether it went on without a second interruption."""
        until = time.monotonic() + self.grace
        for name, process in reversed(self._running.items()):
            process.terminate()
            while process.poll() is None:
                if (left := until - time.monotonic()) <= 0:
                    self._say(f"{name} did not stop within {self.grace:g} s and is killed.")
                    break
                if isinstance(self._next_event(left), signal.Signals):
                    return False
        return True

    def _next_event(self, within: float) -> Ended | signal.Signals | None:
        try:
            return self._events.get(timeout=within)
        except Empty:
            return None

    # ------------------------------------------------------------ what they say

    def _show(self, name: str, lines: BinaryIO) -> None:
        for line in lines:
            self._write(name, line)

    def _say(self, words: str) -> None:
        self._write(US, words.encode())

    def _write(self, name: str, line: bytes) -> None:
        with self._writing, suppress(OSError, ValueError):  # a terminal that has closed stops nothing
            self._out.write(f"{name:{self._width}} | ".encode() + line.rstrip(b"\n") + b"\n")
            self._out.flush()


def _told(code: int) -> str:
    return f"with exit code {code}" if code >= 0 else f"by {signal.Signals(-code).name}"


def _kill(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # macOS: the second, where only the dead are left
        os.killpg(group, signal.SIGKILL)


# ---------------------------------------------------------------- the guard


@contextmanager
def _guarded(grace: float) -> Iterator[subprocess.Popen[bytes]]:
    """Give the guard, ready, which leads a process group of its own; afterwards kill whatever is left in that group."""
    start = (
        f"import sys; sys.path.insert(0, {str(SOURCE)!r}); from comity.server.processes import guard; guard({grace})"
    )
    process = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-I", "-S", "-c", start],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        process_group=0,
    )
    try:
        if process.stdout:
            process.stdout.readline()
        yield process
    finally:
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()
        _kill(process.pid)
        process.wait()


def guard(grace: float) -> None:
    """Wait for the pipe on standard input to break; then ask the whole group to stop, and soon kill it."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
    os.write(1, b"ready\n")
    os.read(0, 1)
    os.killpg(0, signal.SIGTERM)
    time.sleep(grace)
    os.killpg(0, signal.SIGKILL)
