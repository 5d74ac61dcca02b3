"""A database that was put back to an earlier day sends nothing until the journal told it who said no since."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import UUID

import pytest
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from comity.book.imports.newcomers import Spoken
from comity.book.models import Person, Reach
from comity.consent.actions import About, give_consent, object_to_marketing, withdraw_consent
from comity.consent.importing import Hand
from comity.consent.mistakes import correct_mistake
from comity.consent.models import Consent, Said, Standing, Why
from comity.consent.preferences.actions import leave_alone
from comity.consent.records.gpc import honour_signal
from comity.consent.suppression.marks import mark_of
from comity.consent.suppression.models import Cause
from comity.consent.suppression.queries import is_suppressed, suppressed_as
from comity.ledger.actions import witness_here
from comity.ledger.journal.keeping import Behind, files, how_it_stands, journal_folder
from comity.ledger.journal.lines import Place
from comity.ledger.journal.replaying import Replayed, replay
from comity.ledger.journal.signed import LedgerBehind
from comity.ledger.keys import LEDGER, make_key
from comity.ledger.models import Entry, JournalLine
from comity.ledger.witness import begin_witness
from comity.post.jobs import send
from comity.post.models import Dispatch, Gateway, Stage
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from comity.vault.actions import destroy_person_key
from tests.consent.journal.days import put_back, take
from tests.ledger.book import found, number, told, url
from tests.post.relays import Keeper, relay
from tests.post.writing import begin, germans, says_yes, send_all, stages, way_out
from tests.staff.people import make_staff

pytestmark = pytest.mark.django_db(transaction=True)


def withdraws(person: UUID, firm: Entity, heard_by: Staff | None = None) -> None:
    about = About(person=person, entity=firm, purpose="marketing", channel="email")
    withdraw_consent(about=about, said_at=timezone.now(), source="Letter", heard_by=heard_by)


def objects(person: UUID, firm: Entity) -> None:
    object_to_marketing(person=person, entity=firm, said_at=timezone.now(), source="Phone", heard_by=None)


def is_taken_down(person: UUID, firm: Entity) -> None:
    del person
    leave_alone(mark=mark_of(Reach.EMAIL, "person-2@kettle.example"), entities=[firm], at=timezone.now())


def is_erased(person: UUID, firm: Entity) -> None:
    del firm
    destroy_person_key(person=person, staff=None)


def never_said_yes(person: UUID, firm: Entity) -> None:
    yes = Consent.objects.get(person=person, said=Said.GIVEN)
    olga = make_staff("privacy-officer", entity=firm)
    correct_mistake(mistaken=yes, why=Why.PERSON, source="She called", corrected_by=olga)


def died(person: UUID, firm: Entity) -> None:
    del firm
    Person.objects.filter(ref=person).update(deceased_at=timezone.now())


NOES: Final[list[Callable[[UUID, Entity], None]]] = [
    withdraws, objects, is_taken_down, is_erased, never_said_yes, died
]  # fmt: skip
"""What the first people do after the backup was taken, in their order; each of it is one line."""


@contextmanager
def an_earlier_day(
    firm: Entity, file: Path, since: Callable[[list[UUID]], None], many: int = 8
) -> Iterator[list[UUID]]:
    """Take a backup of a book of people who said yes, let things happen, and put the backup back."""
    people = germans(many, firm)
    says_yes(people, firm)
    backup = take(file)
    with behind_wall(staff=None, entities=[firm.ref]):
        since(people)
    put_back(backup)
    yield people


def sent_to(people: list[UUID], way: Gateway, tom: Staff, kept: Keeper) -> list[int]:
    """Write to all of them; return the numbers of those who got it."""
    send_all(begin(people, way, tom))
    return sorted(int(each.to.removeprefix("person-").partition("@")[0]) for each in kept.kept)


def all_say_no(people: list[UUID], firm: Entity) -> None:
    for person, says_no in zip(people, NOES, strict=False):
        says_no(person, firm)


def test_nobody_who_said_no_since_gets_anything_and_the_others_do(firm: Entity, tom: Staff, tmp_path: Path) -> None:
    with relay() as (kept, port):
        way = way_out(firm, port=port)
        with an_earlier_day(firm, tmp_path / "dump", lambda people: all_say_no(people, firm)) as people:
            with pytest.raises(Behind, match="the journal has 6 lines"):
                sent_to(people, way, tom, kept)
            assert kept.kept == []
            assert (replay().lines, how_it_stands().trouble) == (6, "")
            assert sent_to(people, way, tom, kept) == [6, 7]


def test_without_the_journal_they_would_get_it(
    firm: Entity, tom: Staff, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("comity.post.handing.refuse_if_behind", lambda: None)
    with relay() as (kept, port):
        way = way_out(firm, port=port)
        with an_earlier_day(firm, tmp_path / "dump", lambda people: all_say_no(people, firm)) as people:
            assert sent_to(people, way, tom, kept) == list(range(8))


def test_a_replay_brings_each_no_once_with_its_day_and_its_entry(firm: Entity, tmp_path: Path) -> None:
    def since(people: list[UUID]) -> None:
        withdraws(people[0], firm)
        said_at.append(Consent.objects.get(said=Said.WITHDRAWN).said_at)

    said_at = list[object]()
    with an_earlier_day(firm, tmp_path / "dump", since, many=2) as people:
        assert replay() == Replayed(lines=1, brought=1)
        assert replay() == Replayed()
        with behind_wall(staff=None, entities=[firm.ref]):
            no = Consent.objects.get(person=people[0], said=Said.WITHDRAWN)
            assert (no.said_at, no.source, no.heard_by) == (said_at[0], "Journal, line 1", None)
            assert Standing.objects.get(person=people[0]).withdrawn
        assert Entry.objects.filter(kind="consent.said", persons=[people[0]]).count() == 2  # her yes and her no
        assert Entry.objects.filter(kind="ledger.journal-replayed").count() == 1
        assert JournalLine.objects.count() == 1  # what was brought in is no line of its own


def test_noes_that_were_taken_down_together_are_one_line_and_each_of_them_counts(
    firm: Entity, tom: Staff, tmp_path: Path
) -> None:
    no = Spoken(said=Said.REFUSED, said_at=timezone.now(), source="File")

    def since(people: list[UUID]) -> None:
        Hand().write(spoken={person: [no] for person in people[:3]}, entity=firm, heard_by=None)

    with relay() as (kept, port):
        way = way_out(firm, port=port)
        with an_earlier_day(firm, tmp_path / "dump", since, many=4) as people:
            assert replay() == Replayed(lines=1, brought=1)
            assert sent_to(people, way, tom, kept) == [3]


def test_a_yes_that_was_said_after_the_putting_back_is_not_taken_away(firm: Entity, tmp_path: Path) -> None:
    with an_earlier_day(firm, tmp_path / "dump", lambda people: withdraws(people[0], firm), many=1) as people:
        about = About(person=people[0], entity=firm, purpose="marketing", channel="email")
        with behind_wall(staff=None, entities=[firm.ref]):
            give_consent(about=about, said_at=timezone.now(), source="Form", heard_by=None, express=True)
        replay()
        with behind_wall(staff=None, entities=[firm.ref]):
            assert Standing.objects.get(person=people[0]).given is not None


def test_what_was_on_its_way_that_day_does_not_go_out_again(firm: Entity, tom: Staff, tmp_path: Path) -> None:
    people = germans(3, firm)
    says_yes(people, firm)
    with relay() as (kept, port):
        dispatch = begin(people, way_out(firm, port=port), tom)
        backup = take(tmp_path / "dump")
        send_all(dispatch)
        withdraws(people[0], firm)
        put_back(backup)
        assert replay() == Replayed(lines=1, brought=1, stopped=3)
        send_all(Dispatch.objects.get(pk=dispatch.pk))
        assert len(kept.kept) == 3
        assert {why for _stage, why in stages(dispatch).values()} == {"put-back"}
        assert {stage for stage, _why in stages(dispatch).values()} == {Stage.UNCERTAIN}


def test_a_signal_of_a_browser_and_a_merge_count_for_whom_they_are_about(firm: Entity, tmp_path: Path) -> None:
    def since(people: list[UUID]) -> None:
        honour_signal(person=Person.objects.get(pk=people[0]), entity=firm, at=timezone.now())
        Person.objects.filter(pk=people[1]).update(merged_into=people[2])
        withdraws(people[2], firm)

    with an_earlier_day(firm, tmp_path / "dump", since, many=4) as people:
        replay()
        with behind_wall(staff=None, entities=[firm.ref]):
            assert Person.objects.get(pk=people[0]).opt_out_signal_at
            assert Standing.objects.get(person=people[0], purpose="targeted-advertising").opted_out_on
            noes = Standing.objects.filter(purpose="marketing", withdrawn=True)
            assert set(noes.values_list("person", flat=True)) == {people[1], people[2]}


def test_who_came_since_and_said_no_stays_on_the_list_by_their_address(
    firm: Entity, tom: Staff, tmp_path: Path
) -> None:
    def since(_people: list[UUID]) -> None:
        later = germans(3, firm)[2]
        says_yes([later], firm)
        withdraws(later, firm, heard_by=tom)

    with an_earlier_day(firm, tmp_path / "dump", since, many=1):
        done = replay()
        assert (done.lines, done.brought) == (2, 0)
        with behind_wall(staff=None, entities=[firm.ref]):
            mark = mark_of(Reach.EMAIL, "person-2@kettle.example")
            assert is_suppressed(entity=firm, mark=mark, purpose="marketing", channel="email")
            assert [row.cause for row in suppressed_as(entity=firm, mark=mark)] == [Cause.OPTED_OUT]


def test_a_witness_tells_it_too_and_the_ledger_goes_on_from_there(
    firm: Entity, tom: Staff, tmp_path: Path, settings: Settings
) -> None:
    key = make_key(settings.FOLDER / LEDGER, "example.com/ledger")
    begin_witness(folder=tmp_path / "witness", name="witness.example/one", ledger=key.public)

    people = germans(2, firm)
    says_yes(people, firm)
    number(key)
    backup = take(tmp_path / "dump")
    germans(1, firm)
    number(key)
    witness_here(folder=tmp_path / "witness", at=timezone.now())
    put_back(backup)
    with relay() as (kept, port):
        way = way_out(firm, port=port)
        with pytest.raises(LedgerBehind, match=r"witness\.checkpoint signs"):
            sent_to(people, way, tom, kept)
        done = replay()
        assert (done.lines, done.entries > 0) == (0, True)
        assert sent_to(people, way, tom, kept) == [0, 1]
    put = Entry.objects.get(kind="ledger.put-back")
    assert b"rfc6962:" in bytes(put.body)
    assert len(list(journal_folder().glob("witness.checkpoint.*"))) == 1
    number(key)
    assert told(found(key)) == []


REPLAYER: Final = """
import os, signal
os.environ["DJANGO_SETTINGS_MODULE"] = "comity.web.settings"
import django
django.setup()
from comity.ledger.journal import replaying
replaying.BATCH = 2
left, point = int(os.environ["NTH"]), os.environ["POINT"]
real = getattr(replaying, point)
def dying(*given, **more):
    global left
    came = real(*given, **more)
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    return came
setattr(replaying, point, dying)
replaying.replay()
"""


@pytest.mark.parametrize(("point", "nth"), [("_brought", 4), ("_bring", 2), ("_go_on", 1)])
def test_a_replay_that_is_killed_is_begun_again_and_until_then_nothing_is_sent(
    point: str, nth: int, firm: Entity, tom: Staff, tmp_path: Path, settings: Settings
) -> None:
    with relay() as (kept, port):
        way = way_out(firm, port=port)
        with an_earlier_day(firm, tmp_path / "dump", lambda people: all_say_no(people, firm)) as people:
            environ = {
                **os.environ, "DATABASE_URL": url(), "COMITY_SECRET_KEY": "x", "COMITY_FOLDER": str(settings.FOLDER),
                "PYTHONPATH": f"src:{Path.cwd()}", "POINT": point, "NTH": str(nth),
            }  # fmt: skip
            died = subprocess.run([sys.executable, "-c", REPLAYER], env=environ, check=False, timeout=120)
            assert died.returncode == -signal.SIGKILL
            if point != "_go_on":
                with pytest.raises(Behind):
                    sent_to(people, way, tom, kept)
            left = replay().lines
            assert left == {"_brought": 4, "_bring": 2, "_go_on": 0}[point]
            assert sent_to(people, way, tom, kept) == [6, 7]
            with behind_wall(staff=None, entities=[firm.ref]):
                assert Consent.objects.filter(source__startswith="Journal").count() == 3


def test_what_waits_to_go_out_goes_out_by_itself_once_the_journal_is_mended(firm: Entity, tom: Staff) -> None:
    people = germans(2, firm)
    says_yes(people, firm)
    damaged = journal_folder() / "witness.checkpoint"
    damaged.parent.mkdir(mode=0o700, exist_ok=True)
    damaged.write_text("not a checkpoint")
    with relay() as (kept, port):
        dispatch = begin(people, way_out(firm, port=port), tom)
        send(dispatch=str(dispatch.ref), entity=str(firm.ref))
        assert kept.kept == []
        assert {stage for stage, _why in stages(dispatch).values()} == {Stage.INTENDED}
        assert ProcrastinateJob.objects.filter(task_name="post.send", status="todo").exists()
        damaged.unlink()
        send(dispatch=str(dispatch.ref), entity=str(firm.ref))
        assert len(kept.kept) == 2


def signals(person: UUID, firm: Entity) -> None:
    honour_signal(person=Person.objects.get(pk=person), entity=firm, at=timezone.now())


@pytest.mark.parametrize("says_no", [withdraws, objects, is_taken_down, is_erased, never_said_yes, signals])
def test_whichever_way_it_is_said_it_is_in_the_journal_when_the_call_returns(
    says_no: Callable[[UUID, Entity], None], firm: Entity
) -> None:
    (person,) = germans(1, firm)
    says_yes([person], firm)
    says_no(person, firm)
    journal = files()
    assert journal is not None
    assert [line.ref for line in journal.lines(Place())] == list(
        JournalLine.objects.order_by("number").values_list("ref", flat=True)
    )
    assert JournalLine.objects.filter(number=None).count() == 0
    assert JournalLine.objects.count() == (2 if says_no is signals else 1)  # a signal is a no and a mark of its own
