"""A backup that is restored is the book of that day: the keys open it, and the ledger tells that it went back."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from comity.cli import main
from tests.faults.house import House, until


def test_what_was_backed_up_comes_back_and_what_came_after_does_not(house: House, tmp_path: Path) -> None:
    dump, kept = tmp_path / "comity.dump", tmp_path / "kept"
    before = house.add("Perpetua").told["ref"]
    assert "no key" in house.comity("backup", str(dump))
    assert dump.stat().st_mode & 0o777 == 0o600
    after = house.add("Ephemera").told["ref"]
    until(house.all_is_numbered, "the sequencer numbers all")
    house.comity("ledger", "export", str(kept))
    for name in list(house.running):
        house.kill(name)
    assert "as it was then" in house.comity("restore", "--yes", str(dump))
    for name in house.programs:
        house.start(name)
    until(lambda: house.ask("GET", "/healthz").code == 200, "the book is ready again")
    assert (house.name_of(before), house.name_of(after)) == ("Perpetua", "")
    assert house.add("Nova").code == 201
    until(house.all_is_numbered, "the sequencer numbers all")
    assert house.comity("ledger", "verify").startswith("PROVEN")
    with pytest.raises(subprocess.CalledProcessError):
        house.comity("ledger", "verify", "--seen", str(kept / "checkpoint"))


def test_a_backup_names_nobody(house: House, tmp_path: Path) -> None:
    assert house.add("Perpetua").code == 201
    house.comity("backup", str(tmp_path / "comity.dump"))
    text = subprocess.run(["pg_restore", "-f", "-", tmp_path / "comity.dump"], capture_output=True, check=True).stdout
    assert b"book_person" in text
    assert b"Perpetua" not in text
    assert b"PRIVATE" not in text


def test_a_backup_is_not_written_over_another_file(house: House, tmp_path: Path) -> None:
    (tmp_path / "comity.dump").write_bytes(b"of yesterday")
    with pytest.raises(subprocess.CalledProcessError):
        house.comity("backup", str(tmp_path / "comity.dump"))
    assert (tmp_path / "comity.dump").read_bytes() == b"of yesterday"


def test_what_is_no_backup_is_refused_before_anybody_is_asked(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes(b"Name,Email")
    told = CliRunner().invoke(main, ["restore", str(tmp_path / "list.csv")])
    assert told.exit_code == 2
    assert "is no backup. Cure: " in told.output
    assert "Go on?" not in told.output


def test_what_is_no_backup_changes_nothing(house: House, tmp_path: Path) -> None:
    (tmp_path / "none.dump").write_bytes(b"PGDMP nonsense")
    many = house.rows("SELECT count(*) FROM book_person")
    with pytest.raises(subprocess.CalledProcessError):
        house.comity("restore", "--yes", str(tmp_path / "none.dump"))
    assert house.rows("SELECT count(*) FROM book_person") == many
