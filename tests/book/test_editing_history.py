"""The history of plain facts: what was so before a change."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone

from comity.book.editing.actions import change_facts
from comity.book.editing.history import as_of, keep_past
from comity.book.editing.leave import ask_leave
from comity.book.models import ContactPoint, PastFacts, Person, Reach, Relation
from comity.book.opening import Look
from comity.consent.actions import About, give_consent, object_to_marketing, withdraw_consent
from comity.counsel.actions import Decided, decide
from comity.counsel.models import AskedDecision
from comity.counsel.questions import Question
from comity.counsel.replaying import replay_many
from comity.vault.models import RecordedDecision

pytestmark = pytest.mark.django_db


def now() -> datetime:
    """Return an instant that lies between two statements of the database."""
    return timezone.now()


def test_a_person_as_of_an_instant_is_what_was_so_before_the_changes_after_it(greta: UUID) -> None:
    person = Person.objects.get(ref=greta)
    at_first = now()
    person.home = "FR"
    keep_past([person])
    person.save()
    between = now()
    keep_past([person])
    Person.objects.filter(ref=greta).update(home="GB", objected_at=between)
    homes = [as_of(Person, [greta], at)[0].home for at in (at_first, between, now())]
    assert homes == ["DE", "FR", "GB"]
    assert as_of(Person, [greta], between)[0].objected_at is None


def test_what_the_object_says_already_is_not_taken_for_the_past(greta: UUID) -> None:
    relation = Relation.objects.get(person=greta)
    relation.customer_since = date(2026, 1, 1)
    keep_past([relation])
    assert PastFacts.objects.get(person=greta).facts["customer_since"] == "2024-03-18"


def test_a_row_that_was_added_or_deleted_later_is_there_as_of_then_or_not(greta: UUID) -> None:
    before = now()
    (phone,) = ContactPoint.objects.filter(person=greta, reach=Reach.PHONE)
    new = ContactPoint(person_id=greta, reach=Reach.POST)
    with transaction.atomic():
        keep_past([phone, new])
        phone.delete()
        new.save()
    then = {point.reach for point in as_of(ContactPoint, [greta], before)}
    today = {point.reach for point in as_of(ContactPoint, [greta], now())}
    assert then == {Reach.EMAIL, Reach.PHONE}
    assert today == {Reach.EMAIL, Reach.POST}


def test_days_and_instants_come_back_as_they_were(greta: UUID) -> None:
    said_at = timezone.now().replace(microsecond=123000)
    Person.objects.filter(ref=greta).update(objected_at=said_at)
    before = now()
    keep_past([Person.objects.get(ref=greta), Relation.objects.get(person=greta)])
    Person.objects.filter(ref=greta).update(objected_at=None)
    Relation.objects.filter(person=greta).update(customer_since=None)
    assert as_of(Person, [greta], before)[0].objected_at == said_at
    assert as_of(Relation, [greta], before)[0].customer_since == date(2024, 3, 18)


def again(decided: Decided) -> tuple[int, tuple[UUID, ...]]:
    asked, recorded = AskedDecision.objects.get(ref=decided.ref), RecordedDecision.objects.get(ref=decided.ref)
    told = replay_many(asked=asked, persons=recorded.persons, day=recorded.day)
    return told.same, told.differing


def marketing(look: Look, persons: list[UUID]) -> Decided:
    """Ask whether these people may be written to for marketing."""
    asked = Question(operation="contact", purpose="marketing", channel="email", entity=look.entity.ref)
    return decide(question=asked, persons=persons, staff=look.viewer, field_classes=[])


def test_a_decision_about_many_comes_out_the_same_whatever_has_changed_since(
    look: Look, greta: UUID, oliver: UUID, aiko: UUID
) -> None:
    people = [greta, oliver, aiko]
    about = About(person=greta, entity=look.entity, purpose="marketing", channel="email")
    give_consent(about=about, said_at=now(), notice="v1", source="form", heard_by=None, express=True)
    decided = marketing(look, people)
    assert len({answer.verdict for answer in decided.answers.values()}) > 1
    withdraw_consent(about=about, said_at=now(), source="by phone", heard_by=None)
    object_to_marketing(person=oliver, entity=look.entity, said_at=now(), source="by phone", heard_by=None)
    change_facts(leave=ask_leave(look, aiko), facts={"home": "FR"})
    assert marketing(look, people).answers[greta].verdict is not decided.answers[greta].verdict
    assert again(decided) == (3, ())


def test_facts_that_were_changed_behind_our_back_are_found_by_asking_again(
    look: Look, greta: UUID, oliver: UUID
) -> None:
    decided = marketing(look, [greta, oliver])
    Person.objects.filter(ref=oliver).update(home="FR")
    assert again(decided) == (1, (oliver,))
