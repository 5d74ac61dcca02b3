"""Erasing people: one with a long history by itself, and many prospects at once. `python -m bench.erasing`.

A private PostgreSQL that waits for the disk at each commit (fsync); people with two contact points and a call each, and
one with as many activities as said. What is measured is the action, from its call to its commit.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from bench.imports import FACTS
from bench.vault import SETTINGS
from tests import private_postgres as server


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.erasing", description=__doc__)
    parser.add_argument("--entries", type=int, default=10_000, help="activities of the one with a long history")
    parser.add_argument("--people", type=int, default=10_000)
    options = parser.parse_args()
    server.SPEED = SETTINGS
    binaries = server.binaries()
    assert binaries is not None, "no PostgreSQL server here"
    with tempfile.TemporaryDirectory(prefix="comity-bench-") as folder, server.private_postgres(binaries) as url:
        Path(folder).chmod(0o700)
        os.environ |= {
            "DATABASE_URL": url, "COMITY_FOLDER": folder, "COMITY_SECRET_KEY": "of the benchmark alone",
            "DJANGO_SETTINGS_MODULE": "comity.web.settings",
        }  # fmt: skip
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        _measure(options)


def _measure(options: argparse.Namespace) -> None:
    from comity.retention.erasing.actions import MOST_AT_ONCE, erase_person, erase_persons
    from comity.retention.erasing.models import Why
    from comity.staff.models import Entity
    from comity.staff.walls import behind_wall
    from comity.vault import rotation

    rotation.begin_first_epoch(staff=None)
    entity = Entity.objects.create(name="Comity Dublin Ltd", place="IE", facts=FACTS)
    with behind_wall(staff=None, entities=[entity.ref]):
        people = _fill(entity, options.people, 1)
    long = []
    for _ in range(5):
        with behind_wall(staff=None, entities=[entity.ref]):
            (one,) = _fill(entity, 1, options.entries)
        begun = time.perf_counter()
        with behind_wall(staff=None, entities=[entity.ref]):
            erase_person(person=one, entity=entity, why=Why.ASKED, staff=None)
        long.append(time.perf_counter() - begun)
    print(f"one person with {options.entries:,} activities: {median(long):.2f} s, at most {max(long):.2f} s")
    short = []
    for person in people[:50]:
        begun = time.perf_counter()
        with behind_wall(staff=None, entities=[entity.ref]):
            erase_person(person=person, entity=entity, why=Why.ASKED, staff=None)
        short.append(time.perf_counter() - begun)
    print(f"one person among {options.people:,}: {median(short) * 1000:.0f} ms, at most {max(short) * 1000:.0f} ms")
    rest, begun, most = people[50:], time.perf_counter(), 0.0
    for start in range(0, len(rest), MOST_AT_ONCE):
        one_begun = time.perf_counter()
        with behind_wall(staff=None, entities=[entity.ref]):
            erase_persons(persons=rest[start : start + MOST_AT_ONCE], entity=entity, why=Why.QUIET, staff=None)
        most = max(most, time.perf_counter() - one_begun)
    took = time.perf_counter() - begun
    print(f"{len(rest):,} at {MOST_AT_ONCE} a transaction: {took:.1f} s, {len(rest) / took:,.0f} a second; "
          f"the longest transaction {most:.2f} s; 100,000 would take {took / len(rest) * 100_000:.0f} s")  # fmt: skip


def _fill(entity: Any, many: int, activities: int) -> list[Any]:  # noqa: ANN401 - an Entity
    from comity.book.actions import Firms, NewActivity, Newcomer, NewPoint, write_persons
    from comity.book.models import Reach
    from comity.refs import new_refs

    first = datetime(2024, 1, 1, tzinfo=UTC)
    newcomers = [
        Newcomer(
            ref=ref, name={"given": "Nobody", "family": f"Number{number}"}, facts={"home": "DE"},
            points=[
                NewPoint(reach=Reach.EMAIL, value=f"nobody{number}@example.com"),
                NewPoint(reach=Reach.PHONE, value=f"+49 30 {number:08d}"),
            ],
            activities=[
                NewActivity(doing="call", at=first + timedelta(hours=hour), text=f"Call {hour}")
                for hour in range(activities)
            ],
        )
        for number, ref in enumerate(new_refs(many))
    ]  # fmt: skip
    for start in range(0, many, 5_000):
        write_persons(batch=newcomers[start : start + 5_000], entity=entity, firms=Firms(entity))
    return [one.ref for one in newcomers]


if __name__ == "__main__":
    main()
