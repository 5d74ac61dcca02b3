"""The one folder on this machine in which keys, journal and private database lie, and which nobody else may enter."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

CLOSED = 0o700
OTHERS = 0o077
LOOPBACK = "127.0.0.1"
FIRST_PORT = 8000
LEFT_LYING = ("uploads/*.upload*", "imports/work-*")
"""What a process that was killed leaves in the folder: files on their way in, which are not sealed yet."""
PORTS = 100
"""How many ports are tried, one after the other, before the machine chooses."""


class Refusal(Exception):
    """What this room refuses to do; its words say what was wrong, where, and the cure."""


class FolderRefused(Refusal):
    """The folder is not ours alone, or cannot be made; says how to mend it."""


class FolderInUse(Refusal):
    """Another Comity works in this folder."""


class PortInUse(Refusal):
    """Somebody else listens on the port that was asked for."""


def comity_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder that COMITY_FOLDER names, else the one in the home directory."""
    named = environ.get("COMITY_FOLDER")
    return Path(named).expanduser() if named else Path.home() / ".local" / "share" / "comity"


def prepare_folder(folder: Path) -> Path:
    """Make the folder with mode 0700 if it is not there; check that it is ours alone; return its real path."""
    try:
        folder.mkdir(mode=CLOSED, parents=True, exist_ok=True)
        real = folder.resolve(strict=True)
    except OSError as error:
        raise FolderRefused(
            f"The folder {folder} cannot be made: {error.strerror}. Cure: let COMITY_FOLDER name a folder in which "
            "you may write, on a disk with room."
        ) from error
    if wrong := wrong_with(real):
        raise FolderRefused(wrong)
    return real


def wrong_with(folder: Path) -> str | None:
    """Return why this folder is not ours alone, with the cure, or None where it is."""
    its, us = folder.stat(), os.geteuid()
    if not stat.S_ISDIR(its.st_mode):
        return f"{folder} is not a folder. Cure: let COMITY_FOLDER name one."
    if its.st_uid != us:
        return (
            f"The folder {folder} belongs to the account with the number {its.st_uid}, and this is {us}. Cure: run "
            f"Comity as that account, or: chown -R {us} '{folder}'"
        )
    if its.st_mode & OTHERS:
        mode = stat.S_IMODE(its.st_mode)
        return f"The folder {folder} has mode {mode:04o}, so others can enter it. Cure: chmod 700 '{folder}'"
    for above in folder.parents:
        if above.stat().st_mode & (stat.S_IWOTH | stat.S_ISVTX) == stat.S_IWOTH:
            return (
                f"Anybody may rename what is in {above}, above {folder}. Cure: chmod o-w '{above}', or move the folder."
            )
    return None


def open_lock(path: Path) -> int:
    """Open a file that only serves to be locked; the lock goes with the process that holds it, however that ends."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep a second Comity out of this folder for as long as the block runs."""
    lock = open_lock(folder / "lock")
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = os.pread(lock, 20, 0).decode(errors="replace").strip() or "unknown"
            raise FolderInUse(
                f"Another Comity (process {other}) works in {folder}. Cure: use that one, stop it, or let "
                "COMITY_FOLDER name another folder."
            ) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(lock)


def clear_left_lying(folder: Path) -> None:
    """Remove what killed processes left. Only for whoever is alone in the folder: nobody takes a file in just now."""
    for left in (path for pattern in LEFT_LYING for path in folder.glob(pattern)):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def free_port(wanted: int | None = None) -> int:
    """Return the port asked for if it is free, else refuse; if none is, the first free one from 8000 on."""
    if wanted is not None:
        if not port_is_free(wanted):
            raise PortInUse(
                f"Something else listens on {LOOPBACK}:{wanted}, or it may not be used. Cure: stop it, or choose "
                "another port."
            )
        return wanted
    return next(filter(port_is_free, range(FIRST_PORT, FIRST_PORT + PORTS)), None) or _any_port()


def port_is_free(port: int) -> bool:
    """Say whether a server could listen on this port of the loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: what has just ended is free
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def _any_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
