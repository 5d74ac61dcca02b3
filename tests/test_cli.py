"""The front door: it says its version, and opens no heavy room before somebody goes in."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

from comity import __version__
from comity.cli import COMMANDS, main
from comity.law import lawbook

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


# ---------------------------------------------------------------- the law for readers


def law(*arguments: str) -> str:
    told = CliRunner().invoke(main, ["law", *arguments])
    assert told.exit_code == 0, told.output
    return told.output


def test_the_list_of_laws_counts_one_rule_as_one() -> None:
    listed = law("list")
    assert "· 1 rule" in listed
    assert [line for line in listed.splitlines() if re.search(r"\b1 (rules|laws|packs)\b", line)] == []


def test_a_number_stands_before_its_unit() -> None:
    tcpa = law("show", "us-tcpa")
    assert "    5 years, everywhere, from 2003-10-01: 47 CFR 64.1200(d)(6)\n" in tcpa
    assert "obligation: Keep the records of calls, scripts, consents and register versions (5 years).\n" in law(
        "show", "us"
    )
    assert "obligation: Between 08:00 and 21:00 their time.\n" in tcpa
    assert "    100,000 persons, everywhere" in law("show", "us-states")


def test_every_obligation_of_the_shipped_law_is_told_in_words() -> None:
    for pack in (pack.id for pack in lawbook().packs):
        told = [line for line in law("show", pack).splitlines() if line.startswith("    obligation: ")]
        raw = re.compile(r"[\[\]_{}=]|True|False|: \d|\b1 (days|years|attempts)\b")
        assert [line for line in told if raw.search(line)] == []
