"""Jobs whose worker died are to do again; those that keep failing are given up, and whoever waits for them is told.

INVARIANT: a job may run more than once. What it did is committed before the job is marked as done, and a worker can
die in between; so a job first looks what is done already, and goes on from there.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import psycopg
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from procrastinate.contrib.django import app
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy, RetryDecision

MOST = 5
"""How often a job is tried before it is given up."""

LATER = 30
"""Seconds to wait for each time that a job was tried in vain."""

DATABASE_FAULTS = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
"""The database went away, or two transactions stood in each other's way: nothing that the job did wrong."""

log = logging.getLogger(__name__)

SILENT = """
SELECT id, last_heartbeat::text FROM procrastinate_workers
WHERE last_heartbeat < now() - make_interval(secs => %s)
"""
LEFT = """
SELECT id, task_name, args::text, attempts FROM procrastinate_jobs
WHERE status = 'doing' AND (worker_id IS NULL OR worker_id = ANY (%s)) ORDER BY id FOR UPDATE SKIP LOCKED
"""
AGAIN = "SELECT procrastinate_retry_job_v2(%s, now() + make_interval(secs => %s), NULL, NULL, NULL)"
ABORTED = "SELECT procrastinate_finish_job_v1(%s, 'aborted', false)"
FAILED = "SELECT procrastinate_finish_job_v1(%s, 'failed', false)"
BURIED = "DELETE FROM procrastinate_workers WHERE id = ANY (%s)"
FORGOTTEN = """
DELETE FROM procrastinate_jobs AS job
WHERE status IN ('succeeded', 'failed', 'cancelled', 'aborted')
  AND NOT EXISTS (
      SELECT FROM procrastinate_events WHERE job_id = job.id AND at >= now() - make_interval(days => %s)
  )
  AND NOT EXISTS (SELECT FROM procrastinate_periodic_defers WHERE job_id = job.id)
"""

Told = Callable[..., object]
_told: dict[str, Told] = {}


def when_given_up(name: str) -> Callable[[Told], Told]:
    """Name what is called, with a job's arguments, when that job is given up: it failed, or its workers kept dying.

    It runs in a transaction of its own, after the job's was rolled back. An import, say, is marked as failed by it.
    """

    def keep(told: Told) -> Told:
        _told[name] = told
        return told

    return keep


def give_up(name: str, arguments: Mapping[str, Any]) -> None:
    """Tell whoever waits for a job that it will not be tried again."""
    if name not in _told:
        return
    try:
        with transaction.atomic():
            _told[name](**arguments)
    except Exception:
        log.exception("The job %s was given up, and what should have been told of it failed too", name)


class AfterFaults(BaseRetryStrategy):
    """Try a job again that the database failed, a little later each time."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Return when to try again, or None."""
        if not isinstance(exception, DATABASE_FAULTS) or job.attempts + 1 >= MOST:
            return None
        return RetryDecision(retry_in={"seconds": job.attempts * LATER})


def forgive_faults() -> None:
    """Let each job that says nothing of retries be tried again after a fault of the database."""
    app.perform_import_paths()  # type: ignore[no-untyped-call]
    for each in app.tasks.values():
        each.retry_strategy = each.retry_strategy or AfterFaults()


class Swept(NamedTuple):
    """What a sweep did, in numbers of jobs."""

    again: list[int]
    given_up: list[int]


@dataclass
class Sweeper:
    """Looks for workers that give no sign of life any more, and takes their jobs from them.

    A worker is dead when two looks, in between which a living one would have given a sign, find the same old one. So a
    machine that slept does not take itself for dead.
    """

    dead_after: float  # seconds
    _silent: set[tuple[int, str]] = field(default_factory=set)

    def look(self) -> Swept:
        """Make the jobs of the dead to do again, or give them up; forget the dead."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(SILENT, [self.dead_after])
            silent = set(cursor.fetchall())
            dead = [worker for worker, _ in silent & self._silent]
            self._silent = silent
            cursor.execute(LEFT, [dead])
            swept = Swept([], [])
            for job, name, arguments, attempts in cursor.fetchall():
                (_again if attempts + 1 < MOST else _fail)(swept, Left(job, name, json.loads(arguments), attempts))
            cursor.execute(BURIED, [dead])
        return swept


class Left(NamedTuple):
    """A job that somebody took and nobody works at."""

    job: int
    name: str
    arguments: Mapping[str, Any]
    attempts: int


def _again(swept: Swept, left: Left) -> None:
    """Let a job be done again; where the same one waits already under its queueing lock, that one does."""
    log.warning("The worker at job %s (%s) died: the job is to do again", left.job, left.name)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(AGAIN, [left.job, left.attempts * LATER])
    except IntegrityError:
        with connection.cursor() as cursor:
            cursor.execute(ABORTED, [left.job])
    else:
        swept.again.append(left.job)


def _fail(swept: Swept, left: Left) -> None:
    log.error("The worker at job %s (%s) died, for the %sth time: it is given up", left.job, left.name, MOST)
    with connection.cursor() as cursor:
        cursor.execute(FAILED, [left.job])
    give_up(left.name, left.arguments)
    swept.given_up.append(left.job)


def forget_old_jobs(*, days: int) -> int:
    """Delete jobs that ended so long ago; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(FORGOTTEN, [days])
        return int(cursor.rowcount)
