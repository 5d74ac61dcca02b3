"""The life of epoch keys: begun, followed by the next, emptied, destroyed. It is what makes backups forget.

A backup of the database holds wrapped keys and tokens of its time. Both are useless once the key of their epoch is
gone. So: rotate, rewrap everybody into the new epoch, and destroy the old one when no backup of its time is needed any
more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from comity.ledger.actions import record
from comity.vault import keyring
from comity.vault.epochs import EpochKey, destroy_epoch_key, make_epoch_key
from comity.vault.models import Epoch, PersonKey
from comity.vault.sealing import FieldClass, Label, open_blob, unwrap, wrap

AT_ONCE: Final = 1_000
"""Persons whose keys and tokens are made anew in one transaction."""


class EpochsBegan(ValueError):
    """There is an epoch already; a first one is made once."""


class EpochInUse(ValueError):
    """The epoch is the current one, or keys of persons are still wrapped in it."""


@transaction.atomic
def begin_first_epoch(*, staff: UUID | None) -> Epoch:
    """Make the first epoch key, when Comity is set up. Raises EpochsBegan."""
    if Epoch.objects.exists():
        raise EpochsBegan("this database has its epochs; `rotate_epoch` begins the next one")
    return _begin(1, staff)


@transaction.atomic
def rotate_epoch(*, staff: UUID | None) -> Epoch:
    """Begin the next epoch: new keys are wrapped in it from now on. `rewrap` then brings over the others."""
    latest = keyring.current_epoch()
    return _begin(latest.number + 1, staff)


def _begin(number: int, staff: UUID | None) -> Epoch:
    """Put the key on the disk before the database speaks of it: a file too many harms nobody, one too few would."""
    key = make_epoch_key(settings.FOLDER, number)
    epoch = Epoch.objects.create(number=number, check_value=key.check_value)
    record(kind="vault.epoch-begun", body={"epoch": number}, staff=staff, persons=())
    return epoch


# ---------------------------------------------------------------- rewrapping


def rewrap(*, staff: UUID | None, most: int = AT_ONCE, after_each: Callable[[int], None] = lambda _: None) -> int:
    """Bring all keys and tokens into the current epoch; return how many persons. Stopped anywhere, it goes on there."""
    total = 0
    while done := rewrap_some(staff=staff, most=most):
        total += done
        after_each(total)
    return total


TAKE: Final = """
    SELECT person, wrapped, epoch_id, check_value FROM vault_personkey JOIN vault_epoch ON epoch_id = number
    WHERE epoch_id <> %s ORDER BY person LIMIT %s FOR UPDATE OF vault_personkey
"""


@transaction.atomic
def rewrap_some(*, staff: UUID | None, most: int = AT_ONCE) -> int:
    """Bring some keys, and the tokens of what they sealed, into the current epoch; return how many."""
    current = keyring.current_epoch()
    now = keyring.epoch_key(current.number, current.check_value)
    with connection.cursor() as cursor:
        cursor.execute(TAKE, [current.number, most])
        taken = cursor.fetchall()
    if taken:
        keys = {person: unwrap(_before(*epoch), person, wrapped) for person, wrapped, *epoch in taken}
        _write_keys(now, keys)
        _write_tokens(current, keys)
        body = {"epoch": current.number, "keys": len(keys)}
        record(kind="vault.rewrapped", body=body, staff=staff, persons=())
    return len(taken)


def _before(number: int, check_value: bytes) -> AESGCM:
    return keyring.epoch_key(number, check_value).wrapping


def _write_keys(epoch: EpochKey, keys: dict[UUID, bytes]) -> None:
    wrapped = [wrap(epoch.wrapping, person, key) for person, key in keys.items()]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE vault_personkey SET epoch_id = %s, wrapped = made.wrapped "
            "FROM unnest(%s::uuid[], %s::bytea[]) AS made (person, wrapped) WHERE vault_personkey.person = made.person",
            [epoch.number, list(keys), wrapped],
        )


def _write_tokens(epoch: Epoch, keys: dict[UUID, bytes]) -> None:
    """Make the tokens of these persons anew. Their blobs are opened for it, here, and shown to nobody."""
    making = keyring.tokens_of(epoch.number, epoch.check_value)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT person, field_class, kind, record, schema, ciphertext FROM vault_sealed "
            "WHERE person = ANY(%s) AND tokens IS NOT NULL",
            [list(keys)],
        )
        rows = []
        for person, field_class, kind, record_ref, schema, blob in cursor.fetchall():
            label = Label(person, FieldClass(field_class), kind, record_ref)
            fields = open_blob(AESGCM(keys[person]), label, schema, blob)
            found = ",".join(map(str, making.numbers(label.field_class, fields)))
            rows.append((person, field_class, record_ref, f"{{{found}}}"))
        cursor.execute(
            "UPDATE vault_sealed AS old SET tokens = made.tokens::bigint[] "
            "FROM unnest(%s::uuid[], %s::text[], %s::uuid[], %s::text[]) AS made (person, field_class, record, tokens) "
            "WHERE (old.person, old.field_class, old.record) = (made.person, made.field_class, made.record)",
            [list(column) for column in zip(*rows, strict=True)] if rows else [[], [], [], []],
        )


# ---------------------------------------------------------------- destroying


def destroy_epoch(*, number: int, staff: UUID | None) -> None:
    """Destroy the key of an epoch that nothing uses: from now on no backup of its time opens. Raises EpochInUse.

    The database says so first, then the file goes. If the machine stops in between, calling again removes the file.
    """
    epoch = _mark_destroyed(number, staff)
    destroy_epoch_key(settings.FOLDER, epoch.number, bytes(epoch.check_value))
    keyring.forget()


@transaction.atomic(durable=True)
def _mark_destroyed(number: int, staff: UUID | None) -> Epoch:
    epoch = Epoch.objects.select_for_update().get(number=number)
    current = keyring.current_epoch().number
    if number == current:
        raise EpochInUse(f"epoch {number} is the current one: rotate first, then rewrap")
    if left := PersonKey.objects.filter(epoch=number).count():
        raise EpochInUse(f"{left} keys are still wrapped in epoch {number}: finish rewrapping first")
    if epoch.destroyed_at is None:
        Epoch.objects.filter(number=number).update(destroyed_at=Now())
        record(kind="vault.epoch-destroyed", body={"epoch": number}, staff=staff, persons=())
    return epoch
