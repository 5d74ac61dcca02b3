from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from django.db import OperationalError, connection, transaction
from procrastinate.contrib.django import app
from procrastinate.tasks import Task

from comity.server import sweeping
from comity.server.sweeping import MOST, AfterFaults, Sweeper, forget_old_jobs, when_given_up
from comity.staff.walls import behind_wall
from tests.jobs import run_jobs, waiting_jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.django_db


@contextmanager
def a_job(name: str, what: Callable[..., object]) -> Iterator[Task[Any, Any, Any]]:
    """Let a function be a job for as long as the test needs it."""
    made = app.task(name=name, queue="tests")(what)
    try:
        yield made
    finally:
        del app.tasks[name]
        sweeping._told.pop(name, None)


def query(statement: str, *given: str | int | list[int] | None) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return cursor.fetchall() if cursor.description else []


def how(job: int) -> str:
    ((said,),) = query("SELECT status::text FROM procrastinate_jobs WHERE id = %s", job)
    return str(said)


def a_worker(*, silent_for: int) -> int:
    ((worker,),) = query(
        "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - make_interval(secs => %s)) RETURNING id",
        silent_for,
    )
    return int(worker)


def taken(job: int, *, by: int | None, attempts: int = 0) -> None:
    query(
        "UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s, attempts = %s WHERE id = %s", by, attempts, job
    )


def test_a_job_that_was_deferred_runs_and_what_it_defers_too() -> None:
    said: list[str] = []
    with (
        a_job("tests.second", lambda: said.append("done")) as second,
        a_job("tests.first", second.defer) as first,
    ):
        first.defer()
        assert run_jobs() == ["tests.first", "tests.second"]
    assert said == ["done"]
    assert waiting_jobs() == []


def test_a_job_that_was_deferred_in_a_transaction_that_is_rolled_back_is_none() -> None:
    with a_job("tests.never", lambda: None) as never:
        with transaction.atomic():
            never.defer()
            transaction.set_rollback(True)
        assert run_jobs() == []


def test_a_job_begins_without_the_wall_of_whoever_deferred_it() -> None:
    seen: list[str] = []
    look = "SELECT current_setting('comity.entities', true)"
    with a_job("tests.looks", lambda: seen.append(query(look)[0][0])) as looks, behind_wall(staff=None, entities=[]):
        query("SELECT set_config('comity.entities', 'x', true)")
        looks.defer()
        run_jobs()
        assert query(look) == [("x",)]
    assert seen == [""]


def test_a_job_that_fails_is_told_to_whoever_waits_for_it() -> None:
    told: list[int] = []
    with a_job("tests.fails", lambda number: number / 0) as fails:
        when_given_up("tests.fails")(lambda number: told.extend([number]))
        job = fails.defer(number=7)
        with pytest.raises(ZeroDivisionError):
            run_jobs()
        assert how(job) == "failed"
    assert told == [7]


def test_the_jobs_of_a_worker_that_died_are_to_do_again() -> None:
    with a_job("tests.long", lambda: None) as long:
        dead, living = a_worker(silent_for=60), a_worker(silent_for=1)
        lost, kept = long.defer(), long.defer()
        taken(lost, by=dead)
        taken(kept, by=living)
        sweeper = Sweeper(dead_after=16)
        assert sweeper.look() == ([], []), "one look is not enough: the machine may have slept"
        assert sweeper.look() == ([lost], [])
        assert (how(lost), how(kept)) == ("todo", "doing")
        assert query("SELECT id FROM procrastinate_workers WHERE id = ANY (%s)", [dead, living]) == [(living,)]


def test_a_worker_that_slept_and_woke_is_not_dead() -> None:
    with a_job("tests.long", lambda: None) as long:
        slept = a_worker(silent_for=60)
        taken(job := long.defer(), by=slept)
        sweeper = Sweeper(dead_after=16)
        sweeper.look()
        query("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '17 s' WHERE id = %s", slept)
        assert sweeper.look() == ([], [])
        assert how(job) == "doing"


def test_a_job_that_its_worker_left_is_to_do_again_at_once() -> None:
    with a_job("tests.long", lambda: None) as long:
        taken(job := long.defer(), by=None)
        assert Sweeper(dead_after=16).look() == ([job], [])


def test_a_job_that_waits_once_already_is_left_to_that_and_the_sweep_goes_on() -> None:
    with a_job("tests.each_minute", lambda: None) as periodic, a_job("tests.long", lambda: None) as long:
        taken(lost := periodic.configure(queueing_lock="each minute").defer(), by=None)
        next_one = periodic.configure(queueing_lock="each minute").defer()
        taken(other := long.defer(), by=None)
        assert Sweeper(dead_after=16).look() == ([other], [])
        assert (how(lost), how(next_one), how(other)) == ("aborted", "todo", "todo")


def test_a_job_whose_workers_keep_dying_is_given_up() -> None:
    told: list[str] = []
    with a_job("tests.deadly", print) as deadly:
        when_given_up("tests.deadly")(lambda word: told.extend([word]))
        taken(job := deadly.defer(word="import"), by=None, attempts=MOST - 1)
        assert Sweeper(dead_after=16).look() == ([], [job])
        assert how(job) == "failed"
    assert told == ["import"]


def test_what_is_told_of_a_job_that_was_given_up_may_fail_itself(caplog: pytest.LogCaptureFixture) -> None:
    with a_job("tests.deadly", lambda: None) as deadly:
        when_given_up("tests.deadly")(lambda: query("SELECT nothing"))
        taken(job := deadly.defer(), by=None, attempts=MOST - 1)
        Sweeper(dead_after=16).look()
        assert how(job) == "failed"
    assert "tests.deadly was given up" in caplog.text


@pytest.mark.parametrize(
    ("error", "attempts", "again"),
    [(OperationalError(), 0, True), (OperationalError(), MOST - 1, False), (ZeroDivisionError(), 0, False)],
)
def test_a_job_is_tried_again_after_a_fault_of_the_database_alone(error: Exception, attempts: int, again: bool) -> None:
    with a_job("tests.any", lambda: None) as each:
        job = each.configure().job.evolve(attempts=attempts)
    assert bool(AfterFaults().get_retry_decision(exception=error, job=job)) is again


def test_jobs_that_ended_long_ago_are_forgotten() -> None:
    with a_job("tests.any", lambda: None) as each:
        old, new, waiting = each.defer(), each.defer(), each.defer(queue="x")
    query("UPDATE procrastinate_jobs SET status = 'succeeded' WHERE id = ANY (%s)", [old, new])
    query("UPDATE procrastinate_events SET at = now() - interval '31 days' WHERE job_id = ANY (%s)", [old, waiting])
    assert forget_old_jobs(days=30) == 1
    assert {job for (job,) in query("SELECT id FROM procrastinate_jobs")} >= {new, waiting}
