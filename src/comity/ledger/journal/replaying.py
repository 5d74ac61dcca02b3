"""Bringing what the journal knows into a database that was put back: line by line, in order, each of them once.

Every room says what a line of its kind means here (`register_kind`), and what must not go on as it was
(`register_put_back`). A batch of lines is one transaction with the rows that say that they are known: whoever is
killed begins again there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Final

from django.db import connection, transaction

from comity.ledger.actions import record
from comity.ledger.bodies import JSON
from comity.ledger.journal import keeping, signed
from comity.ledger.journal.files import Files
from comity.ledger.journal.lines import JournalTrouble, Line, Place
from comity.ledger.models import JournalLine
from comity.ledger.queries import latest_checkpoint

BATCH: Final = 100
"""Lines in one transaction."""

Bring = Callable[[Line], bool]
"""Make here what a line says; return whether there was anybody here whom it is about. Called in a transaction."""
PutBack = Callable[[], int]
"""Stop what must not go on as it was on that earlier day; return how much it was. May be called again."""

_kinds: Final[dict[str, Bring]] = {}
_put_back: Final[dict[str, PutBack]] = {}


class NotReplayed(JournalTrouble):
    """A line could not be brought in; it and all after it are still to come."""


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """What a replay did."""

    lines: int = 0  # that this database did not know
    brought: int = 0  # of these, about somebody who is here
    stopped: int = 0  # messages that may have gone out since, and will not go out again
    entries: int = 0  # of the ledger that was lost; 0 where it is whole


def in_words(done: Replayed) -> str:
    """Say what a replay did, for whoever looks after Comity."""
    if not done.lines and not done.entries:
        return "This database knows all that the journal knows."
    brought = f"{done.brought:,} of them about somebody who is in this database. Messages may be sent again."
    said = [f"{done.lines:,} lines of the journal were brought in, {brought}"]
    if done.stopped:
        said.append(
            f"{done.stopped:,} messages were on their way on that day and may have gone out since: they are uncertain, "
            "and not sent again."
        )
    if done.entries:
        said.append(
            f"The ledger is {done.entries:,} entries shorter than it was. What was signed is kept beside the journal; "
            "begin a new witness, for the old one rightly refuses."
        )
    return "\n".join(said)


def register_kind(kind: str, bring: Bring) -> None:
    """Say what a line of this kind means."""
    _kinds[kind] = bring


def register_put_back(room: str, stop: PutBack) -> None:
    """Say what must not go on as it was on the day to which a database was put back.

    `stop` returns how many messages were on their way.
    """
    _put_back[room] = stop


def replay(*, told: Callable[[int, int], None] = lambda _done, _of: None) -> Replayed:
    """Bring in all lines that this database does not know; nothing where it knows them all. Raises JournalTrouble.

    `told` hears how many lines are done, of how many.
    """
    lost = _lost_entries()
    journal, last = _journal()
    end = journal.end() if journal else Place()
    if end.number <= last.number and lost is None:
        keeping.keep()
        return Replayed()
    stopped = sum(stop() for stop in _put_back.values())
    counts = Counter[bool]()
    lines = journal.lines(last) if journal and end.number > last.number else iter(())
    while some := list(islice(lines, BATCH)):
        replaying = keeping.REPLAYING.set(True)
        try:
            counts += _bring(some)
        finally:
            keeping.REPLAYING.reset(replaying)
        told(counts.total(), end.number - last.number)
    done = Replayed(lines=counts.total(), brought=counts[True], stopped=stopped, entries=lost or 0)
    _go_on(done)
    keeping.keep()
    return done


def _journal() -> tuple[Files | None, Place]:
    newest = JournalLine.objects.exclude(number=None).order_by("-number").first()
    if newest is None or newest.number is None or newest.seal is None:
        return keeping.files(), Place()
    return keeping.files(), Place(newest.number, bytes(newest.seal))


def _lost_entries() -> int | None:
    """Return how many entries of the ledger are lost; None where it is the one that was signed."""
    try:
        keeping.compare_ledger()
    except signed.LedgerBehind:
        newest = latest_checkpoint()
        most = max(each.checkpoint.size for each in signed.seen(keeping.journal_folder()))
        return max(0, most - (newest.size if newest else 0))
    return None


@transaction.atomic
def _bring(lines: list[Line]) -> Counter[bool]:
    """Bring lines in, in one transaction, with the rows that say so."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s), set_config('comity.replaying', 'on', true)", [keeping.LOCK])
    waiting = set(JournalLine.objects.filter(ref__in=[line.ref for line in lines]).values_list("ref", flat=True))
    keeping.insert_known(lines)
    counts = Counter[bool](_brought(line) for line in lines if line.ref not in waiting)
    body: dict[str, JSON] = {"first": lines[0].place.number, "last": lines[-1].place.number, "brought": counts[True]}
    record(kind="ledger.journal-replayed", body=body)
    return counts


def _brought(line: Line) -> bool:
    if line.kind not in _kinds:
        raise NotReplayed(
            f"line {line.place.number} of the journal is a {line.kind}, which this version does not know: install the "
            "version that wrote it"
        )
    try:
        with transaction.atomic():
            return _kinds[line.kind](line)
    except Exception as error:
        raise NotReplayed(
            f"line {line.place.number} of the journal ({line.kind}) could not be brought in: {error}. What came before "
            "it is done; mend it and say again: comity journal replay"
        ) from error


def _go_on(done: Replayed) -> None:
    """Record that the database was put back, and let the ledger go on from here. What it had is kept as evidence."""
    gone = signed.seen(keeping.journal_folder())
    newest = latest_checkpoint()
    with transaction.atomic():
        body: dict[str, JSON] = {
            "entries": newest.size if newest else 0, "lost": done.entries, "lines": done.lines,
            "brought": done.brought, "stopped": done.stopped,
            "seen": [{"entries": one.checkpoint.size, "root": f"rfc6962:{one.checkpoint.root.hex()}"} for one in gone],
        }  # fmt: skip
        record(kind="ledger.put-back", body=body)
    try:
        keeping.compare_ledger()
    except signed.LedgerBehind:
        for each in gone:
            signed.set_aside(each)
        if newest:
            signed.keep_signed(keeping.journal_folder(), newest.note)
