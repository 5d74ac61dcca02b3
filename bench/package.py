"""Packages: how long one takes for a person of whom there is much. `python -m bench.package --entries 10000`.

The whole way is measured, by the clock, with the database beside: collecting and opening, finding other people in what
was written (among those of a book of `--people`), the page, JSON, CSV and the sealed file. Every tenth text names
somebody else of the book. Planning is measured too: it reads all of it once, and somebody waits for it. The bounds are
10 s for each.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import random
import resource
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from bench.books import opened_book
from bench.exports import _firm, _newcomers
from bench.vault import People

if TYPE_CHECKING:
    from comity.book.actions import NewActivity, Newcomer
    from comity.rights.packages.models import Package
    from comity.staff.models import Entity, Staff

LOOKS = 300
"""Looks of our staff at this one person: each is a decision and an opening on record."""
WORDS = (
    "kettle order delivery Monday called offer price blue red steel warranty repair invoice paid asked about the a and "
    "for with wants before Christmas sounded pleased will call again next week Berlin office"
).split()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.package", description=__doc__)
    parser.add_argument("--entries", type=int, default=10_000, help="of the one person")
    parser.add_argument("--people", type=int, default=20_000, help="others in the book")
    parser.add_argument("--profile", action="store_true", help="show where the time goes")
    options = parser.parse_args()
    with opened_book() as book:
        entity, staff = _firm()
        person = _fill(options.people, options.entries, entity)
        _look(person, entity, staff)
        book.analyze()
        _measure(options, person, entity, staff)


def _fill(people: int, entries: int, entity: Entity) -> UUID:
    from comity.book.actions import add_persons
    from comity.staff.walls import behind_wall

    with behind_wall(staff=None, entities=[entity.ref]):
        add_persons(newcomers=_newcomers(people), entity=entity, staff=None)
        one = _of_whom_there_is_much(people, entries)
        add_persons(newcomers=[one], entity=entity, staff=None)
    return one.ref


def _of_whom_there_is_much(people: int, entries: int) -> Newcomer:
    from comity.book.actions import Newcomer, NewPoint
    from comity.book.models import Reach

    names = [f"{name.get('given', '')} {name.get('family', '')}".strip() for _ref, name, _reached in People(people)]
    return Newcomer(
        name={"given": "Ottilie", "family": "Zwickelhuber"},
        points=[NewPoint(reach=Reach.EMAIL, value="ottilie@bench.example")], facts={"home": "DE"},
        relation={"source": "person", "customer_since": date(2020, 1, 1)},
        activities=list(_activities(entries, names)),
    )  # fmt: skip


def _activities(many: int, names: list[str]) -> Iterator[NewActivity]:
    from comity.book.actions import NewActivity

    dice, began = random.Random(2), datetime(2020, 1, 1, 9, tzinfo=UTC)
    for number in range(many):
        text = " ".join(dice.choices(WORDS, k=30)).capitalize()
        if number % 10 == 0:
            text += f" Came with {dice.choice(names)}."
        yield NewActivity(
            doing=dice.choice(("note", "call", "meeting", "mail")), at=began + timedelta(hours=5 * number), text=text
        )


def _look(person: UUID, entity: Entity, staff: Staff) -> None:
    from comity.book.opening import Look, names_of
    from comity.staff.walls import behind_wall

    with behind_wall(staff=staff.ref, entities=[entity.ref]):
        for _ in range(LOOKS):
            names_of(Look(viewer=staff, entity=entity, purpose="legal-duty"), [person])


def _measure(options: argparse.Namespace, person: UUID, entity: Entity, staff: Staff) -> None:
    from comity.rights.packages.making import make_package

    for round_ in ("first", "second", "third"):
        profile = cProfile.Profile() if options.profile and round_ == "third" else None
        clock = time.perf_counter()
        package = _planned(person, entity, staff)
        planned = time.perf_counter() - clock
        if profile:
            profile.enable()
        clock = time.perf_counter()
        made = make_package(package=package)
        spent = time.perf_counter() - clock
        if profile:
            profile.disable()
            pstats.Stats(profile).sort_stats("tottime").print_stats(30)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{round_}: {made.counts['rows']:,} rows, planned in {planned:.1f} s, made in {spent:.1f} s, "
            f"{made.file_bytes / 1e6:.1f} MB, others taken out at {made.plan['places']:,} places; {memory:.0f} MB used"
        )


def _planned(person: UUID, entity: Entity, staff: Staff) -> Package:
    """Return a package that may be made, approved by a second person as a large one must be."""
    from comity.rights.packages.making import ask_second_person, begin_package, tick_chore
    from comity.rights.packages.planning import chores_of, needs_approval, plan_package
    from comity.rights.requests.models import Request
    from comity.staff.approvals import settle_approval
    from comity.staff.walls import behind_wall

    with behind_wall(staff=staff.ref, entities=[entity.ref]):
        request = Request.objects.create(
            entity=entity, person=person, kind="access", came_by="email", language="en", received_on=date(2026, 11, 2)
        )
        package = plan_package(request=request, reader=staff)
        for chore in chores_of(package):
            package = tick_chore(package=package, chore=chore.id, done=True, staff=staff)
        if needs_approval(package):
            settle_approval(
                approval=ask_second_person(package=package, reason="bench", asked_by=staff), approved=True,
                settled_by=_second(),
            )  # fmt: skip
        return begin_package(package=package, reader=staff)


def _second() -> Staff:
    from django.utils import timezone

    from comity.staff.models import RoleGrant, Staff

    staff, made = Staff.objects.get_or_create(name="Wim", email="wim@bench.example")
    if made:
        RoleGrant.objects.create(staff=staff, role="privacy-officer", reason="bench", begins_at=timezone.now())
    return staff


if __name__ == "__main__":
    main()
