"""Parts of a file that threads make beforehand: the same file, in the same order, and nothing left behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from django.db import connection
from django.utils import translation

from comity.book.exports.ahead import AHEAD, HANDS, made_ahead

pytestmark = pytest.mark.django_db(transaction=True)


def where(number: int) -> tuple[int, str]:
    """Ask the database something, the later the sooner; return by which thread."""
    time.sleep(0.002 * (7 - number % 8))
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s", [number])
        assert cursor.fetchone() == (number,)
    return number, threading.current_thread().name


def sessions() -> int:
    """Return how many connections there are to this database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        ((many,),) = cursor.fetchall()
    return int(many)


def soon(many: int) -> bool:
    """Say whether there are so few connections before long: PostgreSQL needs a moment to end one."""
    until = time.monotonic() + 10
    while sessions() > many and time.monotonic() < until:
        time.sleep(0.05)
    return sessions() <= many


def test_parts_come_in_their_order_by_several_threads_that_leave_no_connection() -> None:
    before = sessions()
    made = list(made_ahead(where, 20))
    assert [number for number, _ in made] == list(range(20))
    assert len({thread for _, thread in made}) == HANDS
    assert soon(before)


def test_within_a_transaction_and_for_a_few_this_thread_makes_them() -> None:
    mine = threading.current_thread().name
    assert {thread for _, thread in made_ahead(where, 2)} == {mine}
    from django.db import transaction

    with transaction.atomic():
        assert {thread for _, thread in made_ahead(where, 9)} == {mine}


def test_a_fault_in_one_part_ends_it_all_and_leaves_no_connection() -> None:
    before = sessions()

    def fails(number: int) -> int:
        where(number)
        if number == 5:
            raise OSError("the disk is full")
        return number

    came: list[int] = []
    with pytest.raises(OSError, match="disk is full"):
        came.extend(made_ahead(fails, 20))
    assert soon(before)


def test_whoever_takes_no_more_has_few_made_in_vain() -> None:
    begun: list[int] = []

    def make(number: int) -> int:
        begun.append(number)
        return number

    parts: Iterator[int] = made_ahead(make, 100)
    assert next(parts) == 0
    parts.close()  # type: ignore[attr-defined]  # it is a generator
    assert len(begun) <= AHEAD + 1


def test_threads_speak_the_language_of_whoever_asked() -> None:
    with translation.override("zh-hans"):
        assert set(made_ahead(lambda _: translation.get_language(), 8)) == {"zh-hans"}
