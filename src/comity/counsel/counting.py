"""What the law says of many people, counted: nothing is kept of any of them, so nothing can be done by it.

People are told apart by their numbers (`bulk_codes`) as in a decision about many. But PostgreSQL counts each kind of
people instead of writing a row for everybody, and it reads the narrow copy that a room keeps of them (`facts.Copy`)
instead of joining its tables. Whatever is done afterwards rests on a decision that is made anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from comity.counsel.bulk import MANY, Deciding, chosen, composed, record_segment
from comity.counsel.bulk_codes import Coding, parameters
from comity.counsel.facts import PERSON, Copy, the_copy
from comity.counsel.waiting import notice_questions
from comity.law import Verdict

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper
    from django.db.models import QuerySet

    from comity.counsel.models import SegmentDecision
    from comity.counsel.questions import Question
    from comity.staff.models import Staff

WHOLE: Final = {"work_mem": "64MB"}
"""What a statement that reads whole tables may hold in memory, in each step; beyond it, it goes to disk."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """People alike: of one finding, the same homes and the same language."""

    finding: int
    home: str
    language: str
    people: int


@dataclass(frozen=True, kw_only=True)
class Count:
    """How many people there are of each finding and kind."""

    deciding: Deciding
    kinds: Sequence[Kind]

    @property
    def verdicts(self) -> Mapping[Verdict, int]:
        """How many people each verdict is about."""
        counts = self.deciding.verdicts()
        return {verdict: counts[verdict.value] for verdict in Verdict}

    @property
    def people(self) -> int:
        return self.deciding.people.total()


@transaction.atomic
def count_persons(*, question: Question, persons: QuerySet[Any], day: date | None = None) -> Count:
    """Ask the law about all these persons and count what it says. One statement reads all facts, as of one moment.

    Call it behind the wall: who is not seen there is not counted. Raises NotInSql, StrangeValue, Contradiction.
    """
    deciding = Deciding(question, day or timezone.localdate())
    named = [ruling.person for ruling in deciding.rulings if ruling.person]
    kinds: dict[tuple[int, str, str], int] = {}
    found: dict[tuple[Any, ...], int] = {}
    for *of, language, people in _rows(deciding, persons, named):
        key = tuple(of)
        number = found.get(key)
        if number is None:
            home, *words, person = key
            number = found[key] = deciding.decide(home, words, people, person)[0]
        else:
            deciding.people[number] += people
        kind = number, key[0], language
        kinds[kind] = kinds.get(kind, 0) + people
    return Count(
        deciding=deciding,
        kinds=[Kind(finding=number, home=home, language=language, people=many)
               for (number, home, language), many in kinds.items()],
    )  # fmt: skip


# ---------------------------------------------------------------- in the database

COUNTED: Final = """
    SELECT {key}, named, language, count(*) FROM (
        SELECT {home} AS home, {words}, {named} AS named, {person}.language AS language
        FROM {rows} AS {person} {joins}
    ) AS numbered GROUP BY {key}, named, language
"""
"""A number is unnested, so that PostgreSQL does not look into it: else it takes nearly everybody for a kind, and sorts
them all. Several processes make the numbers then, and one counts them; whatever else hides a number (a subquery, a
function in FROM) was slower behind the wall."""


def _rows(deciding: Deciding, persons: QuerySet[Any], named: Sequence[UUID]) -> list[tuple[Any, ...]]:
    """Return the kinds of these people: home, numbers, who has a ruling of their own, language, and how many."""
    copy, coding = the_copy(), deciding.coding
    everybody = copy is not None and _same(persons, copy.everybody(deciding.question.entity))
    with connection.cursor() as cursor, _planned_for(cursor, persons, everybody=everybody):
        if copy is not None and not everybody and _strangers(cursor, coding, copy, persons):
            copy = None
        cursor.execute(_counting(coding, copy, "" if everybody else chosen(persons), named))
        return list(cursor.fetchall())


def _same(one: QuerySet[Any], other: QuerySet[Any]) -> bool:
    """Say whether two queries are the same but for the order of their rows."""
    asked, everybody = (query.order_by().query for query in (one, other))
    if asked.is_sliced or asked.combinator or asked.distinct:
        return False
    return bool(asked.sql_with_params() == everybody.sql_with_params())


def _strangers(cursor: CursorWrapper, coding: Coding, copy: Copy, persons: QuerySet[Any]) -> bool:
    """Say whether some of these persons are none of the entity that asks, and so are not in its copy."""
    known = composed(f"SELECT ref FROM ({copy.persons}) AS known", parameters(coding.question))  # noqa: S608 - our own
    cursor.execute(f"SELECT EXISTS (SELECT ref FROM ({chosen(persons)}) AS chosen EXCEPT {known})")  # noqa: S608 - as composed
    return bool((cursor.fetchone() or (True,))[0])


def _counting(coding: Coding, copy: Copy | None, narrowed: str, named: Sequence[UUID]) -> str:
    """Return the statement that counts these people by kind; all of the copy where they are not `narrowed`."""
    told = {**parameters(coding.question), "named": list(named)}
    people = f"({composed(copy.persons, told)})" if copy else f"({narrowed})"
    if copy and narrowed:
        people = f"(SELECT * FROM {people} AS known WHERE ref IN (SELECT ref FROM ({narrowed}) AS chosen))"  # noqa: S608 - as composed
    alone = composed(f"CASE WHEN {PERSON}.ref = ANY (%(named)s) THEN {PERSON}.ref END", told)
    return COUNTED.format(
        key=coding.key, home=coding.home, person=PERSON, rows=people, named=alone if named else "NULL::uuid",
        words=", ".join(f"unnest(ARRAY[{sql}]) AS word{number}" for number, sql in enumerate(coding.sql())),
        joins=composed(" ".join(coding.quick if copy else coding.joins), told),
    )  # fmt: skip


@contextmanager
def _planned_for(cursor: CursorWrapper, persons: QuerySet[Any], *, everybody: bool) -> Iterator[None]:
    """Where they are many, let PostgreSQL read whole tables: it guesses far too few rows behind the wall."""
    if not everybody and persons.count() < MANY:
        yield
        return
    before = {}
    for name, value in WHOLE.items():
        cursor.execute("SELECT current_setting(%s), set_config(%s, %s, true)", [name, name, value])
        before[name] = cursor.fetchone()[0]
    yield
    for name, value in before.items():
        cursor.execute("SELECT set_config(%s, %s, true)", [name, value])


# ---------------------------------------------------------------- kept


@transaction.atomic
def keep_count(*, count: Count, staff: Staff | None) -> SegmentDecision:
    """Keep what was counted, with one entry in the ledger, and put what the law leaves to a human among what waits.

    Whom such a question is about is not written: the decision does that, on which something is done.
    """
    deciding = count.deciding
    kinds = [[kind.finding, kind.home, kind.language, kind.people] for kind in count.kinds]
    with connection.cursor() as cursor:
        segment = deciding.write_segment(cursor, staff, counted=True, kinds=kinds)
    if deciding.asked:
        notice_questions(question=deciding.question, asked=list(deciding.asked), day=deciding.day)
    record_segment(segment, "counsel.segment-counted")
    return segment
