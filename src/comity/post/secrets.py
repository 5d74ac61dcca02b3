"""What a gateway needs to sign in: a line in a file beside the keys, which only we may read, and nowhere else."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import UUID

from django.conf import settings


class NoSecret(Exception):
    """The file with a gateway's secret is not there, or others may read it; the message says where and what to do."""


def secret_of(gateway: UUID) -> str:
    """Return the secret of a gateway. Raises NoSecret."""
    path = _path(gateway)
    try:
        mode = path.stat().st_mode & 0o777
        if mode & 0o077:
            raise NoSecret(f"Others may read {path} (mode {mode:o}). Make it yours alone: chmod 600.")
        return path.read_text(encoding="utf-8").rstrip("\n")
    except FileNotFoundError:
        raise NoSecret(f"{path} is not there. Give the gateway its password again.") from None


def keep_secret(gateway: UUID, secret: str) -> None:
    """Write the secret of a gateway, in place of the one before."""
    path = _path(gateway)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_suffix(".new")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{secret}\n")
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def forget_secret(gateway: UUID) -> None:
    """Remove the secret of a gateway."""
    _path(gateway).unlink(missing_ok=True)


def _path(gateway: UUID) -> Path:
    return Path(settings.FOLDER) / "gateways" / f"{gateway}.secret"
