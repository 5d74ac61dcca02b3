"""The certificate of an erasure: what went, what stays and by which rule, when backups forget; with the ledger's proof.

The claims were written by the run itself, and the ledger's entry of the run commits to them; so nobody can change a
word of them later, we included. `comity-verify --certificate` checks that with nothing of Comity.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from comity.ledger.queries import bundle

if TYPE_CHECKING:
    from comity.retention.erasing.models import Erasure

FORMAT: Final = "comity erasure certificate 1"


def certificate_of(erasure: Erasure) -> str:
    """Return the certificate as JSON. Raises NotCovered while no checkpoint covers the erasure."""
    assert erasure.entry is not None  # noqa: S101 - a certificate is of what was done
    told = {"format": FORMAT, "claims": erasure.done, "proof": bundle(entry=erasure.entry.pk)}
    return json.dumps(told, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
