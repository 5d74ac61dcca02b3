"""Domains of addresses as throttles know them: a keyed hash, so that nobody reads from a table whom we write to."""

from __future__ import annotations

import hashlib
import hmac
import os
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Final
from uuid import UUID

from django.conf import settings

from comity.vault.epochs import read_secret, write_secret

WITHOUT: Final = "it is not known which domains asked for patience"
KEY_BYTES: Final = 32


def domain_key(gateway: UUID, address: str) -> UUID:
    """Return the key of an address's domain at a gateway. Raises KeyTrouble.

    Where its file is lost a new one is made: nothing hangs on it but which domains are written to slowly.
    """
    domain = address.rpartition("@")[2].strip().rstrip(".").lower()
    said = hmac.new(_secret(settings.FOLDER), gateway.bytes + domain.encode("utf-8"), hashlib.sha256).digest()
    return UUID(bytes=said[:16])


def place_key(dispatch: UUID, key: UUID) -> UUID:
    """Return under which key the queue of one dispatch for one domain is kept."""
    return UUID(bytes=hashlib.sha256(dispatch.bytes + key.bytes).digest()[:16])


@lru_cache(maxsize=4)
def _secret(folder: Path) -> bytes:
    path = folder / "keys" / "pacing.key"
    if not path.exists():
        with suppress(FileExistsError):  # somebody else was quicker
            write_secret(path, os.urandom(KEY_BYTES))
    return read_secret(path, without=WITHOUT)
