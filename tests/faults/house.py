"""A book that runs as `comity serve` runs it, but each program by itself, to be killed alone; and those who use it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Thread
from typing import Any, Self
from uuid import uuid4

import psycopg

import comity
from comity.cli.serving import Place, prepare, programs
from comity.server.folder import prepare_folder
from comity.server.postgres import PrivatePostgres

SOURCE = Path(comity.__file__).parents[1]
LONGEST = 120.0
"""Seconds that anything here may take on a busy machine."""

A_LITTLE = 0.05
MORE = {"COMITY_API_REQUESTS_A_MINUTE": "1000000", "COMITY_SECOND_FACTOR": "optional", "PYTHONPATH": str(SOURCE)}


@dataclass(frozen=True)
class Answer:
    """What the web server said; code 0 where it said nothing."""

    code: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def told(self) -> Any:  # noqa: ANN401 - whatever JSON says
        return json.loads(self.body)


def until(true: Callable[[], object], what: str) -> None:
    """Wait until something is so that tells nobody when it comes about."""
    deadline = time.monotonic() + LONGEST
    while not true():
        assert time.monotonic() < deadline, f"{what}: not within {LONGEST:g} s"
        time.sleep(A_LITTLE)


class House:
    """The private server, the sequencer, the worker and the web server of one book."""

    def __init__(self, folder: Path) -> None:
        self.folder = prepare_folder(folder)
        self.postgres = PrivatePostgres(self.folder)
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.log = (folder / "log").open("ab")
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port: int = one.getsockname()[1]

    def __enter__(self) -> Self:
        self.postgres.start()
        owner, app = self.postgres.url_for_owner, self.postgres.url_for_app
        self.place = Place(folder=self.folder, url_for_owner=owner, url_for_app=app, more=MORE)
        prepare(self.place, demo=False)
        self.token, self.cookie = self.run(Path(__file__).with_name("furnish.py")).split("\n")[:2]
        self.programs = {program.name: program for program in programs(self.place, self.port)}
        quick = [*self.programs["jobs"].command, "--pulse", "0.5"]  # so that nobody waits long for a dead one's jobs
        self.programs["jobs"] = replace(self.programs["jobs"], command=quick)
        for name in self.programs:
            self.start(name)
        until(lambda: self.ask("GET", "/healthz").code == 200, "the book is ready")
        return self

    def __exit__(self, *_error: object) -> None:
        for name in list(self.running):
            self.kill(name)
        self.postgres.remove()
        self.log.close()

    # ------------------------------------------------------------ programs

    def start(self, name: str) -> None:
        program = self.programs[name]
        self.running[name] = subprocess.Popen(
            program.command,
            env={**os.environ, **program.environ},
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )

    def kill(self, name: str) -> None:
        """Kill a program and whatever it started, as the guard of its group does."""
        process = self.running.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def kill_and_start(self, name: str) -> None:
        if name == "postgres":
            self.kill_postgres()
        else:
            self.kill(name)
            self.start(name)

    def kill_postgres(self) -> int:
        """Kill the server alone; its watcher starts it again. Return which process it was."""
        server = int((self.postgres.premises.data / "postmaster.pid").read_text("utf-8").split()[0])
        os.kill(server, signal.SIGKILL)
        return server

    @contextmanager
    def without_postgres(self) -> Iterator[None]:
        """Keep the server dead for as long as the block runs."""
        watcher = int(self.postgres.premises.watcher.read_text("utf-8"))
        os.kill(watcher, signal.SIGSTOP)
        try:
            self.kill_postgres()
            until(lambda: self.ask("GET", "/healthz").code == 503, "the server is gone")
            yield
        finally:
            os.kill(watcher, signal.SIGCONT)

    def run(self, *command: object) -> str:
        """Run a program of Python that knows this book's database; return what it prints."""
        return self._run(command, {**os.environ, **self.place.environ()})

    def comity(self, *words: str) -> str:
        """Run a command as whoever runs the book does, who knows the folder alone; return what it prints."""
        environ = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        words = ("-c", "from comity.cli import main; main()", *words)
        return self._run(words, environ | {"COMITY_FOLDER": str(self.folder), "PYTHONPATH": str(SOURCE)})

    def _run(self, words: Sequence[object], environ: dict[str, str]) -> str:
        command = [sys.executable, *map(str, words)]
        done = subprocess.run(command, env=environ, check=True, stdout=subprocess.PIPE, stderr=self.log, text=True)
        return done.stdout

    # ------------------------------------------------------------ what is there

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Ask the web server as a program with a token does."""
        asking = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LONGEST)
        given = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"} | headers
        try:
            asking.request(method, path, None if body is None else json.dumps(body), given)
            answer = asking.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        except (OSError, http.client.HTTPException):
            return Answer(0)
        finally:
            asking.close()

    def page(self, path: str) -> Answer:
        """Open a page in the session of one of the staff."""
        return self.ask("GET", path, Cookie=self.cookie)

    def add(self, name: str, **headers: str) -> Answer:
        """Bring a customer into the book, whom the law permits us to keep."""
        person = {"name": {"given": name, "family": "Faults"}, "facts": {"home": ["IE"]}}
        more = {"relation": {"contract_running": True, "source": "published"}}
        return self.ask("POST", "/api/v1/persons?purpose=service", person | more, **headers)

    def name_of(self, ref: str) -> str:
        """Open a person's name; nothing where there is no such person."""
        answer = self.ask("GET", f"/api/v1/persons/{ref}?purpose=service")
        return str(answer.told["name"]["given"]) if answer.code == 200 else ""

    def rows(self, query: str, *given: object) -> list[tuple[Any, ...]]:
        """Ask the database as its superuser, who passes by the walls; wait for it where it is just coming back."""
        deadline = time.monotonic() + LONGEST
        while True:
            try:
                with psycopg.connect(self.postgres.url_for_superuser, dbname="comity", autocommit=True) as postgres:
                    return postgres.execute(query.encode(), given).fetchall()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(A_LITTLE)

    def all_is_numbered(self) -> bool:
        return self.rows("SELECT count(*) FROM ledger_entry WHERE leaf_index IS NULL") == [(0,)]


class Client(Thread):
    """A program that adds people, one after the other, and notes which were acknowledged; it never gives one up."""

    def __init__(self, house: House) -> None:
        super().__init__(daemon=True)
        self.house, self.stop = house, Event()
        self.acknowledged: list[str] = []
        self.unexpected: list[Answer] = []
        self.faults = 0

    def run(self) -> None:
        while not self.stop.is_set():
            ref = self.added(str(uuid4()))
            if ref:
                self.acknowledged.append(ref)

    def added(self, key: str) -> str | None:
        """Add one person, asking with the same key until that is acknowledged, or the test ends."""
        while not self.stop.is_set():
            answer = self.house.add(key[:8], **{"Idempotency-Key": key})
            if answer.code == 201:
                return str(answer.told["ref"])
            self.faults += 1
            if answer.code not in {0, 409, 503}:
                self.unexpected.append(answer)
                return None
            self.stop.wait(A_LITTLE)
        return None


@contextmanager
def clients(house: House, many: int = 4) -> Iterator[list[Client]]:
    """Let so many clients work for as long as the block runs."""
    working = [Client(house) for _ in range(many)]
    for each in working:
        each.start()
    try:
        yield working
    finally:
        for each in working:
            each.stop.set()
        for each in working:
            each.join(LONGEST)
