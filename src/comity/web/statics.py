"""Stylesheets, scripts and icons: gathered once, under names that change with their contents and so keep for ever."""

from __future__ import annotations

import fcntl
import hashlib
import sys
from io import StringIO
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.storage import CompressedManifestStaticFilesStorage

STAMP = "gathered-from"


class Statics(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # it has no types
    """Names with the hash of their contents where they were gathered; else plain names, served from where they lie."""

    def stored_name(self, name: str) -> str:
        return str(super().stored_name(name)) if self.hashed_files else name


class Served(WhiteNoiseMiddleware):  # type: ignore[misc]  # as above
    """Serves what was gathered, and what was not from where it lies; where nothing was gathered, that is no fault."""

    def add_files(self, root: str, prefix: str | None = None) -> None:
        if Path(root).is_dir():
            super().add_files(root, prefix)


def gather() -> None:
    """Gather all static files, unless those that lie in STATIC_ROOT are of just these sources.

    Of several processes that start together, one gathers and the others wait.
    """
    root, sources = Path(settings.STATIC_ROOT), _sources()
    root.mkdir(parents=True, exist_ok=True)
    with root.with_name(f"{root.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = root / STAMP
        if stamp.is_file() and stamp.read_text("utf-8") == sources:
            return
        call_command("collectstatic", interactive=False, clear=True, verbosity=0, stdout=StringIO())
        stamp.write_text(sources, "utf-8")


def _sources() -> str:
    """Return a digest of all that is gathered, by name, size and time, and of the Python that compresses it."""
    digest = hashlib.sha256(sys.version.encode())
    for finder in get_finders():
        for path, storage in finder.list([]):
            found = Path(storage.path(path)).stat()
            digest.update(f"{path} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()
