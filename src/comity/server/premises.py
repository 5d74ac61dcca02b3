"""Where the private server lives on the disk, and which account of the machine runs it."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from comity.server.folder import CLOSED, Refusal

PORT = 5432
"""Part of a socket's file name and nothing else: the server listens on no network."""

LONGEST_SOCKET = 103
"""Bytes. The address of a socket holds 107 on Linux and 103 on macOS."""

HUMBLE = ("postgres", "_postgres", "nobody")
"""Who runs the server where we are root, since PostgreSQL refuses to: the first of these that the machine has."""

ELSEWHERE = (Path("/var/lib"), Path("/var/db"))
SHORT = (Path("/run"), Path("/tmp"))  # noqa: S108 - made there by mkdtemp, closed, and its owner is checked
PLAIN = re.compile(r"[A-Za-z0-9_/. ~+-]+")  # libpq reads a comma in a host as a list of hosts


class PremisesRefused(Refusal):
    """The server's data cannot lie, or does not lie, where it should; says how to mend it."""


@dataclass(frozen=True)
class Runner:
    """The account of the operating system that runs the server."""

    uid: int
    gid: int

    @property
    def is_us(self) -> bool:
        """Whether no change of account is needed."""
        return self.uid == os.geteuid()

    def takes(self, path: Path) -> Path:
        """Make the account the owner of what we have just made."""
        if not self.is_us:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)
        return path

    def reaches(self, path: Path) -> bool:
        """Say whether the account may pass through every folder down to this path, and enter or run what is there."""
        real = path.resolve()
        return self.is_us or all(map(self._may_pass, (real, *real.parents)))

    def _may_pass(self, path: Path) -> bool:
        its = path.stat()
        shift = 6 if its.st_uid == self.uid else 3 if its.st_gid == self.gid else 0
        return bool(its.st_mode >> shift & 0o1)


@dataclass(frozen=True, kw_only=True)
class Premises:
    """The folder of one private server. It is ours; `data` and the socket's folder belong to who runs the server.

    So a root that works here never writes where another account could have laid a link.
    """

    root: Path
    runner: Runner

    @property
    def data(self) -> Path:
        """What PostgreSQL calls its data directory."""
        return self.root / "data"

    @property
    def log(self) -> Path:
        """What the server says. What is older is in `log.1`."""
        return self.root / "log"

    @property
    def passwords(self) -> Path:
        """The passwords of the three roles that can log in."""
        return self.root / "passwords"

    @property
    def settings(self) -> Path:
        """The server's settings, for whoever runs it to change."""
        return self.root / "postgresql.conf"

    @property
    def admission(self) -> Path:
        """Who may log in, and how; written anew at every start."""
        return self.root / "pg_hba.conf"

    @property
    def prepared(self) -> Path:
        """Says which form of roles and rights the database was given."""
        return self.root / "prepared"

    @property
    def lease(self) -> Path:
        """Locked, shared, by everybody who uses the server."""
        return self.root / "lease"

    @property
    def starting(self) -> Path:
        """Locked by the one who starts the server or looks whether it runs."""
        return self.root / "starting"

    @property
    def watcher(self) -> Path:
        """Locked by the one process that keeps the server and stops it."""
        return self.root / "watcher"

    @property
    def socket_folder(self) -> Path:
        """Where the socket is: in these premises, or where a link in them says, if their path is too long."""
        inside = self.root / "socket"
        return inside.readlink() if inside.is_symlink() else inside

    @property
    def socket(self) -> Path:
        """The socket itself."""
        return self.socket_folder / f".s.PGSQL.{PORT}"

    def prepare_socket_folder(self) -> None:
        """Make the socket's folder, closed to others, or check that the one remembered is still ours alone."""
        inside = self.root / "socket"
        if _fits(inside) == inside.is_symlink():  # the premises were moved, to a shorter or a longer path
            self._drop_socket_folder()
        if _fits(inside):
            with suppress(FileExistsError):
                inside.mkdir(mode=CLOSED)
                self.runner.takes(inside)
        elif not (inside.is_symlink() and self._is_private(inside.readlink())):
            self._link(inside, self._short_folder())  # a machine that starts anew has emptied /run and /tmp
        if not self._is_private(self.socket_folder):
            raise PremisesRefused(
                f"The socket's folder {self.socket_folder} must belong to the account with the number "
                f"{self.runner.uid} and have mode 0700. Cure: stop Comity and remove that folder; it is made anew."
            )

    def remove(self) -> None:
        """Delete the server's files for good."""
        self._drop_socket_folder()
        shutil.rmtree(self.root)

    def _is_private(self, folder: Path) -> bool:
        try:
            its = folder.lstat()
        except OSError:
            return False
        return stat.S_ISDIR(its.st_mode) and its.st_uid == self.runner.uid and stat.S_IMODE(its.st_mode) == CLOSED

    def _drop_socket_folder(self) -> None:
        inside = self.root / "socket"
        if inside.is_symlink():
            if self._is_private(inside.readlink()):
                shutil.rmtree(inside.readlink())
            inside.unlink()
        elif inside.exists():
            shutil.rmtree(inside)

    def _short_folder(self) -> Path:
        parent = next(path for path in SHORT if path.is_dir() and os.access(path, os.W_OK))
        return self.runner.takes(Path(tempfile.mkdtemp(prefix="comity-", dir=parent)))

    @staticmethod
    def _link(name: Path, target: Path) -> None:
        aside = name.with_name("socket.new")
        aside.unlink(missing_ok=True)
        aside.symlink_to(target)
        aside.replace(name)


def open_premises(folder: Path) -> Premises:
    """Return the premises of a folder's server, made if they are not there.

    They are `<folder>/postgres`. Where we are root, that is a link to a folder outside: the humble account that runs
    the server must reach its data, may not enter the folder of the keys, and no folder's mode is changed to let it in.
    """
    name = folder / "postgres"
    try:
        if not name.is_symlink() and not name.exists():
            _make(name)
        root = name.resolve(strict=True)
    except FileNotFoundError:
        raise PremisesRefused(
            f"The data of this database is gone: {name} leads to {name.readlink()}, and nothing is there. Cure: put "
            f"it back, or restore a backup; to begin with an empty database, remove the link {name}."
        ) from None
    except OSError as error:
        raise PremisesRefused(
            f"{error.filename or name} cannot be made: {error.strerror}. Cure: let COMITY_FOLDER name a folder in "
            "which you may write, on a disk with room."
        ) from error
    premises = Premises(root=root, runner=_runner(root / "data"))
    _check(premises)
    return premises


def _make(name: Path) -> None:
    if os.geteuid() != 0:
        name.mkdir(mode=CLOSED, exist_ok=True)
        return
    root = Path(tempfile.mkdtemp(prefix=f"{name.parent.name[:40]}-postgres-", dir=_outside(name.parent)))
    root.chmod(0o711)  # the account passes through to what is its own, and can list nothing
    try:
        name.symlink_to(root)
    except FileExistsError:  # somebody else was quicker
        root.rmdir()


def _outside(folder: Path) -> Path:
    """Return the folder in which root's server gets its own: beside ours, on the disk that was chosen, if it can."""
    for parent in (folder.parent, *ELSEWHERE):
        if parent.is_dir() and all(map(_open_and_roots, (parent, *parent.resolve().parents))):
            return parent
    raise PremisesRefused(
        f"Root's server needs its data in a folder that everybody may pass through and only root may write in: neither "
        f"{folder.parent} nor any of {', '.join(map(str, ELSEWHERE))} is one. Cure: run Comity as an ordinary account."
    )


def _open_and_roots(folder: Path) -> bool:
    its = folder.stat()
    return its.st_uid == 0 and bool(its.st_mode & stat.S_IXOTH) and not its.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _runner(data: Path) -> Runner:
    """Return who runs the server: whoever owns the data; before there is any, we, or for root a humble account."""
    if data.is_dir():
        its = data.stat()
        return Runner(its.st_uid, its.st_gid)
    if os.geteuid() != 0:
        return Runner(os.geteuid(), os.getegid())
    return next(_humble())


def _humble() -> Iterator[Runner]:
    for name in HUMBLE:
        with suppress(KeyError):
            its = pwd.getpwnam(name)
            yield Runner(its.pw_uid, its.pw_gid)
    raise PremisesRefused(
        "PostgreSQL refuses to run as root, and this machine has no other account for it. Cure: "
        "useradd --system postgres"
    )


def _check(premises: Premises) -> None:
    root, its = premises.root, premises.root.stat()
    if its.st_uid != os.geteuid() or its.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PremisesRefused(
            f"{root} must belong to the account that runs Comity, and nobody else may write in it. "
            f"Cure: chown {os.geteuid()} '{root}'; chmod go-w '{root}'"
        )
    if not premises.runner.is_us and not (os.geteuid() == 0 and premises.runner.reaches(root)):
        raise PremisesRefused(
            f"The data in {root} belongs to the account with the number {premises.runner.uid}, which cannot be used "
            f"here by {os.geteuid()}. Cure: run Comity as the account that made it."
        )


def _fits(folder: Path) -> bool:
    socket = folder / f".s.PGSQL.{PORT}"
    return len(os.fsencode(socket)) <= LONGEST_SOCKET and PLAIN.fullmatch(str(socket)) is not None
