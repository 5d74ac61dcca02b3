"""Sealing, opening and erasing what names a person. Nothing else in Comity touches ciphertext.

Whoever seals writes the ledger entry of what was done; opening and destroying write their own, here.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from operator import attrgetter
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import connection, transaction

from comity.ledger.actions import record
from comity.ledger.bodies import JSON
from comity.vault import keyring
from comity.vault.gate import Warrant, classes_of, let_through
from comity.vault.matching import match
from comity.vault.models import Epoch, PersonKey, Sealed
from comity.vault.sealing import Fields, Label, Value, new_key, open_blob, seal_blob, unwrap, wrap
from comity.vault.tokens import Sort, Tokens

Opened = dict[str, Value]
SCHEMA: Final = 1
"""Version of the fields inside a blob, unless the room that seals says another."""
AT_ONCE: Final = 20_000
"""Persons whose wrapped keys are held in memory until their blobs are all written."""
WRITTEN_AT_ONCE: Final = 100
"""Rows handed to PostgreSQL in one go: few, so that it works while we do."""


class NoKey(LookupError):
    """The person has no key: it was never made, or it was destroyed, which is what erasure is."""


# ---------------------------------------------------------------- sealing


@transaction.atomic
def new_person_key(*, person: UUID) -> None:
    """Make the key under which everything about a person is sealed. Raises IntegrityError if there is one."""
    epoch = keyring.current_epoch()
    wrapping = keyring.epoch_key(epoch.number, epoch.check_value).wrapping
    PersonKey.objects.create(person=person, epoch=epoch, wrapped=wrap(wrapping, person, new_key()))


UPSERT: Final = """
    INSERT INTO vault_sealed (person, field_class, record, kind, schema, ciphertext, tokens)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (person, field_class, record) DO UPDATE SET
        kind = excluded.kind, schema = excluded.schema, ciphertext = excluded.ciphertext, tokens = excluded.tokens
"""


@transaction.atomic
def seal(*, label: Label, fields: Fields, schema: int = SCHEMA) -> None:
    """Seal fields in the place of whatever stood under this label. Raises NoKey, Unsealable, KeyTrouble."""
    key, tokens = key_for_sealing(label.person)
    found = tokens.numbers(label.field_class, fields) or None
    blob = seal_blob(key, label, schema, fields)
    with connection.cursor() as cursor:
        cursor.execute(UPSERT, [label.person, label.field_class, label.record, label.kind, schema, blob, found])


def discard(*, labels: Iterable[Label]) -> int:
    """Delete single blobs, tokens and all; return how many there were. Copies in backups live while the key does."""
    wanted = [(label.person, label.field_class, label.record) for label in labels]
    return Sealed.objects.filter(pk__in=wanted).delete()[0] if wanted else 0


def key_for_sealing(person: UUID) -> tuple[AESGCM, Tokens]:
    """Return a person's key, locked: it can be neither destroyed nor taken to another epoch until we are done."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT epoch_id, check_value, wrapped FROM vault_personkey JOIN vault_epoch ON epoch_id = number "
            "WHERE person = %s FOR SHARE OF vault_personkey",
            [person],
        )
        row = cursor.fetchone()
    if row is None:
        raise NoKey(f"person {person} has no key: make one with new_person_key, unless that person was erased")
    number, check_value, wrapped = row
    wrapping = keyring.epoch_key(number, check_value).wrapping
    return AESGCM(unwrap(wrapping, person, wrapped)), keyring.tokens_of(number, check_value)


# ---------------------------------------------------------------- sealing many


@transaction.atomic
def seal_many(*, blobs: Iterable[tuple[Label, Fields]], schema: int = SCHEMA) -> int:
    """Make keys for new persons and seal their blobs; return how many persons. Blobs of one person follow each other.

    Takes some 100 µs of our processor a person with a name and two contact points, while PostgreSQL works on those
    before. Raises IntegrityError if one of the persons has a key.
    """
    epoch = keyring.current_epoch()
    sealing = _Sealing(epoch, schema)
    people = ((person, list(held)) for person, held in groupby(blobs, key=lambda blob: blob[0].person))
    count = 0
    while True:
        keys: list[bytes] = []
        _copy(SEALED, sealing.people(islice(people, AT_ONCE), keys))
        _copy(KEYS, keys)
        count += len(keys)
        if len(keys) < AT_ONCE:
            return count


KEYS: Final = "COPY vault_personkey (person, epoch_id, wrapped) FROM STDIN (FORMAT binary)"
SEALED: Final = (
    "COPY vault_sealed (person, field_class, record, kind, schema, ciphertext, tokens) FROM STDIN (FORMAT binary)"
)


class _Sealing:
    """Turns new persons into rows of PostgreSQL's binary COPY format."""

    def __init__(self, epoch: Epoch, schema: int) -> None:
        self.wrapping = keyring.epoch_key(epoch.number, epoch.check_value).wrapping
        self.tokens = keyring.tokens_of(epoch.number, epoch.check_value)
        self.epoch, self.schema = _short(epoch.number), schema

    def people(self, batch: Iterable[tuple[UUID, list[tuple[Label, Fields]]]], keys: list[bytes]) -> Iterator[bytes]:
        """Give the blobs of each person as rows, and put the row of the key among `keys`."""
        for person, held in batch:
            secret = new_key()
            key = AESGCM(secret)
            keys.append(b"\0\3" + _sized(person.bytes) + self.epoch + _sized(wrap(self.wrapping, person, secret)))
            yield b"".join(self._blob(key, label, fields) for label, fields in held)

    def _blob(self, key: AESGCM, label: Label, fields: Fields) -> bytes:
        person, field_class, kind, record_ref = label
        return b"".join((
            b"\0\7", _sized(person.bytes), _sized(field_class.encode()), _sized(record_ref.bytes),
            _sized(kind.encode()), _short(self.schema), _sized(seal_blob(key, label, self.schema, fields)),
            _array(sorted(self.tokens.of(field_class, fields))),
        ))  # fmt: skip


def _copy(statement: str, rows: Iterable[bytes]) -> None:
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as copy:
        copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
        more = iter(rows)
        while some := b"".join(islice(more, WRITTEN_AT_ONCE)):
            copy.write(some)
        copy.write(b"\xff\xff")


def _sized(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


def _short(number: int) -> bytes:
    return b"\0\0\0\2" + number.to_bytes(2, "big")


BIGINT: Final = 20
"""The number of PostgreSQL's type bigint."""


def _array(tokens: list[bytes]) -> bytes:
    """Write bigints as PostgreSQL's binary array: dimensions, no nulls, type, length, first index; NULL if empty."""
    if not tokens:
        return b"\xff\xff\xff\xff"
    head = struct.pack(">iiiii", 1, 0, BIGINT, len(tokens), 1)
    return _sized(head + b"\0\0\0\10" + b"\0\0\0\10".join(tokens))


# ---------------------------------------------------------------- opening

READ: Final = """
    SELECT place, kind, schema, ciphertext, epoch_id, wrapped
    FROM unnest(%s::uuid[], %s::text[], %s::uuid[]) WITH ORDINALITY AS wanted (person, field_class, record, place)
    JOIN vault_sealed USING (person, field_class, record)
    JOIN vault_personkey USING (person)
"""
"""Rows come with the place of their label: to read refs back would take as long as to open what they name."""


@transaction.atomic
def open_fields(*, warrant: Warrant, labels: Collection[Label], permitted_only: bool = False) -> dict[Label, Opened]:
    """Open blobs under a recorded decision, and record that they were opened: one ledger entry for all of them.

    A label under which nothing is sealed is absent from the answer. With `permitted_only`, persons for whom the
    decision does not say permit are left out; without it, one such person refuses the whole. Raises Refused,
    KeyTrouble, BrokenSeal; then nothing was opened.

    INVARIANT: the entry stands if this transaction commits. Inside a longer one, hand nothing out before that commits.
    """
    return dict(open_each(warrant=warrant, labels=labels, permitted_only=permitted_only))


@transaction.atomic
def open_each(
    *, warrant: Warrant, labels: Collection[Label], permitted_only: bool = False
) -> list[tuple[Label, Opened]]:
    """Open blobs as `open_fields` does, and give them in no order: for thousands, of which nobody looks one up."""
    through = let_through(warrant, labels, permitted_only=permitted_only)
    opened = list(_open(through))
    _record_opening(warrant, [label for label, _ in opened])
    return opened


def _open(labels: Collection[Label]) -> Iterator[tuple[Label, Opened]]:
    keys: dict[int, AESGCM] = {}
    wrapping = _Wrapping()
    wanted = list(labels)
    for place, kind, schema, blob, number, wrapped in _read(wanted):
        label = wanted[place - 1]
        if label.kind != kind:
            label = label._replace(kind=kind)
        if (key := keys.get(label.person.int)) is None:
            key = keys[label.person.int] = AESGCM(unwrap(wrapping[number], label.person, wrapped))
        yield label, open_blob(key, label, schema, blob)


def _read(wanted: Sequence[Label]) -> list[tuple[int, str, int, bytes, int, bytes]]:
    """Return the rows of these labels, in one query."""
    columns = (
        "{" + ",".join([label.person.hex for label in wanted]) + "}",
        "{" + ",".join([label.field_class for label in wanted]) + "}",
        "{" + ",".join([label.record.hex for label in wanted]) + "}",
    )
    with connection.cursor() as cursor:
        cursor.execute(READ, columns)
        rows: list[tuple[int, str, int, bytes, int, bytes]] = cursor.fetchall()
    return rows


class _Wrapping(dict[int, AESGCM]):
    """The wrapping keys of epochs by their numbers, each fetched once."""

    def __missing__(self, number: int) -> AESGCM:
        check_value = Epoch.objects.values_list("check_value", flat=True).get(pk=number)
        self[number] = wrapping = keyring.epoch_key(number, check_value).wrapping
        return wrapping


def _record_opening(warrant: Warrant, opened: Collection[Label]) -> None:
    body: dict[str, JSON] = {"decision": warrant.decision, "classes": classes_of(opened), "blobs": len(opened)}
    persons = sorted({label.person for label in opened}, key=attrgetter("int"))
    record(kind="vault.opened", body=body, staff=warrant.staff, persons=persons)


# ---------------------------------------------------------------- searching


@dataclass(frozen=True, kw_only=True)
class Found:
    """Somebody who was sought and truly matches."""

    label: Label
    score: float  # 1 is exact
    fields: Opened


def search(*, warrant: Warrant, sort: Sort, query: str, candidates: Collection[Label]) -> list[Found]:
    """Open the candidates that the decision permits, and return those that truly match, the best first.

    `candidates` come from `queries.candidates`; nobody may see them, for a name is known by who is found. All that were
    opened are in the ledger, those that did not match too. Raises as `open_fields` does.
    """
    opened = open_fields(warrant=warrant, labels=candidates, permitted_only=True)
    scored = [
        Found(label=label, score=score, fields=fields)
        for label, fields in opened.items()
        if (score := match(sort, query, label.field_class, fields))
    ]
    return sorted(scored, key=lambda found: (-found.score, found.label.person))


# ---------------------------------------------------------------- erasing


@transaction.atomic
def destroy_person_key(*, person: UUID, staff: UUID | None) -> bool:
    """Erase a person: the key, and all blobs with their tokens. Return whether there was a key.

    Backups keep what they had until the epochs of that time are destroyed: `queries.forgotten_from`.
    """
    held, _ = PersonKey.objects.filter(person=person).delete()
    blobs, _ = Sealed.objects.filter(person=person).delete()
    if held or blobs:
        record(kind="vault.person-key-destroyed", body={"blobs": blobs}, staff=staff, persons=[person])
    return bool(held)
