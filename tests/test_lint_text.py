"""`comity lint-text` as somebody uses it: what it says, how it exits, and that it claims no more than it looked at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from comity.cli import main

BANNER = """<div class="cookie-banner">
<label><input type="checkbox" checked> Analytics and our partners</label>
<button>Accept All</button> <button>More Information</button>
</div>
"""


def lint(file: object, *arguments: str, standard_input: bytes | None = None) -> Result:
    words = ["lint-text", str(file), *arguments, "--day", "2026-11-21"]
    return CliRunner(env={"COLUMNS": "80"}).invoke(main, words, input=standard_input)


@pytest.fixture
def banner(tmp_path: Path) -> Path:
    (tmp_path / "banner.html").write_text(BANNER, "utf-8")
    return tmp_path / "banner.html"


def test_a_finding_has_its_line_words_law_article_and_cure(banner: Path) -> None:
    told = lint(banner, "--as", "banner", "--for", "US-CO")
    assert told.exit_code == 1
    assert "line 3: Accept All / More Information\n  error:  " in told.output
    assert "4 CCR 904-3, rule 7.09(A)(1)(b)" in told.output
    assert "cure: Put Decline All beside Accept All." in told.output


def test_it_ends_with_what_was_looked_at_and_what_that_does_not_prove(banner: Path) -> None:
    told = " ".join(lint(banner, "--as", "banner", "--for", "US-CO").output.split())
    assert "12 rules: us-co-privacy 11 (1 unconfirmed), us-ftc 1. Their words are English." in told
    assert "No finding is not a proof: 12 rules looked for words and structure; layout, context" in told


def test_what_several_laws_are_against_is_shown_once(banner: Path) -> None:
    told = lint(banner, "--as", "banner", "--for", "EU,US")
    assert told.output.count("Accept All / More Information") == 1
    assert "eu-eprivacy/refuse-on-the-same-layer" in told.output
    assert "us-ca-ccpa/decline-all-beside-accept-all" in told.output


def test_it_fits_into_eighty_columns(banner: Path) -> None:
    told = lint(banner, "--as", "banner", "--for", "EU,US")
    assert [line for line in told.output.splitlines() if len(line) > 80] == []


def test_what_a_human_must_judge_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "ad.txt").write_text("广告\n顶级享受", "utf-8")
    told = lint(tmp_path / "ad.txt", "--as", "ad", "--for", "CN")
    assert told.exit_code == 0
    assert "review: " in told.output
    assert "0 errors, 1 to review." in told.output


def test_nothing_found_says_so(tmp_path: Path) -> None:
    (tmp_path / "ad.txt").write_text("广告\n新店开业,欢迎光临。", "utf-8")
    told = lint(tmp_path / "ad.txt", "--as", "ad", "--for", "CN")
    assert told.exit_code == 0
    assert "Nothing found." in told.output
    assert "No finding is not a proof" in told.output


def test_what_could_not_be_judged_is_counted(tmp_path: Path) -> None:
    (tmp_path / "mail.txt").write_text("20% off. Unsubscribe: https://acme.example", "utf-8")
    told = " ".join(lint(tmp_path / "mail.txt", "--as", "email", "--for", "US").output.split())
    assert "2 rules could not be judged: the file has no mail headers." in told


def answer(told: Result) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(told.output)
    return read


def test_json_has_the_same_findings(banner: Path) -> None:
    told = lint(banner, "--as", "banner", "--for", "US-CO", "--json")
    read = answer(told)
    assert told.exit_code == 1
    assert (read["format"], read["as"], read["for"], read["day"]) == (1, "banner", ["US-CO"], "2026-11-21")
    first = next(one for one in read["findings"] if one["rule"] == "us-co-privacy/decline-all-beside-accept-all")
    assert (first["line"], first["found"], first["level"]) == (3, "Accept All / More Information", "error")
    assert first["cite"]
    assert first["cure"]
    assert first["confirmed"] is True
    assert "not a proof" in read["proves"]


def test_standard_input_is_read() -> None:
    told = lint("-", "--as", "ad", "--for", "CN", standard_input="国家级品质".encode())
    assert told.exit_code == 1
    assert told.output.startswith("standard input · plain text")


def test_places_are_codes_and_groups_in_any_case_and_none_without_rules_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "mail.txt").write_text("News. Unsubscribe: x. You may object at any time.", "utf-8")
    told = " ".join(lint(tmp_path / "mail.txt", "--as", "email", "--for", "uk, au").output.split())
    assert "for UK, AU" in told
    assert "The packs have no rule about such a text for AU: nothing was looked for there." in told


def refused(*arguments: object) -> str:
    told = CliRunner().invoke(main, ["lint-text", *map(str, arguments)])
    assert (told.exit_code, type(told.exception)) == (2, SystemExit), told.output
    return " ".join(told.stderr.split())


def test_what_cannot_be_used_is_refused_in_one_line(tmp_path: Path) -> None:
    for name, content in [("empty.txt", b""), ("doc.pdf", b"%PDF-1.7"), ("bytes.bin", bytes(range(256)))]:
        (tmp_path / name).write_bytes(content)
    rest = ("--as", "ad", "--for", "CN")
    assert refused(tmp_path / "empty.txt", *rest).endswith("empty.txt: it is empty; there is nothing to look at")
    assert "it is a PDF, not text; save its words as text or HTML" in refused(tmp_path / "doc.pdf", *rest)
    assert "it is not text" in refused(tmp_path / "bytes.bin", *rest)
    assert refused(tmp_path / "none.txt", *rest).endswith("none.txt: No such file or directory")
    assert "Is a directory" in refused(tmp_path, *rest)


def test_what_was_not_asked_rightly_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ad.txt").write_text("text", "utf-8")
    file = tmp_path / "ad.txt"
    assert "Missing option '--for'" in refused(file, "--as", "ad")
    assert "'poster' is not one of" in refused(file, "--as", "poster", "--for", "CN")
    assert "Germany is DE" in refused(file, "--as", "ad", "--for", "Germany")
    assert "no place has the code 'XQ'" in refused(file, "--as", "ad", "--for", "XQ")
    assert "names no place" in refused(file, "--as", "ad", "--for", " , ")
    assert "nothing was looked for" in refused(file, "--as", "ad", "--for", "AU")


def test_words_of_a_file_cannot_move_the_cursor(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<button>Accept all \x1b[2J\u202e</button>", "utf-8")
    told = lint(tmp_path / "a.html", "--as", "banner", "--for", "US-CO")
    assert "Accept all" in told.output
    assert "\x1b" not in told.output
    assert "\u202e" not in told.output
