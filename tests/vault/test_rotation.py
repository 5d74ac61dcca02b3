"""Epochs follow each other without anybody noticing; a process that dies in between is taken up where it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.db import OperationalError, connection, transaction

from comity.ledger.models import Entry
from comity.vault import actions, keyring, queries, rotation
from comity.vault.epochs import KeyMissing
from comity.vault.gate import Warrant
from comity.vault.models import Epoch, PersonKey, Sealed
from comity.vault.sealing import FieldClass
from comity.vault.tokens import Sort, Tokens
from tests.vault.conftest import CONTACTS, NAMES, Permit, blobs_of, everybody, label, ref_of

ALL_CLASSES = ["name", "contact", "note", "special"]


@transaction.atomic
def everything(warrant: Warrant) -> object:
    return actions.open_fields(warrant=warrant, labels=[each for who in NAMES for each, _ in blobs_of(who)])


@pytest.mark.usefixtures("cast")
def test_there_is_one_first_epoch() -> None:
    with pytest.raises(rotation.EpochsBegan):
        rotation.begin_first_epoch(staff=None)


def test_rotation_changes_nothing_that_anybody_sees(cast: list[str], permit: Permit, ada: UUID) -> None:
    warrant = permit(*cast, field_classes=ALL_CLASSES)
    before = everything(warrant)
    rotation.rotate_epoch(staff=ada)
    assert everything(warrant) == before
    assert rotation.rewrap_some(staff=ada, most=5) == 5  # in the middle of it
    assert everything(warrant) == before
    for who, query in (("Greta", "grunwald"), ("Mei", "zengxm"), ("Bruno", "weis")):
        assert label(who) in queries.candidates(sort=Sort.FUZZY, query=query, among=everybody()), query
    actions.seal(label=label("Greta", FieldClass.ADDRESS), fields={"street": "Ufer 1"})
    assert rotation.rewrap(staff=ada, most=3) == len(cast) - 5
    assert everything(warrant) == before
    rotation.destroy_epoch(number=1, staff=ada)
    assert everything(warrant) == before


def test_after_rewrapping_keys_and_tokens_are_of_the_new_epoch(cast: list[str], ada: UUID) -> None:
    old = {row.pk: row.tokens for row in Sealed.objects.exclude(tokens=None)}
    rotation.rotate_epoch(staff=ada)
    rotation.rewrap(staff=ada)
    assert set(PersonKey.objects.values_list("epoch", flat=True)) == {2}
    epoch = Epoch.objects.get(number=2)
    tokens = Tokens(keyring.epoch_key(2, epoch.check_value))
    for who in cast:
        for each, fields in ((label(who), NAMES[who]), (label(who, FieldClass.CONTACT), CONTACTS[who])):
            row = Sealed.objects.get(person=each.person, field_class=each.field_class)
            assert row.tokens == tokens.numbers(each.field_class, fields)
            assert not set(row.tokens) & set(old[row.pk] or ())


@pytest.mark.usefixtures("cast")
def test_new_people_are_sealed_in_the_new_epoch(ada: UUID) -> None:
    rotation.rotate_epoch(staff=ada)
    actions.new_person_key(person=ref_of("Dora"))
    assert PersonKey.objects.get(person=ref_of("Dora")).epoch_id == 2


def test_an_epoch_in_use_is_not_destroyed(cast: list[str], ada: UUID, folder: Path) -> None:
    with pytest.raises(rotation.EpochInUse, match="current"):
        rotation.destroy_epoch(number=1, staff=ada)
    rotation.rotate_epoch(staff=ada)
    rotation.rewrap_some(staff=ada, most=5)
    with pytest.raises(rotation.EpochInUse, match=f"{len(cast) - 5} keys"):
        rotation.destroy_epoch(number=1, staff=ada)
    assert len(list((folder / "keys").iterdir())) == 2


@pytest.mark.usefixtures("cast")
def test_every_step_is_in_the_ledger(ada: UUID) -> None:
    rotation.rotate_epoch(staff=ada)
    rotation.rewrap(staff=ada, most=10)
    rotation.destroy_epoch(number=1, staff=ada)
    rotation.destroy_epoch(number=1, staff=ada)  # again: it only looks whether the file is gone
    kinds = Entry.objects.filter(staff=ada).order_by("ref").values_list("kind", flat=True)
    assert list(kinds) == ["vault.epoch-begun", "vault.rewrapped", "vault.rewrapped", "vault.epoch-destroyed"]


@pytest.mark.usefixtures("cast")
def test_a_file_that_a_crash_left_behind_goes_when_destroying_again(ada: UUID, folder: Path) -> None:
    (path,) = (folder / "keys").iterdir()
    content = path.read_text()
    rotation.rotate_epoch(staff=ada)
    rotation.rewrap(staff=ada)
    rotation.destroy_epoch(number=1, staff=ada)
    path.write_text(content)  # as if the machine had stopped before the file went
    rotation.destroy_epoch(number=1, staff=ada)
    assert not path.exists()


@pytest.mark.usefixtures("cast")
def test_a_backup_from_before_does_not_open_once_its_epoch_is_destroyed(permit: Permit, ada: UUID) -> None:
    backup = [(row.pk, bytes(row.wrapped)) for row in PersonKey.objects.all()]
    actions.destroy_person_key(person=ref_of("Greta"), staff=ada)
    rotation.rotate_epoch(staff=ada)
    rotation.rewrap(staff=ada)
    rotation.destroy_epoch(number=1, staff=ada)
    PersonKey.objects.all().delete()
    PersonKey.objects.bulk_create(PersonKey(person=pk, epoch_id=1, wrapped=wrapped) for pk, wrapped in backup)
    with pytest.raises(KeyMissing):
        actions.open_fields(warrant=permit("Paul"), labels=[label("Paul")])


@pytest.mark.usefixtures("cast")
def test_the_horizon_waits_for_every_epoch_in_which_the_erased_person_was_kept(ada: UUID) -> None:
    erased_at, weeks = datetime.now(UTC), timedelta(days=14)
    assert queries.forgotten_from(erased_at=erased_at, copies_kept=weeks).waiting_for == (1,)
    Epoch.objects.update(begun_at=erased_at - timedelta(days=30))
    rotation.rotate_epoch(staff=ada)
    Epoch.objects.filter(number=2).update(begun_at=erased_at - timedelta(days=1))
    rotation.rotate_epoch(staff=ada)
    Epoch.objects.filter(number=3).update(begun_at=erased_at + timedelta(days=1))
    rotation.rewrap(staff=ada)
    rotation.destroy_epoch(number=1, staff=ada)
    assert queries.forgotten_from(erased_at=erased_at, copies_kept=weeks) == queries.Horizon(day=None, waiting_for=(2,))
    rotation.destroy_epoch(number=2, staff=ada)
    day = (datetime.now(UTC) + weeks + timedelta(days=1)).date()
    assert queries.forgotten_from(erased_at=erased_at, copies_kept=weeks) == queries.Horizon(day=day, waiting_for=())


# ---------------------------------------------------------------- a process that is killed

DIES = """
import sys
from pathlib import Path
import django
django.setup()
from django.conf import settings
from comity.vault import rotation
write, done = rotation._write_tokens, []
def stop_in_the_second_batch(epoch, keys):
    write(epoch, keys)
    done.append(keys)
    if len(done) == 2:
        print("in the middle", flush=True)
        sys.stdin.read()
rotation._write_tokens = stop_in_the_second_batch
rotation.rewrap(staff=None, most=4)
"""


def kill_in_the_second_batch(folder: Path) -> None:
    named = connection.settings_dict
    url = f"postgresql://{named['USER']}:{named['PASSWORD']}@/{named['NAME']}?host={named['HOST']}&port={named['PORT']}"
    environment = os.environ | {
        "DATABASE_URL": url,
        "COMITY_FOLDER": str(folder),
        "DJANGO_SETTINGS_MODULE": "comity.web.settings",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    with subprocess.Popen(
        [sys.executable, "-c", DIES], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "in the middle\n"
        child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL


@pytest.mark.django_db(transaction=True)
def test_rewrapping_that_was_killed_goes_on_where_it_was(folder: Path, permit: Permit, ada: UUID) -> None:
    rotation.begin_first_epoch(staff=None)
    actions.seal_many(blobs=[blob for who in NAMES for blob in blobs_of(who)])
    warrant = permit(*NAMES, field_classes=ALL_CLASSES)
    before = everything(warrant)
    rotation.rotate_epoch(staff=ada)
    kill_in_the_second_batch(folder)
    assert PersonKey.objects.filter(epoch=2).count() == 4  # the first batch stands, of the second nothing
    assert Entry.objects.filter(kind="vault.rewrapped").count() == 1
    assert everything(warrant) == before
    assert rotation.rewrap(staff=ada, most=4) == len(NAMES) - 4
    assert everything(warrant) == before
    for who in NAMES:
        assert label(who) in queries.candidates(sort=Sort.PREFIX, query=" ".join(names_of(who)), among=everybody())
    rotation.destroy_epoch(number=1, staff=ada)
    assert everything(warrant) == before


def names_of(who: str) -> list[str]:
    fields = NAMES[who]
    return [str(fields[key]) for key in ("full", "given", "family") if key in fields]


@pytest.mark.django_db(transaction=True)
def test_an_import_that_fails_leaves_nothing() -> None:
    rotation.begin_first_epoch(staff=None)
    with pytest.raises(ZeroDivisionError):
        actions.seal_many(blobs=(blob for who in NAMES for blob in blobs_of(who) if who != "Bruno" or 1 / 0))
    assert not PersonKey.objects.exists()
    assert not Sealed.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_no_key_can_be_wrapped_in_an_epoch_while_it_is_destroyed() -> None:
    rotation.begin_first_epoch(staff=None)
    with transaction.atomic():
        held = keyring.current_epoch()
        with closing(connection.copy()) as other, pytest.raises(OperationalError, match="could not obtain lock"):
            other.cursor().execute("SELECT 1 FROM vault_epoch WHERE number = %s FOR UPDATE NOWAIT", [held.number])
