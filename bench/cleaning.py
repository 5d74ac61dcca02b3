"""How long it takes to erase prospects gone quiet, and what a page takes meanwhile.

Run from the repository: `python -m bench.cleaning` (see --help). It fills a private PostgreSQL with invented people, of
most of whom nothing was heard for five years; previews them; then a process of its own erases them batch by batch, as
the job of the night does, while people open lists over HTTP through the real web server. It prints how long that took,
and what the middle and the slowest twentieth of the pages took, before and meanwhile. Last, rows past their clock go.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from statistics import median, quantiles
from typing import TYPE_CHECKING, Final

from bench.books import opened_book
from bench.lists import Client, _session, _warm, _web_server
from bench.vault import People
from comity.law.cache import collector_paused

if TYPE_CHECKING:
    from bench.vault import Person as Invented
    from comity.staff.models import Entity, Staff

AT_ONCE: Final = 5_000
HOMES: Final = ("DE", "FR", "IE", "GB", "US-CA", "CN", "")
LONG_AGO: Final = datetime(2021, 3, 1, tzinfo=UTC)
CLEANER: Final = """
import django
django.setup()
from datetime import timedelta
from django.utils import timezone
from comity.retention.schedule.quiet import go_through
print(go_through(timezone.localdate() + timedelta(days=30)))
"""
"""What the job of the night does, on a day on which the preview has had its days."""


def main() -> None:
    options = _options()
    with opened_book() as book:
        firm, staff = _fill(options.prospects, options.others)
        book.analyze()
        _preview(firm)
        with _web_server(options, book.environ) as (port, _process):
            sessions = [_session(one) for one in staff[: options.clients]]
            addresses = [f"/people/?entity={firm.ref}&home=IE", f"/people/?entity={firm.ref}&sort=-changed"]
            _warm(port, sessions[0], addresses)
            before = Watch(port, sessions, addresses, options.looks)
            time.sleep(options.seconds)
            _tell("pages before", before.stop())
            meanwhile = Watch(port, sessions, addresses, options.looks)
            took, erased = _clean(book.environ)
            _tell("pages meanwhile", meanwhile.stop())
        print(f"{erased:,} prospects erased in {took:.1f} s, {erased / took:,.0f} a second (at most 600 s for 100,000)")
        _rows(firm, options.rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.cleaning", description=__doc__)
    parser.add_argument("--prospects", type=int, default=100_000)
    parser.add_argument("--others", type=int, default=10_000, help="people who stay")
    parser.add_argument("--rows", type=int, default=100_000, help="rows past their clock")
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--looks", type=float, default=0.5, help="seconds that somebody looks at a page, in the mean")
    parser.add_argument("--workers", type=int, default=1, help="processes of the web server")
    parser.add_argument("--threads", type=int, default=2, help="threads of each")
    return parser.parse_args()


# ---------------------------------------------------------------- filling


def _fill(prospects: int, others: int) -> tuple[Entity, list[Staff]]:
    from django.contrib.auth.hashers import make_password

    from comity.desk.demo import ORDINARY
    from comity.staff.models import Entity, RoleGrant, Staff
    from comity.staff.walls import behind_wall

    begun = time.perf_counter()
    firm = Entity.objects.create(name="Firm IE", place="IE", facts={**ORDINARY, "org.lia_on_file": True})
    unusable = make_password(None)
    staff = [
        Staff.objects.create(email=f"s{number:02d}@bench.example", name=f"Staff {number}", password=unusable)
        for number in range(8)
    ]
    for one in staff:
        RoleGrant.objects.create(staff=one, role="sales", reason="bench", begins_at=datetime(2025, 1, 1, tzinfo=UTC))
    with behind_wall(staff=None, entities=[firm.ref]):
        dice, people, left = random.Random(6), iter(People(prospects + others)), prospects
        while batch := list(islice(people, AT_ONCE)):
            _some(batch, firm, dice, quiet=min(left, len(batch)))
            left -= min(left, len(batch))
    print(f"filled with {prospects + others:,} people in {time.perf_counter() - begun:.0f} s", flush=True)
    return firm, staff


@collector_paused()
def _some(batch: Sequence[Invented], firm: Entity, dice: random.Random, *, quiet: int) -> None:
    """Write people with an address, an activity and its note; the first so many were last heard of long ago."""
    from comity.book.known import copied_at_once
    from comity.book.models import Activity, ContactPoint, Person, Relation
    from comity.vault.actions import seal_many
    from comity.vault.sealing import FieldClass, Label

    added = [LONG_AGO if n < quiet else datetime(2026, 11, 1, tzinfo=UTC) for n in range(len(batch))]
    with copied_at_once([ref for ref, _, _ in batch]):
        Person.objects.bulk_create(
            Person(ref=ref, home=dice.choice(HOMES) if at == LONG_AGO else "IE", entities=[firm.ref], added_at=at,
                   changed_at=at, last_contact_on=at.date())
            for (ref, _, _), at in zip(batch, added, strict=True)
        )  # fmt: skip
        Relation.objects.bulk_create(Relation(person_id=ref, entity=firm, source="person") for ref, _, _ in batch)
        points = [ContactPoint(person_id=ref, reach="email") for ref, _, _ in batch]
        ContactPoint.objects.bulk_create(points)
    spoken = [
        Activity(person_id=ref, entity=firm, doing="call", at=datetime.now(UTC) - timedelta(days=30))
        for ref, _, _ in batch
    ]
    Activity.objects.bulk_create(spoken)
    blobs = [(Label(ref, FieldClass.NAME, "person", ref), name) for ref, name, _ in batch]
    blobs += [
        (Label(one[0], FieldClass.CONTACT, "point", point.ref), {"email": one[2]["email"]})
        for one, point in zip(batch, points, strict=True)
    ]
    blobs += [(Label(row.person_id, FieldClass.NOTE, "activity", row.ref), {"text": "Called back."}) for row in spoken]
    seal_many(blobs=sorted(blobs, key=lambda blob: blob[0].person))  # it wants those of a person side by side


def _preview(firm: Entity) -> None:
    """Switch the policy on, and preview who would go."""
    from comity.retention.schedule.models import QuietRound
    from comity.retention.schedule.quiet import go_through, set_quiet_policy
    from comity.staff.models import RoleGrant, Staff
    from comity.staff.walls import behind_wall

    olga = Staff.objects.create(email="olga@bench.example", name="Olga")
    RoleGrant.objects.create(
        staff=olga, role="privacy-officer", reason="bench", begins_at=datetime(2025, 1, 1, tzinfo=UTC)
    )
    with behind_wall(staff=olga.ref, entities=[firm.ref]):
        set_quiet_policy(entity=firm, on=True, months=36, ahead=7, set_by=olga)
    begun = time.perf_counter()
    go_through()
    with behind_wall(staff=None, entities=[firm.ref]):
        found = QuietRound.objects.get()
        print(f"{found.people:,} previewed in {time.perf_counter() - begun:.2f} s: {found.counts}", flush=True)


# ---------------------------------------------------------------- cleaning, and pages meanwhile


def _clean(environ: Mapping[str, str]) -> tuple[float, int]:
    begun = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", CLEANER], env=dict(environ) | _path(), check=True, capture_output=True, text=True
    )
    return time.perf_counter() - begun, int(done.stdout.split()[-1])


def _path() -> dict[str, str]:
    import os

    return {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "HOME", "TMPDIR") if name in os.environ}


class Watch:
    """People who open pages until they are told to stop."""

    def __init__(self, port: int, sessions: Sequence[str], addresses: Sequence[str], looks: float) -> None:
        self.took: list[float] = []
        self._over = threading.Event()
        given = (addresses, looks)
        self._threads = [
            threading.Thread(target=self._ask, args=(Client(port, session), *given, number))
            for number, session in enumerate(sessions)
        ]
        for thread in self._threads:
            thread.start()

    def _ask(self, client: Client, addresses: Sequence[str], looks: float, number: int) -> None:
        dice = random.Random(number)
        while not self._over.wait(dice.expovariate(1 / looks)):
            self.took.append(client.get(dice.choice(addresses)))

    def stop(self) -> list[float]:
        """Return what each page took, in seconds."""
        self._over.set()
        for thread in self._threads:
            thread.join()
        return self.took


def _tell(what: str, took: Sequence[float]) -> None:
    p95 = quantiles(took, n=20)[18]
    print(
        f"{what:16} {len(took):6,} pages  p50 {median(took) * 1000:6.1f} ms  p95 {p95 * 1000:6.1f} ms  "
        f"at most {max(took) * 1000:6.1f} ms",
        flush=True,
    )


def _rows(firm: Entity, many: int) -> None:
    """Let activities that are past their clock go, with their notes."""
    from comity.book.models import Activity, Person
    from comity.retention.schedule.cleaning import clean_all
    from comity.staff.walls import behind_wall
    from comity.vault.models import Sealed

    with behind_wall(staff=None, entities=[firm.ref]):
        refs = list(Person.objects.values_list("ref", flat=True)[:1_000])
        at = datetime.combine(date(2020, 1, 1), datetime.min.time(), tzinfo=UTC)
        rows = [Activity(person_id=refs[n % len(refs)], entity=firm, doing="note", at=at) for n in range(many)]
        Activity.objects.bulk_create(rows, batch_size=AT_ONCE)
        notes = {"field_class": "note", "kind": "activity", "schema": 1, "ciphertext": b"x"}
        Sealed.objects.bulk_create(
            (Sealed(person=row.person_id, record=row.ref, **notes) for row in rows), batch_size=AT_ONCE
        )
    begun = time.perf_counter()
    done = clean_all()
    took = time.perf_counter() - begun
    print(f"{sum(one.gone for one in done):,} rows past their clock went in {took:.1f} s: {done}")


if __name__ == "__main__":
    main()
