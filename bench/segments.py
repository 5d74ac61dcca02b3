"""A bulk decision inside PostgreSQL, beside an aggregate over the same columns of the same people.

    python -m bench.segments [--people 1000000] [--rounds 5] [--folder F]

PostgreSQL is a private one as Comity starts it for itself, durable; we are the application's own role, behind the wall.
Each round runs the aggregate and then decides, so both meet the machine in the same mood; what counts is the median of
the rounds' quotients. The aggregate counts every column that the decision reads, over the same joins, planned with
the same settings. The decision is the whole verb: facts, kinds, verdicts, a row for everybody, digest, ledger entry.
Processor time is told beside: what else runs on the machine does not change it much.
The people are invented, and more unlike each other than life's: almost every column is drawn by itself.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from bench.books import opened_book

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from comity.counsel.questions import Question

DAY: Final = date(2026, 11, 22)
FIRM: Final = UUID("0198aaaa-0000-7000-8000-000000000001")
QUESTIONS: Final = {
    "marketing by e-mail": ("contact", "marketing", "email"),
    "marketing by call": ("contact", "marketing", "call"),
    "an export": ("export", "marketing", "none"),
}
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
           (%(homes)s::text[])[1 + floor(random() * 100)::int], '{}', '', born,
           CASE WHEN born IS NOT NULL AND of_month THEN month END,
           (ARRAY['consumer', 'consumer', 'business', ''])[1 + floor(random() * 4)::int],
           CASE WHEN random() < 0.1 THEN 'corporate' ELSE '' END, ARRAY[%(firm)s::uuid],
           CASE WHEN random() < 0.02 THEN now() END, CASE WHEN random() < 0.03 THEN now() END,
           CASE WHEN random() < 0.01 THEN now() END, CASE WHEN random() < 0.01 THEN now() END
    FROM (
        SELECT lpad(to_hex(1763800000000 + n), 12, '0') AS time, md5(n::text) AS rest,
               CASE WHEN random() < 0.4 THEN 1930 + floor(random() * 90)::int END AS born,
               1 + floor(random() * 12)::int AS month, random() < 0.5 AS of_month
        FROM generate_series(1, %(people)s) AS n
    ) AS made
    """,
    """
    INSERT INTO book_relation (ref, person_id, entity_id, customer_since, contract_running, address_from_sale,
                               refusal_offered, last_purchase_on, last_inquiry_on, source, notice)
    SELECT gen_random_uuid(), ref, %(firm)s,
           CASE WHEN random() < 0.4 THEN date '2024-01-01' + floor(random() * 600)::int END,
           random() < 0.2, random() < 0.3, random() < 0.3,
           CASE WHEN random() < 0.4 THEN date '2023-01-01' + floor(random() * 1400)::int END,
           CASE WHEN random() < 0.1 THEN date '2023-01-01' + floor(random() * 1400)::int END,
           (ARRAY['person', 'published', 'third-party', ''])[1 + floor(random() * 4)::int], ''
    FROM book_person
    """,
    """
    INSERT INTO book_contactpoint (ref, person_id, reach, first, mobile, impersonal)
    SELECT gen_random_uuid(), ref, reach, true, CASE WHEN reach = 'phone' AND random() < 0.8 THEN random() < 0.6 END,
           random() < 0.05
    FROM book_person, unnest(ARRAY['email', 'phone']) AS reach WHERE random() < 0.8
    """,
    """
    INSERT INTO consent_consent (ref, person, entity_id, purpose, channel, said, said_at, express, separate, written,
                                 parental, names_caller, double_opt_in, notice, source)
    SELECT gen_random_uuid(), ref, %(firm)s, 'marketing', channel, 'given', now() - random() * interval '900 days',
           CASE WHEN random() < 0.8 THEN random() < 0.8 END, random() < 0.5, random() < 0.1, false, random() < 0.2,
           random() < 0.3, CASE WHEN random() < 0.7 THEN 'News v1' ELSE '' END,
           CASE WHEN random() < 0.7 THEN 'form' ELSE '' END
    FROM book_person, unnest(ARRAY['email', 'call']) AS channel WHERE random() < 0.35
    """,
    """
    INSERT INTO consent_standing (ref, person, entity_id, purpose, channel, given_id, withdrawn)
    SELECT gen_random_uuid(), person, entity_id, purpose, channel, ref, false FROM consent_consent
    """,
    """
    INSERT INTO consent_standing (ref, person, entity_id, purpose, channel, withdrawn, opted_out_on)
    SELECT gen_random_uuid(), ref, %(firm)s, 'marketing', channel, random() < 0.3,
           CASE WHEN random() < 0.5 THEN date '2026-01-01' END
    FROM book_person, unnest(ARRAY['email', 'call']) AS channel WHERE random() < 0.3 ON CONFLICT DO NOTHING
    """,
)


def main() -> None:
    options = _options()
    with opened_book(options.folder) as book:
        _fill(options.people)
        book.analyze()
        for name, use in QUESTIONS.items():
            _measure(name, use, options.rounds)
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB at most in our process")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.segments", description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", default="", help="keep the filled book here for the next run")
    return parser.parse_args()


def _fill(people: int) -> None:
    from django.db import connection

    from comity.book.models import Person
    from comity.staff.models import Entity
    from comity.staff.walls import behind_wall

    begun = time.perf_counter()
    Entity.objects.get_or_create(ref=FIRM, defaults={"name": "Firm", "place": "IE", "facts": FACTS})
    homes = [home for home, many in HOMES.items() for _ in range(many)]
    with behind_wall(staff=None, entities=[FIRM]), connection.cursor() as cursor:
        if Person.objects.exists():
            return
        for statement in FILL:
            cursor.execute(statement, {"homes": homes, "firm": FIRM, "people": people})
    print(f"filled with {people:,} people in {time.perf_counter() - begun:.0f} s", flush=True)


# ---------------------------------------------------------------- the two


def _measure(name: str, use: tuple[str, str, str], rounds: int) -> None:
    from comity.book.models import Person
    from comity.counsel.questions import Question

    operation, purpose, channel = use
    question = Question(operation=operation, purpose=purpose, channel=channel, entity=FIRM)
    people = Person.objects.filter(entities__contains=[FIRM], merged_into=None)
    first, told = _decide(question, people)
    print(f"{name}: {told}", flush=True)
    print(f"  the first time, with every kind of people new: {first}", flush=True)
    pairs = [(_aggregate(question, people), _decide(question, people)[0]) for _ in range(rounds)]
    for aggregate, decision in pairs:
        print(f"  aggregate {aggregate}   decision {decision}   {decision.seconds / aggregate.seconds:5.2f} times")
    by_clock = median(decision.seconds / aggregate.seconds for aggregate, decision in pairs)
    by_processor = median(decision.processor / aggregate.processor for aggregate, decision in pairs)
    print(f"  median {by_clock:.2f} times by the clock, {by_processor:.2f} times in processor time", flush=True)


@dataclass(frozen=True)
class Took:
    """How long something took, by the clock and in processor time: ours and that of all of PostgreSQL's processes."""

    seconds: float
    ours: float
    servers: float

    @property
    def processor(self) -> float:
        return self.ours + self.servers

    def __str__(self) -> str:
        return f"{self.seconds:6.2f} s (processor {self.ours:5.2f} ours, {self.servers:5.2f} the server's)"


class Watch:
    """Measures from when it is made."""

    def __init__(self) -> None:
        self.begun, self.ours, self.servers = time.perf_counter(), time.process_time(), _spent_by_server()

    def took(self) -> Took:
        seconds, ours = time.perf_counter() - self.begun, time.process_time() - self.ours
        return Took(seconds, ours, _spent_by_server() - self.servers)


def _spent_by_server() -> float:
    """Return the processor seconds of the server, of its processes, and of those of them that have ended."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        postmaster = proc((cursor.fetchone() or (0,))[0])[1]
    alive = [proc(int(path.name)) for path in Path("/proc").glob("[0-9]*")]
    ticks = sum(sum(map(int, one[11:13])) for one in alive if one and one[1] == postmaster)
    return (ticks + sum(map(int, proc(int(postmaster))[11:15]))) / os.sysconf("SC_CLK_TCK")


def proc(number: int) -> list[str]:
    """Return what the kernel says of a process, from its state on; nothing if it is gone."""
    try:
        return Path(f"/proc/{number}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return []


def _decide(question: Question, people: QuerySet[Any]) -> tuple[Took, str]:
    from django.db.models import QuerySet

    from comity.counsel.bulk import decide_segment
    from comity.counsel.models import SegmentDecision, SegmentFinding, SegmentRow
    from comity.staff.walls import behind_wall

    watch = Watch()
    with behind_wall(staff=None, entities=[FIRM]):
        made = decide_segment(question=question, persons=people, staff=None, day=DAY)
    took = watch.took()
    with behind_wall(staff=None, entities=[FIRM]):
        verdicts = f"{made.permitted:,} permitted, {made.denied:,} denied, {made.asked:,} asked about"
        told = f"{made.people:,} people, {made.findings.count():,} findings, {verdicts}"
        for rows in (SegmentRow, SegmentFinding, SegmentDecision):  # each round writes into the same emptiness
            QuerySet(rows).all()._raw_delete("default")  # noqa: SLF001 - one statement, without reading the rows
    return took, told


def _aggregate(question: Question, people: QuerySet[Any]) -> Took:
    from django.db import connection

    from comity.counsel.asking import plan_for
    from comity.counsel.bulk import _joined, _planned_for
    from comity.counsel.bulk_codes import coding_of
    from comity.counsel.facts import columns_for
    from comity.staff.walls import behind_wall

    plan = plan_for(question, DAY)
    columns = {fact: column for room in columns_for(question, DAY).values() for fact, column in room.facts.items()}
    tested = [columns[fact] for fact in (*plan.tests_of, "person.home") if fact in columns]
    read = sorted({sql for column in tested for sql in (column.sql, column.upper) if sql})
    counted = ", ".join(["count(*)", *(f"count({sql})" for sql in read)])
    with behind_wall(staff=None, entities=[FIRM]), connection.cursor() as cursor, _planned_for(cursor, people):
        joined = _joined(coding_of(plan, question, DAY), people)
        watch = Watch()
        cursor.execute(f"SELECT {counted} FROM {joined}")
        assert cursor.fetchone()
        return watch.took()


if __name__ == "__main__":
    main()
