"""The front door: it says its version, and opens no heavy room before somebody goes in."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from comity import __version__
from comity.cli import COMMANDS, main

HEAVY = {"babel", "django", "duckdb", "jinja2", "psycopg", "pyspark", "sqlglot"}


def test_it_says_its_version() -> None:
    told = CliRunner().invoke(main, ["--version"])
    assert (told.exit_code, told.output) == (0, f"comity {__version__}\n")


def test_an_unknown_command_is_a_usage_error() -> None:
    told = CliRunner().invoke(main, ["chekc"])
    assert (told.exit_code, "No such command" in told.output) == (2, True)


def test_help_lists_every_command_with_its_sentence_and_imports_nothing_heavy() -> None:
    program = "import sys, comity.cli\ntry: comity.cli.main(['--help'])\nfinally: print(*sys.modules, file=sys.stderr)"
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert all(name in told.stdout for name in COMMANDS)
    assert {module.partition(".")[0] for module in told.stderr.split()} & HEAVY == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_exists_and_answers_help(name: str) -> None:
    assert CliRunner().invoke(main, [name, "--help"]).exit_code == 0
