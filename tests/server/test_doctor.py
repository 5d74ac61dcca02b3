from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

import psycopg
import pytest

from comity.server import doctor
from comity.server.doctor import Check, Grade, NotLookedAt, Outcome, check, database, examine
from comity.server.folder import free_port, prepare_folder
from comity.server.postgres import PrivatePostgres


def by_name(found: Sequence[Check]) -> dict[str, Check]:
    return {one.name: one for one in found}


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "epoch.key"
    path.write_bytes(b"k" * 32)
    path.chmod(0o600)
    return path


def test_all_is_well_where_all_is_well(running: PrivatePostgres, tmp_path: Path, key: Path) -> None:
    found = examine(
        folder=prepare_folder(tmp_path / "comity"),
        keys={"epoch": key},
        url=running.url_for_app,
        private=True,
        port=free_port(),
        pending=list,
    )
    assert [one for one in found if one.grade is not Grade.OK] == []
    assert by_name(found).keys() == {
        "Python", "folder", "disk", "clock", "PostgreSQL's programs", "key: epoch", "port", "migrations", "database",
        "role", "row-level security", "locale", "clocks", "sequencer", "worker", "jobs",
    }  # fmt: skip


def test_every_failed_check_has_a_cure(tmp_path: Path) -> None:
    found = examine(
        folder=tmp_path / "none", keys={"signing": tmp_path / "none.key"}, url="postgresql://127.0.0.1:1/none",
        pending=lambda: ["book.0002_names", "book.0003_tags"],
    )  # fmt: skip
    failed = [one for one in found if one.grade is Grade.FAIL]
    assert {one.name for one in failed} == {"folder", "key: signing", "database", "migrations"}
    assert all(one.cure for one in failed)
    assert by_name(found)["migrations"].found == "2 have not run, first book.0002_names"


def test_a_look_that_breaks_is_a_failed_check() -> None:
    def broken() -> Outcome:
        raise OSError("the disk is on fire")

    assert check("disk", broken).grade is Grade.FAIL
    assert "on fire" in check("disk", broken).found


def test_an_old_python_fails() -> None:
    assert check("Python", lambda: doctor.python((3, 10, 9))).grade is Grade.FAIL
    assert check("Python", lambda: doctor.python((3, 11, 0))).grade is Grade.OK


def test_an_open_folder_fails_with_its_cure(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    outcome = doctor.closed_folder(tmp_path)
    assert "mode 0755" in outcome.found
    assert outcome.cure == f"chmod 700 '{tmp_path}'"


@pytest.mark.parametrize(("free", "grade"), [(10**10, Grade.OK), (10**9, Grade.WARN), (10**8, Grade.FAIL)])
def test_little_room_warns_and_none_fails(tmp_path: Path, free: int, grade: Grade) -> None:
    assert check("disk", lambda: doctor.room(tmp_path / "not yet there", free)).grade is grade


def test_a_clock_before_this_program_was_made_fails() -> None:
    assert check("clock", lambda: doctor.clock(0.0)).grade is Grade.FAIL


def test_a_key_that_is_open_empty_or_gone_fails(key: Path) -> None:
    assert check("key", lambda: doctor.key(key)).grade is Grade.OK
    key.chmod(0o640)
    assert "mode 0640" in doctor.key(key).found
    key.chmod(0o600)
    key.write_bytes(b"")
    assert "is empty" in doctor.key(key).found
    key.unlink()
    assert "nothing sealed under it can be opened" in doctor.key(key).cure


def test_a_key_that_nobody_asked_for_is_looked_at_too_if_it_is_open(tmp_path: Path) -> None:
    folder = prepare_folder(tmp_path / "comity")
    (folder / "keys").mkdir(mode=0o700)
    for name, mode in (("old.key", 0o600), ("open.key", 0o644)):
        (folder / "keys" / name).write_text("k")
        (folder / "keys" / name).chmod(mode)
    found = by_name(examine(folder=folder, keys=dict))
    assert found["key: open.key"].grade is Grade.FAIL
    assert "key: old.key" not in found


def test_keys_that_cannot_be_found_out_are_a_failed_check(tmp_path: Path) -> None:
    def unknown() -> dict[str, Path]:
        raise OSError("the database is gone")

    assert by_name(examine(folder=tmp_path, keys=unknown))["keys"].grade is Grade.FAIL


def test_what_cannot_be_looked_at_yet_says_what_to_mend_first(tmp_path: Path) -> None:
    def keys() -> Mapping[str, Path]:
        raise NotLookedAt("first mend the database")

    told = {each.name: each for each in examine(folder=tmp_path, keys=keys, pending=lambda: list(keys()))}
    for name in ("migrations", "keys"):
        assert (told[name].grade, told[name].found, told[name].cure) == (
            Grade.FAIL, "not looked at", "first mend the database",
        )  # fmt: skip


def test_a_port_in_use_warns() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        assert check("port", lambda: doctor.free(taken)).grade is Grade.WARN


def test_where_data_and_programs_differ_the_version_is_named(tmp_path: Path) -> None:
    (tmp_path / "postgres" / "data").mkdir(parents=True)
    (tmp_path / "postgres" / "data" / "PG_VERSION").write_text("14\n")
    outcome = doctor.programs(tmp_path)
    assert "PostgreSQL 14, which made the data, is not on this machine" in outcome.found
    assert outcome.cure.startswith("install it")


def test_a_superuser_fails_and_so_does_an_owner(running: PrivatePostgres) -> None:
    superuser = by_name(list(database(running.url_for_superuser)))
    assert superuser["role"].grade is Grade.FAIL
    assert "postgres" in superuser["role"].found
    with psycopg.connect(running.url_for_owner) as postgres:
        postgres.execute("CREATE TABLE examined (id int)")
    owner = by_name(list(database(running.url_for_owner)))
    assert owner["role"].grade is Grade.FAIL
    assert owner["row-level security"].grade is Grade.FAIL
    assert "examined" in owner["row-level security"].found


def test_a_role_that_passes_by_policies_fails_however_far_it_is_behind(running: PrivatePostgres) -> None:
    with psycopg.connect(running.url_for_superuser, autocommit=True) as postgres:
        postgres.execute("CREATE ROLE strong BYPASSRLS")
        postgres.execute("CREATE ROLE between ROLE comity_login")
        postgres.execute("GRANT strong TO between")
        try:
            assert by_name(list(database(running.url_for_app)))["role"].found == "strong may pass by the policies"
        finally:
            postgres.execute("DROP ROLE between")
            postgres.execute("DROP ROLE strong")


def test_a_database_that_knows_no_letters_beyond_ascii_warns_and_another_encoding_fails(
    running: PrivatePostgres,
) -> None:
    for name, encoding, grade in (("plain", "UTF8", Grade.WARN), ("latin", "LATIN1", Grade.FAIL)):
        with psycopg.connect(running.url_for_superuser, autocommit=True) as postgres:
            make = f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C' LOCALE_PROVIDER libc"
            postgres.execute(make.encode())
            url = running.url_for_superuser.replace("/postgres?", f"/{name}?")
            assert by_name(list(database(url)))["locale"].grade is grade
            postgres.execute(f"DROP DATABASE {name}".encode())
