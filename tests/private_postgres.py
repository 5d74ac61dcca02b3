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


def owner() -> pwd.struct_passwd:
    """Return who runs the server: us, or, since PostgreSQL refuses root, an account that owns nothing."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    accounts = {account.pw_name: account for account in pwd.getpwall()}
    return accounts.get("postgres") or accounts["nobody"]


@contextmanager
def private_postgres(folder: Path) -> Iterator[str]:
    """Start a server from the binaries in `folder`; yield the URL of its empty database; stop it and drop its data."""
    home = Path(tempfile.mkdtemp(prefix="comity-pg-", dir="/tmp"))  # noqa: S108 - TMPDIR may be closed to the owner, or its path too long for a socket
    who, password, port = owner(), secrets.token_urlsafe(24), 1024 + secrets.randbelow(60_000)
    data = home / "data"

    def run(program: str, *arguments: str) -> None:
        log = home / "log"
        try:
            _run_as(who, str(folder / program), *arguments, cwd=home)
        except subprocess.CalledProcessError as error:
            told = log.read_text() if log.exists() else error.stderr
            message = f"PostgreSQL's {program} failed: {told}"
            raise RuntimeError(message) from error

    try:
        (home / "password").write_text(password)
        for path in (home, home / "password"):
            os.chown(path, who.pw_uid, who.pw_gid)
        run("initdb", "-D", str(data), "-U", "comity", "-E", "UTF8", "--locale=C", "-A", "scram-sha-256",
            "--no-sync", f"--pwfile={home / 'password'}")  # fmt: skip
        options = f"-c listen_addresses='' -c unix_socket_directories='{home}' -p {port} {SPEED}"
        run("pg_ctl", "start", "-w", "-t", str(LONGEST_START), "-D", str(data), "-l", str(home / "log"), "-o", options)
        try:
            yield f"postgresql://comity:{password}@/postgres?host={quote(str(home), safe='')}&port={port}"
        finally:
            run("pg_ctl", "stop", "-D", str(data), "-m", "immediate")
    finally:
        shutil.rmtree(home)


def _run_as(who: pwd.struct_passwd, *command: str, cwd: Path) -> None:
    drop = {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    environment = {"PATH": os.defpath, "LC_ALL": "C", "HOME": str(cwd)}
    subprocess.run(  # noqa: S603 - PostgreSQL's own programs, with arguments made here
        command, check=True, cwd=cwd, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **drop
    )
