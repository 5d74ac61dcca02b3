"""The database of an earlier day, taken and put back by PostgreSQL's own programs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from django.db import connection, connections

from comity.consent.suppression import keys
from comity.ledger.journal import keeping
from comity.vault import keyring
from tests.private_postgres import binaries


def take(file: Path) -> Path:
    """Take a backup of the test's database, as `comity backup` does."""
    _run("pg_dump", "--format=custom", f"--file={file}")
    return file


def put_back(file: Path) -> None:
    """Put a backup in the place of the database, as `comity restore` does; processes begin anew afterwards."""
    connections.close_all()
    _run("pg_restore", "--clean", "--if-exists", "--single-transaction", "--exit-on-error", "--dbname", _name(), file)
    for forget in (keyring.forget, keys.forget, keeping.forget):
        forget()


def _name() -> str:
    return str(connection.settings_dict["NAME"])


def _run(program: str, *words: str | Path) -> None:
    its = connection.settings_dict
    named = {"PGHOST": its["HOST"], "PGPORT": its["PORT"], "PGUSER": its["USER"], "PGPASSWORD": its["PASSWORD"]}
    environ = {**os.environ, "PGDATABASE": _name()} | {name: str(value) for name, value in named.items() if value}
    beside = binaries()
    found = shutil.which(program, path=str(beside)) or program
    subprocess.run([found, *words], env=environ, check=True, capture_output=True)
