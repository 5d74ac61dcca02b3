from __future__ import annotations

from pathlib import Path

import pytest

from comity.server import binaries
from comity.server.binaries import NoPrograms, every_programs, find_programs


def pretend(folder: Path, version: str) -> Path:
    """Make a folder of programs that only tell their version."""
    folder.mkdir(parents=True)
    for name in ("initdb", "postgres"):
        (folder / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Give a machine on which PostgreSQL is nowhere, but where the test puts it."""
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(binaries, "PLACES", (f"{tmp_path.relative_to('/')}/packages/*/bin",))
    monkeypatch.setattr(binaries, "WHEEL", "no_such_wheel")
    return tmp_path


def test_this_machine_has_programs_that_say_their_version() -> None:
    assert find_programs() == every_programs()[0]
    assert all(programs.major >= 15 for programs in every_programs())
    assert find_programs(every_programs()[-1].major).major == every_programs()[-1].major


def test_those_on_path_come_first_and_then_the_newest_package(bare: Path) -> None:
    pretend(bare / "packages" / "9.6" / "bin", "9.6.24")
    pretend(bare / "packages" / "16" / "bin", "16.2 (Debian 16.2-1)")
    newest = pretend(bare / "packages" / "17" / "bin", "17beta1")
    assert (find_programs().folder, find_programs().version) == (newest, (17, 0))
    pretend(bare / "path", "15.1")
    assert find_programs().version == (15, 1)


def test_programs_on_path_are_taken_from_where_their_link_leads(bare: Path) -> None:
    real = pretend(bare / "cellar" / "bin", "16.1")
    (bare / "path").mkdir()
    (bare / "path" / "initdb").symlink_to(real / "initdb")
    assert find_programs().folder == real


def test_data_get_the_version_that_made_them(bare: Path) -> None:
    pretend(bare / "packages" / "17" / "bin", "17.1")
    old = pretend(bare / "packages" / "15" / "bin", "15.9")
    assert find_programs(15).folder == old


def test_where_none_will_do_it_says_what_was_found_and_the_cure(bare: Path) -> None:
    with pytest.raises(NoPrograms, match=r"None was found\. Cure: install it .* DATABASE_URL"):
        find_programs()
    old = pretend(bare / "packages" / "14" / "bin", "14.3")
    with pytest.raises(NoPrograms, match=rf"of no use: PostgreSQL 14\.3 in {old}\."):
        find_programs()
    with pytest.raises(NoPrograms, match=r"PostgreSQL 18, which made the data, .* apt-get install postgresql-18"):
        find_programs(18)


def test_half_an_installation_and_a_broken_one_are_passed_over(bare: Path) -> None:
    half = pretend(bare / "packages" / "18" / "bin", "18.1")
    (half / "postgres").unlink()
    broken = pretend(bare / "packages" / "17" / "bin", "17.1")
    (broken / "postgres").write_bytes(b"\x7fELF of another machine")
    whole = pretend(bare / "packages" / "16" / "bin", "16.1")
    assert find_programs().folder == whole
