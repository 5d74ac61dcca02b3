"""An erasure that is killed, raced, or put back to an earlier day: not begun, or it completes; never half of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone
from pytest_django import Settings

from comity.book.editing.actions import lock
from comity.book.models import ContactPoint, Person
from comity.consent.actions import About, give_consent
from comity.ledger.journal import replaying
from comity.retention.erasing import actions, running
from comity.retention.erasing.models import Erasure, Why
from comity.staff.models import Entity
from comity.vault.actions import NoKey, seal
from comity.vault.models import PersonKey, Sealed
from comity.vault.sealing import FieldClass, Label
from tests.consent.journal.days import put_back, take
from tests.retention.erasing.everywhere import tables_with
from tests.server.test_worker import url

pytestmark = pytest.mark.django_db(transaction=True)
POINTS = ("locked", "asked", "removed", "sealed", "written", "committed")
"""Where the program that erases dies: under its locks, after each part of its one transaction, and just behind it."""

ERASER = """
import os, signal
os.environ["DJANGO_SETTINGS_MODULE"] = "comity.web.settings"
import django
django.setup()
from comity.retention.erasing import actions, running

def die(name, owner, what):
    real = getattr(owner, what)
    def dying(*given, **more):
        came = real(*given, **more)
        os.kill(os.getpid(), signal.SIGKILL)
    if os.environ["POINT"] == name:
        setattr(owner, what, dying)

die("locked", actions, "all_of")
die("asked", actions, "_remember_noes")
die("removed", running, "_end_keys")
die("sealed", actions, "remove")
die("written", actions, "_record")
die("committed", actions, "run")
actions.run(os.environ["ERASURE"])
"""


def begun(person: UUID, entity: Entity) -> Erasure:
    made = actions.plan_erasure(person=person, entity=entity, why=Why.ASKED, planned_by=None)
    Erasure.objects.filter(pk=made.pk).update(begun_at=timezone.now())
    return made


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_any_point_it_is_whole_or_not_there_and_completes_by_itself(
    point: str, firm: Entity, greta: UUID, settings: Settings
) -> None:
    erasure, before = begun(greta, firm), Sealed.objects.filter(person=greta).count()
    environ = {
        **os.environ, "DATABASE_URL": url(), "COMITY_SECRET_KEY": "x", "COMITY_FOLDER": str(settings.FOLDER),
        "POINT": point, "ERASURE": str(erasure.ref), "PYTHONPATH": f"src:{Path.cwd()}",
    }  # fmt: skip
    done = subprocess.run([sys.executable, "-c", ERASER], env=environ, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    if point == "committed":
        assert not Person.objects.filter(ref=greta).exists()
    else:
        assert Sealed.objects.filter(person=greta).count() == before
        assert PersonKey.objects.filter(person=greta).exists()
        assert ContactPoint.objects.filter(person=greta).count() == 2
        assert Erasure.objects.get(pk=erasure.pk).done_at is None
    began = time.monotonic()
    assert actions.finish_begun() == (0 if point == "committed" else 1)
    assert time.monotonic() - began < 60
    assert not Person.objects.filter(ref=greta).exists()
    assert Erasure.objects.get(pk=erasure.pk).done_at is not None


def beside(does: Callable[[], object]) -> tuple[threading.Thread, list[BaseException]]:
    """Do something on a connection of its own; return the thread, and where what it raised will be."""
    raised: list[BaseException] = []

    def done() -> None:
        try:
            does()
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            raised.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=done)
    thread.start()
    return thread, raised


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        ((many,),) = cursor.fetchall()
        return bool(many)


@pytest.mark.parametrize("what", ["point", "note", "consent"])
def test_whatever_is_written_beside_an_erasure_finds_nobody_or_goes_too(
    what: str, firm: Entity, greta: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something begins while the erasure holds its locks: it waits, and then there is nobody to write it about."""
    erasure, here, go = begun(greta, firm), threading.Event(), threading.Event()
    real = running.all_of

    def held(persons: Any) -> list[UUID]:  # noqa: ANN401 - as the real one
        found = real(persons)
        here.set()
        assert go.wait(20)
        return found

    monkeypatch.setattr(actions, "all_of", held)
    eraser, raised = beside(lambda: actions.run(erasure.ref))
    assert here.wait(20)
    label = Label(greta, FieldClass.NOTE, "activity", greta)
    about = About(person=greta, entity=firm, purpose="marketing", channel="email")

    @transaction.atomic
    def add_point() -> None:
        lock(greta)  # as every change of a person does first
        ContactPoint.objects.create(person_id=greta, reach="email")

    writes: dict[str, Callable[[], object]] = {
        "point": add_point,
        "note": lambda: seal(label=label, fields={"text": "late"}),
        "consent": lambda: give_consent(about=about, said_at=timezone.now(), source="form", heard_by=None),
    }
    writer, refused = beside(writes[what])
    for _ in range(100):
        if waits_for_a_lock() or not writer.is_alive():
            break
        time.sleep(0.05)
    go.set()
    eraser.join(30)
    writer.join(30)
    assert raised == []
    if what == "point":
        assert isinstance(refused[0], Person.DoesNotExist)
    if what == "note" and refused:
        assert isinstance(refused[0], NoKey)
    assert not PersonKey.objects.filter(person=greta).exists()
    actions.sweep_late()
    left = set(tables_with(str(greta)))
    assert not left & {"book_person", "book_contactpoint", "vault_sealed", "consent_consent", "consent_standing"}


def test_two_who_erase_the_same_person_do_it_once(firm: Entity, greta: UUID) -> None:
    erasure = begun(greta, firm)
    threads = [beside(lambda: actions.run(erasure.ref)) for _ in range(4)]
    for thread, _ in threads:
        thread.join(60)
    assert [raised for _, raised in threads] == [[], [], [], []]
    assert Erasure.objects.get(pk=erasure.pk).done["went"]["keys"] == 1


def test_a_database_that_was_put_back_loses_them_again(firm: Entity, greta: UUID, oliver: UUID, tmp_path: Path) -> None:
    yesterday = take(tmp_path / "yesterday.dump")
    actions.erase_person(person=greta, entity=firm, why=Why.ASKED, staff=None)
    put_back(yesterday)
    assert Person.objects.filter(ref=greta).exists()
    done = replaying.replay()
    assert done.brought >= 1
    assert not Person.objects.filter(ref=greta).exists()
    assert not PersonKey.objects.filter(person=greta).exists()
    left = set(tables_with(str(greta)))
    assert not left & {"book_contactpoint", "book_relation", "book_activity", "vault_sealed", "book_known"}
    assert Person.objects.filter(ref=oliver).exists()
