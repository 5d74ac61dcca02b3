"""`comity journal` from the command line, and what `comity doctor` hears of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from pytest_django import Settings

from comity.cli import main
from comity.ledger.journal import keeping
from comity.ledger.journal.keeping import journal_folder
from comity.web.preparing import lacking, replay
from tests.ledger.journal.test_files import only_file
from tests.ledger.journal.test_keeping import forget_in_the_database, say_no, written

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def here(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the commands work in a folder of the test; the database is the one that Django has already."""
    settings.FOLDER = tmp_path / "comity"
    settings.FOLDER.mkdir(mode=0o700)
    keeping.forget()
    named = {"COMITY_FOLDER": str(settings.FOLDER), "DATABASE_URL": "postgresql:///of-the-tests"}
    for name in (*named, "COMITY_SECRET_KEY", "DJANGO_SETTINGS_MODULE"):
        monkeypatch.setenv(name, named.get(name, os.environ.get(name, "x")))


def said(*words: str, code: int = 0) -> str:
    told = CliRunner().invoke(main, ["journal", *words])
    assert told.exit_code == code, told.output
    return told.output.strip()


def test_a_journal_that_agrees_is_read_through() -> None:
    say_no("a")
    say_no("b")
    told = said("look")
    assert "has 2 lines; this database knows of 2, and 0 wait" in told
    assert "All 2 lines that are there are as they were written." in told
    assert said("replay") == "This database knows all that the journal knows."


def test_a_database_that_is_behind_is_told_with_its_cure_and_exit_code_1() -> None:
    say_no("a")
    forget_in_the_database([1])
    told = said("look", code=1)
    assert "Nothing is sent: this database was put back to an earlier day" in told
    assert "Cure: comity journal replay" in told
    assert lacking()["journal"] == {
        "folder": str(journal_folder()), "last": 0, "end": 1, "waiting": 0, "trouble": told.partition("sent: ")[2],
    }  # fmt: skip


def test_a_line_of_a_newer_version_stops_a_replay_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    say_no("a")
    forget_in_the_database([1])
    assert "line 1 of the journal is a tests.no, which this version does not know" in said("replay", code=2)
    replay()  # as `comity restore` does: what is put back is put back, and nothing is sent
    assert "Nothing is sent until this is mended: line 1" in capsys.readouterr().out


def test_a_lost_journal_is_written_anew_when_one_insists() -> None:
    say_no("a")
    only_file(journal_folder()).unlink()
    keeping.forget()
    assert "comity journal renew" in said("look", code=1)
    assert "1 lines" in said("renew", "--yes")
    assert written() == ["a"]
