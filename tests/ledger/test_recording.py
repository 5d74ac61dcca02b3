from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event, Thread

import psycopg
import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from comity.ledger.actions import Draft, OutsideTransaction, record, record_many, statement
from comity.ledger.bodies import NotForTheLedger
from comity.ledger.connecting import own_connection
from comity.ledger.models import Entry
from comity.ledger.notes import SigningKey
from comity.ledger.queries import NotCovered, wait_for_checkpoint
from comity.ledger.sequencer import sequence
from comity.refs import new_ref
from tests.ledger.book import found, number, places, told, write

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_entry_says_who_did_what_with_whom_and_is_pending() -> None:
    staff, person = new_ref(), new_ref()
    with transaction.atomic():
        entry = record(kind="book.changed", body={"verdict": "ask"}, staff=staff, persons=[person])
    kept = Entry.objects.get()
    assert (kept.ref, kept.kind, kept.staff, kept.persons) == (entry.ref, "book.changed", staff, [person])
    assert kept.leaf_index is None
    assert bytes(kept.body) == entry.body
    assert json.loads(bytes(kept.body))["body"] == {"verdict": "ask"}


def test_what_is_rolled_back_leaves_nothing() -> None:
    with transaction.atomic():
        record(kind="book.changed", body={})
        record_many(drafts=[Draft(kind="book.changed", body={})])
        transaction.set_rollback(True)
    assert not Entry.objects.exists()


def test_nothing_is_recorded_outside_a_transaction() -> None:
    with pytest.raises(OutsideTransaction, match=r"transaction\.atomic"):
        record(kind="book.changed", body={})
    with pytest.raises(OutsideTransaction, match=r"transaction\.atomic"):
        record_many(drafts=[Draft(kind="book.changed", body={})])
    assert not Entry.objects.exists()


def test_what_could_name_somebody_takes_the_whole_change_back() -> None:
    with transaction.atomic():
        record(kind="book.changed", body={})
    with pytest.raises(NotForTheLedger), transaction.atomic():
        record_many(drafts=[Draft(kind="book.changed", body=body) for body in ({}, {"name": "Mira Novak"})])
    assert Entry.objects.count() == 1


def test_many_are_recorded_as_one_is(key: SigningKey) -> None:
    drafts = write(1_000)
    assert {entry.ref for entry in Entry.objects.all()} == {draft.ref for draft in drafts}
    assert number(key) == 1_000
    assert told(found(key)) == []


def test_a_program_of_its_own_records_in_one_message_with_its_change_or_not_at_all(key: SigningKey) -> None:
    drafts = [Draft(kind="book.changed", body={"version": n}, staff=new_ref(), persons=[new_ref()]) for n in range(2)]
    with own_connection() as own:
        own.execute("CREATE TEMPORARY TABLE changed (version int PRIMARY KEY)")
        own.execute(f"INSERT INTO changed VALUES (1); {statement(drafts[0])}")
        with pytest.raises(psycopg.IntegrityError):
            own.execute(f"{statement(drafts[1])}; INSERT INTO changed VALUES (1)")
    assert [entry.ref for entry in Entry.objects.all()] == [drafts[0].ref]
    assert number(key) == 1
    assert told(found(key)) == []


def test_what_has_something_to_quote_never_becomes_sql(monkeypatch: pytest.MonkeyPatch) -> None:
    for sign in "'\\":
        monkeypatch.setattr("comity.ledger.actions.entry_bytes", lambda sign=sign, **_: f'{{"body":"{sign}"}}'.encode())
        with pytest.raises(NotForTheLedger, match="a quote or a backslash"):
            statement(Draft(kind="book.changed", body={}))


def test_what_postgresql_refuses_is_an_error_of_django_and_takes_the_whole_change_back() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ledger_entry ADD CONSTRAINT nothing_more CHECK (kind <> 'book.refused')")
    try:
        with pytest.raises(IntegrityError, match="nothing_more"), transaction.atomic():
            assert [record(kind=kind, body={}) for kind in ("book.changed", "book.refused")] == []
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE ledger_entry DROP CONSTRAINT nothing_more")
    assert not Entry.objects.exists()


def test_the_entries_of_a_person_are_found() -> None:
    drafts = write(20)
    person = drafts[7].persons[0]
    assert [entry.ref for entry in Entry.objects.filter(persons__contains=[person])] == [drafts[7].ref]


# ---------------------------------------------------------------- many at once


def some_work(worker: int) -> int:
    """Write 40 changes, every third of which is taken back; return how many stay."""
    for turn in range(40):
        with transaction.atomic():
            record(kind="book.changed", body={"worker": worker, "turn": turn})
            transaction.set_rollback(turn % 3 == 0)
    connection.close()
    return sum(turn % 3 != 0 for turn in range(40))


def test_writers_at_once_with_rollbacks_leave_a_whole_ledger(key: SigningKey) -> None:
    stop = Event()
    sequencer = Thread(target=sequence, kwargs={"folder": settings.FOLDER, "stop": stop})
    sequencer.start()
    try:
        with ThreadPoolExecutor(8) as pool:
            stay = sum(pool.map(some_work, range(8)))
        with transaction.atomic():
            last = record(kind="book.changed", body={})
        wait_for_checkpoint(last.ref)
    finally:
        stop.set()
        sequencer.join()
    number(key)  # what was committed late with an older ref
    assert places() == list(range(stay + 1))
    assert told(found(key)) == []


def test_who_waits_is_answered_once_a_checkpoint_covers_the_entry(key: SigningKey) -> None:
    stop = Event()
    sequencer = Thread(target=sequence, kwargs={"folder": settings.FOLDER, "stop": stop})
    sequencer.start()
    try:
        with transaction.atomic():
            entry = record(kind="book.erased", body={})
        checkpoint = wait_for_checkpoint(entry.ref)
    finally:
        stop.set()
        sequencer.join()
    kept = Entry.objects.get(pk=entry.ref)
    assert kept.leaf_index is not None
    assert kept.leaf_index < checkpoint.size
    assert checkpoint.note.startswith(key.name)


def test_who_waits_without_a_sequencer_is_told_so() -> None:
    with transaction.atomic():
        entry = record(kind="book.erased", body={})
    started = time.monotonic()
    with pytest.raises(NotCovered, match="Is the sequencer running"):
        wait_for_checkpoint(entry.ref, patience=timedelta(0))
    assert time.monotonic() - started < 5


def test_nobody_waits_inside_the_transaction_that_is_to_be_committed() -> None:
    with pytest.raises(RuntimeError, match="inside the transaction"), transaction.atomic():
        wait_for_checkpoint(record(kind="book.erased", body={}).ref)
