"""An import of HubSpot contacts, from the file to the book. `python -m bench.imports --people 1000000`.

Invented people with names, e-mail, phone, country, opt-outs, consents and notes, in HubSpot's columns. PostgreSQL is a
private one that waits for the disk at each commit (fsync); the application works as it does in production, under a role
that owns no table. What is measured: the file taken in, looked over, and its people brought into the book. Processor
seconds are those of this program with its processes, and those of PostgreSQL.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bench.vault import FAMILY, SETTINGS, People
from tests import private_postgres as server

if TYPE_CHECKING:
    from comity.book.imports.models import Import
    from comity.staff.models import Entity, Staff

Made = TypeVar("Made")

HEADER = (
    "Record ID", "First Name", "Last Name", "Email", "Phone Number", "City", "Country/Region", "Lifecycle Stage",
    "Became a Customer Date", "Unsubscribed from all email", "Opted in to email: Newsletter", "Consent date",
    "Consent source", "Notes",
)  # fmt: skip
PLACES = (
    ("Germany", "Berlin", "+49 30 "), ("Germany", "Hamburg", "+49 40 "), ("France", "Lyon", "+33 4 "),
    ("United Kingdom", "Leeds", "+44 113 "), ("Ireland", "Cork", "+353 21 "), ("Spain", "Sevilla", "+34 954 "),
    ("Italy", "Torino", "+39 011 "), ("Poland", "Gdańsk", "+48 58 "), ("Netherlands", "Utrecht", "+31 30 "),
    ("Sweden", "Malmö", "+46 40 "),
)  # fmt: skip
NOTES = ("", "", "", "", "", "", "asked for a quote", "prefers mornings", "met at the fair", "keine Werbung mehr")
SHARES = (0.3, 0.25, 0.1)
"""Of all people: customers, those who agreed to e-mail, those who unsubscribed."""
FACTS = {
    "org.lia_on_file": True, "use.in_notice": True, "org.public_body": False, "org.nonprofit": False,
    "org.small_business": False, "org.hipaa_role": "none", "org.financial_institution": False,
    "org.data_broker": False, "org.over_thresholds": True, "org.online_for_children": False, "org.ciio": False,
}  # fmt: skip


def write(path: Path, people: int) -> None:
    """Write so many invented contacts; the same for the same number."""
    assert FAMILY
    dice = random.Random(people)
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(HEADER)
        for number, (_, name, contact) in enumerate(People(people)):
            rows.writerow(_row(dice, number, name, contact["email"].partition("@")[0]))


def _row(dice: random.Random, number: int, name: dict[str, str], mailbox: str) -> tuple[object, ...]:
    country, city, code = dice.choice(PLACES)
    customer, agreed, refused = (dice.random() < share for share in SHARES)
    since = f"20{dice.randrange(18, 26)}-0{dice.randrange(1, 10)}-14" if customer else ""
    said_on = f"20{dice.randrange(22, 26)}-{dice.randrange(1, 13):02d}-{dice.randrange(1, 29):02d}" if agreed else ""
    return (
        number, name["given"], name["family"], f"{mailbox}@example.com", f"{code}{number:08d}"[:18], city, country,
        "customer" if customer else "lead", since, "TRUE" if refused else "", "TRUE" if agreed else "", said_on,
        "Landing page" if agreed else "", dice.choice(NOTES),
    )  # fmt: skip


def main() -> None:
    options = _options()
    server.SPEED = SETTINGS
    binaries = server.binaries()
    assert binaries is not None, "no PostgreSQL server here"
    with tempfile.TemporaryDirectory(prefix="comity-bench-") as folder, server.private_postgres(binaries) as url:
        Path(folder).chmod(0o700)
        owner, login = _roles(url)
        os.environ |= {
            "DATABASE_URL": owner,
            "COMITY_FOLDER": folder,
            "COMITY_SECRET_KEY": "of the benchmark alone",
            "DJANGO_SETTINGS_MODULE": "comity.web.settings",
        }
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        _as_application(login)
        _measure(options, Path(folder) / "contacts.csv")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.imports", description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--profile", action="store_true", help="say where our processor's time goes, in one process")
    parser.add_argument("--alone", action="store_true", help="bring in with one process")
    return parser.parse_args()


def _roles(url: str) -> tuple[str, str]:
    """Make the roles of production; return the addresses of the owner and of the login of the application."""
    from urllib.parse import quote, urlsplit

    from comity.server.roles import DATABASE, LOGIN, OWNER, prepare_roles

    passwords = {OWNER: secrets.token_urlsafe(16), LOGIN: secrets.token_urlsafe(16)}
    prepare_roles(url, passwords=passwords)
    query = urlsplit(url).query
    owner, login = (f"postgresql://{name}:{quote(passwords[name])}@/{DATABASE}?{query}" for name in (OWNER, LOGIN))
    return owner, login


def _as_application(login: str) -> None:
    from django.conf import settings
    from django.db import connections

    from comity.web.settings import database

    connections["default"].close()
    settings.DATABASES["default"].update(database(login, "comity_app"))
    connections.settings["default"].update(database(login, "comity_app"))
    del connections["default"]


def _measure(options: argparse.Namespace, path: Path) -> None:
    write(path, options.people)
    print(f"{'the file':20} {path.stat().st_size / 2**20:8.0f} MB")
    entity, tom = _firm()
    from comity.book.imports import actions, running
    from comity.staff.walls import behind_wall

    if options.profile or options.alone:
        running.WORTH_TWO = 10**9  # type: ignore[misc]  # in this process alone, to be seen
    meter = Meter(options.people)

    def begun() -> Import:
        with behind_wall(staff=tom.ref, entities=[entity.ref]):
            one = actions.begin_import(name="contacts.csv", pieces=_pieces(path), entity=entity, staff=tom)
            choices = actions.Choices(
                purpose="service", asked_purpose="marketing", asked_channel="email", source="person"
            )
            return actions.choose(one=one, choices=choices, staff=tom)

    one = meter.of("taken in", begun)
    one = meter.of("looked over", lambda: actions.look_over_import(one=one))
    print({name: value for name, value in one.found.items() if isinstance(value, int)})
    with behind_wall(staff=tom.ref, entities=[entity.ref]):
        one = actions.begin_run(one=one, staff=tom)
    with _profiled(wanted=options.profile):
        one = meter.of("brought in", lambda: actions.run_import(one=one))
    print(f"{one.persons:,} people, {one.get_stage_display()}")


def _firm() -> tuple[Entity, Staff]:
    from django.utils import timezone

    from comity.staff.models import Entity, RoleGrant, Staff
    from comity.vault import rotation

    rotation.begin_first_epoch(staff=None)
    entity = Entity.objects.create(name="Comity Dublin Ltd", place="IE", facts=FACTS)
    tom = Staff.objects.create(name="Tom Okafor", email="tom@comity.example")
    RoleGrant.objects.create(staff=tom, role="privacy-officer", reason="a benchmark", begins_at=timezone.now())
    return entity, tom


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(2**20):
            yield piece


class Meter:
    """Measures the clock, our processor with our processes', and PostgreSQL's."""

    def __init__(self, people: int) -> None:
        self.people = people

    def of(self, what: str, call: Callable[[], Made]) -> Made:
        """Call, and print what it took."""
        begun, ours, theirs = time.perf_counter(), _ours(), _postgres()
        made = call()
        took, ours, theirs = time.perf_counter() - begun, _ours() - ours, _postgres() - theirs
        million = 1_000_000 / self.people
        print(
            f"{what:20} {took:8.1f} s, processor {ours:.1f} s ours + {theirs:.1f} s PostgreSQL; "
            f"for a million {took * million:,.0f} s, processor {(ours + theirs) * million:,.0f} s",
            flush=True,
        )
        return made


def _ours() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _postgres() -> float:
    """Return the processor seconds of the server with all its processes, those that ended too."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone() or (0,)
    postmaster = _stat(backend)[1]
    pids = [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()]
    spent = [stat for pid in pids if (stat := _stat(pid))[1] == postmaster or pid == postmaster]
    # a process's own time, and of the server itself also that of its children which ended
    ticks = sum(sum(stat[11:13]) for stat in spent) + sum(_stat(postmaster)[13:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[int]:
    """Return the numbers of /proc/<pid>/stat behind the name; the second is the parent."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return [0] * 20
    return [0, *(int(word) for word in told.rpartition(") ")[2].split()[1:])]


@contextmanager
def _profiled(*, wanted: bool) -> Iterator[None]:
    if not wanted:
        yield
        return
    import cProfile
    import pstats

    profile: Any = cProfile.Profile()
    profile.enable()
    yield
    profile.disable()
    pstats.Stats(profile).sort_stats("tottime").print_stats(40)


if __name__ == "__main__":
    main()
