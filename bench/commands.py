"""What somebody at a terminal waits for: the command on a CSV file, its help, the lawbook with and without its cache."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from comity.law import SHIPPED, lawbook

COMITY = (sys.executable, "-c", "from comity.cli import main; main()")
"""The program `comity`, whether or not it is installed beside this Python."""


def check(path: Path) -> dict[str, float]:
    """`comity check FILE --purpose marketing --channel email`, the report printed, from the start of the process to its end."""
    return _run(*COMITY, "check", str(path), "--purpose", "marketing", "--channel", "email", "--we-are", "US", "--day", "2026-11-21")


def help_text() -> dict[str, float]:
    """`comity --help`."""
    return _run(*COMITY, "--help")


def load() -> dict[str, float]:
    """Read all packs from their files, then from the cache that the first reading left."""
    with tempfile.TemporaryDirectory() as folder:
        first = _timed(Path(folder))
        return {"uncached": first, "cached": _timed(Path(folder))}


def _timed(folder: Path) -> float:
    started = time.perf_counter()
    lawbook(SHIPPED, folder)
    return time.perf_counter() - started


def _run(*command: str) -> dict[str, float]:
    """Run a program to its end; return its seconds and its peak megabytes."""
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as program:  # noqa: S603 (ours)
        fault = program.stderr.read() if program.stderr else b""
        _, status, used = os.wait4(program.pid, 0)
        program.returncode = os.waitstatus_to_exitcode(status)
    if program.returncode:
        raise RuntimeError(fault.decode(errors="replace"))
    return {"seconds": time.perf_counter() - started, "megabytes": _megabytes(used)}


def _megabytes(used: resource.struct_rusage) -> float:
    return used.ru_maxrss / 1024
