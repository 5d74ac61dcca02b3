"""How many changes a second are recorded, and how soon a signed checkpoint covers them.

python -m bench.ledger [--clients 16] [--processes 4] [--seconds 10] [--by message|django]

A recorded change is a row that changed and the entry that says so, in one transaction that PostgreSQL has flushed to
the disk before the client goes on (fsync, synchronous_commit and full_page_writes are on). That is all that the ledger
has a part in; what the law, the seal and the page around a real change cost is measured where they are. So a client
sends just that: change and entry in one message, as a program does that talks to PostgreSQL itself. The entry is made
and refused by the same code as any other, and the tables have all triggers and indexes of a whole book.

`--by django` sends the same in four messages, through `transaction.atomic` and `ledger.actions.record`, as Comity's
pages do: what comes on top is Django's and the driver's work and three more turns of client and server.

The sequencer is a process of its own. All is on this machine: what the clients use, the server does not have, and what
else runs here neither has; so processor time for each change is told too. Merge delay is from `recorded_at`, before the
commit, until a listener hears of the covering checkpoint.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

import psycopg

from tests import private_postgres as server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.queues import Queue
    from multiprocessing.synchronize import Barrier
    from uuid import UUID

DURABLE = "-c fsync=on -c synchronous_commit=on -c full_page_writes=on -c shared_buffers=256MB -c max_wal_size=4GB"
CHANGED = "CREATE TABLE changed (person uuid PRIMARY KEY, address text NOT NULL)"
CHANGE = "INSERT INTO changed VALUES (%s, %s)"
BODY = {"rule": "house/no-nagging", "version": 7}
CALM = 3.0
"""Seconds left to the sequencer after the last change."""


def main() -> None:
    options = _options()
    with _server() as folder:
        _prepare(folder)
        with _sequencer(folder) as sequencer, _listener() as heard:
            _await_sequencer()
            before = _spent(sequencer)
            done, seconds, clients = _write(options)
            time.sleep(CALM)
            spent = {what: after - before[what] for what, after in _spent(sequencer).items()}
        _tell(options, done, seconds, heard)
        told = ", ".join(f"{what} {1e6 * each / done:,.0f} µs" for what, each in ({"clients": clients} | spent).items())
        print(f"  processor time a change: {told}")
        _verify(folder)


@contextmanager
def _sequencer(folder: Path) -> Iterator[int]:
    process = multiprocessing.get_context("spawn").Process(target=_sequence, args=(folder,))
    process.start()
    try:
        assert process.pid
        yield process.pid
    finally:
        process.terminate()
        process.join()


@contextmanager
def _listener() -> Iterator[dict[int, datetime]]:
    heard, stop = dict[int, datetime](), Event()
    listener = Thread(target=_listen, args=(heard, stop))
    listener.start()
    try:
        yield heard
    finally:
        stop.set()
        listener.join()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.ledger")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--by", choices=["message", "django"], default="message")
    return parser.parse_args()


@contextmanager
def _server() -> Iterator[Path]:
    binaries = server.binaries()
    assert binaries, "no PostgreSQL here"
    server.SPEED = DURABLE  # this data is worth as much as real data
    with server.private_postgres(binaries) as url, tempfile.TemporaryDirectory(prefix="comity-bench-") as folder:
        os.environ |= {"DATABASE_URL": url, "COMITY_SECRET_KEY": "of the bench alone", "COMITY_FOLDER": folder}
        yield Path(folder)


def _django() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "comity.web.settings"
    import django

    django.setup()


def _prepare(folder: Path) -> None:
    _django()
    from django.core.management import call_command

    from comity.ledger.keys import LEDGER, make_key, new_name

    call_command("migrate", verbosity=0)
    make_key(folder / LEDGER, new_name())
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(CHANGED)
        kept = connection.execute("SELECT name || '=' || setting FROM pg_settings WHERE name IN "
                                  "('fsync', 'synchronous_commit', 'full_page_writes', 'wal_sync_method')")  # fmt: skip
        print("server:", ", ".join(row[0] for row in kept))


def _sequence(folder: Path) -> None:
    _django()
    from comity.ledger.sequencer import run

    run(folder=folder)


def _await_sequencer() -> None:
    """Record one thing and wait until it is covered, so that no start of a process is measured."""
    from django.db import transaction

    from comity.ledger.actions import record
    from comity.ledger.queries import wait_for_checkpoint

    with transaction.atomic():
        entry = record(kind="bench.began", body={})
    wait_for_checkpoint(entry.ref)


def _listen(heard: dict[int, datetime], stop: Event) -> None:
    from comity.ledger.sequencer import SIGNED

    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(f"LISTEN {SIGNED}")
        while not stop.is_set():
            for told in connection.notifies(timeout=0.2):
                heard[int(told.payload)] = datetime.now(UTC)


def _write(options: argparse.Namespace) -> tuple[int, float, float]:
    """Let all clients write; return how many changes were committed, in how many seconds, and of how much work."""
    spawn = multiprocessing.get_context("spawn")
    ready, counts = spawn.Barrier(options.processes + 1), spawn.Queue()
    threads = options.clients // options.processes
    writers = [
        spawn.Process(target=_clients, args=(threads, options.seconds, options.by, ready, counts))
        for _ in range(options.processes)
    ]
    for writer in writers:
        writer.start()
    ready.wait()
    started = time.perf_counter()
    written = [counts.get() for _ in writers]
    seconds = time.perf_counter() - started
    for writer in writers:
        writer.join()
    return sum(done for done, _ in written), seconds, sum(spent for _, spent in written)


def _clients(threads: int, seconds: float, by: str, ready: Barrier, counts: Queue[tuple[int, float]]) -> None:
    _django()
    done = [0] * threads
    working = [Thread(target=_client, args=(number, seconds, by, done)) for number in range(threads)]
    ready.wait()
    before = time.process_time()
    for thread in working:
        thread.start()
    for thread in working:
        thread.join()
    counts.put((sum(done), time.process_time() - before))


def _client(number: int, seconds: float, by: str, done: list[int]) -> None:
    from comity.refs import new_ref

    staff, until = new_ref(), time.perf_counter() + seconds
    with _by_django() if by == "django" else _by_message() as change:
        while time.perf_counter() < until:
            change(new_ref(), staff)
            done[number] += 1


@contextmanager
def _by_django() -> Iterator[Callable[[UUID, UUID], None]]:
    from django.db import connection, transaction

    from comity.ledger.actions import record

    def change(person: UUID, staff: UUID) -> None:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(CHANGE, [person, "a street and a number"])
            record(kind="book.changed", body=BODY, staff=staff, persons=[person])

    yield change
    connection.close()


@contextmanager
def _by_message() -> Iterator[Callable[[UUID, UUID], None]]:
    from comity.ledger.actions import Draft, statement
    from comity.ledger.connecting import own_connection

    with own_connection() as connection:

        def change(person: UUID, staff: UUID) -> None:
            entry = statement(Draft(kind="book.changed", body=BODY, staff=staff, persons=[person]))
            connection.execute(f"INSERT INTO changed VALUES ('{person}', 'a street and a number'); {entry}")

        yield change


def _tell(options: argparse.Namespace, done: int, seconds: float, heard: dict[int, datetime]) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        times = connection.execute("SELECT recorded_at FROM ledger_entry ORDER BY leaf_index").fetchall()
        pending = connection.execute("SELECT count(*) FROM ledger_entry WHERE leaf_index IS NULL").fetchone()
    assert pending == (0,)
    assert len(times) == done + 1
    delays, at = [], 1
    for size, when in sorted(item for item in heard.items() if item[0] > 1):
        delays += [(when - moment).total_seconds() for (moment,) in times[at:size]]
        at = size
    delays.sort()
    print(f"{options.clients} clients in {options.processes} processes, {seconds:.1f} s, by {options.by}")
    print(f"  {done / seconds:,.0f} recorded changes a second ({done:,})")
    print(f"  merge delay p50 {_at(delays, 0.5):.3f} s, p99 {_at(delays, 0.99):.3f} s, most {delays[-1]:.3f} s, "
          f"{len(heard)} checkpoints")  # fmt: skip


def _spent(sequencer: int) -> dict[str, float]:
    """Return the processor seconds that the server's processes and the sequencer have spent so far."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        found = connection.execute("SELECT pg_backend_pid()").fetchone()
    assert found
    postmaster = _proc(found[0])[1]
    all_of_them = [_proc(int(path.name)) for path in Path("/proc").glob("[0-9]*")]
    ended = sum(map(int, _proc(int(postmaster))[11:15]))
    server = ended + sum(sum(map(int, one[11:13])) for one in all_of_them if one and one[1] == postmaster)
    tick = os.sysconf("SC_CLK_TCK")
    return {"server": server / tick, "sequencer": sum(map(int, _proc(sequencer)[11:13])) / tick}


def _proc(number: int) -> list[str]:
    """Return what the kernel says of a process, from its state on; nothing if it is gone."""
    try:
        return Path(f"/proc/{number}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return []


def _verify(folder: Path) -> None:
    from comity.ledger.keys import LEDGER, read_key
    from comity.ledger.verifying import verify

    started = time.perf_counter()
    found = verify(key=read_key(folder / LEDGER).public)
    assert not found.flaws, found.flaws
    seconds = time.perf_counter() - started
    print(f"  verified {found.size:,} entries and {found.checkpoints} checkpoints in {seconds:.1f} s")


def _at(ordered: list[float], share: float) -> float:
    return ordered[int(share * (len(ordered) - 1))]


if __name__ == "__main__":
    main()
