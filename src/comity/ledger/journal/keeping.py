"""Appending to the journal what was committed, and telling whether this database knows all that the journal knows.

A no becomes a row of `JournalLine` by triggers, in the transaction that takes it down, whoever does that. After the
commit and before the call returns, whoever comes first appends all rows that wait, with one wait for the disk; those
who come meanwhile find theirs done (`keep`). If nothing can be appended the no stands all the same, and its row waits.
A sender asks before each round (`refuse_if_behind`): while a row waits, or the journal has a line that is no row here,
nothing is sent.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import connection, transaction

from comity.ledger.journal import signed
from comity.ledger.journal.files import Files
from comity.ledger.journal.lines import (
    KEY,
    JournalTrouble,
    Line,
    NoJournal,
    Place,
    Said,
    make_journal_key,
    read_journal_key,
)

log = logging.getLogger(__name__)

REPLAYING: Final = ContextVar("replaying", default=False)
"""Whether lines are brought in just now: what they make here is in the journal already."""

LOCK: Final = 0x636F6D6974790002
"""Of the advisory lock: "comity" and a number. Whoever appends holds it, on whichever machine."""
AT_ONCE: Final = 5_000
"""Rows that are appended with one wait for the disk, at most."""
PATIENCE: Final = "5s"
"""How long to wait for somebody else who appends."""


class Behind(JournalTrouble):
    """The journal, or a witness, knows more than this database: it was put back to an earlier day."""


BEGIN: Final = f"""
BEGIN; SET LOCAL synchronous_commit TO off; SET LOCAL lock_timeout TO '{PATIENCE}';
SELECT pg_advisory_xact_lock({LOCK});
SELECT ref, kind, at, said FROM ledger_journalline WHERE number IS NULL ORDER BY at, ref LIMIT {AT_ONCE};
SELECT number, seal FROM ledger_journalline WHERE number IS NOT NULL ORDER BY number DESC LIMIT 1
"""  # noqa: S608 - numbers of ours
"""Each statement sees what was committed when it begins: the second all that is there once the lock is ours.

That rows got their numbers need not be on the disk: should the machine stop, they are found in the journal again.
"""
NUMBERED: Final = """
UPDATE ledger_journalline AS line SET number = new.number, seal = new.seal
FROM unnest(%s::uuid[], %s::bigint[], %s::bytea[]) AS new (ref, number, seal) WHERE line.ref = new.ref
"""
KNOWN: Final = "SELECT ref FROM ledger_journalline WHERE ref = ANY (%s::uuid[])"
STANDS: Final = """
SELECT EXISTS (SELECT FROM ledger_journalline WHERE number IS NULL), last.number, last.seal, {checkpoints}
FROM (SELECT 1) AS one LEFT JOIN LATERAL (
    SELECT number, seal FROM ledger_journalline WHERE number IS NOT NULL ORDER BY number DESC LIMIT 1
) AS last ON true
"""


def journal_folder(folder: Path | None = None) -> Path:
    """Return where the journal lies: where COMITY_JOURNAL says, else beside the keys in Comity's folder."""
    return settings.JOURNAL or (folder or settings.FOLDER) / "journal"


@lru_cache(maxsize=4)
def _open(folder: Path, key: Path) -> Files:
    found = read_journal_key(key)
    if found is None:
        raise NoJournal(f"{key} is missing: put it back from your copy of the keys")
    return Files(folder, found)


def files(*, begin: bool = False) -> Files | None:
    """Return the journal; None where there is none, unless it is to `begin`. Raises JournalTrouble."""
    folder, key = journal_folder(), settings.FOLDER / KEY
    if not key.exists() and not any(folder.glob("lines-*")):
        if not begin:
            return None
        make_journal_key(key)
    return _open(folder, key)


def forget() -> None:
    """Let go of what this process knows of the journal."""
    _open.cache_clear()


# ---------------------------------------------------------------- appending


def keep_after_commit() -> None:
    """Have what this transaction takes down appended to the journal before its caller goes on.

    If that fails the no stands all the same: it is logged, and nothing is sent until it was made up for.
    """
    if not REPLAYING.get() and not any(hook[1] is _keep_or_say for hook in connection.run_on_commit):
        transaction.on_commit(_keep_or_say)


def _keep_or_say() -> None:
    try:
        keep()
    except (JournalTrouble, psycopg.Error) as error:
        log.error("The journal was not written, and nothing is sent until it is: %s", str(error).strip())  # noqa: TRY400 - it is no fault of ours


def keep() -> None:
    """Append all that was committed and waits. Raises JournalTrouble, psycopg.Error; then it still waits."""
    if connection.in_atomic_block:
        raise RuntimeError("journal.keep was called inside a transaction: what it takes down is not committed yet")
    while _keep_some() == AT_ONCE:
        pass


def _keep_some() -> int:
    with _our_turn() as (postgres, waiting, last):
        journal = files(begin=bool(waiting) and not last.number)
        end = journal.end() if journal else Place()
        if journal is None or not (waiting or end != last):
            _compare(end, last)
            return 0
        left = _settled(postgres, journal, waiting, last, end)
        if left:
            _number(postgres, left, journal.append(left, end))
        return len(left)


@contextmanager
def _our_turn() -> Iterator[tuple[psycopg.Connection[Any], list[Said], Place]]:
    """Begin a transaction in which nobody else appends; give what waits, and the last line that was kept."""
    postgres = _raw()
    try:
        told = postgres.execute(BEGIN)
        waiting: list[Any] = []
        last: list[Any] = []
        while told.nextset():
            if told.description:
                waiting, last = last, told.fetchall()
        yield postgres, [_said(*row) for row in waiting], _place(*last[0]) if last else Place()
        postgres.execute("COMMIT")
    except BaseException:
        if not postgres.closed:
            postgres.execute("ROLLBACK")
        raise


def _raw() -> psycopg.Connection[Any]:
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    postgres: psycopg.Connection[Any] = connection.connection
    return postgres


def _said(ref: UUID, kind: str, at: datetime, said: str) -> Said:
    return Said(ref=ref, kind=kind, at=at, said=json.loads(said))  # Django has its driver leave JSON as text


def _place(number: int | None, seal: bytes | None) -> Place:
    return Place(number, bytes(seal)) if number and seal else Place()


def _settled(
    postgres: psycopg.Connection[Any], journal: Files, waiting: list[Said], last: Place, end: Place
) -> list[Said]:
    """Number rows whose lines are in the journal already: whoever appended them died, or the machine stopped.

    Return those that are not in it yet. Raises Behind at the first line that is no row here.
    """
    if end == last:
        return waiting
    if end.number <= last.number:
        _compare(end, last)
    lines = journal.lines(last)
    while some := list(islice(lines, AT_ONCE)):
        known = {ref for (ref,) in postgres.execute(KNOWN, [[line.ref for line in some]]).fetchall()}
        if unknown := [line for line in some if line.ref not in known]:
            raise Behind(_behind(end.number - unknown[0].place.number + 1))
        _number(postgres, some, [line.place for line in some])
        done = {line.ref for line in some}
        waiting = [one for one in waiting if one.ref not in done]
    return waiting


def _compare(end: Place, last: Place) -> None:
    if end.number < last.number:
        raise NoJournal(
            f"{journal_folder()} goes to line {end.number}, and this database knows of {last.number}: lines were taken "
            "out, an older copy was put in its place, or it is elsewhere. Cure: put it back (COMITY_JOURNAL says where "
            "it is sought); if it is lost: comity journal renew"
        )
    if end != last:
        raise JournalTrouble(
            f"line {end.number} of {journal_folder()} is not the one that this database knows: it is the journal of "
            "another book, or was altered. Cure: put back the one of this book; if it is lost: comity journal renew"
        )


def _behind(many: int) -> str:
    return (
        f"this database was put back to an earlier day: the journal has {many:,} lines that it does not know. Whoever "
        "said no since would be written to. Cure: comity journal replay"
    )


def _number(postgres: psycopg.Connection[Any], said: Sequence[Said], places: Sequence[Place]) -> None:
    refs, numbers, seals = [one.ref for one in said], [place.number for place in places], [p.seal for p in places]
    postgres.execute(NUMBERED, [refs, numbers, seals])


# ---------------------------------------------------------------- whether this database knows it all


@dataclass(frozen=True, kw_only=True)
class Stands:
    """How the journal and this database stand to each other; `trouble` says what keeps everything from being sent."""

    last: int  # the last line of the journal that this database knows
    end: int  # the last line of the journal
    waiting: int  # rows that are not in the journal yet
    trouble: str = ""


def refuse_if_behind() -> None:
    """Raise JournalTrouble unless this database knows all that the journal and witnesses know, and the other way round.

    It costs one query and a look at two or three files, for whoever hands over 25 messages. What waits is appended
    first.
    """
    folder = journal_folder()
    seen = signed.seen(folder)
    journal = files()
    end = journal.end() if journal else Place()
    waits, number, seal, *roots = _stands([each.checkpoint.size for each in seen])
    signed.compare(seen, roots)
    if waits or end != _place(number, seal):
        keep()


def _stands(sizes: Sequence[int]) -> tuple[Any, ...]:
    """Ask the database how it stands, and for its roots over so many entries."""
    roots = ", ".join(["(SELECT root FROM ledger_checkpoint WHERE size = %s)"] * len(sizes)) or "NULL"
    asking = psycopg.Cursor(_raw())  # Django's own would have it planned each time
    row: tuple[Any, ...] | None = asking.execute(STANDS.format(checkpoints=roots), sizes, prepare=True).fetchone()
    return row or ()


def compare_ledger() -> None:
    """Raise LedgerBehind unless the ledger of this database has every checkpoint that lies beside the journal."""
    seen = signed.seen(journal_folder())
    signed.compare(seen, _stands([each.checkpoint.size for each in seen])[3:])


def how_it_stands() -> Stands:
    """Tell how the journal and this database stand to each other; for pages and for whoever looks after Comity.

    What waits is appended first, outside of a transaction.
    """
    end, trouble = 0, ""
    try:
        journal = files()
        end = journal.end().number if journal else 0
        _look_only() if connection.in_atomic_block else refuse_if_behind()
        end = journal.end().number if journal else 0
    except JournalTrouble as error:
        trouble = str(error)
    _waits, number, _seal, *_roots = _stands([])
    ((waiting,),) = _raw().execute("SELECT count(*) FROM ledger_journalline WHERE number IS NULL").fetchall()
    return Stands(last=number or 0, end=end, waiting=waiting, trouble=trouble)


def trouble_now() -> str:
    """Return why nothing is sent now, for pages; nothing where all is well."""
    try:
        _look_only() if connection.in_atomic_block else refuse_if_behind()
    except (JournalTrouble, psycopg.Error) as error:
        return str(error).strip()
    return ""


def _look_only() -> None:
    """The same within a transaction, where nothing can be appended: what waits is no trouble yet."""
    seen, journal = signed.seen(journal_folder()), files()
    end = journal.end() if journal else Place()
    _waits, number, seal, *roots = _stands([each.checkpoint.size for each in seen])
    signed.compare(seen, roots)
    last = _place(number, seal)
    if end.number > last.number and journal is not None:
        refs = [line.ref for line in islice(journal.lines(last), AT_ONCE)]
        known = _raw().execute(KNOWN, [refs]).fetchall()
        if len(known) < len(refs):
            raise Behind(_behind(end.number - last.number))
    elif end != last:
        _compare(end, last)


def read_through() -> int:
    """Read every line of every file that is there; return how many. Raises Altered, NoJournal."""
    journal = files()
    return sum(1 for _ in journal.every_line()) if journal else 0


# ---------------------------------------------------------------- a journal that was lost


def renew(*, called: str) -> int:
    """Write the journal anew from what this database knows, the old files set aside; return how many lines it has.

    Only for a journal that is lost or damaged: what it knew and this database does not is lost with it. The key must be
    the same. Raises JournalTrouble.
    """
    with _our_turn() as (postgres, _waiting, last):
        journal = files(begin=not last.number)
        if journal is None:
            raise NoJournal(f"{settings.FOLDER / KEY} is missing: put it back from your copy of the keys")
        if any(journal_folder().glob("lines-*")):
            journal.set_aside(called)
        place = Place()
        while rows := _rows(postgres, place.number):
            places = journal.append([_said(*row[:4]) for row in rows], place)
            if [_place(*row[4:]) for row in rows] != places:
                raise JournalTrouble("the key is not the one that the lines in this database were sealed with")
            place = places[-1]
        return place.number


def _rows(postgres: psycopg.Connection[Any], after: int) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = postgres.execute(
        "SELECT ref, kind, at, said, number, seal FROM ledger_journalline WHERE number > %s ORDER BY number LIMIT %s",
        [after, AT_ONCE],
    ).fetchall()
    return rows


def insert_known(lines: Sequence[Line]) -> None:
    """Take in lines that the journal has and this database had not, as rows that it knows; within a transaction."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO ledger_journalline (ref, kind, at, said, number, seal) VALUES (%s, %s, %s, %s, %s, %s) "
            "ON CONFLICT (ref) DO UPDATE SET number = excluded.number, seal = excluded.seal",
            [(one.ref, one.kind, one.at, json.dumps(one.said), one.place.number, one.place.seal) for one in lines],
        )
