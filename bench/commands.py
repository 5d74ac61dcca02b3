"""What somebody at a terminal waits for: the command on a CSV file, its help, the lawbook with and without cache."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMITY = (sys.executable, "-c", "from comity.cli import main; main()")
"""The program `comity`, whether or not it is installed beside this Python."""


def in_process(what: str, *more: str) -> dict[str, float]:
    """Run `what` from a new, small process: a program's peak memory counts from that of the process that starts it."""
    command = [sys.executable, "-m", "bench.commands", what, *more]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 (our own module)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def check(path: str) -> dict[str, float]:
    """`comity check FILE`, marketing by e-mail, the report printed, from the start of the process to its end."""
    return _run(
        *COMITY, "check", path, "--purpose", "marketing", "--channel", "email", "--we-are", "US", "--day", "2026-11-21"
    )


def help_text() -> dict[str, float]:
    """`comity --help`."""
    return _run(*COMITY, "--help")


def load() -> dict[str, float]:
    """Read all packs from their files, then from the cache that the first reading left."""
    with tempfile.TemporaryDirectory() as folder:
        return {"uncached": _timed(Path(folder)), "cached": _timed(Path(folder))}


def _timed(folder: Path) -> float:
    from comity.law import SHIPPED, lawbook

    started = time.perf_counter()
    lawbook(SHIPPED, folder)
    return time.perf_counter() - started


def _run(*command: str) -> dict[str, float]:
    """Run a program to its end; return its seconds and its peak megabytes."""
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as program:  # noqa: S603 (our own command)
        fault = program.stderr.read() if program.stderr else b""
        _, status, used = os.wait4(program.pid, 0)
        program.returncode = os.waitstatus_to_exitcode(status)
    if program.returncode:
        raise RuntimeError(fault.decode(errors="replace"))
    return {"seconds": time.perf_counter() - started, "megabytes": used.ru_maxrss / 1024}


if __name__ == "__main__":
    what, *more = sys.argv[1:]
    results = {"check": lambda: check(*more), "help": help_text, "load": load}
    print(json.dumps(results[what]()))
