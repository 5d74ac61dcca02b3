"""What came and nobody could place, as it came: sealed in a file whose key lies in the database, until it was read."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.conf import settings

from comity.vault.parcels import OpenParcel, Parcel

if TYPE_CHECKING:
    from collections.abc import Collection

    from comity.post.inbound.models import Arrival

LARGEST: Final = 256 * 1024
"""Bytes of an original that are kept."""
ORPHANED: Final = 24 * 60 * 60
"""Seconds after which a file that no row knows goes: whoever wrote it never came to the end."""


def keep_original(ref: UUID, raw: bytes) -> bytes:
    """Seal what came; return the key."""
    path = _path(ref)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with Parcel(path) as parcel:
        parcel.write(raw[:LARGEST])
        return parcel.key


def original_of(arrival: Arrival) -> bytes | None:
    """Open what came; nothing where it is kept no more. Raises BrokenSeal."""
    if not arrival.parcel_key:
        return None
    try:
        file = _path(arrival.ref).open("rb")
    except FileNotFoundError:
        return None
    return b"".join(OpenParcel(file, bytes(arrival.parcel_key)))


def forget_original(ref: UUID) -> None:
    """Delete the file."""
    _path(ref).unlink(missing_ok=True)


def sweep(known: Collection[UUID]) -> int:
    """Delete files that no row knows; return how many."""
    gone = 0
    for path in (Path(settings.FOLDER) / "arrivals").glob("*.sealed"):
        with suppress(ValueError, FileNotFoundError):
            if UUID(path.stem) not in known and time.time() - path.stat().st_mtime > ORPHANED:
                path.unlink()
                gone += 1
    return gone


def _path(ref: UUID) -> Path:
    return Path(settings.FOLDER) / "arrivals" / f"{ref}.sealed"
