"""Reading and opening blobs, a page of them or a thousand; whether they may be opened was asked before (`gate`).

A blob costs little more than its cipher: one query for all of them, and each person's key is unwrapped once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from comity.refs import array_of
from comity.staff.once import rows_of
from comity.vault import keyring
from comity.vault.sealing import BLOB, NONCE_BYTES, broken, sort_of, unpack, unwrap

if TYPE_CHECKING:
    from comity.vault.sealing import Label, Value

READ: Final = """
    WITH epoch AS MATERIALIZED (SELECT number, check_value FROM vault_epoch)
    SELECT place, kind, schema, ciphertext, wrapped, number, check_value
    FROM unnest(%s::uuid[], %s::varchar[], %s::uuid[]) WITH ORDINALITY AS wanted (person, field_class, record, place)
    JOIN vault_sealed USING (person, field_class, record)
    JOIN vault_personkey USING (person)
    JOIN epoch ON number = epoch_id
"""
"""Rows come with the place of their label: to read refs back would take as long as to open what they name."""


def open_blobs(labels: Sequence[Label]) -> list[dict[str, Value] | None]:
    """Return what is sealed under each label, in their order; None where nothing is. Raises KeyTrouble, BrokenSeal.

    INVARIANT: what binds a blob to its place is written from the label that was asked for, never from what the
    database says about the row; the kind of the record and the version of the fields alone are the row's.
    """
    whose, which = [label.person.bytes for label in labels], [label.record.bytes for label in labels]
    classes = f"{{{','.join([label.field_class for label in labels])}}}"
    rows: list[Row] = rows_of(READ, [array_of(whose), classes, array_of(which)], binary=True)
    opened: list[dict[str, Value] | None] = [None] * len(labels)
    for row, fields in zip(rows, unpack(_unsealed(labels, whose, which, rows)), strict=True):
        opened[row[0] - 1] = fields
    return opened


Row = tuple[int, str, int, bytes, bytes, int, bytes]


def _unsealed(
    labels: Sequence[Label], whose: Sequence[bytes], which: Sequence[bytes], rows: Iterable[Row]
) -> Iterator[bytes]:
    keys: dict[bytes, AESGCM] = {}
    known_by = None
    for place, kind, schema, blob, wrapped, epoch, check_value in rows:
        at = place - 1
        label, person = labels[at], whose[at]
        if (key := keys.get(person)) is None:
            if check_value != known_by:
                known_by, wrapping = check_value, keyring.epoch_key(epoch, check_value).wrapping
            key = keys[person] = AESGCM(unwrap(wrapping, label.person, wrapped))
        bound_to = b"".join((BLOB, person, which[at], sort_of(schema, label.field_class, kind)))
        try:
            packed = key.decrypt(blob[:NONCE_BYTES], blob[NONCE_BYTES:], bound_to)
        except (InvalidTag, ValueError):
            raise broken(label, schema) from None
        yield packed
