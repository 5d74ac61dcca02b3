"""Copying what is sealed to another place: under another person's key, or another label. Nobody sees what it is.

So two people can be made one without opening more than the law and a role permit. The originals stay where they are,
until whoever copied them discards them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import connection, transaction

from comity.vault.actions import UPSERT, NoKey, key_for_sealing
from comity.vault.models import Sealed
from comity.vault.sealing import FieldClass, Fields, Label, open_blob, seal_blob


@transaction.atomic
def reseal(*, copies: Iterable[tuple[Label, Label]]) -> list[Label]:
    """Copy each first label's blob to the second; return the second labels of those that were there.

    What stood under a second label is replaced. Whoever calls writes the ledger entry. Raises NoKey, BrokenSeal.
    """
    return [to for label, to in copies if _copied(label, to)]


def labels_of(*, person: UUID, records: Sequence[UUID]) -> list[Label]:
    """Return the labels under which something of a person is sealed, for these records."""
    rows = Sealed.objects.filter(person=person, record__in=records).values_list(
        "person", "field_class", "kind", "record"
    )
    return [Label(whose, FieldClass(field_class), kind, record) for whose, field_class, kind, record in rows]


def _copied(label: Label, to: Label) -> bool:
    row = Sealed.objects.filter(pk=(label.person, label.field_class, label.record)).first()
    if row is None:
        return False
    key, _ = key_for_sealing(label.person)
    fields = open_blob(key, label._replace(kind=row.kind), row.schema, bytes(row.ciphertext))
    other, tokens = key_for_sealing(to.person)
    _put(other, to, row.schema, fields, tokens.numbers(to.field_class, fields) or None)
    return True


def _put(key: AESGCM, label: Label, schema: int, fields: Fields, tokens: list[int] | None) -> None:
    blob = seal_blob(key, label, schema, fields)
    with connection.cursor() as cursor:
        cursor.execute(UPSERT, [label.person, label.field_class, label.record, label.kind, schema, blob, tokens])


__all__ = ["NoKey", "labels_of", "reseal"]
