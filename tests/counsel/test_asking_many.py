"""Asking about many gives each of them the answer that asking about one gives."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from comity.counsel import asking_many
from comity.counsel.actions import decide, make_ruling
from comity.counsel.asking import ask
from comity.counsel.asking_many import ask_many
from comity.counsel.facts import Contradiction
from comity.counsel.models import AskedDecision
from comity.counsel.questions import Question
from comity.law import Verdict
from comity.refs import new_ref
from comity.staff.models import Entity, Staff
from comity.vault.sealing import FieldClass
from tests.book.people import Add, add, aiko, firm, folder, greta, newcomer, oliver
from tests.staff.people import ada, dublin, olga

__all__ = ["ada", "add", "aiko", "dublin", "firm", "folder", "greta", "olga", "oliver"]

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 22)


@pytest.fixture
def question(firm: Entity) -> Question:
    return Question(operation="export", purpose="marketing", entity=firm.ref)


@pytest.fixture
def people(add: Add, greta: UUID, oliver: UUID, aiko: UUID) -> list[UUID]:
    """Give people who differ in all that the law asks, and somebody of whom the book knows nothing."""
    homes = ("DE", "FR", "US-CA", "CN", "JP", "", "DE|FR", "GB")
    facts: tuple[dict[str, Any], ...] = (
        {},
        {"birth_year": 2015},
        {"capacity": "business"},
        {"birth_year": 1980, "birth_month": 11},
    )
    made = [add(newcomer("A", "B", home, facts={"home": home, **more})) for home in homes for more in facts]
    return [greta, oliver, aiko, *made, new_ref()]


def test_everybody_gets_the_answer_that_they_would_get_alone(people: list[UUID], question: Question) -> None:
    many, singly = (asks(question=question, persons=people, day=DAY) for asks in (ask_many, ask))
    assert list(many) == people
    assert [answer.decision.finding for answer in many.values()] == [
        singly[person].decision.finding for person in people
    ]
    assert {answer.verdict for answer in many.values()} == set(Verdict)


def test_a_ruling_about_one_person_settles_that_one_alone(
    people: list[UUID], question: Question, firm: Entity, olga: Staff
) -> None:
    aiko = people[2]
    make_ruling(
        question=question, person=aiko, settles=["no-law:JP"], reason="Counsel in Osaka was asked.", made_by=olga,
        entity=firm, begins_on=DAY, ends_on=date(2027, 1, 1),
    )  # fmt: skip
    found = ask_many(question=question, persons=people, day=DAY)
    settled = [person for person, answer in found.items() if answer.ruling]
    assert settled == [aiko]
    assert found[aiko].verdict is Verdict.PERMIT


def test_an_answer_that_is_another_stops_everything(
    people: list[UUID], question: Question, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking_many, "SELDOM", 1)
    real = asking_many._kinds

    def everybody_lives_in_leeds(*given: object) -> list[object]:
        return [kind and ("GB", *kind[1:]) for kind in real(*given)]  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(asking_many, "_kinds", everybody_lives_in_leeds)
    with pytest.raises(Contradiction, match="decides otherwise"):
        ask_many(question=question, persons=people, day=DAY)


def test_many_are_recorded_as_few_are(
    people: list[UUID], question: Question, ada: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    def recorded() -> tuple[object, ...]:
        decided = decide(question=question, persons=people, staff=ada, field_classes=[FieldClass.NAME], day=DAY)
        asked = AskedDecision.objects.get(pk=decided.ref)
        return decided.permitted, asked.findings, asked.of

    many = recorded()
    monkeypatch.setattr("comity.counsel.actions.ask_many", ask)
    assert recorded() == many
