from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from comity.cli import main
from comity.cli.serving import PROGRAMS, Place, programs
from comity.server import roles
from comity.server.postgres import PrivatePostgres


def refused(*words: str) -> str:
    told = CliRunner().invoke(main, words)
    assert told.exit_code == 2, told.output
    return told.output


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let Comity's folder be a new one, and no database be named."""
    monkeypatch.setenv("COMITY_FOLDER", str(tmp_path / "comity"))
    for name in ("DATABASE_URL", "COMITY_OWNER_URL", "COMITY_DBA_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "comity"


def test_one_program_alone_needs_a_database_that_others_reach_too(folder: Path) -> None:
    assert "DATABASE_URL names it" in refused("serve", "--only", "jobs")
    assert not folder.exists()


def test_a_backup_of_ones_own_database_needs_a_role_that_passes_by_the_walls(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/none")
    assert "COMITY_DBA_URL" in refused("backup", str(folder.parent / "none.dump"))
    assert not (folder.parent / "none.dump").exists()


def test_a_password_is_on_no_command_line(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    place = Place(folder=folder, url_for_owner="postgresql://o:secret@/x", url_for_app="postgresql://a:secret@/x")
    started = programs(place, 8000)
    assert tuple(each.name for each in started) == PROGRAMS
    assert not [each for each in started if "secret" in " ".join(each.command)]
    assert all("secret" in each.environ["DATABASE_URL"] for each in started)


def test_the_database_that_does_not_answer_is_said_in_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    del folder
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/none")
    assert "could not be made ready" in refused("serve", "--only", "web")
    told = capfd.readouterr().err
    assert told.startswith("The database does not answer")
    assert "Traceback" not in told


def test_in_a_container_the_roles_are_made_as_the_environment_tells(
    running: PrivatePostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords = json.loads(running.premises.passwords.read_text("utf-8"))
    monkeypatch.setenv("DBA_URL", running.url_for_superuser)
    monkeypatch.setenv("OWNER_PASSWORD", passwords["comity_owner"])
    for password in ("another one for a moment", passwords["comity_login"]):
        monkeypatch.setenv("LOGIN_PASSWORD", password)
        roles.main()
        with psycopg.connect(running.url_for_app, password=password) as postgres:
            assert postgres.execute("SELECT current_user").fetchone() == ("comity_app",)
