"""Plain columns as facts of the vocabulary, as coarse as they are kept."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from comity.book.facts import age_of, facts_of
from comity.book.models import ContactPoint, Person, Reach
from comity.counsel.questions import Question
from comity.staff.models import Entity
from tests.book.people import Add, newcomer

DAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("year", "month", "age"),
    [
        (None, None, None),
        (1990, None, (35, 36)),
        (1990, 10, (36, 36)),
        (1990, 11, (35, 36)),
        (1990, 12, (35, 35)),
        (2026, None, (0, 0)),
    ],
)
def test_a_birth_year_or_month_leaves_an_age_open_as_far_as_it_must(
    year: int | None, month: int | None, age: tuple[int, int] | None
) -> None:
    assert age_of(Person(birth_year=year, birth_month=month), DAY) == age


def question(firm: Entity, channel: str = "email") -> Question:
    return Question(operation="contact", purpose="marketing", channel=channel, entity=firm.ref)


@pytest.mark.django_db
def test_what_was_never_recorded_is_no_fact(add: Add, firm: Entity) -> None:
    nobody = add(newcomer("Nina", "Nowhere", "", relation={}))
    facts = facts_of(question(firm), [nobody], DAY)[nobody]
    assert not facts.keys() & {"person.home", "person.age", "person.capacity", "relation.source"}
    assert facts["person.objected"] is False


@pytest.mark.django_db
def test_a_home_of_several_places_is_a_set(add: Add, firm: Entity) -> None:
    somebody = add(newcomer("Kim", "Borders", "DE|FR"))
    assert facts_of(question(firm), [somebody], DAY)[somebody]["person.home"] == frozenset({"DE", "FR"})


@pytest.mark.django_db
def test_facts_of_a_number_are_those_of_the_channel(greta: UUID, firm: Entity) -> None:
    ContactPoint.objects.filter(person=greta, reach=Reach.PHONE).update(mobile=True)
    assert facts_of(question(firm, "sms"), [greta], DAY)[greta]["person.mobile"] is True
    assert "person.mobile" not in facts_of(question(firm, "email"), [greta], DAY)[greta]


@pytest.mark.django_db
def test_a_relation_with_another_entity_says_nothing(greta: UUID, shanghai: Entity) -> None:
    assert "relation.customer" not in facts_of(question(shanghai), [greta], DAY)[greta]
