from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import psycopg
import pytest
from django.conf import settings
from django.db import transaction

from comity.ledger.actions import begin_ledger, record
from comity.ledger.connecting import own_connection
from comity.ledger.keys import LEDGER, KeyProblem, make_key, read_key
from comity.ledger.models import Checkpoint, Tile
from comity.ledger.notes import SigningKey
from comity.ledger.queries import public_key, wait_for_checkpoint
from comity.ledger.sequencer import LedgerBroken, Sequencer, sequence
from tests.ledger.book import a_ledger, found, number, one, places, tamper, told, url, write

pytestmark = pytest.mark.django_db(transaction=True)

PROCESS = (
    "import django; django.setup()\n"
    "from django.conf import settings\n"
    "from comity.ledger.sequencer import run\n"
    "run(folder=settings.FOLDER)\n"
)


@contextmanager
def a_sequencer() -> Iterator[subprocess.Popen[bytes]]:
    """Start a sequencer as a process of its own; kill it at the end if it still lives."""
    source = Path(__file__).parents[2] / "src"
    environment = os.environ | {
        "COMITY_FOLDER": str(settings.FOLDER),
        "DATABASE_URL": url(),
        "DJANGO_SETTINGS_MODULE": "comity.web.settings",
        "PYTHONPATH": str(source),
    }
    with subprocess.Popen([sys.executable, "-c", PROCESS], env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def awaited(statement: str, value: object) -> None:
    """Wait until a query says what is awaited, as somebody who looks at the server would."""
    until = time.monotonic() + 30
    with own_connection() as own:
        while (own.execute(statement).fetchone() or ())[0] != value:
            assert time.monotonic() < until, f"never: {statement} -> {value}"
            own.execute("SELECT pg_sleep(0.01)")


def stopped() -> Event:
    """Return an event that lets a sequencer end as soon as it could begin."""
    stop = Event()
    stop.set()
    return stop


# ---------------------------------------------------------------- numbering


def test_every_checkpoint_signs_the_tree_of_its_size(key: SigningKey) -> None:
    a_ledger(key)
    assert list(Checkpoint.objects.order_by("size").values_list("size", flat=True)) == [3, 256, 300, 600]
    tiles = {(tile.level, tile.index): len(tile.hashes) // 32 for tile in Tile.objects.all()}
    assert tiles == {(0, 0): 256, (0, 1): 256, (0, 2): 88, (1, 0): 2}
    audit = found(key)
    assert (told(audit), audit.size, audit.checkpoints) == ([], 600, 4)


def test_a_batch_is_no_larger_than_it_may_be(key: SigningKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("comity.ledger.sequencer.BATCH", 100)
    write(250)
    assert number(key) == 250
    assert list(Checkpoint.objects.order_by("size").values_list("size", flat=True)) == [100, 200, 250]
    assert told(found(key)) == []


def test_nothing_new_makes_no_checkpoint(key: SigningKey) -> None:
    a_ledger(key, [3])
    assert number(key) == 0
    assert Checkpoint.objects.count() == 1


def test_two_sequencers_do_not_work_at_once(key: SigningKey) -> None:
    with own_connection() as one_of_them, own_connection() as other:
        assert Sequencer(one_of_them, key).claim()
        assert not Sequencer(other, key).claim()


def test_should_two_sequencers_work_all_the_same_only_one_commits(key: SigningKey) -> None:
    a_ledger(key, [3])
    write(5)
    with own_connection() as slow, own_connection() as quick:
        slow.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        slow.execute("SELECT 1")
        write(2)
        assert Sequencer(quick, key).number() == 7
        with pytest.raises(psycopg.errors.SerializationFailure):
            Sequencer(slow, key).number()
    assert told(found(key)) == []


def test_numbering_does_not_wait_for_who_refers_to_an_entry(key: SigningKey) -> None:
    write(1)
    with own_connection() as other:
        other.execute("BEGIN")
        other.execute("SELECT 1 FROM ledger_entry FOR KEY SHARE")  # as a foreign key does
        with own_connection() as own:
            own.execute("SET lock_timeout = '1s'")
            assert Sequencer(own, key).number() == 1


# ---------------------------------------------------------------- keys


def test_without_its_key_nothing_is_signed(key: SigningKey) -> None:
    write(3)
    (settings.FOLDER / LEDGER).unlink()
    with pytest.raises(KeyProblem, match="is missing"):
        sequence(folder=settings.FOLDER, stop=stopped())
    assert not (settings.FOLDER / LEDGER).exists()
    assert not Checkpoint.objects.exists()
    assert key.name


def test_a_key_that_others_can_read_is_refused(key: SigningKey) -> None:
    (settings.FOLDER / LEDGER).chmod(0o640)
    with pytest.raises(KeyProblem, match="chmod 600"):
        sequence(folder=settings.FOLDER, stop=stopped())
    assert key.name


def test_a_broken_key_is_refused_and_not_shown(key: SigningKey) -> None:
    (settings.FOLDER / LEDGER).write_text(key.write()[:-9], "utf-8")
    with pytest.raises(KeyProblem, match="no signing key") as refused:
        sequence(folder=settings.FOLDER, stop=stopped())
    assert key.write()[-40:-9] not in str(refused.value)


def test_a_key_that_did_not_sign_the_last_checkpoint_signs_no_other(key: SigningKey) -> None:
    a_ledger(key, [3])
    write(3)
    (settings.FOLDER / LEDGER).unlink()
    make_key(settings.FOLDER / LEDGER, key.name)
    with own_connection() as own, pytest.raises(KeyProblem, match="did not sign the ledger's last checkpoint"):
        Sequencer(own, read_key(settings.FOLDER / LEDGER)).claim()
    assert Checkpoint.objects.count() == 1


def test_the_public_key_is_told_only_if_its_private_one_signed_the_ledger(key: SigningKey) -> None:
    assert public_key(folder=settings.FOLDER) == key.public
    a_ledger(key, [3])
    assert public_key(folder=settings.FOLDER) == key.public
    (settings.FOLDER / LEDGER).unlink()
    make_key(settings.FOLDER / LEDGER, key.name)
    with pytest.raises(KeyProblem, match="Put back the key that did"):
        public_key(folder=settings.FOLDER)


def test_a_ledger_begins_once_and_goes_on_with_the_key_it_began_with(key: SigningKey, tmp_path: Path) -> None:
    begun = begin_ledger(folder=tmp_path / "other")
    assert begun == read_key(tmp_path / "other" / LEDGER).public
    assert begun.name.startswith("comity.invalid/ledger/")
    with pytest.raises(KeyProblem, match="there already"):
        begin_ledger(folder=tmp_path / "other")
    a_ledger(key, [3])
    with pytest.raises(KeyProblem, match="has checkpoints already"):
        begin_ledger(folder=tmp_path / "third")
    assert not (tmp_path / "third" / LEDGER).exists()


def test_a_key_is_never_written_over(key: SigningKey) -> None:
    with pytest.raises(KeyProblem, match="there already"):
        make_key(settings.FOLDER / LEDGER, key.name)
    assert read_key(settings.FOLDER / LEDGER).public == key.public
    assert (settings.FOLDER / LEDGER).stat().st_mode & 0o777 == 0o600


# ---------------------------------------------------------------- what is broken is not signed over


@pytest.mark.parametrize(
    "broken",
    [
        "UPDATE ledger_tile SET hashes = overlay(hashes PLACING sha256('x') FROM 33) WHERE level = 0 AND index = 1",
        "UPDATE ledger_tile SET hashes = substr(hashes, 1, 64) WHERE level = 0 AND index = 1",
        "DELETE FROM ledger_tile WHERE level = 1",
        "DELETE FROM ledger_checkpoint WHERE size = 300",
        "DELETE FROM ledger_checkpoint",
    ],
)
def test_a_ledger_that_contradicts_itself_is_not_signed_over(key: SigningKey, broken: str) -> None:
    a_ledger(key, [3, 300])
    write(3)
    tamper(broken)
    before = Checkpoint.objects.count()
    with own_connection() as own, pytest.raises(LedgerBroken, match="verify the ledger"):
        Sequencer(own, key).number()
    assert Checkpoint.objects.count() == before
    assert one("SELECT count(*) FROM ledger_entry WHERE leaf_index IS NULL") == 3


# ---------------------------------------------------------------- its process


def test_it_stops_when_it_is_told_to(key: SigningKey) -> None:
    with transaction.atomic():
        entry = record(kind="book.changed", body={})
    with a_sequencer() as process:
        wait_for_checkpoint(entry.ref)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert told(found(key)) == []


def test_killed_in_the_middle_of_a_batch_it_leaves_a_ledger_that_goes_on(key: SigningKey) -> None:
    a_ledger(key, [3, 300])
    with own_connection() as own:
        own.execute("BEGIN")
        own.execute(
            "LOCK TABLE ledger_tile IN SHARE MODE"
        )  # it has numbered the entries, and now waits to write a tile
        write(500)
        with a_sequencer() as process:
            awaited("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'ledger_tile'::regclass", 1)
            process.send_signal(signal.SIGKILL)
            assert process.wait(20) == -signal.SIGKILL
        own.execute("COMMIT")
    awaited("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", 0)
    assert one("SELECT count(*) FROM ledger_entry WHERE leaf_index IS NULL") == 500
    assert told(found(key)) == []
    assert number(key) == 500
    audit = found(key)
    assert (told(audit), audit.size) == ([], 800)


def test_killed_again_and_again_while_others_write_it_loses_nothing(key: SigningKey) -> None:
    for _ in range(4):
        with a_sequencer() as process:
            with transaction.atomic():
                entry = record(kind="book.changed", body={})
            wait_for_checkpoint(entry.ref)
            write(3_000)  # it is numbering these, or about to
            process.send_signal(signal.SIGKILL)
            process.wait(20)
    number(key)
    assert places() == list(range(4 * 3_001))
    assert told(found(key)) == []
