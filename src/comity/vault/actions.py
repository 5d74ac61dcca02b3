"""Sealing, opening and erasing what names a person. Nothing else in Comity touches ciphertext.

Whoever seals writes the ledger entry of what was done; opening and destroying write their own, here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import connection, transaction

from comity.ledger.actions import record
from comity.ledger.bodies import JSON
from comity.ledger.journal.keeping import keep_after_commit
from comity.vault import keyring
from comity.vault.gate import NotPermitted, Warrant, classes_of, let_through
from comity.vault.matching import match
from comity.vault.models import PersonKey, Sealed
from comity.vault.opening import open_blobs
from comity.vault.sealing import Fields, Label, Value, new_key, seal_blob, unwrap, wrap
from comity.vault.sealing_many import write_sealed
from comity.vault.tokens import Sort, Tokens

Opened = dict[str, Value]
SCHEMA: Final = 1
"""Version of the fields inside a blob, unless the room that seals says another."""


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

    Takes some 60 µs of our processor a person with a name and two contact points, while PostgreSQL works on those
    before. Raises IntegrityError if one of the persons has a key.
    """
    return write_sealed(blobs, epoch=keyring.current_epoch(), schema=schema)


# ---------------------------------------------------------------- opening


def open_fields(*, warrant: Warrant, labels: Collection[Label], permitted_only: bool = False) -> dict[Label, Opened]:
    """Open blobs under a recorded decision, and record that they were opened: one ledger entry for all of them.

    A label under which nothing is sealed is absent from the answer. With `permitted_only`, persons for whom the
    decision does not say permit are left out; without it, one such person refuses the whole. Raises Refused,
    KeyTrouble, BrokenSeal; then nothing was opened.

    INVARIANT: the entry stands if the caller's transaction commits; hand nothing out before that. Outside of one the
    ledger refuses (OutsideTransaction), and nothing is given back.
    """
    opened = dict(_open(let_through(warrant, labels, permitted_only=permitted_only)))
    record_opening(warrant, opened)
    return opened


def open_each(*, warrant: Warrant, labels: Sequence[Label]) -> list[Opened | None]:
    """Open thousands of blobs of persons who are all permitted, in the order of their labels; None where nothing is.

    Records and raises as `open_fields` does: one person for whom the decision does not say permit refuses the whole.
    """
    through = let_through(warrant, labels, permitted_only=True)
    if len(through) < len(labels):
        raise NotPermitted(f"decision {warrant.decision} does not permit {len(labels) - len(through)} of these blobs")
    opened = open_blobs(through)
    record_opening(warrant, [label for label, fields in zip(through, opened, strict=True) if fields is not None])
    return opened


def _open(labels: Collection[Label]) -> Iterator[tuple[Label, Opened]]:
    wanted = list(labels)
    opened = zip(wanted, open_blobs(wanted), strict=True)
    return ((label, fields) for label, fields in opened if fields is not None)


def record_opening(warrant: Warrant, opened: Collection[Label]) -> None:
    """Record that these blobs were opened under a decision."""
    body: dict[str, JSON] = {"decision": warrant.decision, "classes": classes_of(opened), "blobs": len(opened)}
    if warrant.visit:
        body["visit"] = warrant.visit
    named = {label.person.int: label.person for label in opened}
    record(kind="vault.opened", body=body, staff=warrant.staff, persons=[named[number] for number in sorted(named)])


# ---------------------------------------------------------------- searching


@dataclass(frozen=True, kw_only=True)
class Found:
    """Somebody who was sought and truly matches."""

    label: Label
    score: float  # 1 is exact
    fields: Opened
    beside: Opened | None = None  # what is in the blob that was asked for beside it


def search(
    *, warrant: Warrant, sort: Sort, query: str, candidates: Collection[Label],
    beside: Callable[[UUID], Label] | None = None,
) -> list[Found]:  # fmt: skip
    """Open the candidates that the decision permits, and return those that truly match, the best first.

    `candidates` come from `queries.candidates`; nobody may see them, for a name is known by who is found. Of who truly
    matches, and of nobody else, the blob under the label `beside` is opened too. All that were opened are in one ledger
    entry, those that did not match too. Raises as `open_fields` does, and needs the caller's transaction as it does.
    """
    others = {label.person: beside(label.person) for label in candidates} if beside else {}
    through = frozenset(let_through(warrant, {*candidates, *others.values()}, permitted_only=True))
    opened = dict(_open([label for label in candidates if label in through]))
    found = [
        (score, label) for label, fields in opened.items() if (score := match(sort, query, label.field_class, fields))
    ]
    if more := {others[label.person] for _, label in found if others} - opened.keys():
        opened |= _open(more)
    record_opening(warrant, opened)
    return [
        Found(label=label, score=score, fields=opened[label], beside=opened.get(others.get(label.person, label)))
        for score, label in sorted(found, key=lambda each: (-each[0], each[1].person))
    ]


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
        keep_after_commit()
    return bool(held)
