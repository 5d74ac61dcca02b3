from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import comity
from comity.server import folder as room
from comity.server.folder import (
    FolderInUse,
    FolderRefused,
    PortInUse,
    alone_in,
    clear_left_lying,
    comity_folder,
    free_port,
    prepare_folder,
    wrong_with,
)

ALONE = """
import sys, time
from pathlib import Path
from comity.server.folder import alone_in
with alone_in(Path(sys.argv[1])):
    print("in", flush=True)
    sys.stdin.read()
"""


def test_the_environment_names_the_folder() -> None:
    assert comity_folder({"COMITY_FOLDER": "/srv/our book"}) == Path("/srv/our book")
    assert comity_folder({}) == Path.home() / ".local/share/comity"


def test_it_is_made_closed_with_what_is_above_it_and_found_again(tmp_path: Path) -> None:
    before = tmp_path.stat().st_mode
    made = prepare_folder(tmp_path / "share" / "our book")
    assert made.stat().st_mode & 0o777 == 0o700
    assert prepare_folder(made) == made
    assert tmp_path.stat().st_mode == before


@pytest.mark.parametrize("mode", [0o701, 0o710, 0o750, 0o755, 0o777])
def test_one_that_others_can_enter_is_refused_with_the_cure_and_left_as_it_is(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "comity"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(FolderRefused, match=rf"has mode {mode:04o}.*Cure: chmod 700 '{folder}'"):
        prepare_folder(folder)
    assert folder.stat().st_mode & 0o777 == mode


def test_somebody_elses_is_refused_with_the_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    us = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: us + 1)
    with pytest.raises(FolderRefused, match=rf"belongs to the account with the number {us}.*chown -R {us + 1} "):
        prepare_folder(tmp_path)


def test_one_that_anybody_could_put_another_in_place_of_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    assert "Cure: chmod o-w" in (wrong_with(prepare_below(tmp_path)) or "")
    tmp_path.chmod(0o1777)
    assert wrong_with(tmp_path / "comity") is None


def prepare_below(place: Path) -> Path:
    folder = place / "comity"
    folder.mkdir(mode=0o700)
    return folder


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "comity").touch()
    with pytest.raises(FolderRefused, match=r"cannot be made: File exists"):
        prepare_folder(tmp_path / "comity")


def test_a_second_instance_is_refused_and_told_of_the_first(tmp_path: Path) -> None:
    with (
        alone_in(tmp_path),
        pytest.raises(FolderInUse, match=rf"process {os.getpid()}\).*Cure: "),
        alone_in(tmp_path),
    ):
        pass
    with alone_in(tmp_path):
        pass


def test_the_lock_of_a_killed_instance_is_free(tmp_path: Path) -> None:
    source = str(Path(comity.__file__).parents[1])
    first = subprocess.Popen(
        [sys.executable, "-c", ALONE, tmp_path],
        env={**os.environ, "PYTHONPATH": source},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with first:
        assert first.stdout
        assert first.stdout.readline() == b"in\n"
        with pytest.raises(FolderInUse), alone_in(tmp_path):
            pass
        first.send_signal(signal.SIGKILL)
        first.wait()
        with alone_in(tmp_path):
            pass


def test_a_port_in_use_is_refused_where_it_was_asked_for_and_passed_over_where_not() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        with pytest.raises(PortInUse, match=rf"127\.0\.0\.1:{taken}.*Cure: "):
            free_port(taken)
    assert free_port(taken) == taken
    with socket.socket() as first:
        first.bind(("127.0.0.1", free_port()))
        first.listen()
        assert free_port() != first.getsockname()[1]


def test_where_all_of_its_ports_are_taken_the_machine_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "PORTS", 0)
    assert free_port() > 1023


def test_what_killed_processes_left_is_cleared_and_nothing_else(tmp_path: Path) -> None:
    for name in ("uploads/a.upload", "imports/work-x/upload.csv", "imports/1.rows", "keys/web.key", "exports/1.parcel"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("Greta")
    clear_left_lying(tmp_path)
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert left == ["exports/1.parcel", "imports/1.rows", "keys/web.key"]
