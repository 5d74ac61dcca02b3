"""How long people's own pages take, through the real web server, while fifty people are on them at once.

Run from the repository: `python -m bench.portal` (see --help). It fills a private PostgreSQL with invented people, of
whom some were looked at and decided about; begins a visit for each client; starts the web server as `comity serve`
does; and lets each client open page after page of its own, with a moment to read between them. The bar: a 95th
percentile of 200 ms.
"""

from __future__ import annotations

import argparse
import random
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http.client import HTTPConnection
from itertools import islice
from statistics import median, quantiles
from typing import TYPE_CHECKING, Final

from bench.books import opened_book
from bench.lists import _web_server
from bench.vault import People

if TYPE_CHECKING:
    from uuid import UUID

    from comity.staff.models import Entity, Staff

BAR: Final = 200
"""Milliseconds."""
PAGES: Final = ("", "full/", "full/reach/", "looks/", "decided/", "asked/", "stop/", "ask/erase/")
LOOKED_AT: Final = 20
"""How often each visitor was looked at, and decided about."""


def main() -> None:
    options = _options()
    with opened_book(options.folder) as book:
        entity, persons = _fill(options)
        book.analyze()
        visits = [_visit(entity, person) for person in persons[: options.clients]]
        with _web_server(options, book.environ) as (port, _process):
            _measure(options, port, entity, visits)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.portal", description=__doc__)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--reads", type=float, default=5.0, help="seconds that somebody reads a page, in the mean")
    parser.add_argument("--workers", type=int, default=2, help="processes of the web server")
    parser.add_argument("--threads", type=int, default=1, help="threads of each")
    parser.add_argument("--folder", default="", help="keep the filled book here for the next run")
    return parser.parse_args()


# ---------------------------------------------------------------- filling


def _fill(options: argparse.Namespace) -> tuple[Entity, list[UUID]]:
    from django.contrib.auth.hashers import make_password

    from comity.book.models import Person
    from comity.desk.demo import ORDINARY
    from comity.staff.models import Entity, RoleGrant, Staff
    from comity.staff.walls import behind_wall

    if not Entity.objects.exists():
        entity = Entity.objects.create(name="Firm IE", place="IE", facts={**ORDINARY, "org.lia_on_file": True})
        one = Staff.objects.create(email="s@bench.example", name="Staff", password=make_password(None))
        RoleGrant.objects.create(staff=one, role="sales", reason="bench", begins_at=datetime(2025, 1, 1, tzinfo=UTC))
        with behind_wall(staff=None, entities=[entity.ref]):
            _people(options.people, entity)
            _looked_at(entity, one, list(Person.objects.values_list("ref", flat=True)[: options.clients]))
    entity = Entity.objects.get()
    with behind_wall(staff=None, entities=[entity.ref]):
        return entity, list(Person.objects.order_by("ref").values_list("ref", flat=True)[: options.clients])


def _people(many: int, entity: Entity) -> None:
    from comity.book.actions import Newcomer, NewPoint, add_persons
    from comity.book.models import Reach

    people = iter(People(many))
    while some := list(islice(people, 1_000)):
        add_persons(
            newcomers=[
                Newcomer(
                    name=name, facts={"home": "DE"}, ref=ref, relation={"source": "person"},
                    points=[
                        NewPoint(reach=Reach.EMAIL, value=str(contact["email"])),
                        NewPoint(reach=Reach.PHONE, value=str(contact["phone"])),
                    ],
                )
                for ref, name, contact in some
            ],
            entity=entity, staff=None,
        )  # fmt: skip


def _looked_at(entity: Entity, staff: Staff, persons: Sequence[UUID]) -> None:
    from comity.book.opening import Look, everything_of
    from comity.counsel.actions import decide
    from comity.counsel.questions import Question
    from comity.vault.sealing import FieldClass

    asked = Question(operation="contact", purpose="marketing", channel="email", entity=entity.ref)
    look = Look(viewer=staff, entity=entity, purpose="service")
    for person in persons:
        for _ in range(LOOKED_AT):
            everything_of(look, person, [])
            decide(question=asked, persons=[person], staff=staff, field_classes=[FieldClass.CONTACT])


def _visit(entity: Entity, person: UUID) -> str:
    """Begin a visit of somebody, and return the cookie that their browser would carry."""
    from comity.rights.portal.codes import Lets, Pass, sealed
    from comity.rights.portal.models import Visit
    from comity.rights.portal.signing_in import LONGEST_VISIT
    from comity.staff.walls import behind_wall

    now = datetime.now(UTC)
    with behind_wall(staff=None, entities=[entity.ref]):
        visit = Visit.objects.create(
            entity=entity, mark=b"\0" * 16, persons=[person], begun_at=now, seen_at=now, ends_at=now + LONGEST_VISIT
        )
    return sealed(Pass(lets=Lets.VISIT, ref=visit.ref, entity=entity.ref, address="somebody@bench.example"))


# ---------------------------------------------------------------- fifty people


def _measure(options: argparse.Namespace, port: int, entity: Entity, visits: Sequence[str]) -> None:
    for page in PAGES:
        _get(HTTPConnection("127.0.0.1", port, timeout=60), f"/you/{entity.ref}/{page}", visits[0])
    took = _drive(options, port, [f"/you/{entity.ref}/{page}" for page in PAGES], visits)
    _tell("all pages", [each for some in took.values() for each in some], options)
    for address, some in took.items():
        _tell(f"  {address.removeprefix(f'/you/{entity.ref}')}", some, options)


def _drive(
    options: argparse.Namespace, port: int, addresses: Sequence[str], visits: Sequence[str]
) -> Mapping[str, list[float]]:
    took: dict[str, list[float]] = {address: [] for address in addresses}
    until = time.perf_counter() + options.seconds
    threads = [
        threading.Thread(target=_reads, args=(options, port, visit, took, until, number))
        for number, visit in enumerate(visits)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took


def _reads(  # noqa: PLR0917 - what a thread is given
    options: argparse.Namespace, port: int, visit: str, took: Mapping[str, list[float]], until: float, number: int
) -> None:
    dice, connection = random.Random(number), HTTPConnection("127.0.0.1", port, timeout=60)
    while True:
        time.sleep(dice.expovariate(1 / options.reads))
        if time.perf_counter() >= until:
            return
        address = dice.choice(list(took))
        took[address].append(_get(connection, address, visit))


def _get(connection: HTTPConnection, address: str, visit: str) -> float:
    """Open a page; return the seconds until its last byte. Raises where it is not a page of a visit."""
    begun = time.perf_counter()
    connection.request("GET", address, headers={"Cookie": f"you={visit}", "Accept-Encoding": "identity"})
    answer = connection.getresponse()
    page = answer.read()
    took = time.perf_counter() - begun
    if answer.status != 200 or b"somebody@bench.example" not in page:
        raise RuntimeError(f"{address} answered {answer.status}: {page[:300]!r}")
    return took


def _tell(kind: str, took: Sequence[float], options: argparse.Namespace) -> None:
    if len(took) < 2:
        return
    p95 = quantiles(took, n=20)[18] * 1000
    print(
        f"{kind:24} {len(took) / options.seconds:6.1f} pages/s  p50 {median(took) * 1000:7.1f} ms  p95 {p95:7.1f} ms  "
        f"at most {max(took) * 1000:7.1f} ms  {'within' if p95 <= BAR else 'BEYOND'} {BAR} ms",
        flush=True,
    )


if __name__ == "__main__":
    main()
