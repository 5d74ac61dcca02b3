"""Persons as facts of the vocabulary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from django.utils import timezone

from comity.book.models import ContactPoint, Person, Reach, Relation

if TYPE_CHECKING:
    from comity.counsel.questions import Question
    from comity.law.vocabulary import Facts

REACHED_BY = {
    "email": Reach.EMAIL, "sms": Reach.PHONE, "call": Reach.PHONE, "autocall": Reach.PHONE, "fax": Reach.PHONE,
    "messenger": Reach.MESSENGER, "post": Reach.POST,
}  # fmt: skip
"""By which kind of contact point a channel reaches somebody."""


def facts_of(question: Question, persons: Sequence[UUID]) -> Mapping[UUID, Facts]:
    """Return what the book knows about these persons. Unknown is left out; so is everything about who is not here."""
    relations = {
        relation.person_id: relation
        for relation in Relation.objects.filter(person__in=persons, entity_id=question.entity)
    }
    points = _points(question, persons)
    today = timezone.localdate()
    return {
        person.ref: _known(
            [*_of(person, today), *_between(relations.get(person.ref)), *_reached(points.get(person.ref))]
        )
        for person in Person.objects.filter(ref__in=persons)
    }


def _known(facts: Iterable[tuple[str, object]]) -> Facts:
    return {name: value for name, value in facts if value not in {None, ""}}  # type: ignore[misc]  # typed as listed


def _of(person: Person, today: date) -> list[tuple[str, object]]:
    age = age_of(person, today)
    return [
        ("person.home", frozenset(person.home.split("|")) if person.home else None),
        ("person.age", age),
        ("person.known_age", age),
        ("person.capacity", person.capacity),
        ("person.subscriber", person.subscriber),
        ("person.objected", person.objected_at is not None),
        ("person.opt_out_signal", person.opt_out_signal_at is not None),
        ("person.restricted", person.restricted_at is not None),
        ("person.deceased", person.deceased_at is not None),
        ("person.protected_office", person.protected_office),
    ]


def age_of(person: Person, day: date) -> tuple[int, int] | None:
    """Return the completed years that a birth year, or month, leaves possible on `day`; None where none is known."""
    if person.birth_year is None:
        return None
    years = day.year - person.birth_year
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


def _points(question: Question, persons: Sequence[UUID]) -> dict[UUID, ContactPoint]:
    reach = REACHED_BY.get(question.channel)
    if reach is None:
        return {}
    found = ContactPoint.objects.filter(person__in=persons, reach=reach, first=True)
    return {point.person_id: point for point in found}


def _reached(point: ContactPoint | None) -> list[tuple[str, object]]:
    if point is None:
        return []
    return [("person.mobile", point.mobile), ("person.impersonal_address", point.impersonal)]
