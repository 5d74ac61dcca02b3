"""Persons as facts of the vocabulary: in Python for some of them, as SQL for a decision about many.

INVARIANT: both say the same. A decision about many asks about some of them singly, too, and refuses itself if not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db.models.expressions import RawSQL

from comity.book.editing.history import as_of
from comity.book.known import RELATION as COPIED
from comity.book.models import ContactPoint, Person, Reach, Relation
from comity.counsel.facts import AT_HOME, Column, Columns, opt_out_fact, tells_opt_outs
from comity.refs import as_array, new_ref
from comity.staff.once import Once

if TYPE_CHECKING:
    from comity.counsel.questions import Question
    from comity.law.vocabulary import Facts

REACHED_BY = {
    "email": Reach.EMAIL, "sms": Reach.PHONE, "call": Reach.PHONE, "autocall": Reach.PHONE, "fax": Reach.PHONE,
    "messenger": Reach.MESSENGER, "post": Reach.POST,
}  # fmt: skip
"""By which kind of contact point a channel reaches somebody."""


def facts_of(question: Question, persons: Sequence[UUID], day: date) -> Mapping[UUID, Facts]:
    """Return what the book knows about these persons. Unknown is left out; so is everything about who is not here."""
    reach, those = REACHED_BY.get(question.channel), as_array(persons)
    points = POINTS(those, reach) if reach else ()
    return facts_from(question, PERSONS(those), RELATIONS(those, question.entity), points, day)


def these(persons: str) -> RawSQL:
    """Return persons, as `as_array` writes them, as a query can ask for them: in the same words for any number."""
    return RawSQL("SELECT unnest(%s::uuid[])", [persons])


SOME: Final = as_array([new_ref()])
PERSONS: Final = Once(lambda persons: Person.objects.filter(ref__in=these(persons)), SOME)
RELATIONS: Final = Once(
    lambda persons, entity: Relation.objects.filter(person__in=these(persons), entity_id=entity), SOME, new_ref()
)
POINTS: Final = Once(
    lambda persons, reach: ContactPoint.objects.filter(person__in=these(persons), reach=reach, first=True), SOME, "any"
)


def facts_as_of(question: Question, persons: Sequence[UUID], day: date, at: datetime) -> Mapping[UUID, Facts]:
    """Return what the book knew about these persons at an instant, from the history of their rows."""
    reach = REACHED_BY.get(question.channel)
    relations = (row for row in as_of(Relation, persons, at) if row.entity_id == question.entity)
    points = (row for row in as_of(ContactPoint, persons, at) if row.first and row.reach == reach)
    return facts_from(question, as_of(Person, persons, at), relations, points, day)


def facts_from(
    question: Question, persons: Iterable[Person], relations: Iterable[Relation], points: Iterable[ContactPoint],
    day: date,
) -> Mapping[UUID, Facts]:  # fmt: skip
    """Return rows as facts: of persons, of their relations with the entity that asks, of the points it may use."""
    between = {relation.person_id: relation for relation in relations}
    reached: dict[UUID, list[ContactPoint]] = {}
    for point in points:
        reached.setdefault(point.person_id, []).append(point)
    return {
        person.ref: _known(
            [
                *_of(person, day),
                *_noes(person, known=knows_opt_outs(question, between.get(person.ref))),
                *_between(between.get(person.ref)),
                *_reached(reached.get(person.ref, [])),
            ]
        )
        for person in persons
    }


def _known(facts: Iterable[tuple[str, object]]) -> Facts:
    return {name: value for name, value in facts if value not in {None, ""}}  # type: ignore[misc]  # typed as listed


def _of(person: Person, day: date) -> list[tuple[str, object]]:
    age = age_of(person, day)
    return [
        ("person.home", frozenset(person.home.split("|")) if person.home else None),
        ("person.age", age),
        ("person.known_age", age),
        ("person.capacity", person.capacity),
        ("person.subscriber", person.subscriber),
        ("person.restricted", person.restricted_at is not None),
        ("person.deceased", person.deceased_at is not None),
        ("person.protected_office", person.protected_office),
    ]


def knows_opt_outs(question: Question, relation: Relation | None) -> bool:
    """Say whether we know of every opt-out that counts for a question; if not, one that is not here is unknown."""
    return tells_opt_outs(question, relation.opt_outs_known if relation else None)


def _noes(person: Person, *, known: bool) -> list[tuple[str, object]]:
    return [
        ("person.objected", opt_out_fact(said=person.objected_at is not None, known=known)),
        ("person.opt_out_signal", opt_out_fact(said=person.opt_out_signal_at is not None, known=known)),
    ]


def age_of(person: Person, day: date) -> tuple[int, int] | None:
    """Return the completed years that a birth year, or month, leaves possible on `day`; None where none is known."""
    if person.birth_year is None:
        return None
    years = max(day.year - person.birth_year, 0)
    if person.birth_month is None:
        return max(years - 1, 0), years
    if day.month == person.birth_month:
        return max(years - 1, 0), years
    return (years, years) if day.month > person.birth_month else (max(years - 1, 0), max(years - 1, 0))


def _between(relation: Relation | None) -> list[tuple[str, object]]:
    if relation is None:
        return []
    return [
        ("relation.customer", relation.customer_since is not None),
        ("relation.contract_running", relation.contract_running),
        ("relation.address_from_sale", relation.address_from_sale),
        ("relation.refusal_offered", relation.refusal_offered),
        ("relation.last_purchase_on", relation.last_purchase_on),
        ("relation.last_inquiry_on", relation.last_inquiry_on),
        ("relation.last_mailed_on", relation.last_mailed_on),
        ("relation.source", relation.source),
    ]


def _reached(points: Sequence[ContactPoint]) -> list[tuple[str, object]]:
    """Return what holds of each point that could be used: of several, only what they agree on is known."""
    mobile = {point.mobile for point in points}
    return [
        ("person.mobile", mobile.pop() if len(mobile) == 1 else None),
        ("person.impersonal_address", all(point.impersonal for point in points) if points else None),
    ]


# ---------------------------------------------------------------- the same as SQL

RELATION: Final = f"""
    LEFT JOIN (
        SELECT *, opt_outs_known IS NULL OR %(operation)s IN {AT_HOME}
               OR opt_outs_known && ARRAY[%(channel)s, %(operation)s]::varchar[] AS knows
        FROM book_relation
    ) AS relation ON relation.person_id = person.ref AND relation.entity_id = %(entity)s
"""  # noqa: S608 - our own words
"""What there is between us; `knows` says whether we know of every opt-out that counts for the question."""
KNOWN: Final = "SELECT person AS ref, * FROM book_known WHERE entity = %(entity)s"
"""The copy of all that stands here, of all persons of an entity (`known`)."""
RELATION_KNOWN: Final = f"""
    CROSS JOIN LATERAL (
        SELECT person.relation AS ref, {", ".join(f"person.{name}" for name in COPIED)},
               person.opt_outs_known IS NULL OR %(operation)s IN {AT_HOME}
               OR person.opt_outs_known && ARRAY[%(channel)s, %(operation)s]::varchar[] AS knows
    ) AS relation
"""
POINT_KNOWN: Final = """
    CROSS JOIN LATERAL (
        SELECT person.{reach}_impersonal AS impersonal, person.{reach}_mobile AS mobile
    ) AS point
"""
POINT: Final = """
    LEFT JOIN (
        SELECT person_id, bool_and(impersonal) AS impersonal,
               CASE WHEN count(mobile) = count(*) AND bool_and(mobile) = bool_or(mobile)
                    THEN bool_and(mobile) END AS mobile
        FROM book_contactpoint WHERE reach = '{reach}' AND first GROUP BY person_id
    ) AS point ON point.person_id = person.ref
"""


def columns_of(question: Question, day: date) -> Columns:
    """Return what the book knows, as SQL. Its words are ours: no value of a person or of a request is among them."""
    reach = REACHED_BY.get(question.channel)
    joins = {"relation": RELATION} | ({"point": POINT.format(reach=reach.value)} if reach else {})
    quick = {"relation": RELATION_KNOWN} | ({"point": POINT_KNOWN.format(reach=reach.value)} if reach else {})
    facts = _columns_of_person(day) | _columns_between() | (_columns_reached() if reach else {})
    return Columns(facts=facts, joins=joins, quick=quick)


def _columns_of_person(day: date) -> dict[str, Column]:
    years = f"greatest({day.year} - person.birth_year, 0)"
    month = f"coalesce(person.birth_month, {day.month})"  # a year alone leaves open what the month of today does
    low, high = (
        f"CASE WHEN person.birth_year IS NOT NULL THEN "
        f"greatest({years} - CASE WHEN {month} {after} {day.month} THEN 1 ELSE 0 END, 0) END"
        for after in (">=", ">")
    )
    age = Column(sql=low, upper=high)
    return {
        "person.home": Column(sql="nullif(person.home, '')"),
        "person.age": age,
        "person.known_age": age,
        "person.capacity": Column(sql="nullif(person.capacity, '')"),
        "person.subscriber": Column(sql="nullif(person.subscriber, '')"),
        "person.objected": no_column("person.objected_at IS NOT NULL"),
        "person.opt_out_signal": no_column("person.opt_out_signal_at IS NOT NULL"),
        "person.restricted": Column(sql="person.restricted_at IS NOT NULL"),
        "person.deceased": Column(sql="person.deceased_at IS NOT NULL"),
        "person.protected_office": Column(sql="person.protected_office"),
    }


def no_column(said: str, *joins: str) -> Column:
    """Return the column of an opt-out, which holds where this SQL is true."""
    return Column(
        sql=f"CASE WHEN {said} THEN true WHEN relation.knows IS NOT FALSE THEN false END", joins=("relation", *joins)
    )


def _columns_between() -> dict[str, Column]:
    expressions = {
        "customer": "CASE WHEN relation.ref IS NOT NULL THEN relation.customer_since IS NOT NULL END",
        "source": "nullif(relation.source, '')",
    } | {
        name: f"relation.{name}"
        for name in ("contract_running", "address_from_sale", "refusal_offered", "last_purchase_on", "last_inquiry_on",
                     "last_mailed_on")
    }  # fmt: skip
    return {f"relation.{name}": Column(sql=sql, joins=("relation",)) for name, sql in expressions.items()}


def _columns_reached() -> dict[str, Column]:
    return {
        "person.mobile": Column(sql="point.mobile", joins=("point",)),
        "person.impersonal_address": Column(sql="point.impersonal", joins=("point",)),
    }
