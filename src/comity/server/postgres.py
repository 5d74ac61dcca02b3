"""The PostgreSQL that Comity starts for itself: private to one folder, and gone when nobody uses it any more."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from comity.server import watcher
from comity.server.binaries import Programs, find_programs, major_of
from comity.server.folder import Refusal, open_lock, prepare_folder
from comity.server.premises import PORT, Premises, open_premises
from comity.server.roles import DATABASE, LOGIN, OWNER, prepare_roles, roles_sql

SUPERUSER = "postgres"
SOURCE = Path(__file__).resolve().parents[2]
ROOM = 150_000_000
"""Bytes that must be free before a database is made: itself, its first log of changes, and the programs' copy."""

SURE = 3
"""How often in a row somebody must be seen to use the server before it is left to them."""

MEGABYTE = 1 << 20
BUILT_IN_LOCALE = 17
"""The first major version with a C.UTF-8 of its own, the same on every system."""

SAFE = (
    # On the command line, where no file can undo them.
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "password_encryption=scram-sha-256",
    "logging_collector=off",
    "log_destination=stderr",
    # What the server says of a failed statement may quote a person's data.
    "log_min_error_statement=panic",
    "log_error_verbosity=terse",
    "log_parameter_max_length=0",
    "log_parameter_max_length_on_error=0",
)
DURABLE = ("fsync=on", "synchronous_commit=on", "full_page_writes=on")
FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")

ADMISSION = f"""# Written anew at every start. There is no line for a network: the server listens on none.
local  {DATABASE}     {OWNER},{LOGIN}  scram-sha-256
local  all         {SUPERUSER}                   scram-sha-256
local  replication {SUPERUSER}                   scram-sha-256
"""

CURES = {
    "No space left": "free space on that disk",
    "Disk quota exceeded": "free space on that disk, or raise the quota",
    "Permission denied": "make that path one that the account which runs the server may use",
    "Read-only file system": "let COMITY_FOLDER name a folder on a disk that can be written",
    "could not map anonymous shared memory": "lower shared_buffers in that folder's postgresql.conf",
    "invalid value for parameter": "mend that line of postgresql.conf",
    "unrecognized configuration parameter": "remove that line of postgresql.conf",
    "incompatible with server": "install the PostgreSQL that made the data",
}


class NotStarted(Refusal):
    """The private server could not be made or started; says what PostgreSQL said, and what to do."""


class PrivatePostgres:
    """One server for one folder, shared by all who start it, stopped when the last of them has stopped or ended.

    >>> with PrivatePostgres(folder) as postgres:          # doctest: +SKIP
    ...     psycopg.connect(postgres.url_for_app)

    With `durable=False` nothing waits for the disk: for tests alone.
    """

    def __init__(self, folder: Path, *, programs: Programs | None = None, durable: bool = True) -> None:
        self.folder = folder
        self.durable = durable
        self._programs = programs
        self._premises: Premises | None = None
        self._lease: int | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # ------------------------------------------------------------ what others need to know

    @property
    def premises(self) -> Premises:
        """Where the server lives; known once it was started."""
        if self._premises is None:
            raise NotStarted("This server was not started. Cure: call start() first.")
        return self._premises

    @property
    def url_for_owner(self) -> str:
        """Connects as the owner of the tables: for migrations."""
        return self._url(OWNER, DATABASE)

    @property
    def url_for_app(self) -> str:
        """Connects as the login that works as `comity_app`: for everything else."""
        return self._url(LOGIN, DATABASE)

    @property
    def url_for_superuser(self) -> str:
        """Connects to the database `postgres` as its superuser: for care of the server, never for Comity's work."""
        return self._url(SUPERUSER, "postgres")

    def _url(self, role: str, database: str) -> str:
        password = _read_passwords(self.premises)[role]
        socket_folder = quote(str(self.premises.socket_folder), safe="")
        return f"postgresql://{role}:{quote(password, safe='')}@/{database}?host={socket_folder}&port={PORT}"

    # ------------------------------------------------------------ start and stop

    def start(self) -> None:
        """Start the server, making its database the first time; or find the one that runs and share it."""
        if self._lease is not None:
            return
        premises = self._premises = open_premises(prepare_folder(self.folder))
        self._lease = open_lock(premises.lease)
        try:
            fcntl.flock(self._lease, fcntl.LOCK_SH)  # waits where a server is just being stopped
            with _locked(premises.starting):
                if not _runs(premises):
                    self._launch(premises)
                self._prepare(premises)
        except BaseException:
            self._let_go()
            raise

    def stop(self) -> None:
        """Let go of the server. Where nobody else uses it, it has stopped when this returns."""
        if self._lease is not None:
            self._let_go()
            _wait_for_the_end(self.premises)

    def remove(self) -> None:
        """Stop the server and delete its data for good. It must not be in use."""
        self.start()
        self.stop()
        self.premises.remove()
        (self.folder / "postgres").unlink(missing_ok=True)

    def _let_go(self) -> None:
        if self._lease is not None:
            os.close(self._lease)
        self._lease = None

    # ------------------------------------------------------------ how it starts

    def _launch(self, premises: Premises) -> None:
        programs = self._programs or find_programs(major_of(premises.data))
        if not premises.runner.reaches(programs.folder / "postgres"):
            programs = programs.copied_to(premises.root)
        if not premises.data.exists():
            _make_data(premises, programs, durable=self.durable)
        premises.prepare_socket_folder()
        premises.admission.write_text(ADMISSION, "utf-8")
        premises.admission.chmod(0o644)  # nothing secret; the server's account must read it
        if problem := self._watch(premises, self._command(premises, programs)):
            raise _refusal(f"{programs} did not start in {premises.root}", problem)

    def _command(self, premises: Premises, programs: Programs) -> list[str]:
        settings = (
            *SAFE,
            *(DURABLE if self.durable else FORGETFUL),
            f"config_file={premises.settings}",
            f"hba_file={premises.admission}",
            f'unix_socket_directories="{premises.socket_folder}"',
            f"port={PORT}",
        )
        options = [word for setting in settings for word in ("-c", setting)]
        return [str(programs.folder / "postgres"), "-D", str(premises.data), *options]

    def _watch(self, premises: Premises, command: list[str]) -> str:
        """Start the watcher, which starts the server; return what went wrong, or nothing once it is ready."""
        order = watcher.Order(
            root=str(premises.root), data=str(premises.data), socket=str(premises.socket), command=command,
            uid=premises.runner.uid, gid=premises.runner.gid,
        )  # fmt: skip
        with os.fdopen(_open_log(premises), "ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter
                [sys.executable, "-I", "-S", "-c", _running("comity.server.watcher")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd="/",
                start_new_session=True,  # Ctrl-C is for us; the server stops in its turn
                text=True,
            )
        threading.Thread(target=process.wait, daemon=True).start()  # so that no trace of it stays with us
        if process.stdin is None or process.stdout is None:
            raise AssertionError("both were asked for")
        with process.stdin as told, process.stdout as heard:
            told.write(order.as_json())
            told.close()
            answer = heard.readline()
        problem: str = json.loads(answer)["problem"] if answer else f"its watcher ended; see {premises.log}"
        return problem

    def _prepare(self, premises: Premises) -> None:
        """Give the database its roles and rights, unless it has had them in this form."""
        form = hashlib.sha256(roles_sql().encode()).hexdigest()
        if premises.prepared.exists() and premises.prepared.read_text("utf-8") == form:
            return
        passwords = _read_passwords(premises)
        prepare_roles(self.url_for_superuser, passwords={role: passwords[role] for role in (OWNER, LOGIN)})
        _write(premises.prepared, form)


# ---------------------------------------------------------------- the data


def _make_data(premises: Premises, programs: Programs, *, durable: bool) -> None:
    """Make the database's files aside, and give them their name when they are whole."""
    free = shutil.disk_usage(premises.root).free
    if free < ROOM:
        raise NotStarted(
            f"The disk of {premises.root} has {free // MEGABYTE} MB free, and a new database needs {ROOM // MEGABYTE}. "
            "Cure: free space there, or let COMITY_FOLDER name a folder on another disk."
        )
    if not premises.passwords.exists():
        _write(premises.passwords, json.dumps({role: secrets.token_urlsafe(24) for role in (SUPERUSER, OWNER, LOGIN)}))
    if not premises.settings.exists():
        _write(premises.settings, _settings(), mode=0o644)
    premises.prepared.unlink(missing_ok=True)
    _initdb(premises, programs, [] if durable else ["--no-sync"])
    (premises.root / "data.new").rename(premises.data)


def _initdb(premises: Premises, programs: Programs, options: list[str]) -> None:
    making = premises.root / "data.new"
    told = ""
    with _password_file(premises) as password_file:
        for locale in _locales(programs):
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir(mode=0o700)
            premises.runner.takes(making)
            done = _run_as(premises, [
                programs.folder / "initdb", "-D", making, "-U", SUPERUSER, "-E", "UTF8", *locale, "-A", "scram-sha-256",
                f"--pwfile={password_file}", "--data-checksums", *options,
            ])  # fmt: skip
            if done.returncode == 0:
                return
            told = done.stdout
    shutil.rmtree(making, ignore_errors=True)
    raise _refusal(f"{programs} could not make a database in {premises.root}", told)


def _locales(programs: Programs) -> Iterator[list[str]]:
    """Give the locales to try: text sorted by code point whatever the system's version, with letters of all scripts."""
    built_in = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if programs.major >= BUILT_IN_LOCALE else []
    for letters in ("C.UTF-8", "C"):
        yield ["--locale=C", f"--lc-ctype={letters}", *built_in]


@contextmanager
def _password_file(premises: Premises) -> Iterator[Path]:
    """Give a file with the superuser's password that the server's account can read, for as long as it must."""
    handle, name = tempfile.mkstemp(prefix="password-", dir=premises.root)
    path = Path(name)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(_read_passwords(premises)[SUPERUSER])
        yield premises.runner.takes(path)
    finally:
        path.unlink()


def _run_as(premises: Premises, command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    """Run one of PostgreSQL's programs as the server's account, with nothing of our environment."""
    runner = premises.runner
    return subprocess.run(  # noqa: S603 - PostgreSQL's program, found where it is installed
        command,
        cwd="/",
        env={"PATH": os.defpath, "LC_ALL": "C"},
        user=None if runner.is_us else runner.uid,
        group=None if runner.is_us else runner.gid,
        extra_groups=None if runner.is_us else [],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )


def _settings() -> str:
    """Return settings for a small durable server on this machine, for whoever runs it to change."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // MEGABYTE
    beside = min(max((os.cpu_count() or 1) - 1, 1), 4)  # a process for each processor, with the one that asks
    return f"""# Settings of Comity's own PostgreSQL, written once. Change what you like and start Comity again.
# Who may log in, how, from where, that commits reach the disk, and that no statement is logged, is not for this file.
shared_buffers = {min(max(memory // 8, 128), 1024)}MB
effective_cache_size = {max(memory // 2, 256)}MB
work_mem = 16MB
maintenance_work_mem = {min(max(memory // 16, 64), 512)}MB
max_connections = 100
max_wal_size = 2GB
min_wal_size = 160MB
wal_compression = on
random_page_cost = 1.1
jit = off
max_parallel_workers_per_gather = {beside}
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u '
log_checkpoints = off
"""


# ---------------------------------------------------------------- files and locks


def _write(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a file whole or not at all, also if the power goes."""
    handle, aside = tempfile.mkstemp(prefix=f"{path.name}-", dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())
    Path(aside).replace(path)


def _read_passwords(premises: Premises) -> dict[str, str]:
    try:
        passwords: dict[str, str] = json.loads(premises.passwords.read_text("utf-8"))
    except (OSError, ValueError):
        raise NotStarted(
            f"The passwords of the database cannot be read from {premises.passwords}. Cure: put that file back from a "
            "backup of the folder."
        ) from None
    return passwords


def _open_log(premises: Premises) -> int:
    return os.open(premises.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _take(lock: int, kind: int) -> bool:
    """Take a lock if that needs no waiting; say whether we have it."""
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    lock = open_lock(path)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _watched(premises: Premises) -> bool:
    lock = open_lock(premises.watcher)
    try:
        return not _take(lock, fcntl.LOCK_SH)
    finally:
        os.close(lock)


def _runs(premises: Premises) -> bool:
    """Say whether a server with a watcher is ready, waiting while one is starting."""
    while _watched(premises):
        if watcher.says_ready(premises.data) and watcher.listens(premises.socket):
            return True
        time.sleep(watcher.LOOK_AGAIN)
    return False


def _used(premises: Premises) -> bool:
    """Say whether somebody holds the lease who is not the watcher."""
    lock = open_lock(premises.lease)
    try:
        return not _take(lock, fcntl.LOCK_EX) and _take(lock, fcntl.LOCK_SH)
    finally:
        os.close(lock)


def _wait_for_the_end(premises: Premises) -> None:
    """Wait until the server has stopped, or it is certain that others use it.

    Others who look at the same moment may be taken for users, once; nobody but a user is there every time.
    """
    seen = 0
    while seen < SURE and _watched(premises):
        seen = seen + 1 if _used(premises) else 0
        time.sleep(watcher.LOOK_AGAIN)


# ---------------------------------------------------------------- words


def _running(module: str) -> str:
    """Return the program that runs a module of ours in an interpreter that knows nothing else."""
    return f"import sys; sys.path.insert(0, {str(SOURCE)!r}); from {module} import main; main()"


def _refusal(what: str, told: str) -> NotStarted:
    cure = next((cure for words, cure in CURES.items() if words in told), "see what PostgreSQL says, and mend that")
    return NotStarted(f"{what}. Cure: {cure}. PostgreSQL said: {told.strip() or 'nothing'}")
