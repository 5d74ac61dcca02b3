"""The copy that decisions about many people read says what the people's own rows say, whoever changes them and when."""

from __future__ import annotations

from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING

import pytest
from django.db import connection, transaction

from comity.book.known import COLUMNS, FRESH, Known
from comity.book.models import ContactPoint, Person, Reach
from comity.staff.walls import behind_wall
from tests.as_application import application_role

if TYPE_CHECKING:
    from uuid import UUID

    from comity.staff.models import Entity


def differing() -> list[tuple[object, ...]]:
    """Return the rows that should stand and do not, and those that stand and should not."""
    kept = f"SELECT person, entity, {', '.join(COLUMNS)} FROM book_known"
    with connection.cursor() as cursor:
        cursor.execute(f"(({FRESH}) EXCEPT ({kept})) UNION ALL (({kept}) EXCEPT ({FRESH}))")
        return list(cursor.fetchall())


@pytest.mark.django_db
def test_whoever_changes_a_person_of_two_entities_changes_the_copies_of_both(
    greta: UUID, firm: Entity, shanghai: Entity
) -> None:
    Person.objects.filter(pk=greta).update(entities=[firm.ref, shanghai.ref])
    assert not differing()
    with behind_wall(staff=None, entities=[firm.ref]), application_role():
        Person.objects.filter(pk=greta).update(home="FR")
        assert Known.objects.filter(person=greta).count() == 1
    assert set(Known.objects.filter(person=greta).values_list("entity", "home")) == {
        (firm.ref, "FR"), (shanghai.ref, "FR")
    }  # fmt: skip
    assert not differing()


@pytest.mark.django_db
def test_a_change_that_no_law_asks_about_writes_no_copy(greta: UUID) -> None:
    def version() -> object:
        with connection.cursor() as cursor:
            cursor.execute("SELECT ctid::text FROM book_known WHERE person = %s", [greta])
            return cursor.fetchone()

    before = version()
    Person.objects.filter(pk=greta).update(home_from=["phone"])
    ContactPoint.objects.filter(person=greta).update(failed_at=None)
    assert version() == before
    Person.objects.filter(pk=greta).update(home="FR")
    assert version() != before


@pytest.mark.django_db(transaction=True)
def test_two_who_add_a_point_at_once_are_both_copied(greta: UUID) -> None:
    first_wrote = Event()

    def add_second() -> None:
        first_wrote.wait(10)
        ContactPoint.objects.create(person_id=greta, reach=Reach.POST, impersonal=True)
        connection.close()

    other = Thread(target=add_second)
    other.start()
    with transaction.atomic():
        ContactPoint.objects.create(person_id=greta, reach=Reach.POST, impersonal=False)
        first_wrote.set()
        deadline = monotonic() + 20
        while not somebody_waits():
            assert monotonic() < deadline, "the other one did not wait for us"
    other.join(10)
    assert not differing()
    assert Known.objects.get(person=greta).post_impersonal is False


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])
