"""The front door: it says its version, and opens no heavy room before somebody goes in."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

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


def refused(*arguments: object) -> str:
    """Return the one line in which a command refuses what it was given."""
    told = CliRunner().invoke(main, [str(one) for one in arguments])
    assert (told.exit_code, type(told.exception)) == (2, SystemExit), told.output
    return told.stderr.strip().splitlines()[-1]


def test_a_file_in_the_place_of_a_command_is_one_to_check(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("Email\n", "utf-8")
    assert f"comity check {tmp_path / 'people.csv'} --purpose" in refused(tmp_path / "people.csv")


# ---------------------------------------------------------------- one case


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("person.home=Germany", "; Germany is DE"),
        ("home=DE", "did you mean 'person.home'?"),
        ("person.hme=DE", "did you mean 'person.home'?"),
        ("use.recipient=process", "did you mean 'processor'?"),
        ("event.kind=breach", "did you mean 'breach-discovered'?"),
        ("consent.given_on=31.12.2024", "give a day as 2026-11-21"),
        ("person.home", "write FACT=VALUE"),
    ],
)
def test_a_wrong_fact_is_told_with_the_nearest_right_one(given: str, says: str) -> None:
    assert says in refused("may", "--set", given)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"Email,Country\na@b.de,DE\n", "is no TOML file of facts"),
        (b"\xff\xfe", "is no TOML file of facts"),
        (b"[person]\nage = { min = 5, mx = 7 }\n", "person.age cannot be"),
        (b"[person.home]\nDE = 1\n", "person.home cannot be"),
        (b'[[person]]\nhome = "DE"\n', "no fact is called 'person'"),
        (b"", "no facts were given"),
    ],
)
def test_a_wrong_file_of_facts_is_told_in_one_line(text: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "case.toml").write_bytes(text)
    assert says in refused("may", tmp_path / "case.toml")


def test_a_missing_file_of_facts_and_a_folder_are_named(tmp_path: Path) -> None:
    assert refused("may", tmp_path / "none.toml").endswith("none.toml: No such file or directory")
    assert "Is a directory" in refused("may", tmp_path)


# ---------------------------------------------------------------- who we are


def test_numbers_are_asked_for_until_they_are_some(tmp_path: Path) -> None:
    answers = ["Acme", "DE", "none", *[""] * 9, "n", "lots", "1,000,000", "5", "200", "20"]
    told = CliRunner().invoke(main, ["org", str(tmp_path / "org.toml")], input="\n".join([*answers, ""]))
    assert told.exit_code == 0, told.output
    assert "give a number, as 1000000 or 1,000,000" in told.output
    assert "give a number from 0 to 100" in told.output
    written = tomllib.loads((tmp_path / "org.toml").read_text("utf-8"))["org"]
    assert (written["revenue_usd"], written["consumers_in_state"], written["sale_revenue_percent"]) == (
        1_000_000,
        5,
        20,
    )


def test_no_question_is_asked_where_no_file_can_be_written(tmp_path: Path) -> None:
    assert "is a folder" in refused("org", "--force", tmp_path)
    assert "there is no folder" in refused("org", tmp_path / "none" / "org.toml")
    (tmp_path / "org.toml").write_text("", "utf-8")
    assert "is there already" in refused("org", tmp_path / "org.toml")


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


def test_a_wrong_name_of_a_law_gets_the_one_that_begins_so() -> None:
    assert "did you mean 'us-ca-ccpa'?" in refused("law", "show", "us-ca")
    assert "is that a folder of packs?" in refused("law", "list", "--packs", Path(__file__).parent)


def test_every_obligation_of_the_shipped_law_is_told_in_words() -> None:
    for pack in (pack.id for pack in lawbook().packs):
        told = [line for line in law("show", pack).splitlines() if line.startswith("    obligation: ")]
        raw = re.compile(r"[\[\]_{}=]|True|False|: \d|\b1 (days|years|attempts)\b")
        assert [line for line in told if raw.search(line)] == []


# ---------------------------------------------------------------- duties and clocks


def told(*arguments: object) -> str:
    """Return what a command prints when all is well."""
    done = CliRunner().invoke(main, [str(one) for one in arguments])
    assert done.exit_code == 0, done.output
    return done.output


ASKED_IN_IRELAND = [
    f"--set={fact}"
    for fact in (
        "event.kind=request-received", "event.request=access", "event.on=2026-09-03", "person.home=IE", "org.place=IE",
    )
]  # fmt: skip


def test_a_request_in_ireland_is_answered_by_the_monday_after_its_month() -> None:
    page = told("must", *ASKED_IN_IRELAND)
    assert "2026-10-05  answer, to the person" in page
    assert "that is no working day in IE, so it ends on 2026-10-05 (Monday)" in page
    assert "May be extended to" in page
    read = json.loads(told("must", *ASKED_IN_IRELAND, "--json"))
    assert (read["schema"], read["event"]["law_of"]) == ("comity.duties/1", "2026-09-03")
    [answer] = [item for item in read["duties"] if item["act"] == "answer"]
    assert (answer["due"], answer["state"], answer["law"]) == ("2026-10-05", "owed", "eu-gdpr")


def test_what_must_says_fits_a_terminal() -> None:
    for facts in (ASKED_IN_IRELAND, BREACH):
        assert [line for line in told("must", *facts).splitlines() if len(line) > 80] == []


BREACH = [
    f"--set={fact}"
    for fact in (
        "event.kind=breach-discovered", "event.at=2026-11-20T18:00+01:00", "event.risk=high", "org.place=DE",
        "event.persons_in=DE:40,US-CA:600", "event.identifiers=yes", "event.unreadable=no",
    )
]  # fmt: skip


def test_a_breach_in_several_places_asks_the_law_of_each() -> None:
    owed = {
        (item["rule"].partition("/")[0], item["to"]): item
        for item in json.loads(told("must", *BREACH, "--json"))["duties"]
    }
    assert owed["eu-gdpr", "authority"]["at"] == "2026-11-23T18:00:00+01:00"
    assert owed["us-ca-breach", "person"]["due"] == "2026-12-20"


def test_nothing_owed_is_said_in_words() -> None:
    page = told(
        "must",
        "--set=event.kind=complaint-received",
        "--set=event.on=2026-09-03",
        "--set=person.home=BR",
        "--set=org.place=BR",
    )
    assert "Nothing is owed by the packs' law of that day." in page


@pytest.mark.parametrize(
    ("arguments", "first", "says"),
    [
        (["1 month", "--from", "2026-09-03", "--place", "IE", "--law", "eu-gdpr"], "2026-10-05", "1182/71"),
        (["1 month", "--from", "2025-12-02", "--place", "GB-SCT"], "2026-01-05", "GB-SCT"),
        (["10 working days (cn)", "--from", "2026-09-21"], "2026-10-12", "later reading: 2026-10-13"),
        (
            ["72 hours", "--from", "2026-11-20T18:00+01:00", "--place", "DE"],
            "2026-11-23 2026-11-23T18:00:00+01:00",
            "disputed",
        ),
    ],
)
def test_a_clock_shows_its_steps(arguments: list[str], first: str, says: str) -> None:
    page = told("clock", *arguments)
    assert page.splitlines()[0] == first
    assert says in page
    found = json.loads(told("clock", *arguments, "--json"))
    assert found["due"] == first.partition(" ")[0]
    assert found["steps"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["1 month", "--from", "2026-02-30", "--place", "IE"], "is no day of the calendar"),
        (["1 month", "--from", "2026-09-03T10:00", "--place", "IE"], "has no zone"),
        (["1 month", "--from", "2026-09-03"], "say by which law it is counted (--law eu-gdpr), or in which place"),
        (["1 month", "--from", "2026-09-03", "--law", "eu-gdpr"], "say --place"),
        (["1 month", "--from", "2026-09-03", "--law", "eu-gdrp"], "did you mean 'eu-gdpr'?"),
        (["1 month", "--from", "2026-09-03", "--place", "XX"], "no holidays are known for 'XX'"),
        (["soon", "--from", "2026-09-03", "--place", "IE"], "'soon' is no period"),
        (["1 month", "--from", "2027-12-01", "--place", "CN"], "not published for 2028"),
    ],
)
def test_a_clock_that_cannot_be_set_says_why(arguments: list[str], says: str) -> None:
    assert says in refused("clock", *arguments)


# ---------------------------------------------------------------- a change of law


def test_a_change_of_law_is_told_with_somebody_for_whom_it_matters() -> None:
    page = told("law", "diff", "--from", "2026-08-10", "--to", "2026-08-11", "--pack", "fr")
    assert "call-needs-consent begins" in page
    assert '"person.home" = ["FR"]' in page


def test_a_change_of_law_counts_my_people(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(
        "Email,Country,Phone\nana@example.com,France,+33612345678\nbo@example.com,Germany,+4915112345678\n", "utf-8"
    )
    arguments = [
        "--from",
        "2026-08-10",
        "--to",
        "2026-08-11",
        "--file",
        tmp_path / "people.csv",
        "--purpose",
        "marketing",
    ]
    page = told("law", "diff", *arguments, "--channel", "call", "--we-are", "FR", "--pack", "fr")
    assert "of 2 people change verdict" in page


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--from", "2026-08-11", "--to", "2026-08-10"], "give the earlier day first"),
        (["--from", "2026-08-10", "--to", "2026-08-11", "--pack", "frr"], "no pack or law is called 'frr'"),
        (["--from", "2026-08-10"], "Missing option '--to'"),
    ],
)
def test_a_comparison_that_cannot_be_made_says_why(arguments: list[str], says: str) -> None:
    assert says in refused("law", "diff", *arguments)
