"""A PostgreSQL server for one test run: its own data, a socket instead of a port, a password, gone afterwards."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator

DEBIAN = Path("/usr/lib/postgresql")
SPEED = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"  # this data is never needed again
LONGEST_START = 60  # seconds


def binaries() -> Path | None:
    """Return the folder that holds initdb and pg_ctl, the newest of Debian's where PATH has none."""
    if (found := shutil.which("initdb")) and shutil.which("pg_ctl"):
        return Path(found).resolve().parent
    versions = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]), reverse=True)
    return versions[0].parent if versions else None


def owner() -> tuple[int, int]:
    """Return user and group that run the server: ours, or, since PostgreSQL refuses root, those of a humble account."""
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    accounts = {account.pw_name: account for account in pwd.getpwall()}
    humble = accounts.get("postgres") or accounts["nobody"]
    return humble.pw_uid, humble.pw_gid


@contextmanager
def private_postgres(folder: Path) -> Iterator[str]:
    """Start a server from the binaries in `folder`; yield the URL of its empty database; stop it and drop its data."""
    # Not in TMPDIR: its path may be too long for a socket, or closed to the account that runs the server.
    home = Path(tempfile.mkdtemp(prefix="comity-pg-", dir="/tmp"))
    data, log, password_file = home / "data", home / "log", home / "password"
    password, port = secrets.token_urlsafe(24), 1024 + secrets.randbelow(60_000)
    options = f"-c listen_addresses='' -c unix_socket_directories='{home}' -p {port} {SPEED}"
    try:
        password_file.write_text(password)
        for path in (home, password_file):
            os.chown(path, *owner())
        run(folder / "initdb", "-D", data, "-U", "comity", "-E", "UTF8", "--locale=C", "-A", "scram-sha-256",
             "--no-sync", f"--pwfile={password_file}", home=home)  # fmt: skip
        run(folder / "pg_ctl", "start", "-w", "-t", LONGEST_START, "-D", data, "-l", log, "-o", options, home=home)
        try:
            yield f"postgresql://comity:{password}@/postgres?host={quote(str(home), safe='')}&port={port}"
        finally:
            run(folder / "pg_ctl", "stop", "-D", data, "-m", "immediate", home=home)
    finally:
        shutil.rmtree(home)


def run(program: Path, *arguments: object, home: Path) -> None:
    """Run one of PostgreSQL's programs as the server's owner, in its home and with nothing of our environment."""
    (user, group), root = owner(), os.geteuid() == 0
    with (home / "errors").open("w") as errors:
        done = subprocess.run(
            [program, *map(str, arguments)],
            cwd=home,
            env={"PATH": os.defpath, "LC_ALL": "C", "HOME": str(home)},
            user=user if root else None,
            group=group if root else None,
            extra_groups=[] if root else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            check=False,
        )
    if done.returncode:
        told = "".join(path.read_text() for path in (home / "errors", home / "log") if path.exists())
        message = f"PostgreSQL's {program.name} failed: {told}"
        raise RuntimeError(message)
