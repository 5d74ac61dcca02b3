"""Recording: a row without a number, in the transaction of what it records. Rolled back together, nothing is left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from django.db import connection

from comity.ledger.bodies import JSON, NotForTheLedger, entry_bytes
from comity.ledger.comity_verify import PublicKey, read_note
from comity.ledger.journal.keeping import journal_folder
from comity.ledger.journal.signed import COSIGNED, keep_signed
from comity.ledger.keys import LEDGER, KeyProblem, make_key, new_name
from comity.ledger.models import Checkpoint, Cosignature, Entry
from comity.ledger.queries import Here
from comity.ledger.witness import Seen, look
from comity.refs import as_array, new_ref


class OutsideTransaction(RuntimeError):
    """Something was to be recorded outside a transaction, where it could be kept without what it records, or lost."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """An entry that is about to be recorded, one of many."""

    kind: str
    body: Mapping[str, JSON]
    staff: UUID | None = None
    persons: Sequence[UUID] = ()
    ref: UUID = field(default_factory=new_ref)


COLUMNS = ("ref", "recorded_at", "kind", "staff", "persons", "body")
INSERT = f"INSERT INTO ledger_entry ({', '.join(COLUMNS)}) VALUES "  # noqa: S608 - our own words
COPY = f"COPY ledger_entry ({', '.join(COLUMNS)}) FROM STDIN (FORMAT BINARY)"


def record(*, kind: str, body: Mapping[str, JSON], staff: UUID | None = None, persons: Sequence[UUID] = ()) -> Entry:
    """Record one thing, pending until the sequencer numbers it; `kind` is <room>.<verb>.

    Raises OutsideTransaction, and NotForTheLedger for a value that could name somebody.
    """
    _refuse_outside("record")
    row = _row(Draft(kind=kind, body=body, staff=staff, persons=persons), datetime.now(UTC))
    with connection.wrap_database_errors:  # below Django's cursor: there is nothing to fill in, to log or to fetch
        connection.connection.execute(INSERT + _literal(row))
    return Entry.from_db(connection.alias, [*COLUMNS, "leaf_index"], [*row, None])


def statement(draft: Draft) -> str:
    """Return one entry as the SQL that records it, for a program that talks to PostgreSQL itself.

    Who sends it sends it with the change that it records, in one transaction. Raises NotForTheLedger.
    """
    return INSERT + _literal(_row(draft, datetime.now(UTC)))


def record_many(*, drafts: Iterable[Draft]) -> int:
    """Record many things, as an import does, at the speed of COPY; return how many."""
    _refuse_outside("record_many")
    now, many = datetime.now(UTC), 0
    with connection.cursor() as cursor, cursor.copy(COPY) as copy:
        copy.set_types(["uuid", "timestamptz", "varchar", "uuid", "uuid[]", "bytea"])
        for many, draft in enumerate(drafts, 1):  # noqa: B007 - the last number is how many there were
            copy.write_row(_row(draft, now))
    return many


def _refuse_outside(what: str) -> None:
    if not connection.in_atomic_block:
        raise OutsideTransaction(f"ledger.{what} was called outside a transaction: put it into transaction.atomic()")


def _literal(row: tuple[UUID, datetime, str, UUID | None, Sequence[UUID], bytes]) -> str:
    """Return a row as SQL, at a fifth of what the driver takes for it; each change of Comity's pays for this.

    INVARIANT: `entry_bytes` let these values through: refs are written as hexadecimal digits, a kind is words joined by
    - and . alone, and no form that a body lets in has a quote or a backslash. So there is nothing in them to quote.
    """
    ref, at, kind, staff, persons, content = row
    by = f"'{staff.hex}'" if staff else "NULL"
    said = content.decode("ascii")
    if "'" in said or "\\" in said:
        raise NotForTheLedger(f"{kind}: a quote or a backslash came into its body, which no form lets in")
    return f"('{ref.hex}', '{at.isoformat()}', '{kind}', {by}, '{as_array(persons)}', '{said}')"


def _row(draft: Draft, now: datetime) -> tuple[UUID, datetime, str, UUID | None, list[UUID], bytes]:
    """Return an entry's columns, in their order; refuse what may not enter the ledger."""
    ref, kind, staff, persons = draft.ref, draft.kind, draft.staff, list(draft.persons)
    content = entry_bytes(ref=ref, recorded_at=now, kind=kind, body=draft.body, staff=staff, persons=persons)
    return ref, now, kind, staff, persons, content


def begin_ledger(*, folder: Path, name: str = "") -> PublicKey:
    """Make the key of a new ledger in Comity's folder; return what others verify it with, to be kept elsewhere too.

    Raises KeyProblem where there is a key, or a checkpoint: a ledger goes on with the key that it began with.
    """
    if Checkpoint.objects.exists():
        raise KeyProblem(
            "The ledger has checkpoints already. Put back the key that signed them; a new one cannot go on."
        )
    return make_key(folder / LEDGER, name or new_name()).public


def witness_here(*, folder: Path, at: datetime) -> Seen:
    """Let the witness in `folder` look at the ledger of this database, and keep its line. Raises as `witness.look`."""
    seen = look(folder=folder, source=Here(), at=at)
    keep_cosignature(seen=seen)
    return seen


def keep_cosignature(*, seen: Seen) -> None:
    """Keep a witness's line below the checkpoint it saw, so that bundles carry it; one of each witness.

    Raises NotProven for a line that the witness did not sign: it would spoil every bundle it went into.
    """
    read_note(seen.note + seen.line).verified([seen.witness])
    keep_signed(journal_folder(), seen.note + seen.line, called=COSIGNED)
    Cosignature.objects.get_or_create(
        checkpoint_id=seen.checkpoint.size, witness=seen.witness.name, defaults={"line": seen.line}
    )
