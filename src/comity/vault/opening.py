"""Reading and opening blobs, a page of them or a thousand; whether they may be opened was asked before (`gate`).

A blob costs little more than its cipher: one query for all of them, and each person's key is unwrapped once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from comity.refs import as_array
from comity.staff.once import rows_of
from comity.vault import keyring
from comity.vault.sealing import unpack, unsealed, unwrap

if TYPE_CHECKING:
    from comity.vault.sealing import Label, Value

READ: Final = """
    SELECT place, kind, schema, ciphertext, wrapped, number, check_value
    FROM unnest(%s::uuid[], %s::text[], %s::uuid[]) WITH ORDINALITY AS wanted (person, field_class, record, place)
    JOIN vault_sealed USING (person, field_class, record)
    JOIN vault_personkey USING (person)
    JOIN vault_epoch ON number = epoch_id
    ORDER BY person
"""
"""Rows come with the place of their label: to read refs back would take as long as to open what they name."""


def open_blobs(labels: Sequence[Label]) -> list[dict[str, Value] | None]:
    """Return what is sealed under each label, in their order; None where nothing is. Raises KeyTrouble, BrokenSeal.

    INVARIANT: what binds a blob to its place is written from the label that was asked for, never from what the
    database says about the row; the kind of the record and the version of the fields alone are the row's.
    """
    rows = _read(labels)
    opened: list[dict[str, Value] | None] = [None] * len(labels)
    for row, fields in zip(rows, unpack(_unsealed(labels, rows)), strict=True):
        opened[row[0] - 1] = fields
    return opened


Row = tuple[int, str, int, bytes, bytes, int, bytes]


def _read(labels: Sequence[Label]) -> list[Row]:
    """Return the rows of these labels, those of a person together."""
    persons, classes, _kinds, records = zip(*labels, strict=True) if labels else ((), (), (), ())
    return rows_of(READ, [as_array(persons), f"{{{','.join(classes)}}}", as_array(records)], binary=True)


def _unsealed(labels: Sequence[Label], rows: Iterable[Row]) -> Iterator[bytes]:
    whose, known_by = None, None
    for place, kind, schema, blob, wrapped, epoch, check_value in rows:
        label = labels[place - 1]
        if label.kind != kind:
            label = label._replace(kind=kind)
        if check_value != known_by:
            known_by, wrapping = check_value, keyring.epoch_key(epoch, check_value).wrapping
        if label.person.int != whose:
            whose, key = label.person.int, AESGCM(unwrap(wrapping, label.person, wrapped))
        yield unsealed(key, label, schema, blob)
