"""Jobs in tests: run what was deferred, here and now, in the test's own connection."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from procrastinate.contrib.django import app
from procrastinate.job_context import JobContext
from procrastinate.jobs import Job

from comity.server.sweeping import give_up

if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMNS = "id, status, task_name, priority, lock, queueing_lock, args, scheduled_at, queue_name, attempts, worker_id"
FETCH = f"SELECT {COLUMNS} FROM procrastinate_fetch_job_v2(NULL, NULL)"
TO_DO = f"SELECT {COLUMNS} FROM procrastinate_jobs WHERE status = 'todo' ORDER BY priority DESC, id"
SAY = "SELECT set_config('comity.staff', %s, true), set_config('comity.entities', %s, true)"


def run_jobs(*, most: int = 1_000) -> list[str]:
    """Run all jobs that are due, and those that they defer, to the end, in their order; return their names.

    As in a worker, each begins without a wall, and what it committed before it failed stays. The error is raised, after
    the job was marked as failed and given up.
    """
    done = []
    for job in _due():
        _run(job)
        done.append(job.task_name)
        assert len(done) < most, f"more than {most} jobs: do they defer themselves for ever?"
    return done


def waiting_jobs() -> list[Job]:
    """Return the jobs that are to do, also those that are not due yet."""
    with connection.cursor() as cursor:
        cursor.execute(TO_DO)
        names = [column.name for column in cursor.description or ()]
        return [_read(dict(zip(names, row, strict=True))) for row in cursor.fetchall()]


def _read(row: dict[str, Any]) -> Job:
    return Job.from_row(row | {"args": json.loads(row["args"])})  # Django leaves JSON as text


def _due() -> Iterator[Job]:
    app.perform_import_paths()  # type: ignore[no-untyped-call]
    while True:
        with connection.cursor() as cursor:
            cursor.execute(FETCH)
            names = [column.name for column in cursor.description or ()]
            row = dict(zip(names, cursor.fetchone() or (), strict=True))
        if row["id"] is None:
            return
        yield _read(row)


def _run(job: Job) -> None:
    each = app.tasks[job.task_name]
    context = JobContext(app=app, job=job, start_timestamp=time.time(), abort_reason=lambda: None)
    try:
        with without_a_wall():
            each.func(*([context] if each.pass_context else []), **job.task_kwargs)
    except Exception:
        _finish(job, "failed")
        give_up(job.task_name, job.task_kwargs)
        raise
    _finish(job, "succeeded")


@contextmanager
def without_a_wall() -> Iterator[None]:
    """Forget for a while who looks, should the test have said so in its transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('comity.staff', true), current_setting('comity.entities', true)")
        before = cursor.fetchone() or ("", "")
        cursor.execute(SAY, ["", ""])
    yield
    with connection.cursor() as cursor:
        cursor.execute(SAY, [before[0] or "", before[1] or ""])


def _finish(job: Job, how: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT procrastinate_finish_job_v1(%s, %s, false)", [job.id, how])


def without_left_overs(request: pytest.FixtureRequest) -> None:
    """Take out what other tests deferred and never ran, where a test uses the database: jobs outlive its emptying."""
    if request.node.get_closest_marker("django_db") or "db" in request.fixturenames:
        request.getfixturevalue("db")
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM procrastinate_jobs")
