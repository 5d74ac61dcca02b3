"""What must be so for Comity to work, looked at one by one: what was found, and how to mend it."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import NamedTuple

import psycopg

from comity.server.binaries import OLDEST, NoPrograms, find_programs, major_of
from comity.server.folder import LOOPBACK, port_is_free, wrong_with
from comity.server.roles import APP

OLDEST_PYTHON = (3, 11)
GIGABYTE = 10**9
LITTLE_ROOM = 2 * GIGABYTE
NO_ROOM = GIGABYTE // 5
CLOCKS_APART = 5  # seconds between our clock and the database's that may matter to an order of events
LONGEST_WAIT = 5  # seconds for the database to answer

SEQUENCER = (0x636F6D69, 0x74790001)
"""The two halves of the lock that the ledger's sequencer holds: comity.ledger.sequencer.LOCK."""

UNNUMBERED = 60
"""Seconds that an entry may be without a number while a sequencer works: it takes a tenth of one."""

SILENT = 20
"""Seconds after which a worker that gave no sign of life is taken for dead."""

BEHIND = 600
"""Seconds that a job may be due without anybody having begun it."""

RECENT = 7
"""Days for which a job that failed is told."""


class Grade(Enum):
    """How a check came out."""

    OK = "ok"
    WARN = "warn"  # works, and may soon not
    FAIL = "fail"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    name: str
    grade: Grade
    found: str
    cure: str = ""


class Outcome(NamedTuple):
    """What one look told; a cure means that something is to be mended."""

    found: str
    cure: str = ""
    grade: Grade = Grade.FAIL


Look = Callable[[], Outcome]


class NotLookedAt(Exception):
    """Something else must be mended before this can be looked at; its words say what."""


def check(name: str, look: Look) -> Check:
    """Look, and let nothing that goes wrong while looking pass for well."""
    try:
        found, cure, grade = look()
    except NotLookedAt as error:
        return Check(name=name, grade=Grade.FAIL, found="not looked at", cure=str(error))
    except Exception as error:  # noqa: BLE001 - whatever is wrong here is what the doctor was asked to find
        return Check(name=name, grade=Grade.FAIL, found=f"{type(error).__name__}: {error}", cure="mend what it names")
    return Check(name=name, grade=grade if cure else Grade.OK, found=found, cure=cure)


def examine(
    *,
    folder: Path,
    keys: Mapping[str, Path] | Callable[[], Mapping[str, Path]],
    url: str | None = None,
    private: bool = False,
    port: int | None = None,
    pending: Callable[[], Sequence[str]] | None = None,
    journal: Look | None = None,
) -> list[Check]:
    """Return every check.

    `keys` are the files that must be there, by what they are for, or what finds them out. `url` is that of the
    application's login, `private` says that Comity starts the server itself. `pending` names the migrations that have
    not run. `journal` looks at the noes that lie outside the database. What is None is not looked at.
    """
    looks: dict[str, Look | None] = {
        "Python": python,
        "folder": lambda: closed_folder(folder),
        "disk": lambda: room(folder),
        "clock": clock,
        "PostgreSQL's programs": partial(programs, folder) if private else None,
        "port": None if port is None else partial(free, port),
        "migrations": None if pending is None else lambda: none(pending()),
        "journal": journal,
    }
    found = [check(name, look) for name, look in looks.items() if look]
    return [*found, *_keys(keys, folder), *(database(url) if url else ())]


def _keys(keys: Mapping[str, Path] | Callable[[], Mapping[str, Path]], folder: Path) -> Iterator[Check]:
    """Check the files that must be there, and whether others that lie beside them are closed."""
    try:
        wanted = keys() if callable(keys) else keys
    except NotLookedAt as error:
        yield Check(name="keys", grade=Grade.FAIL, found="not looked at", cure=str(error))
        return
    except Exception as error:  # noqa: BLE001 - as in `check`
        yield Check(name="keys", grade=Grade.FAIL, found=f"{type(error).__name__}: {error}", cure="mend what it names")
        return
    for name, path in wanted.items():
        yield check(f"key: {name}", partial(key, path))
    others = set((folder / "keys").glob("*")) - set(wanted.values())
    yield from (one for path in sorted(others) if (one := check(f"key: {path.name}", partial(key, path))).cure)


# ---------------------------------------------------------------- this machine


def python(version: tuple[int, ...] = tuple(sys.version_info[:3])) -> Outcome:
    """Look at the version of Python."""
    words = ".".join(map(str, version))
    oldest = ".".join(map(str, OLDEST_PYTHON))
    return Outcome(words, "" if version >= OLDEST_PYTHON else f"install Python {oldest} or newer")


def programs(folder: Path) -> Outcome:
    """Look for PostgreSQL's programs, of the version that made the data, where there is any."""
    try:
        return Outcome(str(find_programs(major_of(folder / "postgres" / "data"))))
    except NoPrograms as error:
        found, _, cure = str(error).partition(" Cure: ")
        return Outcome(found, cure)


def closed_folder(folder: Path) -> Outcome:
    """Look whether the folder is there and ours alone."""
    if not folder.exists():
        return Outcome(f"{folder} is not there", "run: comity setup, or let COMITY_FOLDER name the folder")
    if wrong := wrong_with(folder.resolve()):
        found, _, cure = wrong.partition(" Cure: ")
        return Outcome(found, cure)
    return Outcome(f"{folder}, mode 0700")


def room(folder: Path, free_bytes: int | None = None) -> Outcome:
    """Look how much room is left on the folder's disk."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    left = shutil.disk_usage(there).free if free_bytes is None else free_bytes
    cure = f"free space on the disk of {there}" if left < LITTLE_ROOM else ""
    return Outcome(f"{left / GIGABYTE:.1f} GB free", cure, Grade.FAIL if left < NO_ROOM else Grade.WARN)


def clock(now: float | None = None) -> Outcome:
    """Look whether the clock is later than this program, which it must be: clocks of law are counted from it."""
    here = time.time() if now is None else now
    built = Path(__file__).stat().st_mtime
    words = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(here))
    return Outcome(words, "set the clock (timedatectl set-ntp true)" if here < built - CLOCKS_APART else "")


def free(port: int) -> Outcome:
    """Look whether the web server could listen on the port."""
    found = f"{LOOPBACK}:{port} is {'free' if port_is_free(port) else 'in use'}"
    return Outcome(found, "" if port_is_free(port) else "stop what listens there, or choose another port", Grade.WARN)


def key(path: Path) -> Outcome:
    """Look whether a file with a key is there, ours, closed to others, and not empty. It is not read."""
    restore = "put it back from the backup of the folder; without it nothing sealed under it can be opened"
    try:
        its = path.stat()
    except OSError as error:
        return Outcome(f"{path}: {error.strerror}", restore)
    if its.st_mode & (stat.S_IRWXG | stat.S_IRWXO) or its.st_uid != os.geteuid():
        mode = stat.S_IMODE(its.st_mode)
        return Outcome(
            f"{path} has mode {mode:04o}, owner {its.st_uid}", f"chown {os.geteuid()} '{path}'; chmod go= '{path}'"
        )
    if its.st_size == 0:
        return Outcome(f"{path} is empty", restore)
    return Outcome(str(path))


def none(pending: Sequence[str]) -> Outcome:
    """Look whether migrations wait to be run."""
    if not pending:
        return Outcome("all have run")
    return Outcome(f"{len(pending)} have not run, first {pending[0]}", "comity serve runs them when it starts")


# ---------------------------------------------------------------- the database


def database(url: str) -> Iterator[Check]:
    """Check the database as the application sees it. Where it does not answer, that is the one finding."""
    try:
        connection = psycopg.connect(url, connect_timeout=LONGEST_WAIT)
    except psycopg.Error as error:
        yield Check(
            name="database",
            grade=Grade.FAIL,
            found=str(error).strip(),
            cure="start the server, and see that DATABASE_URL has its host, database, login and password",
        )
        return
    with connection:
        looks = {
            "database": _version,
            "role": _role,
            "row-level security": _policies,
            "locale": _locale,
            "clocks": _clocks,
            "sequencer": _sequencer,
            "worker": _worker,
            "jobs": _failed,
        }
        for name, look in looks.items():
            yield check(name, partial(look, connection))


def _version(postgres: psycopg.Connection) -> Outcome:
    number = postgres.info.server_version // 10_000
    found = f"PostgreSQL {postgres.info.parameter_status('server_version')}"
    return Outcome(found, "" if number >= OLDEST else f"upgrade to PostgreSQL {OLDEST} or newer")


def _role(postgres: psycopg.Connection) -> Outcome:
    """Look at who we can be: neither the login nor any role it can take on may be above the rules."""
    rows = postgres.execute(
        "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole FROM pg_roles "
        "WHERE pg_has_role(session_user, oid, 'MEMBER')"
    ).fetchall()
    strong = [name for name, *powers in rows if any(powers)]
    cure = "connect as comity_login, made by the SQL in docs/operating.md, and give it no other role"
    if strong:
        return Outcome(f"{', '.join(strong)} may pass by the policies", cure)
    names = sorted(name for name, *_ in rows)
    return Outcome(f"{', '.join(names)}: no superuser, bound by policies", "" if APP in names else cure)


def _policies(postgres: psycopg.Connection) -> Outcome:
    """Look whether tables belong to a role we can be: an owner passes by the policies of its tables."""
    row = postgres.execute(
        "SELECT count(*), min(relname) FROM pg_class WHERE relkind IN ('r', 'p') AND relpersistence = 'p' "
        "AND relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) "
        "AND pg_has_role(session_user, relowner, 'MEMBER')"
    ).fetchone() or (0, None)
    if row[0]:
        return Outcome(
            f"the application owns {row[0]} tables, such as {row[1]}", "let comity_owner own them: REASSIGN OWNED"
        )
    return Outcome("the application owns no table")


def _locale(postgres: psycopg.Connection) -> Outcome:
    row = postgres.execute(
        "SELECT pg_encoding_to_char(encoding), datcollate, datctype, "
        "(SELECT count(*) FROM pg_collation WHERE collprovider = 'i') "
        "FROM pg_database WHERE datname = current_database()"
    ).fetchone() or ("", "", "", 0)
    encoding, order, letters, icu = row
    found = f"{encoding}, order {order}, letters {letters}, {icu or 'no'} collations of ICU"
    if encoding != "UTF8":
        return Outcome(found, "make the database anew with ENCODING 'UTF8' and restore a dump into it")
    if letters in {"C", "POSIX"}:
        cure = "make the database anew with LC_CTYPE 'C.UTF-8': upper and lower case of É or Ж are not known"
        return Outcome(found, cure, Grade.WARN)
    return Outcome(found)


def _clocks(postgres: psycopg.Connection) -> Outcome:
    row = postgres.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone() or (0.0,)
    apart = abs(time.time() - row[0])
    cure = "let both machines keep network time" if apart > CLOCKS_APART else ""
    return Outcome(f"the database's clock is {apart:.1f} s from ours", cure, Grade.WARN)


# ---------------------------------------------------------------- what runs


def _there(postgres: psycopg.Connection, table: str) -> bool:
    return postgres.execute("SELECT to_regclass(%s) IS NOT NULL", [table]).fetchone() == (True,)


def _sequencer(postgres: psycopg.Connection) -> Outcome:
    """Look whether the sequencer works, and how far it is behind."""
    if not _there(postgres, "ledger_entry"):
        return Outcome("there is no ledger yet")
    works = postgres.execute(
        "SELECT count(*) FROM pg_locks JOIN pg_database ON database = pg_database.oid WHERE locktype = 'advisory' "
        "AND datname = current_database() AND (classid, objid) = (%s::oid, %s::oid)",
        SEQUENCER,
    ).fetchone() != (0,)
    many, age = postgres.execute(
        "SELECT count(*), coalesce(extract(epoch FROM now() - min(recorded_at)), 0)::float8 "
        "FROM ledger_entry WHERE leaf_index IS NULL"
    ).fetchone() or (0, 0.0)
    if not many:
        return Outcome(f"{'at work' if works else 'not running'}; all entries are numbered")
    found = f"{many:,} entries wait for their number, the oldest for {age:.0f} s"
    if not works:
        return Outcome(f"not running; {found}", "start Comity: comity serve", Grade.WARN)
    cure = "see what it says in the log (ledger | …)" if age > UNNUMBERED else ""
    return Outcome(f"at work; {found}", cure)


WORK = """
SELECT (SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => %(silent)s)),
  count(*) FILTER (WHERE status = 'todo' AND coalesce(scheduled_at, now()) <= now()),
  count(*) FILTER (WHERE status = 'doing'),
  count(*) FILTER (WHERE status = 'doing' AND NOT EXISTS (
    SELECT FROM procrastinate_workers AS worker
    WHERE worker.id = worker_id AND last_heartbeat > now() - make_interval(secs => %(silent)s))),
  coalesce(extract(epoch FROM now() - min(coalesce(scheduled_at, began))
    FILTER (WHERE status = 'todo' AND coalesce(scheduled_at, now()) <= now())), 0)::float8
FROM procrastinate_jobs AS job
LEFT JOIN LATERAL (SELECT min(at) AS began FROM procrastinate_events WHERE job_id = job.id) AS event ON true
WHERE status IN ('todo', 'doing')
"""
FAILED = """
SELECT count(*), string_agg(DISTINCT task_name, ', ') FROM procrastinate_jobs AS job
WHERE status = 'failed' AND EXISTS (
  SELECT FROM procrastinate_events WHERE job_id = job.id AND at > now() - make_interval(days => %s))
"""


def _worker(postgres: psycopg.Connection) -> Outcome:
    """Look whether a worker is alive, what waits for it, and what another left when it died."""
    if not _there(postgres, "procrastinate_jobs"):
        return Outcome("there are no jobs yet")
    counted = postgres.execute(WORK, {"silent": SILENT}).fetchone()
    workers, due, running, left, waited = counted or (0, 0, 0, 0, 0.0)
    found = f"{workers} at work; {due} jobs wait, {running} run, {left} of them left by a worker that died"
    if workers == 0:
        return Outcome(found, "start Comity: comity serve" if due + left else "", Grade.WARN)
    if waited > BEHIND:
        late = f"{found}; the oldest has waited for {waited / 60:.0f} minutes"
        return Outcome(late, "start another worker: python -m comity.web work", Grade.WARN)
    return Outcome(found)


def _failed(postgres: psycopg.Connection) -> Outcome:
    """Look whether jobs failed for good."""
    if not _there(postgres, "procrastinate_jobs"):
        return Outcome("there are none yet")
    many, names = postgres.execute(FAILED, [RECENT]).fetchone() or (0, None)
    if not many:
        return Outcome(f"none failed in {RECENT} days")
    return Outcome(f"{many} failed in {RECENT} days: {names}", "see why in the log (jobs | …)", Grade.WARN)
