"""`comity check` as people meet it: what it prints, what it writes, how it ends, and what it says of a bad file."""

from __future__ import annotations

import csv
import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb
import jsonschema
import pytest
from click.testing import CliRunner, Result

from comity.check import writing
from comity.check.sample import PATH as SAMPLE
from comity.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

USE: Final = ("--purpose", "marketing", "--channel", "email")
SCHEMA = Path(writing.__file__).parent / "answer.schema.json"
HEADER: Final = ("Email", "Country/Region", "Phone Number", "Unsubscribed from all email", "Record ID")
VERDICTS: Final = {"permitted": "permit", "denied": "deny", "ask": "ask"}


def comity(*arguments: object, **how: object) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, [str(one) for one in arguments], **how)  # type: ignore[arg-type]


def check(*arguments: object) -> Result:
    return comity("check", *arguments, *USE)


def program(*arguments: object) -> list[str]:
    """Return the command as a process of its own."""
    start = "from comity.cli import main; main(prog_name='comity')"
    return [sys.executable, "-c", start, *map(str, arguments)]


def of_its_own(*arguments: object, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **settings}
    return subprocess.run(program(*arguments), check=False, capture_output=True, text=True, env=environment)


def people(path: Path, rows: Sequence[Sequence[str]], header: Sequence[str] = HEADER) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def verdicts(told: Result) -> dict[str, int]:
    """Return how many rows have each verdict, out of the JSON."""
    counts = json.loads(told.stdout)["counts"]
    return {verdict: counts[verdict] for verdict in VERDICTS.values()}


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def americans(tmp_path: Path) -> Path:
    """Give ten people of Ohio who did not opt out; the export says who did."""
    rows = [[f"p{number}@example.com", "United States", "", "", ""] for number in range(10)]
    return people(tmp_path / "ohio.csv", rows)


def refused(told: Result, *words: str) -> None:
    """Hold that the command refused its input: status 2, one line that says all this, and no traceback."""
    assert told.exit_code == 2, told.output
    line = told.stderr.strip().splitlines()[-1]
    assert line.startswith("Error: "), told.stderr
    assert [word for word in words if word not in line] == [], line
    assert told.exception is None or isinstance(told.exception, SystemExit)


# ---------------------------------------------------------------- the report


def test_the_sample_needs_no_other_word() -> None:
    told = comity("check", "--sample")
    assert told.exit_code == 0
    assert "hubspot-export.csv · 5,000 people · HubSpot contact export" in told.stdout
    assert "Marketing by e-mail" in told.stdout
    assert "established only where each person lives" in told.stdout


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    told = of_its_own("check", "--sample", COLUMNS=str(width))
    assert max(map(len, told.stdout.splitlines())) <= width


def test_a_pipe_and_no_color_get_plain_text() -> None:
    for told in (of_its_own("check", "--sample"), of_its_own("check", "--sample", NO_COLOR="1", FORCE_COLOR="")):
        assert (told.returncode, told.stderr) == (0, "")
        assert "\x1b" not in told.stdout


def test_one_person_is_no_people(tmp_path: Path) -> None:
    told = check(people(tmp_path / "one.csv", [["a@b.de", "DE", "", "", ""]]), "--out", tmp_path / "answer")
    assert "one.csv · 1 person · " in told.stdout
    assert "one.csv · 1 person · " in (tmp_path / "answer" / "report.html").read_text("utf-8")


def test_a_column_with_two_meanings_is_counted_once() -> None:
    told = comity("check", "--sample", "--explain-columns")
    assert told.exit_code == 0
    assert re.search(r"^ +\d+ of 34 columns understood$", told.stdout, re.MULTILINE)
    assert "Unsubscribed from" in told.stdout
    assert "Ignored" in told.stdout


def test_columns_are_explained_without_a_purpose_and_for_programs_too(americans: Path) -> None:
    assert comity("check", americans, "--explain-columns").exit_code == 0
    columns = json.loads(comity("check", americans, "--explain-columns", "--json").stdout)
    assert [column["header"] for column in columns] == list(HEADER)


def test_nothing_is_fetched_from_the_web() -> None:
    refused(check("https://example.com/people.csv"), "nothing is fetched from the web")


@pytest.mark.parametrize(("purpose", "channel", "operation"), [
    ("recruitment", "face-to-face", "contact"), ("legal-duty", "post", "contact"), ("marketing", "none", "decide"),
    ("service", "none", "store"), ("targeted-advertising", "none", "sell"),
])  # fmt: skip
def test_every_use_of_the_vocabulary_can_be_asked_about(
    purpose: str, channel: str, operation: str, americans: Path
) -> None:
    told = comity("check", americans, "--purpose", purpose, "--channel", channel, "--operation", operation)
    assert told.exit_code == 0, told.output


def test_an_operation_other_than_contact_needs_no_channel(americans: Path) -> None:
    assert comity("check", americans, "--purpose", "marketing", "--operation", "share").exit_code == 0


# ---------------------------------------------------------------- JSON


def test_the_json_is_as_its_schema_says_and_counts_every_row(tmp_path: Path) -> None:
    told = check(SAMPLE, "--json")
    jsonschema.validate(json.loads(told.stdout), json.loads(SCHEMA.read_text("utf-8")))
    assert sum(verdicts(told).values()) == json.loads(told.stdout)["counts"]["rows"] == 5000
    broken = tmp_path / "broken.csv"
    broken.write_text('Email,Country\na@b.de,DE\nb@b.de,"DE\n', "utf-8")
    told = check(broken, "--json")
    jsonschema.validate(json.loads(told.stdout), json.loads(SCHEMA.read_text("utf-8")))
    assert verdicts(told) == {"permit": 0, "deny": 1, "ask": 1}


def test_one_row_as_json_is_a_decision(americans: Path) -> None:
    told = json.loads(check(americans, "--row", 3, "--json").stdout)
    assert (told["schema"], told["verdict"]) == ("comity.decision/1", "permit")


# ---------------------------------------------------------------- files


def test_every_row_is_in_one_of_three_files_and_the_original_cells_are_untouched(tmp_path: Path) -> None:
    told = check(SAMPLE, "--out", tmp_path / "answer", "--json")
    counted = verdicts(told)
    with SAMPLE.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = list(csv.reader(file))
    seen: dict[int, str] = {}
    for name, verdict in VERDICTS.items():
        lines = read_csv(tmp_path / "answer" / f"{name}.csv")
        assert len(lines) == counted[verdict]
        for line in lines:
            number = int(line["comity_row"])
            seen[number] = verdict
            assert line["comity_verdict"] == verdict
            assert line["comity_reasons"] or verdict == "permit"
            if not line["comity_reasons"].startswith("This row could not be read"):
                kept = [line[name].removeprefix("'") for name in header]
                assert kept == [cell.removeprefix("'") for cell in rows[number - 1]]
    assert sorted(seen) == list(range(1, len(rows) + 1))


def test_decisions_are_one_row_each_with_the_packs_they_rest_on(tmp_path: Path) -> None:
    check(SAMPLE, "--out", tmp_path)
    path = tmp_path / "decisions.parquet"
    with duckdb.connect() as connection:
        rows = connection.execute("SELECT row, verdict, finding FROM read_parquet(?)", [str(path)]).fetchall()
        metadata = connection.execute("SELECT key, value FROM parquet_kv_metadata(?)", [str(path)]).fetchall()
    assert sorted(row for row, _, _ in rows) == list(range(1, 5001))
    kept = json.loads(dict(metadata)[b"comity"])
    assert len(kept["packs"]["de"].split()[-1]) == 64
    findings = [json.loads(line) for line in (tmp_path / "findings.jsonl").read_text("utf-8").splitlines()]
    assert all(findings[finding - 1]["verdict"] == verdict for _, verdict, finding in rows if finding)


def test_a_row_asked_about_alone_gets_the_verdict_of_its_file(tmp_path: Path) -> None:
    check(SAMPLE, "--out", tmp_path)
    for name, verdict in VERDICTS.items():
        for line in read_csv(tmp_path / f"{name}.csv")[5:8]:
            decision = json.loads(check(SAMPLE, "--row", line["comity_row"], "--json").stdout)
            assert decision["verdict"] == verdict
            assert [rule for rule in decision["because"] if f"{rule}]" not in line["comity_reasons"]] == []


def test_rows_that_cannot_be_read_are_in_ask_csv_with_number_and_reason(tmp_path: Path) -> None:
    rows = "".join(f"p{number}@example.com,DE,,,\n" for number in range(500))
    path = tmp_path / "broken.csv"
    path.write_text(",".join(HEADER) + "\n" + rows + 'x@example.com,"DE,,,\n' + rows, "utf-8")
    told = check(path, "--out", tmp_path / "answer")
    assert told.exit_code == 0
    assert "Not read: 1 row (501: " in told.stdout
    (line,) = read_csv(tmp_path / "answer" / "ask.csv")
    assert line["comity_row"] == "501"
    assert line["comity_reasons"].startswith("This row could not be read: ")
    assert len(read_csv(tmp_path / "answer" / "denied.csv")) == 1000


FORMULAS = ["=cmd|calc", "@SUM(A1)", "+1+cmd|' /C calc'!A0", "-1-cmd", "-cmd", "\t=1", "＝1+1", "=+1", "+A1", "--1"]
NUMBERS = [
    "+49 30 1234",
    "+1 (213) 555-0123",
    "+1-213-555-0123x44",
    "+44 20 7946 0000 ext. 5",
    "-5",
    "-3,75",
    "+1.5e3",
    "＋86 138 0013 8000",
    "1=1",
    "",
]


def test_no_cell_is_run_by_a_spreadsheet_and_phone_numbers_stay(tmp_path: Path) -> None:
    cells = FORMULAS + NUMBERS
    path = people(tmp_path / "people.csv", [["a@b.de", "DE", "", "", cell] for cell in cells])
    check(path, "--out", tmp_path / "answer")
    written = [line["Record ID"] for line in read_csv(tmp_path / "answer" / "denied.csv")]
    assert written[: len(FORMULAS)] == ["'" + cell for cell in FORMULAS[:9]] + ["--1"]
    assert written[len(FORMULAS) :] == NUMBERS


def test_a_file_that_already_has_our_columns_keeps_its_own_and_its_order(tmp_path: Path) -> None:
    header = ["Country", "comity_row", "comity_verdict"]
    path = people(tmp_path / "again.csv", [["DE", "9", "permit"], ["DE", "10", "permit"]], header)
    check(path, "--out", tmp_path / "answer")
    with (tmp_path / "answer" / "denied.csv").open(encoding="utf-8", newline="") as file:
        names, *rows = csv.reader(file)
    assert names[:3] == header
    assert [row[:3] + row[-1:] for row in rows] == [["DE", "9", "permit", "1"], ["DE", "10", "permit", "2"]]


def test_a_second_answer_replaces_the_first_and_leaves_other_files(americans: Path, tmp_path: Path) -> None:
    folder = tmp_path / "answer"
    for option in ("--we-are", "--complete-for"):
        check(americans, "--out", folder, option, {"--we-are": "US", "--complete-for": "opt-outs"}[option])
        (folder / "mine.txt").write_text("mine", "utf-8")
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "permitted.csv", "denied.csv", "ask.csv", "decisions.parquet", "findings.jsonl", "report.html", "mine.txt",
    }  # fmt: skip


def test_the_help_and_the_manual_name_every_file_of_an_answer(americans: Path, tmp_path: Path) -> None:
    check(americans, "--out", tmp_path / "answer")
    told = " ".join(comity("check", "--help").stdout.split())
    manual = (Path(__file__).parents[2] / "docs" / "cli.md").read_text("utf-8")
    names = [path.name for path in (tmp_path / "answer").iterdir()]
    assert len(names) == 6
    assert [name for name in names if name not in told or f"`{name}`" not in manual] == []


def test_a_full_disk_leaves_no_half_of_an_answer(
    americans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_answer: object) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    folder = tmp_path / "answer"
    folder.mkdir()
    (folder / "ask.csv").write_text("earlier", "utf-8")
    monkeypatch.setattr(writing, "render_page", full)
    refused(check(americans, "--out", folder), "left as it was", "No space left on device", "make room")
    assert [(path.name, path.read_text("utf-8")) for path in folder.iterdir()] == [("ask.csv", "earlier")]
    refused(check(americans, "--out", tmp_path / "new" / "answer"), "left as it was")
    assert not (tmp_path / "new").exists()


def test_a_bug_while_writing_is_not_called_a_full_disk(
    americans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(_answer: object) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr(writing, "render_page", wrong)
    told = check(americans, "--out", tmp_path / "answer")
    assert isinstance(told.exception, ZeroDivisionError)
    assert not (tmp_path / "answer").exists()


def test_a_folder_where_a_file_should_go_changes_nothing(americans: Path, tmp_path: Path) -> None:
    folder = tmp_path / "answer"
    (folder / "permitted.csv").mkdir(parents=True)
    refused(check(americans, "--out", folder), "permitted.csv is a folder there")
    assert [path.name for path in folder.iterdir()] == ["permitted.csv"]


def test_an_answer_cannot_be_put_into_a_file(americans: Path) -> None:
    refused(check(americans, "--out", americans), "is a file")
    refused(check(americans, "--out", americans / "below"), "cannot be made")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_rights_is_named(americans: Path, tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o555)
    refused(check(americans, "--out", tmp_path / "closed"), "closed", "Permission denied", "--out")


# ---------------------------------------------------------------- exit statuses


def test_fail_on_ends_with_3_where_somebody_is_denied_or_asked_about(americans: Path, tmp_path: Path) -> None:
    assert check(americans, "--fail-on", "deny").exit_code == 0
    denied = people(tmp_path / "denied.csv", [["a@b.de", "DE", "", "", ""]])
    assert check(denied, "--fail-on", "deny").exit_code == check(denied, "--fail-on", "ask").exit_code == 3
    asked = people(tmp_path / "asked.csv", [["a@b.de", "", "", "", ""]])
    assert check(asked, "--fail-on", "deny").exit_code == 0
    assert check(asked, "--fail-on", "ask").exit_code == 3


def test_a_permit_that_rests_on_a_guess_of_who_we_are_fails_on_ask(americans: Path, tmp_path: Path) -> None:
    assert "permit 10  100 %" in check(americans).stdout
    assert check(americans, "--fail-on", "ask").exit_code == 3
    assert check(americans, "--fail-on", "ask", "--we-are", "US").exit_code == 0
    org = tmp_path / "org.toml"
    org.write_text('[org]\nplace = ["US"]\nhipaa_role = "none"\n', "utf-8")
    assert check(americans, "--fail-on", "deny", "--org", org).exit_code == 0


def test_more_than_one_row_in_a_hundred_unread_ends_with_4(tmp_path: Path) -> None:
    path = tmp_path / "broken.csv"
    for good, status in ((99, 0), (98, 4)):
        rows = "".join(f"p{number}@example.com,DE,,,\n" for number in range(good))
        path.write_text(",".join(HEADER) + "\n" + rows + 'x@example.com,"DE,,,\n', "utf-8")
        assert check(path).exit_code == status
    assert check(path, "--fail-on", "deny").exit_code == 3


# ---------------------------------------------------------------- bad files

TEXT = ",".join(HEADER) + "\n"
BAD_FILES: Final[dict[str, tuple[bytes, str]]] = {
    "empty.csv": (b"", "empty"),
    "mark.csv": (b"\xef\xbb\xbf", "empty"),
    "header.csv": (TEXT.encode(), "no rows"),
    "nothing.csv": (b"foo,bar\n1,2\n", "no column was understood ('foo', 'bar')"),
    "headless.csv": (b"a@b.de,DE\nc@d.fr,FR\n", "the first row is already data"),
    "twice.csv": (b"Email,Email\na,b\n", "'Email' stands twice"),
    "nul.csv": (TEXT.encode() + b"a@b.de,\x00\x00\x00,,,\n", "NUL"),
    "mixed.csv": (
        TEXT.encode() + "ö@b.de,中国,,,\n".encode() * 40 + "ö@b.de,DE,,,\n".encode("latin-1") * 40,
        "mixes encodings",
    ),
    "picture.csv": (b"\x89PNG\r\n", "a picture"),
    "page.xls": (b"<html><table>", "web page"),
    "packed.csv.gz": (b"\x1f\x8b\x08\x00", "gzip"),
    "locked.xlsx": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "encrypted"),
    "broken.xlsx": (b"PK\x03\x04" + b"garbage" * 30, "damaged"),
    "broken.parquet": (b"PAR1" + b"garbage" * 30 + b"PAR1", "damaged"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_gets_one_line_with_its_name_and_fault(name: str, tmp_path: Path) -> None:
    content, fault = BAD_FILES[name]
    (tmp_path / name).write_bytes(content)
    refused(check(tmp_path / name, "--out", tmp_path / "answer"), name, fault)
    assert not (tmp_path / "answer").exists()


def test_a_missing_file_a_folder_and_a_device_are_told_apart(tmp_path: Path) -> None:
    refused(check(tmp_path / "nosuch.csv"), "nosuch.csv", "no such file")
    refused(check(tmp_path), "a folder")
    refused(check("/dev/null"), "not an ordinary file")


# ---------------------------------------------------------------- options


@pytest.mark.parametrize(("arguments", "words"), [
    ((), ["--purpose and --channel"]),
    (("--purpose", "marketing"), ["--channel"]),
    (("--purpose", "markting", "--channel", "email"), ["markting"]),
    ((*USE, "--operation", "contact", "--channel", "none"), ["by some channel"]),
    ((*USE, "--we-are", "ZZ"), ["'ZZ'"]),
    ((*USE, "--we-are", ""), ["ISO 3166"]),
    ((*USE, "--we-are", "Ireland"), ["Ireland is IE"]),
    ((*USE, "--we-are", "IE", "--org", "org.toml"), ["use one of them"]),
    ((*USE, "--day", "2026-02-30"), ["2026-02-30", "give one as 2026-11-21"]),
    ((*USE, "--day", "9999-12-31"), ["out of reach"]),
    ((*USE, "--day", "0001-01-01"), ["out of reach"]),
    ((*USE, "--row", "0"), ["0"]),
    ((*USE, "--row", "11"), ["has no row 11"]),
    ((*USE, "--sample"), ["--sample is a file of its own", "ohio.csv"]),
    ((*USE, "--out", ""), ["--out names no folder"]),
    ((*USE, "--row", "1", "--out", "answer"), ["--row writes no files"]),
    ((*USE, "--row", "1", "--explain-columns"), ["use one"]),
    (("--explain-columns", "--fail-on", "deny"), ["--explain-columns judges no file"]),
    ((*USE, "--dialect", "hubspot"), ["hubspot", "Comes with Comity"]),
    ((*USE, "--set", "org.place_of=IE"), ["no fact is called 'org.place_of'"]),
    ((*USE, "--set", "org.small_busines=true"), ["did you mean 'org.small_business'"]),
    ((*USE, "--set", "use.recipient=prozessor"), ["did you mean 'processor'"]),
    ((*USE, "--set", "org.nonprofit"), ["FACT=VALUE"]),
    ((*USE, "--set", "consent.given=true"), ["differs from person to person", "facts of use, data, org and actor"]),
    ((*USE, "--set", "person.capacity=business"), ["differs from person to person", "a column of the file"]),
    ((*USE, "--set", "event.kind=breach-discovered"), ["comity must"]),
    ((*USE, "--set", "use.channel=sms"), ["--channel"]),
    ((*USE, "--set", "org.place=DE"), ["--we-are"]),
    ((*USE, "--suppress", "nosuch.txt"), ["nosuch.txt", "No such file"]),
    ((*USE, "--suppress", "."), ["the list . cannot be read"]),
    ((*USE, "--dialect", "nosuch.toml"), ["nosuch.toml"]),
    ((*USE, "--org", "nosuch.toml"), ["nosuch.toml", "comity org"]),
    ((*USE, "--engine", "oracle"), ["no engine is called 'oracle'"]),
    ((*USE, "--engine", "postgresql://127.0.0.1:1/none"), ["PostgreSQL cannot be reached"]),
], ids=lambda one: " ".join(one[-2:]) if isinstance(one, tuple) else "")  # fmt: skip
def test_a_wrong_option_is_told_in_one_line(arguments: tuple[str, ...], words: list[str], americans: Path) -> None:
    refused(comity("check", americans, *arguments), *words)


def test_an_engines_password_is_not_printed(americans: Path) -> None:
    told = check(americans, "--engine", "postgress://comity:secret@host/db")
    refused(told, "no engine is called 'postgress'")
    assert "secret" not in told.output


def test_who_we_are_stands_in_the_head_and_the_strictest_place_counts(americans: Path) -> None:
    told = check(americans, "--we-are", "IE|US")
    assert "An ordinary business established in IE, US" in told.stdout
    assert "permit 0 " in told.stdout
    assert "permit 10 " in check(americans, "--we-are", "US").stdout


def test_what_is_set_is_no_longer_assumed(americans: Path) -> None:
    def assumed(*options: object) -> set[str]:
        decision = json.loads(check(americans, "--row", 1, "--json", *options).stdout)
        return {item["fact"] for item in decision["assumed"]}

    assert assumed() - assumed("--set", "org.small_business=true") <= {"org.small_business"}
    assert "org.small_business" not in assumed("--set", "org.small_business=true")


@pytest.mark.parametrize(("text", "words"), [
    ("x = 1", ["unknown part 'x'"]),
    ('[org]\nplace = "IE"\nfoo = 1', ["no fact is called 'org.foo'"]),
    ("[org]\nsmall_business = true", ["where we are established"]),
    ('[org]\nplace = "IE"\n[[entity]]\nplace = "US"', ["says twice"]),
    ('entity = ["IE"]', ["[[entity]]"]),
    ('[entity]\nplace = "IE"', ["[[entity]]"]),
    ('[[entity]]\nplace = "ZZ"', ["'ZZ'"]),
    ('[[entity]]\nplace = "IE"\n[[entity]]\nplce = "US"', ["an [[entity]] has a place", "'plce'"]),
    ('[org]\nplace = "Ireland"', ["Ireland is IE"]),
    ('[org]\nplace = "IE"\n[use]\nchannel = "sms"', ["use.channel", "said with each check"]),
    ('[org]\nplace = "IE"\nsmall_business = "perhaps"', ["say true or false"]),
    ('[person]\nhome = "DE"', ["unknown part 'person'"]),
    ("org = [", ["is not TOML"]),
    ("", ["where we are established"]),
])  # fmt: skip
def test_a_wrong_org_file_is_told_in_one_line(text: str, words: list[str], americans: Path, tmp_path: Path) -> None:
    org = tmp_path / "org.toml"
    org.write_text(text, "utf-8")
    refused(check(americans, "--org", org), "org.toml", *words)


def test_the_law_of_an_earlier_day_is_that_days_law(tmp_path: Path) -> None:
    path = people(tmp_path / "germany.csv", [["a@b.de", "DE", "", "", ""]])
    before = json.loads(check(path, "--day", "2017-06-01", "--row", 1, "--json").stdout)
    after = json.loads(check(path, "--day", "2018-06-01", "--row", 1, "--json").stdout)
    assert [law["law"] for law in before["laws"] if law["law"] == "eu-gdpr"] == []
    assert [law["law"] for law in after["laws"] if law["law"] == "eu-gdpr"] == ["eu-gdpr"]


def test_complete_for_opt_outs_permits_where_only_an_opt_out_forbids(tmp_path: Path) -> None:
    path = people(tmp_path / "bare.csv", [["a@b.com", "US"], ["b@b.de", "DE"]], ["Email", "Country"])
    assert "permit 0 " in check(path, "--we-are", "US").stdout
    told = check(path, "--we-are", "US", "--complete-for", "opt-outs", "--json")
    assert verdicts(told) == {"permit": 1, "deny": 1, "ask": 0}


def test_lists_of_addresses_and_numbers_are_opt_outs(americans: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone.txt"
    gone.write_text("P3@Example.COM\n", "utf-8")
    told = check(americans, "--we-are", "US", "--suppress", gone, "--json")
    assert verdicts(told) == {"permit": 9, "deny": 1, "ask": 0}
    gone.write_text("nobody\n", "utf-8")
    refused(check(americans, "--suppress", gone), "gone.txt", "neither an e-mail address nor a phone number")


def test_a_dialect_of_ones_own_is_heard(tmp_path: Path) -> None:
    dialect = tmp_path / "mine.toml"
    dialect.write_text('id = "mine"\nname = "our till"\n[[column]]\nheader = ["wo"]\nrole = "home.country"\n', "utf-8")
    path = people(tmp_path / "till.csv", [["DE"]], ["wo"])
    assert "our till, 1 of 1 column understood" in check(path, "--dialect", dialect).stdout


def test_a_dialects_order_of_dates_is_heard(tmp_path: Path) -> None:
    """Born on 12 January or on 1 December of 2008, somebody was of age on 21 November 2026, or was not yet."""
    path = people(tmp_path / "births.csv", [["US", "12/01/2008"]], ["Country", "Birthday"])
    ages = {}
    for order in ("dmy", "mdy", "auto"):
        dialect = tmp_path / f"{order}.toml"
        dialect.write_text(f'id = "x"\nname = "x"\norder = "{order}"\n', "utf-8")
        told = check(path, "--dialect", dialect, "--day", "2026-11-21", "--row", 1, "--json")
        ages[order] = json.loads(told.stdout)["facts"].get("person.known_age")
    assert ages == {"dmy": {"min": 18, "max": 18}, "mdy": {"min": 17, "max": 17}, "auto": {"min": 17, "max": 18}}


def test_a_dialect_with_a_word_that_no_law_knows_is_refused(americans: Path, tmp_path: Path) -> None:
    dialect = tmp_path / "mine.toml"
    dialect.write_text('id = "x"\nname = "x"\n[[column]]\nheader = "Email"\nfact = "consent.gven"\n', "utf-8")
    refused(check(americans, "--dialect", dialect), "mine.toml, column 1 (Email)", "did you mean 'consent.given'?")


# ---------------------------------------------------------------- other kinds of file


@pytest.mark.parametrize(("name", "text"), [
    ("people.jsonl", '{"email": "a@b.de", "country": "DE"}\n{"email": "b@b.de", "country": "DE"}\n'),
    ("people.vcf", "BEGIN:VCARD\nVERSION:3.0\nFN:A\nTEL:+49 30 901820\nEND:VCARD\n" * 2),
    ("people.txt", "Email;Land\na@b.de;Deutschland\nb@b.de;DE\n"),
])  # fmt: skip
def test_other_kinds_of_file_are_checked_the_same(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    told = check(tmp_path / name, "--out", tmp_path / "answer", "--json")
    assert verdicts(told) == {"permit": 0, "deny": 2, "ask": 0}
    assert len(read_csv(tmp_path / "answer" / "denied.csv")) == 2


def test_a_parquet_file_is_checked_the_same(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        rows = "VALUES ('a@b.de', 'DE', TRUE), (NULL, NULL, NULL)"
        query = f"COPY (SELECT * FROM ({rows}) AS t(email, country, unsubscribed)) TO '{tmp_path}/people.parquet'"
        connection.execute(query)
    told = check(tmp_path / "people.parquet", "--out", tmp_path / "answer", "--json")
    assert verdicts(told) == {"permit": 0, "deny": 1, "ask": 1}
    assert read_csv(tmp_path / "answer" / "denied.csv")[0]["email"] == "a@b.de"


# ---------------------------------------------------------------- a machine that does not play along


@pytest.mark.parametrize(
    ("ends", "told"),
    [("pass", ""), ("raise OSError('JAVA_GATEWAY_EXITED')", "a lot"), ("raise OSError('no file')", "")],
)
def test_what_java_says_as_it_starts_is_told_only_where_it_cannot_start(ends: str, told: str) -> None:
    start = "import os; from contextlib import suppress; from comity.cli.check import silently_unless_it_fails\n"
    lines = f"with suppress(OSError), silently_unless_it_fails():\n os.system('echo a lot >&2')\n {ends}"
    running = subprocess.run([sys.executable, "-c", start + lines], check=True, capture_output=True, text=True)
    assert running.stderr.strip() == told


def test_a_reader_that_has_read_enough_gets_no_traceback() -> None:
    with subprocess.Popen(program("law", "list"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert "Traceback" not in running.stderr.read()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize(
    "arguments", [("check", "--sample"), ("check", "--sample", "--json"), ("law", "list")], ids=" ".join
)
def test_a_full_disk_behind_the_output_is_one_line(arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        told = subprocess.run(program(*arguments), check=False, stdout=full, stderr=subprocess.PIPE, text=True)
    assert told.returncode == 2
    assert told.stderr.count("\n") == 1
    assert "No space left on device" in told.stderr


@pytest.fixture
def heard() -> Iterator[None]:
    """Hear an interrupt even where the tests were started in the background, which has its children ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("wait", [0.4, 1.2, 2.5])
def test_an_interrupt_ends_a_check_without_a_trace(wait: float, tmp_path: Path) -> None:
    header, _, rows = SAMPLE.read_text("utf-8-sig").partition("\n")
    big, folder = tmp_path / "big.csv", tmp_path / "temporary"
    big.write_text(header + "\n" + rows * 40, "utf-8")
    folder.mkdir()
    command = program("check", big, *USE, "--out", tmp_path / "answer")
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(folder)}
    ) as running:
        time.sleep(wait)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate()
    assert running.returncode != 0
    assert "Error" not in said
    assert "interrupted" not in said
    assert list(folder.iterdir()) == []
    assert not (tmp_path / "answer").exists()
