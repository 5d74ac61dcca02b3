"""The worker as a process of its own, on the tests' database; what it runs waits for a lock that the test holds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psycopg
import pytest
from django.db import connection
from procrastinate.contrib.django import app

from comity.ledger.connecting import own_connection

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db(transaction=True)

LONGEST = 120
PULSE = 0.2
LOCK = 0x636F6D6974790077
NIGHTLY = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'web.forget_jobs'"

WORKER = f"""
import os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "comity.web.settings"
django.setup()
from django.db import connection
from procrastinate.contrib.django import app

def say(word):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify('tests', %s)", [word])

@app.task(name="tests.waits")
def waits(word):
    say(f"begun {{word}}")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock_shared({LOCK}), pg_advisory_unlock_shared({LOCK})")
    say(f"ended {{word}}")

from comity.server.sweeping import when_given_up
known = app.periodic_registry.periodic_tasks  # one nightly job will do: those of the rooms take their time
for other in [each for each in known if each[0] != "web.forget_jobs"]:
    del known[other]

@when_given_up("tests.waits")
def failed(word):
    say(f"gave up {{word}}")

from comity.server.worker import work
work(pulse={PULSE}, grace=float(os.environ.get("GRACE", "20")))
"""


def url() -> str:
    its = connection.settings_dict
    login = f"{quote(its['USER'])}:{quote(its['PASSWORD'], safe='')}"
    return f"postgresql://{login}@/{its['NAME']}?host={quote(its['HOST'], safe='')}&port={its['PORT']}"


@contextmanager
def a_worker(*, grace: float = 20) -> Iterator[subprocess.Popen[bytes]]:
    environ = {**os.environ, "DATABASE_URL": url(), "COMITY_SECRET_KEY": "x", "GRACE": str(grace)}
    process = subprocess.Popen([sys.executable, "-c", WORKER], env=environ)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


class Ear:
    """Hears what jobs say, and holds the lock for which they wait."""

    def __init__(self, postgres: psycopg.Connection) -> None:
        self.postgres = postgres
        self.heard: deque[str] = deque()

    def hear(self) -> str:
        if not self.heard:
            self.heard += [each.payload for each in self.postgres.notifies(timeout=LONGEST, stop_after=1)]
        assert self.heard, f"nothing was said in {LONGEST} s"
        return self.heard.popleft()

    def let_go(self) -> None:
        self.postgres.execute("SELECT pg_advisory_unlock(%s)", [LOCK])

    def ask(self, query: str, *given: object) -> tuple[Any, ...]:
        row = self.postgres.execute(query.encode(), given).fetchone()
        assert row is not None
        return row

    def wait_for(self, query: str, expected: tuple[Any, ...]) -> None:
        """Ask until the answer is this one."""
        until = time.monotonic() + LONGEST
        while (row := self.ask(query)) != expected:
            assert time.monotonic() < until, f"still {row} after {LONGEST} s: {query}"
            time.sleep(PULSE / 4)

    def how(self, job: int) -> tuple[Any, ...]:
        """Return how a job stands, and how often it was tried."""
        return self.ask("SELECT status::text, attempts FROM procrastinate_jobs WHERE id = %s", job)


@pytest.fixture
def ear() -> Iterator[Ear]:
    """Hear what jobs say; afterwards forget all jobs."""
    with own_connection() as postgres:
        postgres.execute("LISTEN tests")
        postgres.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        yield Ear(postgres)
        postgres.execute("TRUNCATE procrastinate_jobs, procrastinate_workers, procrastinate_periodic_defers CASCADE")


def defer(word: str) -> int:
    return app.configure_task("tests.waits", queue="tests").defer(word=word)


def ended(worker: subprocess.Popen[bytes]) -> int:
    worker.send_signal(signal.SIGTERM)
    return worker.wait(LONGEST)


def test_a_worker_that_is_asked_to_stop_lets_its_job_end(ear: Ear) -> None:
    with a_worker() as worker:
        job = defer("one")
        assert ear.hear() == "begun one"
        worker.send_signal(signal.SIGTERM)
        ear.let_go()
        assert ear.hear() == "ended one"
        assert worker.wait(LONGEST) == 0
    assert ear.how(job) == ("succeeded", 1)
    assert ear.ask("SELECT count(*) FROM procrastinate_workers") == (0,)


def test_what_does_not_end_in_time_is_left_to_the_next(ear: Ear) -> None:
    job = defer("one")
    with a_worker(grace=0.1) as worker:
        assert ear.hear() == "begun one"
        assert ended(worker) == 0
    assert ear.how(job) == ("doing", 0)
    with a_worker() as worker:
        assert ear.hear() == "begun one"
        ear.let_go()
        assert ear.hear() == "ended one"
        assert ended(worker) == 0
    assert ear.how(job) == ("succeeded", 2)


def test_the_job_of_a_worker_that_was_killed_is_done_by_another(ear: Ear) -> None:
    job = defer("one")
    with a_worker() as first:
        assert ear.hear() == "begun one"
        with a_worker() as second:
            first.kill()
            assert ear.hear() == "begun one"
            ear.let_go()
            assert ear.hear() == "ended one"
            assert ended(second) == 0
    assert ear.how(job) == ("succeeded", 2)


def test_a_worker_whose_connections_are_cut_goes_on(ear: Ear) -> None:
    job = defer("one")
    with a_worker() as worker:
        assert ear.hear() == "begun one"
        connection.close()  # ours is cut too
        ear.ask(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert ear.hear() == "begun one"
        ear.let_go()
        assert ear.hear() == "ended one"
        assert ended(worker) == 0
    assert ear.how(job)[0] == "succeeded"


def test_what_was_missed_at_night_is_made_up_for_once(ear: Ear) -> None:
    ear.let_go()
    with a_worker() as first, a_worker() as second:
        defer("one")
        defer("two")
        assert {ear.hear(), ear.hear(), ear.hear(), ear.hear()} == {"begun one", "ended one", "begun two", "ended two"}
        ear.wait_for("SELECT count(*) FROM procrastinate_workers", (2,))
        ear.wait_for(f"{NIGHTLY} AND status = 'succeeded'", (1,))
        assert (ended(first), ended(second)) == (0, 0)
    assert ear.ask(NIGHTLY) == (1,)
