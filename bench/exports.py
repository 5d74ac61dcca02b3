"""Exports: what a person who is taken out costs of our processor. `python -m bench.exports --people 50000`.

The people are those of bench.vault: a name, an e-mail address, a phone number, with facts as varied as in life. The
whole way is measured: asking the law, recording that, opening, writing and sealing the file. The database works beside,
as for a book of which it has seen what is in it, and shows us what the application's own role may see.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import random
import time
from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING

from bench.books import opened_book
from bench.vault import People

if TYPE_CHECKING:
    from comity.book.actions import Newcomer
    from comity.staff.models import Entity, Staff

HOMES = ("DE", "FR", "ES", "IE", "IT", "GB", "PL", "NL", "SE", "AT", "US-CA", "US-NY", "US-TX", "CN", "JP", "DE|FR")
TODAY = date(2026, 11, 22)
FORMATS = ("csv", "json", "vcard", "xlsx")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.exports", description=__doc__)
    parser.add_argument("--people", type=int, default=50_000)
    parser.add_argument("--formats", default="csv", help=f"of {', '.join(FORMATS)}, with commas; or all")
    parser.add_argument("--profile", action="store_true", help="show where the time goes")
    options = parser.parse_args()
    with opened_book(COMITY_EXPORT_ALONE="1000000000") as book:
        entity, staff = _firm()
        began = time.process_time()
        _fill(options.people, entity)
        print(f"{options.people:,} people brought in, {time.process_time() - began:.1f} s of our processor")
        book.analyze()
        _measure(options, entity, staff)


def _measure(options: argparse.Namespace, entity: Entity, staff: Staff) -> None:
    _take_out("csv", entity, staff, None, most=1_000)  # the law is read and folded once a process
    for format_ in FORMATS if options.formats == "all" else options.formats.split(","):
        profile = cProfile.Profile(time.process_time) if options.profile else None
        _take_out(format_, entity, staff, profile)
        if profile:
            pstats.Stats(profile).sort_stats("tottime").print_stats(35)


def _firm() -> tuple[Entity, Staff]:
    from django.utils import timezone

    from comity.staff.models import Entity, RoleGrant, Staff

    facts = {
        "org.lia_on_file": True, "org.public_body": False, "org.nonprofit": False, "org.hipaa_role": "none",
        "org.financial_institution": False, "org.data_broker": False, "org.online_for_children": False,
        "use.in_notice": True,
    }  # fmt: skip
    entity = Entity.objects.create(name="Comity Dublin Ltd", place="IE", facts=facts)
    staff = Staff.objects.create(name="Vera", email="vera@bench.example")
    RoleGrant.objects.create(staff=staff, role="privacy-officer", reason="bench", begins_at=timezone.now())
    return entity, staff


def _fill(many: int, entity: Entity) -> None:
    from comity.book.actions import add_persons
    from comity.staff.walls import behind_wall

    with behind_wall(staff=None, entities=[entity.ref]):
        add_persons(newcomers=_newcomers(many), entity=entity, staff=None)


def _newcomers(many: int) -> Iterator[Newcomer]:
    from comity.book.actions import Newcomer, NewPoint
    from comity.book.models import Reach

    dice = random.Random(1)
    for ref, name, reached in People(many):
        points = [NewPoint(reach=Reach(reach), value=value) for reach, value in reached.items()]
        since = TODAY - timedelta(days=dice.randrange(2000)) if dice.random() < 0.5 else None
        facts = {
            "home": dice.choice(HOMES), "language": dice.choice(("de", "en", "fr", "zh")),
            "birth_year": dice.choice((None, *range(1940, 2010))),
            "capacity": dice.choice(("consumer", "business", "")),
        }  # fmt: skip
        relation = {
            "customer_since": since, "contract_running": since is not None and dice.random() < 0.6,
            "last_purchase_on": since, "source": dice.choice(("person", "third-party")), "notice": "Customers v2",
            "notice_on": since,
        }  # fmt: skip
        yield Newcomer(name=name, points=points, facts=facts, relation=relation, ref=ref)


def _take_out(
    format_: str, entity: Entity, staff: Staff, profile: cProfile.Profile | None, *, most: int | None = None
) -> None:
    from comity.book.exports.actions import Wanted, ask_export, begin_export, make_file
    from comity.book.exports.columns import COLUMNS
    from comity.book.exports.models import Format
    from comity.book.models import Person
    from comity.staff.walls import behind_wall

    wanted = Wanted(
        entity=entity, purpose="legal-duty", format=Format(format_), columns=[column.id for column in COLUMNS]
    )
    with behind_wall(staff=staff.ref, entities=[entity.ref]):
        persons = list(Person.objects.order_by("ref").values_list("ref", flat=True)[:most])
        export = begin_export(export=ask_export(wanted=wanted, persons=persons, asked_by=staff), staff=staff)
    if profile:
        profile.enable()
    clock, began = time.perf_counter(), time.process_time()
    made = make_file(export=export)
    spent, waited = time.process_time() - began, time.perf_counter() - clock
    if profile:
        profile.disable()
    each = 1e6 * spent / len(persons)
    print(
        f"{format_:5} {len(persons):,} people, {made.permitted:,} in the file ({made.file_bytes / 1e6:.1f} MB): "
        f"{each:.1f} µs of our processor each, {1e6 / each:,.0f} a second; {waited:.1f} s in all"
    )


if __name__ == "__main__":
    main()
