"""An import is undone without losing what staff did since, and nobody is erased by it without the word for that."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from comity.book.fields.models import Attachment, CustomField, FieldValue
from comity.book.imports.actions import NotNow, begin_undo, undo_import
from comity.book.imports.models import Import, Stage
from comity.book.imports.queries import imports_seen_by
from comity.book.imports.undoing import UNDONE_WITHIN
from comity.book.models import ContactPoint, Person
from comity.consent.models import Consent
from comity.staff.guards import NotYours
from comity.staff.models import RoleGrant, Staff
from comity.staff.walls import behind_wall
from tests.book.imported import GRETA, OLIVER, Bring

if TYPE_CHECKING:
    from comity.staff.models import Entity

LONG_AGO = timedelta(hours=2)


def long_ago(one: Import) -> list[UUID]:
    """Let everything about an import have happened two hours ago; return whom it brought."""
    one.batches.update(done_at=F("done_at") - LONG_AGO)
    persons = [ref for batch in one.batches.all() for ref in batch.persons]
    Person.objects.filter(ref__in=persons).update(changed_at=F("changed_at") - 2 * LONG_AGO)
    ContactPoint.objects.filter(person__in=persons).update(added_at=F("added_at") - 2 * LONG_AGO)
    Consent.objects.filter(person__in=persons).update(recorded_at=F("recorded_at") - 2 * LONG_AGO)
    return sorted(persons)


def undone(one: Import, staff: Staff, *, changed_too: bool = False) -> Import:
    begun = begin_undo(one=one, changed_too=changed_too, staff=staff)
    return undo_import(one=begun, changed_too=changed_too)


def kept(one: Import) -> list[UUID]:
    """Return who is in the book still; they must be those who are listed as kept."""
    there = sorted(Person.objects.values_list("ref", flat=True))
    assert sorted(each.person for each in one.findings.filter(says="changed") if each.person) == there
    return there


# ---------------------------------------------------------------- who was worked on stays


def test_whoever_has_a_field_filled_in_since_stays(bring: Bring, tom: Staff, firm: Entity) -> None:
    one = bring([GRETA, OLIVER])
    greta, _ = long_ago(one)
    field = CustomField.objects.create(entity=firm, name="Size", sort="number", sensitivity="plain", why="To pack.")
    FieldValue.objects.create(person_id=greta, entity=firm, field=field, plain=4)
    assert kept(undone(one, tom)) == [greta]
    assert FieldValue.objects.filter(person=greta).exists()


def test_whoever_has_a_file_kept_since_stays(bring: Bring, tom: Staff, firm: Entity) -> None:
    one = bring([GRETA, OLIVER])
    _, oliver = long_ago(one)
    Attachment.objects.create(person_id=oliver, entity=firm, size=3)
    assert kept(undone(one, tom)) == [oliver]
    assert Attachment.objects.filter(person=oliver).exists()


def test_those_whom_nobody_touched_since_go(bring: Bring, tom: Staff) -> None:
    one = bring([GRETA, OLIVER])
    long_ago(one)
    assert kept(undone(one, tom)) == []


def committed(change: threading.Event, begun: threading.Event, person: UUID, firm: Entity) -> None:
    """Change somebody in a transaction of one's own, which ends when it is told to."""
    try:
        with behind_wall(staff=None, entities=[firm.ref]):
            Person.objects.filter(ref=person).update(language="de", changed_at=Now())
            begun.set()
            assert change.wait(60)
    finally:
        begun.set()
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_an_edit_that_is_under_way_while_an_import_is_undone_is_not_lost(
    bring: Bring, tom: Staff, firm: Entity
) -> None:
    one = bring([GRETA, OLIVER])
    with behind_wall(staff=None, entities=[firm.ref]):
        greta, _ = long_ago(one)
    with transaction.atomic(), behind_wall(staff=None, entities=[firm.ref]):
        undoing = begin_undo(one=one, changed_too=False, staff=tom)
    go, begun = threading.Event(), threading.Event()
    edit = threading.Thread(target=committed, args=(go, begun, greta, firm))
    undo = threading.Thread(target=_undo, args=(undoing,))
    edit.start()
    assert begun.wait(60)
    undo.start()
    await_a_lock()
    go.set()
    edit.join(60)
    undo.join(60)
    with behind_wall(staff=None, entities=[firm.ref]):
        assert list(Person.objects.values_list("ref", "language")) == [(greta, "de")]


def await_a_lock() -> None:
    """Wait until somebody waits for a lock in this database."""
    give_up = time.monotonic() + 60
    with connection.cursor() as cursor:
        while time.monotonic() < give_up:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone() != (0,):
                return
    pytest.fail("nobody waited for the edit")


def _undo(one: Import) -> None:
    try:
        undo_import(one=one, changed_too=False)
    finally:
        connection.close()


# ---------------------------------------------------------------- erasing takes its own word


def test_taking_out_who_was_changed_takes_the_word_for_erasing(bring: Bring, tom: Staff, olga: Staff) -> None:
    one = bring([GRETA, OLIVER])
    Person.objects.update(changed_at=timezone.now() + timedelta(minutes=1))
    with pytest.raises(NotYours, match=r"person\.erase"):
        begin_undo(one=one, changed_too=True, staff=tom)
    assert Import.objects.get(pk=one.pk).stage == Stage.DONE
    assert kept(undone(one, olga, changed_too=True)) == []


def test_the_word_for_erasing_in_another_entity_does_not_do(bring: Bring, tom: Staff, shanghai: Entity) -> None:
    one = bring([GRETA])
    RoleGrant.objects.create(
        staff=tom, role="privacy-officer", entity=shanghai, reason="tests", begins_at=timezone.now()
    )
    with pytest.raises(NotYours, match=r"person\.erase"):
        begin_undo(one=one, changed_too=True, staff=Staff.objects.get(pk=tom.pk))


def test_the_choice_is_shown_to_those_who_may_erase_alone(
    bring: Bring, tom: Staff, olga: Staff, no_second_factor: None
) -> None:
    del no_second_factor
    one = bring([GRETA])
    for staff, shown in ((tom, False), (olga, True)):
        client = Client()
        client.force_login(staff, "allauth.account.auth_backends.AuthenticationBackend")
        page = client.get(f"/imports/{one.ref}/").content.decode()
        assert "Undo this import" in page
        assert ("changed_too" in page) is shown, staff
        if not shown:
            assert client.post(f"/imports/{one.ref}/undo/", {"changed_too": "on"}).status_code == 403
    assert Person.objects.count() == 1


def test_nobody_takes_out_the_restricted_or_those_of_another_entity(
    bring: Bring, olga: Staff, shanghai: Entity
) -> None:
    one = bring([GRETA, OLIVER])
    greta, oliver = long_ago(one)
    Person.objects.filter(ref=greta).update(restricted_at=timezone.now() - 2 * LONG_AGO)
    entities = [one.entity_id, shanghai.ref]
    Person.objects.filter(ref=oliver).update(entities=entities)
    assert kept(undone(one, olga, changed_too=True)) == [greta, oliver]


def test_after_thirty_days_undoing_takes_the_word_for_erasing_too(bring: Bring, tom: Staff, olga: Staff) -> None:
    one = bring([GRETA])
    long_ago(one)
    Import.objects.filter(pk=one.pk).update(done_at=timezone.now() - UNDONE_WITHIN - timedelta(minutes=1))
    with pytest.raises(NotNow, match="30 days"):
        begin_undo(one=one, changed_too=False, staff=tom)
    assert kept(undone(one, olga)) == []


def test_within_thirty_days_it_does_not(bring: Bring, tom: Staff) -> None:
    one = bring([GRETA])
    long_ago(one)
    Import.objects.filter(pk=one.pk).update(done_at=timezone.now() - UNDONE_WITHIN + timedelta(minutes=1))
    assert kept(undone(one, tom)) == []


# ---------------------------------------------------------------- whose imports are seen


def test_the_word_in_one_entity_shows_no_imports_of_another(bring: Bring, ada: Staff, shanghai: Entity) -> None:
    one = bring([GRETA])
    assert one not in imports_seen_by(ada)
    RoleGrant.objects.create(staff=ada, role="marketing", entity=shanghai, reason="tests", begins_at=timezone.now())
    assert one not in imports_seen_by(Staff.objects.get(pk=ada.pk))
    RoleGrant.objects.create(staff=ada, role="marketing", entity=one.entity, reason="tests", begins_at=timezone.now())
    assert one in imports_seen_by(Staff.objects.get(pk=ada.pk))
