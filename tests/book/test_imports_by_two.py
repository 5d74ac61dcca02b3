"""A large import is brought in by two real processes. Each batch is whole or not there, whatever becomes of them."""

from __future__ import annotations

import multiprocessing
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connection, connections

from comity.book.imports import running
from comity.book.imports.actions import begin_run, run_import, stop_import
from comity.book.imports.models import Import, ImportBatch, Stage
from comity.book.imports.side_by_side import ProcessEnded
from comity.book.models import ContactPoint, Person, Relation
from comity.ledger.models import Entry
from comity.staff.models import Staff
from comity.vault.models import PersonKey, Sealed
from tests.book.imported import Bring, row_of

pytestmark = pytest.mark.django_db(transaction=True)

LONGEST = 120
PEOPLE = 60
WRITTEN_LAST = "vault_personkey"  # of what a batch writes about persons
WAITING = "SELECT pid FROM pg_locks WHERE relation = %s::regclass AND NOT granted"


@pytest.fixture
def ready(look_at: Bring, tom: Staff, monkeypatch: pytest.MonkeyPatch) -> Import:
    """Give an import of sixty people in six batches, ready to be brought in by two processes."""
    monkeypatch.setenv("COMITY_SECRET_KEY", "x")
    monkeypatch.setattr(running, "ROWS", PEOPLE // 6)
    rows = [row_of(**{"Email": f"p{each}@kettle.example", "Phone Number": ""}) for each in range(PEOPLE)]
    return begin_run(one=look_at(rows), staff=tom)


@contextmanager
def locked() -> Iterator[psycopg.Connection[Any]]:
    """Hold a lock that no batch gets past, in the middle of what it writes, and give the connection that has it."""
    its = connection.settings_dict
    with psycopg.connect(
        dbname=its["NAME"], user=its["USER"], password=its["PASSWORD"], host=its["HOST"], port=its["PORT"]
    ) as other:
        other.execute(f"LOCK TABLE {WRITTEN_LAST} IN ACCESS EXCLUSIVE MODE")
        yield other


def wait_for(many: int, other: psycopg.Connection[Any]) -> None:
    """Return once so many processes wait for the lock. They cannot tell us, so we look."""
    until = time.monotonic() + LONGEST
    while len(other.execute(WAITING, [WRITTEN_LAST]).fetchall()) < many:
        assert time.monotonic() < until, f"no {many} processes came to the lock"
        time.sleep(0.05)


@contextmanager
def running_aside(one: Import) -> Iterator[Future[Import]]:
    """Run an import in a thread of its own, with a connection of its own."""

    def run() -> Import:
        try:
            return run_import(one=one)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(run)


def nothing_is_there() -> bool:
    return not any(table.objects.exists() for table in (Person, Relation, ContactPoint, PersonKey, Sealed)) and not (
        ImportBatch.objects.exclude(done_at=None).exists() or Entry.objects.filter(kind="book.imported-batch")
    )


def test_both_processes_bring_people_in_and_nobody_comes_twice(ready: Import) -> None:
    with running_aside(ready) as run, locked() as other:
        wait_for(2, other)
        other.rollback()
        done = run.result(LONGEST)
    assert (done.stage, done.persons) == (Stage.DONE, PEOPLE)
    assert Person.objects.count() == PersonKey.objects.count() == PEOPLE
    named = [ref for batch in done.batches.all() for ref in batch.persons]
    assert sorted(named) == sorted(Person.objects.values_list("ref", flat=True))


def test_a_killed_process_leaves_nothing_half_done_and_the_import_goes_on(ready: Import, tom: Staff) -> None:
    with running_aside(ready) as run, locked() as other:
        wait_for(2, other)
        children = multiprocessing.active_children()
        os.kill(int(children[0].pid or 0), signal.SIGKILL)
        with pytest.raises(ProcessEnded, match=r"Nothing is half done.*Go on with the import"):
            run.result(LONGEST)
        other.rollback()
    wait_until_gone()
    assert nothing_is_there()
    assert not any(child.is_alive() for child in children)
    stop_import(one=ready, fault="ProcessEnded")
    done = run_import(one=begin_run(one=Import.objects.get(pk=ready.pk), staff=tom))
    assert (done.stage, done.persons, Person.objects.count()) == (Stage.DONE, PEOPLE, PEOPLE)


def wait_until_gone() -> None:
    """Return once PostgreSQL has noticed that those who wrote are gone: only then is what they began undone."""
    until = time.monotonic() + LONGEST
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
                "AND state <> 'idle'"
            )
            if cursor.fetchone() == (0,):
                return
            assert time.monotonic() < until, "PostgreSQL still works for processes that are gone"
            time.sleep(0.05)


PARENT = """
import multiprocessing, time
from comity.book.imports.side_by_side import end_with_parent

def busy():
    end_with_parent()
    print("begun", flush=True)
    time.sleep(600)

if __name__ == "__main__":
    child = multiprocessing.get_context("spawn").Process(target=busy)
    child.start()
    print(child.pid, flush=True)
    time.sleep(600)
"""


def test_a_process_ends_when_the_one_that_started_it_is_killed(tmp_path: Any) -> None:  # noqa: ANN401 - pytest's path
    program = tmp_path / "parent.py"
    program.write_text(PARENT)
    with subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert parent.stdout.readline() == b"begun\n"
        parent.kill()
        # the child has the other end of this pipe too: it says that nobody writes any more once both are gone
        gone, _, _ = select.select([parent.stdout], [], [], LONGEST)
        if not gone:
            os.kill(child, signal.SIGKILL)
        assert gone
