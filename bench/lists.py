"""How long the list of people takes, through the real web server, signed in, while twenty people use it.

Run from the repository: `python -m bench.lists` (see --help). It fills a private PostgreSQL with invented people,
starts the web server as `comity serve` does, and lets clients with sessions of their own open list after list over
HTTP: first pages, later pages, filters, other orders. Each client waits for its answer and asks again at once. It
prints what the middle and the slowest twentieth took, and how much processor time one list took: of the web server, of
PostgreSQL, and of the clients, who share the machine.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from html import unescape
from http.client import HTTPConnection
from itertools import accumulate, islice
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any, Final

from bench.books import opened_book
from bench.vault import People
from comity.law.cache import collector_paused

if TYPE_CHECKING:
    from uuid import UUID

    from bench.vault import Person as Invented
    from comity.book.models import ContactPoint, Person, Relation
    from comity.staff.models import Entity, Staff
    from comity.vault.sealing import Label

HOMES: Final = {"DE": 16, "US-CA": 12, "CN": 12, "FR": 10, "GB": 10, "IE": 8, "ES": 7, "PL": 6, "SE": 4, "NL": 4,
                "IT": 4, "AT": 2, "MT": 1, "LU": 1, "DE|FR": 1, "": 2}  # fmt: skip
"""Where people live, and how many of a hundred."""
LANGUAGES: Final = ("en", "de", "fr", "es", "zh-hans", "pl", "")
TAGS: Final = ("Newsletter", "VIP", "Trade fair 2025", "Reseller", "Press")
AT_ONCE: Final = 10_000
MANY_FIRMS: Final = 2_000
SHARES: Final = (0.7, 0.29, 0.01)
"""How the people are spread over our entities: the last one is small."""


def main() -> None:
    options = _options()
    with opened_book(options.folder) as book:
        filled = _fill(options.people)
        book.analyze()
        if not options.only_fill:
            _measure(options, filled, book.environ)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.lists", description=__doc__)
    parser.add_argument("--people", type=int, default=50_000)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--looks", type=float, default=1.0, help="seconds that somebody looks at a page, in the mean")
    parser.add_argument("--workers", type=int, default=2, help="processes of the web server")
    parser.add_argument("--threads", type=int, default=1, help="threads of each")
    parser.add_argument("--folder", default="", help="keep the filled book here for the next run")
    parser.add_argument("--only-fill", action="store_true")
    return parser.parse_args()


# ---------------------------------------------------------------- filling


def _fill(many: int) -> list[tuple[Staff, Entity]]:
    """Fill the book, unless an earlier run did; return who looks at the lists, and for which entity."""
    from comity.staff.models import Entity, Staff

    if not Entity.objects.exists():
        begun = time.perf_counter()
        _fill_anew(many)
        print(f"filled with {many:,} people in {time.perf_counter() - begun:.0f} s", flush=True)
    entity = Entity.objects.order_by("place").get(place="IE")
    return [(one, entity) for one in Staff.objects.order_by("email")]


def _fill_anew(many: int) -> None:
    from django.contrib.auth.hashers import make_password

    from comity.desk.demo import ORDINARY
    from comity.staff.models import Entity, RoleGrant, Staff
    from comity.staff.walls import behind_wall

    facts = {**ORDINARY, "org.lia_on_file": True, "use.in_notice": True}
    entities = [
        Entity.objects.create(name=f"Firm {place}", place=place, facts=facts) for place in ("IE", "US-DE", "CN")
    ]
    unusable = make_password(None)
    for number in range(40):
        one = Staff.objects.create(email=f"s{number:02d}@bench.example", name=f"Staff {number}", password=unusable)
        RoleGrant.objects.create(staff=one, role="sales", reason="bench", begins_at=datetime(2025, 1, 1, tzinfo=UTC))
    with behind_wall(staff=None, entities=[entity.ref for entity in entities]):
        _people(many, entities)


def _people(many: int, entities: Sequence[Entity]) -> None:
    from comity.book.models import Organisation, Tag

    firms = Organisation.objects.bulk_create(
        Organisation(name=f"Organisation {n:05d}", entities=[entities[0].ref]) for n in range(MANY_FIRMS)
    )
    tags = Tag.objects.bulk_create(Tag(name=name) for name in TAGS)
    dice, people = random.Random(4), iter(People(many))
    while batch := list(islice(people, AT_ONCE)):
        _some(batch, entities, firms, tags, dice)


@collector_paused()
def _some(
    batch: Sequence[Invented], entities: Sequence[Entity], firms: Sequence[Any], tags: Sequence[Any],
    dice: random.Random,
) -> None:  # fmt: skip
    from comity.book.known import copied_at_once
    from comity.book.models import ContactPoint, Person, Post, Relation, Tagging
    from comity.vault.actions import seal_many

    whose = {ref: dice.choices(entities, SHARES)[0] for ref, _, _ in batch}
    with copied_at_once(list(whose)):
        Person.objects.bulk_create(_person(ref, whose[ref], dice) for ref, _, _ in batch)
        Relation.objects.bulk_create(_relation(ref, whose[ref], dice) for ref, _, _ in batch)
        points = {
            ref: [ContactPoint(person_id=ref, reach=reach) for reach in ("email", "phone") if dice.random() < 0.8]
            for ref in whose
        }
        ContactPoint.objects.bulk_create(point for held in points.values() for point in held)
    Post.objects.bulk_create(
        Post(person_id=ref, organisation=dice.choice(firms)) for ref, _, _ in batch if dice.random() < 0.4
    )
    Tagging.objects.bulk_create(
        Tagging(person_id=ref, tag=dice.choice(tags)) for ref, _, _ in batch if dice.random() < 0.3
    )
    seal_many(blobs=(blob for one in batch for blob in _blobs(one, points[one[0]])))


def _blobs(one: Invented, points: Sequence[ContactPoint]) -> Iterator[tuple[Label, dict[str, str]]]:
    from comity.vault.sealing import FieldClass, Label

    ref, name, contact = one
    yield Label(ref, FieldClass.NAME, "person", ref), name
    for point in points:
        yield Label(ref, FieldClass.CONTACT, "point", point.ref), {point.reach: contact[point.reach]}


def _person(ref: UUID, entity: Entity, dice: random.Random) -> Person:
    from comity.book.models import Person

    home = dice.choices(list(HOMES), cum_weights=list(accumulate(HOMES.values())))[0]
    added = datetime(2026, 11, 20, tzinfo=UTC) - timedelta(minutes=dice.randrange(1_000_000))
    return Person(
        ref=ref, home=home, entities=[entity.ref], added_at=added, changed_at=added, language=dice.choice(LANGUAGES),
        capacity=dice.choice(("consumer", "business")),
        last_contact_on=date(2026, 11, 20) - timedelta(days=dice.randrange(900)) if dice.random() < 0.5 else None,
    )  # fmt: skip


def _relation(ref: UUID, entity: Entity, dice: random.Random) -> Relation:
    from comity.book.models import Relation

    customer = date(2026, 1, 1) - timedelta(days=dice.randrange(900)) if dice.random() < 0.4 else None
    source = dice.choice(("person", "third-party", ""))
    return Relation(
        person_id=ref, entity=entity, customer_since=customer, contract_running=customer is not None, source=source
    )


# ---------------------------------------------------------------- twenty people


def _measure(options: argparse.Namespace, filled: Sequence[tuple[Staff, Entity]], environ: Mapping[str, str]) -> None:
    postmaster = int((Path(environ["COMITY_FOLDER"]) / "postgres/data/postmaster.pid").read_text().split()[0])
    sessions = [_session(staff) for staff, _ in filled[: options.clients]]
    entity = filled[0][1]
    with _web_server(options, environ) as (port, process):
        for kind, addresses in _addresses(entity).items():
            _warm(port, sessions[0], addresses)
            for looks in (0.0, options.looks):
                begun = _processor_times(process.pid, postmaster)
                took = _drive(port, sessions, addresses, options.seconds, looks)
                spent = [now - then for now, then in zip(_processor_times(process.pid, postmaster), begun, strict=True)]
                _tell(f"{kind}, again {f'after {looks:g} s' if looks else 'at once'}", took, spent, options)


def _session(staff: Staff) -> str:
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    store = SessionStore()
    store[SESSION_KEY], store[HASH_SESSION_KEY] = str(staff.pk), staff.get_session_auth_hash()
    store[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
    store.create()
    return str(store.session_key)


@contextmanager
def _web_server(
    options: argparse.Namespace, environ: Mapping[str, str]
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers",
        str(options.workers), "--blocking-threads", str(options.threads), "--no-ws", "--log-level", "warning",
        "comity.web.wsgi:application",
    ]  # fmt: skip
    with subprocess.Popen(command, env={**os.environ, **environ}) as process:  # noqa: S603 - our own interpreter
        try:
            _wait_for(port)
            yield port, process
        finally:
            process.terminate()
            process.wait()


def _wait_for(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            if connection.getresponse().read() == b"ok\n":
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the web server did not answer within a minute")


def _addresses(entity: Entity) -> dict[str, list[str]]:
    return {
        "first page": [f"/people/?entity={entity.ref}"],
        "filters": [
            f"/people/?entity={entity.ref}&{query}"
            for query in ("home=DE", "home=MT", "customer=yes&home=FR", "reach=email", "language=de&sort=-contact",
                          "contact_before=2025-06-01", "capacity=business&source=person")
        ],
        "orders": [f"/people/?entity={entity.ref}&sort={sort}" for sort in ("contact", "-contact", "home", "-changed")],
        "as people go": [f"/people/?entity={entity.ref}{query}" for query in ("", "&home=DE", "&sort=-contact", "+")],
    }  # fmt: skip


def _warm(port: int, session: str, addresses: Sequence[str]) -> None:
    client = Client(port, session)
    for address in addresses * 4:
        client.get(address.rstrip("+"))


class Client:
    """One browser: a connection that is kept, and a session."""

    def __init__(self, port: int, session: str) -> None:
        self.connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Cookie": f"session={session}", "Accept-Encoding": "identity"}
        self.next = ""

    def get(self, address: str) -> float:
        """Open a page; return the seconds until its last byte. Raises where it is not a list with people."""
        begun = time.perf_counter()
        self.connection.request("GET", address, headers=self.headers)
        answer = self.connection.getresponse()
        page = answer.read()
        took = time.perf_counter() - begun
        if answer.status != 200 or page.count(b"<tr") < 2:
            raise RuntimeError(f"{address} answered {answer.status} with {page.count(b'<tr')} rows: {page[:300]!r}")
        found = re.search(rb'rel="next" href="([^"]+)"', page)
        self.next = f"/people/{unescape(found[1].decode())}" if found else ""
        return took


def _drive(port: int, sessions: Sequence[str], addresses: Sequence[str], seconds: float, looks: float) -> list[float]:
    """Let all clients ask until the time is over; return what each answer took."""
    took: list[list[float]] = [[] for _ in sessions]
    until = time.perf_counter() + seconds
    threads = [
        threading.Thread(
            target=_ask,
            args=(Client(port, session), addresses, until, looks),
            kwargs={"took": took[number], "number": number},
        )
        for number, session in enumerate(sessions)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [each for one in took for each in one]


def _ask(
    client: Client, addresses: Sequence[str], until: float, looks: float, *, took: list[float], number: int
) -> None:
    dice = random.Random(number)
    while time.perf_counter() < until:
        address = dice.choice(addresses)
        if address.endswith("+"):  # the page after the one that was opened last
            address = client.next or address.rstrip("+")
        if looks:
            time.sleep(dice.expovariate(1 / looks))
        took.append(client.get(address))


def _processor_times(web: int, postgres: int) -> list[float]:
    """Return the processor time, in seconds, of the web server, of PostgreSQL, and of ourselves: the clients."""
    return [_processor_time(web), _processor_time(postgres), time.process_time()]


def _processor_time(process: int) -> float:
    """Return the processor time, in seconds, of a process and of what it started and is still there."""
    ours, ticks = {str(process)}, 0
    for path in sorted(Path("/proc").glob("[0-9]*/stat"), key=lambda path: int(path.parent.name)):
        try:
            words = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if words[1] in ours or path.parent.name in ours:
            ours.add(path.parent.name)
            ticks += int(words[11]) + int(words[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _tell(kind: str, took: Sequence[float], spent: Sequence[float], options: argparse.Namespace) -> None:
    cuts = quantiles(took, n=20)
    web, postgres, clients = (seconds / len(took) * 1000 for seconds in spent)
    print(
        f"{kind:28} {len(took) / options.seconds:7.1f} lists/s  p50 {median(took) * 1000:7.1f} ms  "
        f"p95 {cuts[18] * 1000:7.1f} ms  at most {max(took) * 1000:7.1f} ms  "
        f"processor a list: web {web:.2f} ms, PostgreSQL {postgres:.2f} ms, clients {clients:.2f} ms",
        flush=True,
    )


if __name__ == "__main__":
    main()
