"""How long it takes to know what the law says of a million people, and to read out those whom it permits.

    python -m bench.audience [--people 1000000] [--rounds 5] [--folder F]

PostgreSQL is a private one as Comity starts it for itself, durable; we are the application's own role, behind the wall.
Each round counts verdicts as the page of an audience does, and runs a plain aggregate over the same rows beside it: the
columns that the count reads, over the same joins, grouped by home. Then one decision is recorded and those whom it
permits are streamed, refs alone: whoever opens their addresses asks the vault, and that is measured by bench.exports.
The people are invented, half of them with a yes on record; a few thousand kinds of them are unlike for the law.
"""

from __future__ import annotations

import argparse
import os
import time
from statistics import median
from typing import TYPE_CHECKING, Final
from uuid import UUID

from bench.books import opened_book
from bench.segments import Took, Watch

if TYPE_CHECKING:
    from comity.counsel.questions import Question

FIRM: Final = UUID("0198aaaa-0000-7000-8000-000000000001")
FACTS: Final = {
    "org.lia_on_file": True, "org.public_body": False, "org.nonprofit": False, "org.hipaa_role": "none",
    "org.financial_institution": False, "org.data_broker": False, "org.online_for_children": False,
    "use.in_notice": True,
}  # fmt: skip
HOMES: Final = {"DE": 16, "US-CA": 12, "CN": 12, "FR": 10, "GB": 10, "IE": 8, "ES": 7, "PL": 6, "SE": 4, "NL": 4,
                "IT": 4, "AT": 2, "MT": 1, "DE|FR": 1, "US-CA|US-NV": 1, "": 2}  # fmt: skip
"""Where people live, and how many of a hundred."""
FILL: Final = (
    "SELECT setseed(0.5)",
    """
    INSERT INTO book_person (ref, home, home_from, language, birth_year, birth_month, capacity, subscriber, entities,
                             objected_at, opt_out_signal_at, restricted_at, deceased_at)
    SELECT (left(time, 8) || '-' || right(time, 4) || '-7' || substr(rest, 1, 3) || '-8' || substr(rest, 4, 3) || '-'
            || substr(rest, 7, 12))::uuid,
           (%(homes)s::text[])[1 + floor(random() * 100)::int], '{}',
           (ARRAY['en', 'de', 'fr', 'zh-hans', ''])[1 + floor(random() * 5)::int],
           CASE WHEN of_year THEN 1935 + floor(random() * 77)::int END, CASE WHEN of_year AND of_month THEN month END,
           CASE WHEN business THEN 'business' WHEN random() < 0.93 THEN 'consumer' ELSE '' END,
           CASE WHEN business AND random() < 0.2 THEN 'corporate' ELSE '' END, ARRAY[%(firm)s::uuid],
           CASE WHEN random() < 0.02 THEN now() END, CASE WHEN random() < 0.01 THEN now() END,
           CASE WHEN random() < 0.002 THEN now() END, CASE WHEN random() < 0.003 THEN now() END
    FROM (
        SELECT lpad(to_hex(1763800000000 + n), 12, '0') AS time, md5(n::text) AS rest, random() < 0.3 AS of_year,
               random() < 0.3 AS business, 1 + floor(random() * 12)::int AS month, random() < 0.8 AS of_month
        FROM generate_series(1, %(people)s) AS n
    ) AS made
    """,
    """
    INSERT INTO book_relation (ref, person_id, entity_id, customer_since, contract_running, address_from_sale,
                               refusal_offered, last_purchase_on, last_inquiry_on, source, notice)
    SELECT gen_random_uuid(), ref, %(firm)s, CASE WHEN customer THEN date '2022-01-01' + day END,
           customer AND random() < 0.3, customer AND random() < 0.8, customer AND random() < 0.7,
           CASE WHEN customer THEN date '2023-01-01' + day END,
           CASE WHEN random() < 0.1 THEN date '2023-01-01' + day END,
           CASE WHEN customer OR random() < 0.6 THEN 'person' WHEN random() < 0.5 THEN 'published' WHEN random() < 0.7
                THEN 'third-party' ELSE '' END, ''
    FROM (SELECT ref, random() < 0.4 AS customer, floor(random() * 1400)::int AS day FROM book_person) AS made
    """,
    """
    INSERT INTO book_contactpoint (ref, person_id, reach, first, mobile, impersonal)
    SELECT gen_random_uuid(), ref, reach, true, CASE WHEN reach = 'phone' AND random() < 0.8 THEN random() < 0.7 END,
           reach = 'email' AND random() < 0.02
    FROM (SELECT ref, ARRAY[random() < 0.9, random() < 0.004, random() < 0.6] AS has FROM book_person) AS made,
         unnest(ARRAY['email', 'email', 'phone'], has) AS of (reach, had)
    WHERE had
    """,
    """
    INSERT INTO consent_consent (ref, person, entity_id, purpose, channel, said, said_at, express, separate, written,
                                 parental, names_caller, double_opt_in, notice, source)
    SELECT gen_random_uuid(), ref, %(firm)s, 'marketing', channel, 'given', now() - random() * interval '900 days',
           CASE WHEN form < 8 THEN true END, form < 4, form = 0, false, form < 3, form < 5,
           CASE WHEN form < 8 THEN 'News v' || form / 3 ELSE '' END, CASE WHEN form < 9 THEN 'form' ELSE '' END
    FROM (SELECT ref, floor(random() * 10)::int AS form, ARRAY[random() < 0.5, random() < 0.15] AS has
          FROM book_person) AS made,
         unnest(ARRAY['email', 'call'], has) AS of (channel, had)
    WHERE had
    """,
    """
    INSERT INTO consent_standing (ref, person, entity_id, purpose, channel, given_id, withdrawn)
    SELECT gen_random_uuid(), person, entity_id, purpose, channel, CASE WHEN no THEN NULL ELSE ref END, no
    FROM (SELECT *, random() < 0.06 AS no FROM consent_consent) AS said
    """,
    """
    INSERT INTO consent_standing (ref, person, entity_id, purpose, channel, withdrawn, opted_out_on)
    SELECT gen_random_uuid(), ref, %(firm)s, 'marketing', channel, true, date '2026-01-01' + floor(random() * 300)::int
    FROM (SELECT ref, ARRAY[random() < 0.05, random() < 0.05] AS has FROM book_person) AS made,
         unnest(ARRAY['email', 'call'], has) AS of (channel, had)
    WHERE had ON CONFLICT DO NOTHING
    """,
)


BARS: Final = {"seconds": 2.0, "streamed": 50_000}


def main() -> None:
    options = _options()
    with opened_book(options.folder) as book:
        _fill(options.people)
        book.analyze()
        _measure(options.rounds)


def _measure(rounds: int) -> None:
    """Count and aggregate in turn, then decide and stream; print the middle of each beside its bar."""
    first = _counted()
    print(f"the first count, with every kind of people new to the law: {first}", flush=True)
    counts, floors = [], []
    for number in range(1, rounds + 1):
        counts.append(_counted())
        floors.append(_floor())
        print(
            f"  round {number}: count {counts[-1]}   aggregate {floors[-1]}   load {os.getloadavg()[0]:.1f}", flush=True
        )
    seconds = median(took.seconds for took in counts)
    _line("verdicts counted, seconds", seconds, BARS["seconds"], holds=seconds <= BARS["seconds"])
    pairs = list(zip(counts, floors, strict=True))
    clock = median(count.seconds / floor.seconds for count, floor in pairs)
    processor = median(count.processor / floor.processor for count, floor in pairs)
    spent = median(took.processor for took in counts)
    print(
        f"  {clock:.2f} times the aggregate by the clock, {processor:.2f} times in processor time; {spent:.2f} s of it"
    )
    decided, streamed, many = _streamed()
    rate = many / streamed.seconds
    _line("permitted people streamed, a second", rate, BARS["streamed"], holds=rate >= BARS["streamed"])
    print(f"  {many:,} people in {streamed}; the decision before it, a row for everybody: {decided}", flush=True)


def _line(what: str, found: float, bar: float, *, holds: bool) -> None:
    print(f"{what}: {found:,.2f} (bar {bar:,.0f}): {'holds' if holds else 'DOES NOT HOLD'}", flush=True)


def _question() -> Question:
    from comity.counsel.questions import Question

    return Question(operation="contact", purpose="marketing", channel="email", entity=FIRM)


def _counted() -> Took:
    from comity.book.queries import everybody_of
    from comity.counsel.counting import count_persons
    from comity.staff.walls import behind_wall

    with behind_wall(staff=None, entities=[FIRM]):
        watch = Watch()
        count = count_persons(question=_question(), persons=everybody_of(FIRM))
        took = watch.took()
    assert count.people == sum(count.verdicts.values())
    return took


def _floor() -> Took:
    """Aggregate the same columns of the same rows, by home alone, with the same settings."""
    from django.db import connection
    from django.utils import timezone

    from comity.counsel.asking import plan_for
    from comity.counsel.bulk import composed
    from comity.counsel.bulk_codes import coding_of, parameters
    from comity.counsel.counting import WHOLE
    from comity.counsel.facts import columns_for, the_copy
    from comity.staff.walls import behind_wall

    question, day = _question(), timezone.localdate()
    plan = plan_for(question, day)
    columns = {fact: column for room in columns_for(question, day).values() for fact, column in room.facts.items()}
    tested = [columns[fact] for fact in plan.tests_of if fact in columns]
    read = ", ".join(f"count({sql})" for sql in sorted({sql for one in tested for sql in (one.sql, one.upper) if sql}))
    copy = the_copy()
    assert copy is not None
    joins = " ".join(coding_of(plan, question, day).quick)
    statement = composed(
        f"SELECT person.home, count(*), {read} FROM ({copy.persons}) AS person {joins} GROUP BY 1",
        parameters(question),
    )
    with behind_wall(staff=None, entities=[FIRM]), connection.cursor() as cursor:
        for name, value in WHOLE.items():
            cursor.execute("SELECT set_config(%s, %s, true)", [name, value])
        watch = Watch()
        cursor.execute(statement)
        assert cursor.fetchall()
        return watch.took()


def _streamed() -> tuple[Took, Took, int]:
    """Record a decision and stream whom it permits; take it back afterwards, for the next run."""
    from django.db import transaction

    from comity.book.queries import everybody_of
    from comity.counsel.bulk import decide_segment, permitted_in_turn
    from comity.staff.walls import behind_wall

    with behind_wall(staff=None, entities=[FIRM]):
        watch = Watch()
        segment = decide_segment(question=_question(), persons=everybody_of(FIRM), staff=None)
        decided = watch.took()
        watch = Watch()
        many = sum(len(some) for some in permitted_in_turn(segment))
        streamed = watch.took()
        assert many == segment.permitted
        transaction.set_rollback(True)
    return decided, streamed, many


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.audience", description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", default="", help="keep the filled book here for the next run")
    return parser.parse_args()


def _fill(people: int) -> None:
    from django.db import connection

    from comity.book.known import WRITE
    from comity.book.models import Person
    from comity.staff.models import Entity
    from comity.staff.walls import behind_wall

    begun = time.perf_counter()
    Entity.objects.get_or_create(ref=FIRM, defaults={"name": "Firm", "place": "IE", "facts": FACTS})
    homes = [home for home, many in HOMES.items() for _ in range(many)]
    with behind_wall(staff=None, entities=[FIRM]), connection.cursor() as cursor:
        if Person.objects.exists():
            return
        cursor.execute("SELECT set_config('comity.copied_later', 'on', true)")  # as who brings many people in
        for statement in FILL:
            cursor.execute(statement, {"homes": homes, "firm": FIRM, "people": people})
        cursor.execute(WRITE)
    print(f"filled with {people:,} people in {time.perf_counter() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()
