"""Keyed hashes of what is sealed, made without anybody seeing it: what is opened for that does not leave this module.

It is asked for nobody's sake but the person's own: to take down their no so that it outlasts the record of them. So it
needs no decision, as taking down the no needs none; it is in the ledger.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from comity.ledger.actions import record
from comity.vault.opening import open_blobs

if TYPE_CHECKING:
    from comity.vault.sealing import Label, Value

Spell = Callable[["Label", "dict[str, Value]"], bytes | None]
"""Returns the one spelling of what is sealed under a label, or None where it has none."""


def hash_sealed(*, labels: Sequence[Label], key: bytes, length: int, spell: Spell) -> dict[Label, bytes]:
    """Return HMAC-SHA256 over the spelling of each, so many bytes of it; what is not there or not clear is left out.

    Raises KeyTrouble, BrokenSeal.
    """
    opened = zip(labels, open_blobs(labels), strict=True)
    spelled = {label: spell(label, fields) for label, fields in opened if fields is not None}
    hashed = {label: hmac.digest(key, said, hashlib.sha256)[:length] for label, said in spelled.items() if said}
    if hashed:
        persons = sorted({label.person for label in hashed})
        record(kind="vault.hashed", body={"blobs": len(hashed)}, persons=persons)
    return hashed
