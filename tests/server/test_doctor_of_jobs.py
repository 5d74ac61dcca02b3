from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from comity.ledger.connecting import own_connection
from comity.ledger.sequencer import LOCK
from comity.server import doctor
from comity.server.doctor import Grade, check
from tests.ledger.book import write

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db(transaction=True)

JOB = """
INSERT INTO procrastinate_jobs (queue_name, task_name, status, worker_id) VALUES ('q', 'book.x', %s, %s) RETURNING id
"""
WORKER = "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - make_interval(secs => %s)) RETURNING id"


@pytest.fixture
def postgres() -> Iterator[psycopg.Connection]:
    with own_connection() as own:
        yield own
        own.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")


def one(postgres: psycopg.Connection, query: str, *given: object) -> int:
    row = postgres.execute(query.encode(), given).fetchone()
    assert row
    return int(row[0])


def test_a_sequencer_that_is_not_there_is_missed_only_where_something_waits(postgres: psycopg.Connection) -> None:
    assert doctor._sequencer(postgres) == ("not running; all entries are numbered", "", Grade.FAIL)
    write(3)
    found = check("sequencer", lambda: doctor._sequencer(postgres))
    assert found.grade is Grade.WARN
    assert "3 entries wait for their number" in found.found
    assert "comity serve" in found.cure


def test_a_sequencer_at_work_is_known_and_one_that_is_behind_fails(postgres: psycopg.Connection) -> None:
    assert (doctor.SEQUENCER[0] << 32 | doctor.SEQUENCER[1]) == LOCK
    postgres.execute("SELECT pg_advisory_lock(%s)", [LOCK])
    write(1)
    assert check("sequencer", lambda: doctor._sequencer(postgres)).grade is Grade.OK
    postgres.execute("SET session_replication_role = replica")
    postgres.execute("UPDATE ledger_entry SET recorded_at = now() - interval '2 minutes'")
    assert check("sequencer", lambda: doctor._sequencer(postgres)).grade is Grade.FAIL


def test_a_worker_is_missed_only_where_something_waits(postgres: psycopg.Connection) -> None:
    assert check("worker", lambda: doctor._worker(postgres)).grade is Grade.OK
    one(postgres, JOB, "todo", None)
    found = check("worker", lambda: doctor._worker(postgres))
    assert (found.grade, found.found[:28]) == (Grade.WARN, "0 at work; 1 jobs wait, 0 ru")


def test_what_a_dead_worker_left_is_counted(postgres: psycopg.Connection) -> None:
    dead, living = one(postgres, WORKER, 60), one(postgres, WORKER, 1)
    for worker in (dead, living, None):
        one(postgres, JOB, "doing", worker)
    found = doctor._worker(postgres).found
    assert found == "1 at work; 0 jobs wait, 3 run, 2 of them left by a worker that died"


def test_a_job_that_nobody_begins_asks_for_another_worker(postgres: psycopg.Connection) -> None:
    one(postgres, WORKER, 1)
    job = one(postgres, JOB, "todo", None)
    assert check("worker", lambda: doctor._worker(postgres)).grade is Grade.OK
    postgres.execute("UPDATE procrastinate_events SET at = now() - interval '11 minutes' WHERE job_id = %s", [job])
    found = check("worker", lambda: doctor._worker(postgres))
    assert found.grade is Grade.WARN
    assert "waited for 11 minutes" in found.found


def test_jobs_that_failed_are_named(postgres: psycopg.Connection) -> None:
    assert doctor._failed(postgres).found == "none failed in 7 days"
    job = one(postgres, JOB, "doing", None)
    postgres.execute("SELECT procrastinate_finish_job_v1(%s, 'failed', false)", [job])
    found = check("jobs", lambda: doctor._failed(postgres))
    assert (found.grade, found.found) == (Grade.WARN, "1 failed in 7 days: book.x")
