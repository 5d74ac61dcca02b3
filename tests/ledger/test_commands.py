from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pytest_django import Settings

from comity.cli import main
from comity.ledger.notes import SigningKey
from tests.ledger.book import a_ledger, number, tamper, write

WHEN = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def here(key: SigningKey, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the commands work in the folder with the key; the database is the one that Django has already."""
    del key
    settings.FOLDER.chmod(0o700)
    named = {"COMITY_FOLDER": str(settings.FOLDER), "DATABASE_URL": "postgresql:///of-the-tests"}
    for name in (*named, "COMITY_SECRET_KEY", "DJANGO_SETTINGS_MODULE"):
        monkeypatch.setenv(name, named.get(name, os.environ.get(name, "x")))


def comity(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def said(*words: object, code: int = 0) -> str:
    told = comity(*words)
    assert told.exit_code == code, told.output
    return told.output.strip()


def test_a_whole_ledger_is_proven_and_what_is_not_numbered_yet_is_said(key: SigningKey) -> None:
    a_ledger(key, [300])
    write(2)
    told = said("ledger", "verify")
    assert told.startswith("PROVEN: 300 entries of example.com/ledger")
    assert "2 more are recorded and not numbered yet" in told


def test_a_change_to_an_entry_is_told_with_its_index_and_exit_code_1(key: SigningKey) -> None:
    a_ledger(key, [3])
    tamper("UPDATE ledger_entry SET body = 'x' WHERE leaf_index = 1")
    told = said("ledger", "verify", code=1)
    assert told.startswith("NOT PROVEN")
    assert "entry 1: " in told


def test_the_key_of_the_command_verifies_an_export_and_no_other_key_does(key: SigningKey, tmp_path: Path) -> None:
    a_ledger(key, [300])
    assert said("ledger", "key") == str(key.public)
    assert "300 entries" in said("ledger", "export", tmp_path / "export")
    assert said("ledger", "verify", "--folder", tmp_path / "export").startswith("PROVEN: 300 entries")
    other = SigningKey.make("example.com/other").public
    assert "NOT PROVEN" in said("ledger", "verify", "--folder", tmp_path / "export", "--key", other, code=1)


def test_one_entry_is_handed_over_and_verified_by_itself(key: SigningKey, tmp_path: Path) -> None:
    (draft,) = write(1)
    assert "pending" in said("ledger", "bundle", draft.ref, code=2)
    number(key)
    (tmp_path / "one.tlog-proof").write_text(said("ledger", "bundle", draft.ref) + "\n", "utf-8")
    told = said("ledger", "verify", "--bundle", tmp_path / "one.tlog-proof", "--key", key.public)
    assert told.startswith("PROVEN: entry 0 of 1")
    assert str(draft.ref) in told


def test_an_entry_that_is_not_there_is_said_to_be_none() -> None:
    assert "has no entry" in said("ledger", "bundle", "01900000-0000-7000-8000-000000000000", code=2)


def test_nothing_can_be_exported_before_there_is_something(tmp_path: Path) -> None:
    assert "no checkpoint yet" in said("ledger", "export", tmp_path / "export", code=2)


def test_a_witness_elsewhere_sees_an_export_and_its_line_comes_back(key: SigningKey, tmp_path: Path) -> None:
    (draft,) = write(1)
    number(key)
    witness = said("witness", "init", tmp_path / "w", "--name", "w.example/one", "--ledger", key.public)
    said("ledger", "export", tmp_path / "export")
    seen = tmp_path / "seen"
    assert "1 entries" in said("witness", "look", tmp_path / "w", "--export", tmp_path / "export", "--out", seen)
    assert "kept" in said("witness", "cosign", seen, "--witness", witness)
    (tmp_path / "one.tlog-proof").write_text(said("ledger", "bundle", draft.ref) + "\n", "utf-8")
    told = said("ledger", "verify", "--bundle", tmp_path / "one.tlog-proof", "--witness", witness)
    assert "witness: w.example/one" in told
    assert "1 kept elsewhere agree" in said("ledger", "verify", "--seen", seen)


def test_a_witness_refuses_a_ledger_that_was_rolled_back(key: SigningKey, tmp_path: Path) -> None:
    a_ledger(key, [3])
    said("witness", "init", tmp_path / "w", "--name", "w.example/one", "--ledger", key.public)
    said("ledger", "export", tmp_path / "before")
    a_ledger(key, [2])
    assert "5 entries" in said("witness", "look", tmp_path / "w")
    told = said("witness", "look", tmp_path / "w", "--export", tmp_path / "before", code=1)
    assert "has 3 entries, and had 5" in told


def test_a_line_under_another_ledger_s_checkpoint_is_not_kept(key: SigningKey, tmp_path: Path) -> None:
    a_ledger(key, [3])
    said("witness", "init", tmp_path / "w", "--name", "w.example/one", "--ledger", key.public)
    shown = said("witness", "look", tmp_path / "w", "--out", tmp_path / "seen")
    assert "3 entries" in shown
    witness = SigningKey.make("w.example/two", kind=4)
    text = (tmp_path / "seen").read_text("utf-8")
    forged = witness.cosign("example.com/ledger\n3\n" + "A" * 43 + "=\n", WHEN)
    (tmp_path / "forged").write_text(text + forged, "utf-8")
    assert "NOT PROVEN" in said("witness", "cosign", tmp_path / "forged", "--witness", witness.public, code=1)
    assert said("ledger", "verify").startswith("PROVEN")


def test_the_wrong_words_are_refused_with_the_right_ones(tmp_path: Path) -> None:
    (tmp_path / "b").touch()
    both = said("ledger", "verify", "--bundle", tmp_path / "b", "--folder", tmp_path, code=2)
    assert "name one of them" in both
    assert "go with --bundle" in said("ledger", "verify", "--quorum", 1, code=2)


def test_a_key_that_is_gone_is_said_to_be(settings: Settings) -> None:
    (settings.FOLDER / "keys" / "ledger.key").unlink()
    assert "is missing" in said("ledger", "verify", code=2)
