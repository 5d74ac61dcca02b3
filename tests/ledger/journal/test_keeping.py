"""Every no that was committed is in the journal before its caller goes on; else nothing is sent until it is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest
from django.db import connection, connections, transaction
from pytest_django import Settings

from comity.ledger.journal import keeping, signed
from comity.ledger.journal.keeping import (
    Behind,
    how_it_stands,
    journal_folder,
    keep,
    keep_after_commit,
    refuse_if_behind,
    renew,
)
from comity.ledger.journal.lines import Altered, JournalTrouble, NoJournal, Place, Unwritable
from comity.ledger.keys import LEDGER, make_key
from comity.ledger.models import JournalLine
from tests.ledger.book import newest, number, url, write
from tests.ledger.journal.test_files import a_full_disk, only_file

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.FOLDER = tmp_path / "comity"
    settings.FOLDER.mkdir(mode=0o700)
    keeping.forget()
    return Path(settings.FOLDER)


def say_no(word: str = "no") -> None:
    """Take down a no as rooms do: by a trigger's function, and with the wish that it be kept."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT ledger_journal('tests.no', jsonb_build_object('word', %s::text))", [word])
        keep_after_commit()


def written() -> list[str]:
    journal = keeping.files()
    return [line.said["word"] for line in journal.lines(Place())] if journal else []


def test_a_no_is_in_the_journal_when_its_call_returns() -> None:
    say_no("one")
    say_no("two")
    assert written() == ["one", "two"]
    assert list(JournalLine.objects.order_by("number").values_list("number", flat=True)) == [1, 2]
    refuse_if_behind()


def test_what_is_rolled_back_was_never_said() -> None:
    with transaction.atomic():
        say_no()
        transaction.set_rollback(True)
    assert written() == []
    refuse_if_behind()


def test_many_noes_of_one_transaction_wait_for_the_disk_once(monkeypatch: pytest.MonkeyPatch) -> None:
    say_no()
    waits, fsync = list[int](), os.fsync

    def counted(handle: int) -> None:
        waits.append(handle)
        fsync(handle)

    monkeypatch.setattr(os, "fsync", counted)
    with transaction.atomic():
        for _ in range(20):
            say_no()
    assert len(written()) == 21
    assert len(waits) == 1


SENDER: Final = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "comity.web.settings"
import django
django.setup()
from comity.ledger.journal import keeping
from tests.ledger.journal.test_keeping import say_no
"""


def elsewhere(script: str, folder: Path) -> subprocess.Popen[bytes]:
    """Run something in a process of its own, with the same database and folder."""
    environ = {
        **os.environ, "DATABASE_URL": url(), "COMITY_SECRET_KEY": "x", "COMITY_FOLDER": str(folder),
        "PYTHONPATH": f"src:{Path.cwd()}",
    }  # fmt: skip
    return subprocess.Popen([sys.executable, "-c", SENDER + script], env=environ)


def test_several_processes_and_threads_write_one_journal(folder: Path) -> None:
    begun = [elsewhere(f"for n in range(25): say_no('p{one}')", folder) for one in range(2)]

    def say_some() -> None:
        try:
            for _ in range(25):
                say_no("t")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=say_some) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(120)
    assert [one.wait(120) for one in begun] == [0, 0]
    assert sorted(written()) == ["p0"] * 25 + ["p1"] * 25 + ["t"] * 100
    refuse_if_behind()


def test_who_dies_between_the_journal_and_the_rows_number_loses_nothing(folder: Path) -> None:
    say_no("one")
    dying = "import signal\nkeeping._number = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\nsay_no('two')"
    assert elsewhere(dying, folder).wait(60) == -signal.SIGKILL
    assert (how_it_stands().waiting, written()) == (0, ["one", "two"])  # whoever looked gave it its number
    say_no("three")
    assert written() == ["one", "two", "three"]


def test_who_dies_before_the_journal_leaves_it_to_the_next_who_sends(folder: Path) -> None:
    dying = "import signal\nkeeping.keep = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\nsay_no()"
    assert elsewhere(dying, folder).wait(60) == -signal.SIGKILL
    assert JournalLine.objects.get().number is None
    refuse_if_behind()
    assert (JournalLine.objects.get().number, written()) == (1, ["no"])


def test_on_a_full_disk_the_no_is_taken_and_nothing_is_sent_until_there_is_room() -> None:
    say_no("one")
    with a_full_disk(only_file(journal_folder())):
        say_no("two")
        assert JournalLine.objects.count() == 2
        with pytest.raises(Unwritable, match="Make room"):
            refuse_if_behind()
        assert "Make room" in how_it_stands().trouble
    refuse_if_behind()
    assert written() == ["one", "two"]


def test_without_its_journal_nothing_is_sent_and_one_may_knowingly_write_it_anew() -> None:
    for word in "abc":
        say_no(word)
    before = only_file(journal_folder()).read_bytes()
    journal_folder().rename(journal_folder().with_name("elsewhere"))
    say_no("d")
    with pytest.raises(NoJournal, match="comity journal renew"):
        refuse_if_behind()
    assert renew(called="aside") == 3
    assert only_file(journal_folder()).read_bytes() == before
    refuse_if_behind()
    assert written() == ["a", "b", "c", "d"]


def test_a_damaged_journal_is_set_aside_when_it_is_written_anew() -> None:
    say_no("a")
    path = only_file(journal_folder())
    path.write_bytes(path.read_bytes().replace(b'"word":"a"', b'"word":"b"'))
    keeping.forget()
    with pytest.raises(Altered):
        refuse_if_behind()
    renew(called="aside")
    assert written() == ["a"]
    assert b'"word":"b"' in (journal_folder() / "aside" / path.name).read_bytes()


def test_lines_cut_off_the_end_are_missed_by_the_database_that_knows_them() -> None:
    say_no("a")
    say_no("b")
    path = only_file(journal_folder())
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    keeping.forget()
    with pytest.raises(NoJournal, match="goes to line 1, and this database knows of 2"):
        refuse_if_behind()


def test_without_its_key_nothing_is_sent(folder: Path) -> None:
    say_no()
    (folder / "keys" / "journal.key").unlink()
    keeping.forget()
    with pytest.raises(NoJournal, match="copy of the keys"):
        refuse_if_behind()


def forget_in_the_database(numbers: Sequence[int]) -> None:
    """Let the database be as it was before it knew of these lines."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("DELETE FROM ledger_journalline WHERE number = ANY (%s)", [list(numbers)])
        cursor.execute("SET session_replication_role = DEFAULT")


def test_a_database_that_knows_less_than_the_journal_sends_nothing_and_goes_on_taking_noes() -> None:
    for word in "abc":
        say_no(word)
    forget_in_the_database([2, 3])
    with pytest.raises(Behind, match="2 lines that it does not know"):
        refuse_if_behind()
    say_no("d")
    assert JournalLine.objects.filter(number=None).count() == 1
    with pytest.raises(Behind):
        keep()
    assert written() == ["a", "b", "c"]


def test_within_a_transaction_it_is_told_too_and_nothing_is_appended() -> None:
    say_no("a")
    with transaction.atomic():
        assert how_it_stands().trouble == ""
    forget_in_the_database([1])
    with transaction.atomic():
        assert "comity journal replay" in how_it_stands().trouble
    with transaction.atomic(), pytest.raises(RuntimeError, match="inside a transaction"):
        keep()


def test_a_ledger_that_is_shorter_than_what_was_signed_sends_nothing(folder: Path) -> None:
    key = make_key(folder / LEDGER, "example.com/ledger")
    write(3)
    number(key)
    signed.keep_signed(journal_folder(), newest())
    refuse_if_behind()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica; DELETE FROM ledger_checkpoint; DELETE FROM ledger_tile")
        cursor.execute("DELETE FROM ledger_entry; SET session_replication_role = DEFAULT")
    with pytest.raises(signed.LedgerBehind, match=r"3 entries that ledger\.checkpoint signs"):
        refuse_if_behind()
    write(5)  # it grows again, and is another one
    number(key)
    with pytest.raises(signed.LedgerBehind):
        refuse_if_behind()


def test_a_file_that_holds_no_checkpoint_stops_everything() -> None:
    say_no()
    (journal_folder() / "witness.checkpoint").write_text("nothing")
    with pytest.raises(JournalTrouble, match="holds no checkpoint"):
        refuse_if_behind()


def test_nobody_changes_or_takes_away_what_the_database_knows_of_the_journal() -> None:
    say_no()
    for statement in (
        "DELETE FROM ledger_journalline", "UPDATE ledger_journalline SET kind = 'x'",
        "UPDATE ledger_journalline SET number = NULL, seal = NULL",
    ):  # fmt: skip
        with pytest.raises(Exception, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
