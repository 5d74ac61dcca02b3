"""Asking for one person waits for nothing that only files or screens need."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"django", "duckdb", "psycopg", "pyspark", "sqlglot"}
FACTS = ("person.home=DE", "use.operation=contact", "use.purpose=marketing", "use.channel=email")
ASK = ["may", *(word for fact in FACTS for word in ("--set", fact))]


def modules(folder: Path, program: str, *arguments: str) -> set[str]:
    """Run a program of our own and return the top-level names of all modules it imported."""
    listing = (
        "import atexit, json, sys\natexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", listing + program, *arguments],
        env={**os.environ, "XDG_CACHE_HOME": str(folder)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    names: list[str] = json.loads(told.stderr.splitlines()[-1])
    return {name.partition(".")[0] for name in names} | set(names)


COMMAND = "from comity.cli import main; main()"


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["may", "--help"], ASK, [*ASK, "--json"], ["must", "--help"], ["law", "list"]],
    ids=lambda words: " ".join(words[:1] + words[-1:]),
)
def test_the_command_imports_nothing_heavy(tmp_path: Path, arguments: list[str]) -> None:
    imported = modules(tmp_path, COMMAND, *arguments)
    assert imported & HEAVY == set()
    assert "comity" in imported


def test_help_does_not_even_import_the_law(tmp_path: Path) -> None:
    assert "comity.law" not in modules(tmp_path, COMMAND, "--help")


def test_the_library_imports_the_standard_library_only(tmp_path: Path) -> None:
    before = modules(tmp_path, "")
    imported = modules(tmp_path, "import comity.law; comity.law.lawbook()")
    ours = {name for name in imported - before if name.partition(".")[0] not in sys.stdlib_module_names}
    assert {name.partition(".")[0] for name in ours} == {"comity"}
    assert {name for name in ours if name.count(".") == 1} <= {"comity.law"}
    assert "comity.law.sql" not in ours


def test_nothing_of_the_answer_needs_the_network_or_a_database(tmp_path: Path) -> None:
    imported = modules(tmp_path, COMMAND, *ASK, "--json")
    assert imported & {"asyncio", "http", "requests", "socket", "sqlite3", "ssl", "urllib.request"} == set()
