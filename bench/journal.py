"""What the journal costs whoever says no, and whoever sends: `python -m bench.journal [--people N]`.

A private PostgreSQL as Comity starts it, which waits for the disk, on this machine; we are the application's own role.
"Without" is with the triggers switched off and nothing appended.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import TYPE_CHECKING
from uuid import UUID

import psycopg

from bench.books import Book, opened_book

if TYPE_CHECKING:
    from comity.staff.models import Entity

AT_ONCE = 8
LOOKS = 2_000
TRIGGER = "ALTER TABLE consent_consent {} TRIGGER consent_journal_said"


def people(many: int, entity: Entity) -> list[UUID]:
    """Bring so many people into the book."""
    from comity.book.actions import Newcomer, NewPoint, add_persons
    from comity.book.models import Reach
    from comity.refs import new_ref
    from comity.staff.walls import behind_wall

    newcomers = [
        Newcomer(
            name={"given": "Greta", "family": f"G {number}"}, facts={"home": "DE"}, ref=new_ref(),
            points=[NewPoint(reach=Reach.EMAIL, value=f"person-{number}@kettle.example")],
            relation={"source": "person"},
        )
        for number in range(many)
    ]  # fmt: skip
    with behind_wall(staff=None, entities=[entity.ref]):
        add_persons(newcomers=newcomers, entity=entity, staff=None)
    return [one.ref for one in newcomers]


def withdraw(person: UUID, entity: Entity) -> None:
    """Say no, as by a link."""
    from comity.consent.actions import About, withdraw_consent
    from comity.staff.walls import behind_wall

    with behind_wall(staff=None, entities=[entity.ref]):
        about = About(person=person, entity=entity, purpose="marketing", channel="email")
        withdraw_consent(about=about, said_at=datetime.now(UTC), source="Link", heard_by=None)


def timed(persons: Sequence[UUID], entity: Entity, threads: int) -> tuple[float, float]:
    """Let all of them say no; return clock and our processor for each, in microseconds."""
    from django.db import connections

    def act(some: Sequence[UUID]) -> None:
        for person in some:
            withdraw(person, entity)
        if threads > 1:
            connections.close_all()

    clock, processor = time.monotonic(), time.process_time()
    if threads == 1:
        act(persons)
    else:
        begun = [threading.Thread(target=act, args=(persons[one::threads],)) for one in range(threads)]
        for each in begun:
            each.start()
        for each in begun:
            each.join()
    each = 1e6 / len(persons)
    return (time.monotonic() - clock) * each, (time.process_time() - processor) * each


def compare(book: Book, entity: Entity, many: int) -> None:
    """Print what a withdrawal costs with the journal and without it, each in turn."""
    from comity.ledger.journal import keeping

    append, took = keeping._keep_or_say, dict[tuple[int, str], list[tuple[float, float]]]()  # noqa: SLF001 - to leave it out

    def nothing() -> None: ...

    for _round in range(3):
        for threads in (1, AT_ONCE):
            for how in ("with", "without"):
                with psycopg.connect(book.url_for_owner, autocommit=True) as owner:
                    owner.execute(TRIGGER.format("ENABLE" if how == "with" else "DISABLE"))
                keeping._keep_or_say = append if how == "with" else nothing  # noqa: SLF001 - as above
                took.setdefault((threads, how), []).append(timed(people(many, entity), entity, threads))
    for (threads, how), rounds in took.items():
        clock, processor = (median(each[part] for each in rounds) for part in (0, 1))
        print(
            f"{threads} at once, {how:<7} the journal: {clock:7.0f} µs of the clock, {processor:7.0f} of our processor"
        )


def look(many: int, act: Callable[[], None]) -> None:
    """Print what a sender pays before each round."""
    act()
    clock, processor = time.monotonic(), time.process_time()
    for _ in range(many):
        act()
    took = [1e6 * took / many for took in (time.monotonic() - clock, time.process_time() - processor)]
    print(f"a look before a round of 25: {took[0]:.0f} µs of the clock, {took[1]:.0f} of our processor")


def main() -> None:
    """Measure."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--people", type=int, default=300)
    given = words.parse_args()
    with opened_book() as book:
        from comity.ledger.journal.keeping import refuse_if_behind
        from comity.staff.models import Entity

        entity = Entity.objects.create(name="Comity Dublin Ltd", place="IE")
        compare(book, entity, given.people)
        look(LOOKS, refuse_if_behind)


if __name__ == "__main__":
    main()
