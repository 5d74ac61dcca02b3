"""A book of its own for a benchmark: a private PostgreSQL as Comity starts it, tables and keys ready, Django set up."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Book:
    """An open book: the environment that its programs need, and the way in of whoever owns its tables."""

    environ: Mapping[str, str]
    url_for_owner: str

    def analyze(self) -> None:
        """Let PostgreSQL look at what the book was filled with, as it would overnight."""
        import psycopg

        with psycopg.connect(self.url_for_owner, autocommit=True) as postgres:
            postgres.execute("VACUUM ANALYZE")


@contextmanager
def opened_book(folder: str = "", **more: str) -> Iterator[Book]:
    """Open the book in `folder`, which stays for the next run, or one that is gone afterwards.

    We are the application's own role in it. What `more` says goes into the environment.
    """
    from comity.server.postgres import PrivatePostgres

    with tempfile.TemporaryDirectory(prefix="comity-bench-") as temporary:
        root = Path(folder or temporary)
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        root.chmod(0o700)
        with PrivatePostgres(root) as postgres:
            environ = {
                "COMITY_FOLDER": str(root), "COMITY_SECRET_KEY": "of the benchmark alone",
                "COMITY_SECOND_FACTOR": "optional", "DJANGO_SETTINGS_MODULE": "comity.web.settings", **more,
            }  # fmt: skip
            _prepare({**environ, "DATABASE_URL": postgres.url_for_owner}, "tables")
            environ["DATABASE_URL"] = postgres.url_for_app
            _prepare(environ, "book")
            os.environ |= environ
            import django

            django.setup()
            yield Book(environ, postgres.url_for_owner)


def _prepare(environ: Mapping[str, str], what: str) -> None:
    subprocess.run([sys.executable, "-m", "comity.web.preparing", what], env={**os.environ, **environ}, check=True)  # noqa: S603 - our own module
