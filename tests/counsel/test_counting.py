"""What is counted is what a decision about the same people says, whatever happened to them meanwhile."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from django.utils import timezone

from comity.book.models import ContactPoint, Person, Relation
from comity.book.queries import everybody_of
from comity.consent.models import Consent, Standing
from comity.counsel import counting
from comity.counsel.actions import make_ruling
from comity.counsel.bulk import (
    OnlyCounted,
    decide_segment,
    finding_of,
    permitted_in_turn,
    persons_with,
    reasons_of,
    verdict_of,
    warrant_for,
)
from comity.counsel.counting import count_persons, keep_count
from comity.counsel.models import OpenQuestion, SegmentDecision, SegmentFinding, SegmentRow
from comity.counsel.questions import Question
from comity.law import Verdict
from comity.ledger.models import Entry
from comity.vault.sealing import FieldClass
from tests.book.test_known import differing
from tests.counsel.test_bulk import HOMES, QUESTIONS, TODAY, crowd, moment, points, relation, somebody, standing, yes

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet

    from comity.counsel.counting import Count
    from comity.staff.models import Entity, Staff

    Crowd = Callable[[int], list[Person]]

pytestmark = pytest.mark.django_db
__all__ = ["crowd"]
USES = ("marketing by e-mail", "marketing by call", "an export")


def counted(count: Count) -> Counter[str]:
    """Return how many people each whole finding is about."""
    findings = {number: told for told, number in count.deciding.findings.items()}
    people = Counter[str]()
    for number, many in count.deciding.people.items():
        people[findings[number]] += many
    return people


def decided(question: Question, persons: QuerySet[Any], staff: Staff) -> Counter[str]:
    """Return the same of a decision that writes a row for everybody."""
    segment = decide_segment(question=question, persons=persons, staff=staff, day=TODAY)
    told = {
        one.number: json.dumps(one.told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        for one in SegmentFinding.objects.filter(segment=segment)
    }
    return Counter(
        told[number] for number in SegmentRow.objects.filter(segment=segment).values_list("finding", flat=True)
    )


@pytest.mark.parametrize("use", USES)
def test_a_count_says_what_the_decision_says(use: str, crowd: Crowd, firm: Entity, ada: Staff) -> None:
    crowd(250)
    question = Question(entity=firm.ref, **QUESTIONS[use])
    everybody = everybody_of(firm.ref)
    for persons in (everybody, everybody.filter(home="DE"), everybody.exclude(capacity="").order_by("home")):
        count = count_persons(question=question, persons=persons, day=TODAY)
        assert counted(count) == decided(question, persons, ada)
        assert count.people == persons.count() == sum(kind.people for kind in count.kinds)
        homes = Counter[str]()
        for kind in count.kinds:
            homes[kind.home] += kind.people
        assert homes == Counter(persons.values_list("home", flat=True))


def test_many_are_counted_as_a_few_are(crowd: Crowd, firm: Entity, ada: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd(200)
    question, everybody = Question(entity=firm.ref, **QUESTIONS[USES[0]]), everybody_of(firm.ref)
    monkeypatch.setattr(counting, "MANY", 1)
    for persons in (everybody, everybody.filter(home="DE")):
        assert counted(count_persons(question=question, persons=persons, day=TODAY)) == decided(question, persons, ada)


class Life:
    """Whatever can happen to people of a book, one thing after the other, at random."""

    def __init__(self, firm: Entity, other: Entity) -> None:
        self.dice, self.firm, self.other = random.Random(20), firm, other
        self.question = Question(entity=firm.ref, **QUESTIONS[USES[0]])

    def one(self) -> Person:
        return self.dice.choice(list(Person.objects.filter(merged_into=None)))

    def about(self) -> tuple[Entity, str, str]:
        return self.firm, "marketing", "email"

    def somebody_comes(self) -> None:
        person = somebody(self.dice, self.firm)
        person.save()
        relation(self.dice, person, self.firm).save()
        ContactPoint.objects.bulk_create(points(self.dice, person))

    def somebody_objects(self) -> None:
        Person.objects.filter(pk=self.one().pk).update(objected_at=timezone.now())

    def somebody_moves(self) -> None:
        Person.objects.filter(pk=self.one().pk).update(
            home=self.dice.choice(HOMES), language=self.dice.choice(["de", ""])
        )

    def somebody_says_yes(self) -> None:
        person = self.one()
        said = yes(self.dice, person, *self.about())
        said.save()
        Standing.objects.filter(person=person.pk).delete()
        standing(self.dice, person, said, self.about()).save()

    def somebody_takes_it_back(self) -> None:
        if row := self.dice.choice([*Standing.objects.filter(given__isnull=False), None]):
            row.given, row.withdrawn = None, True
            row.save()

    def another_yes_counts(self) -> None:
        if row := self.dice.choice([*Standing.objects.filter(given__isnull=False), None]):
            said = yes(self.dice, Person(ref=row.person), *self.about())
            said.save()
            Standing.objects.filter(pk=row.pk).update(given=said)

    def a_point_is_added(self) -> None:
        ContactPoint.objects.bulk_create(points(self.dice, self.one()))

    def a_point_goes(self) -> None:
        if found := list(ContactPoint.objects.all()):
            self.dice.choice(found).delete()

    def another_point_is_first(self) -> None:
        for point in ContactPoint.objects.filter(person=self.one()):
            point.first, point.impersonal = not point.first, self.dice.random() < 0.5
            point.save()

    def a_point_goes_to_somebody_else(self) -> None:
        ContactPoint.objects.filter(person=self.one()).update(person=self.one())

    def somebody_buys(self) -> None:
        Relation.objects.filter(person=self.one()).update(
            customer_since=TODAY, last_purchase_on=TODAY - timedelta(days=self.dice.choice([1, 800])), source="person"
        )

    def a_relation_ends(self) -> None:
        Relation.objects.filter(person=self.one()).delete()

    def another_entity_comes_to_know_somebody(self) -> None:
        person = self.one()
        Person.objects.filter(pk=person.pk).update(entities=list({*person.entities, self.other.ref}))
        Relation.objects.get_or_create(person=person, entity=self.other)

    def an_entity_forgets_somebody(self) -> None:
        person = self.one()
        Person.objects.filter(pk=person.pk).update(entities=[self.firm.ref])
        Relation.objects.filter(person=person, entity=self.other).delete()

    def two_were_one(self) -> None:
        one, other = self.one(), self.one()
        if one != other:
            Person.objects.filter(pk=one.pk).update(merged_into=other)

    def somebody_goes(self) -> None:
        person = self.one()
        if not Person.objects.filter(merged_into=person).exists():
            person.delete()


def test_a_count_is_right_after_whatever_happens(crowd: Crowd, firm: Entity, shanghai: Entity, ada: Staff) -> None:
    crowd(15)
    life = Life(firm, shanghai)
    events = [getattr(life, name) for name in vars(Life) if not name.startswith("_") and name not in {"one", "about"}]
    for turn in range(3):
        life.dice.shuffle(events)
        for event in events:
            event()
            assert not differing(), f"after {event.__name__}"
            if turn == 0:
                count = count_persons(question=life.question, persons=everybody_of(firm.ref), day=TODAY)
                assert counted(count) == decided(life.question, everybody_of(firm.ref), ada), event.__name__


def test_whoever_the_entity_does_not_know_is_counted_too(
    crowd: Crowd, firm: Entity, shanghai: Entity, ada: Staff
) -> None:
    crowd(20)
    dice = random.Random(1)
    Person.objects.bulk_create(somebody(dice, shanghai) for _ in range(20))
    question, persons = Question(entity=firm.ref, **QUESTIONS[USES[0]]), Person.objects.all()
    count = count_persons(question=question, persons=persons, day=TODAY)
    assert count.people == 40
    assert counted(count) == decided(question, persons, ada)


def test_a_ruling_about_one_person_counts_for_that_one_alone(
    crowd: Crowd, firm: Entity, ada: Staff, olga: Staff
) -> None:
    crowd(20)
    question, persons = Question(entity=firm.ref, **QUESTIONS["an export"]), everybody_of(firm.ref)
    one, _ = (Person.objects.create(home="JP", entities=[firm.ref]) for _ in range(2))
    before = count_persons(question=question, persons=persons, day=TODAY)
    make_ruling(
        question=question, places=[], person=one.ref, settles=["no-law:JP"], reason="Counsel in Tokyo says so.",
        made_by=olga, entity=firm, begins_on=TODAY, ends_on=TODAY + timedelta(days=1),
    )  # fmt: skip
    count = count_persons(question=question, persons=persons, day=TODAY)
    assert counted(count) == decided(question, persons, ada)
    assert count.verdicts[Verdict.ASK] == before.verdicts[Verdict.ASK] - 1


@pytest.fixture
def kept(crowd: Crowd, firm: Entity, ada: Staff) -> SegmentDecision:
    crowd(60)
    question = Question(entity=firm.ref, **QUESTIONS[USES[0]])
    return keep_count(count=count_persons(question=question, persons=everybody_of(firm.ref), day=TODAY), staff=ada)


def test_a_count_is_kept_with_its_reasons_and_one_entry(kept: SegmentDecision, firm: Entity, ada: Staff) -> None:
    question = Question(entity=firm.ref, **QUESTIONS[USES[0]])
    decision = decide_segment(question=question, persons=everybody_of(firm.ref), staff=ada, day=TODAY)
    assert (kept.people, kept.permitted, kept.denied, kept.asked) == (
        decision.people, decision.permitted, decision.denied, decision.asked
    )  # fmt: skip
    assert reasons_of(kept) == reasons_of(decision)
    assert not kept.rows.exists()
    assert Entry.objects.get(ref=kept.entry_id).kind == "counsel.segment-counted"
    assert OpenQuestion.objects.exists()


def test_nothing_is_done_by_a_count(kept: SegmentDecision) -> None:
    somebody_known = Person.objects.values_list("ref", flat=True)[0]
    for act in (
        lambda: persons_with(kept, Verdict.PERMIT),
        lambda: verdict_of(segment=kept, person=somebody_known),
        lambda: finding_of(segment=kept, person=somebody_known),
        lambda: list(permitted_in_turn(kept)),
        lambda: warrant_for(segment=kept, persons=[somebody_known], field_classes=[FieldClass.CONTACT]),
    ):
        with pytest.raises(OnlyCounted):
            act()


def test_the_permitted_come_in_turn_each_once(crowd: Crowd, firm: Entity, ada: Staff) -> None:
    crowd(60)
    question = Question(entity=firm.ref, **QUESTIONS["an export"])
    segment = decide_segment(question=question, persons=everybody_of(firm.ref), staff=ada, day=TODAY)
    assert segment.permitted > 7
    streamed = list(permitted_in_turn(segment, at_once=7))
    assert {len(some) for some in streamed[:-1]} <= {7}
    people: list[UUID] = [person for some in streamed for person in some]
    assert people == sorted(persons_with(segment, Verdict.PERMIT))


def test_what_a_yes_says_is_copied_whoever_writes_the_standing_row(crowd: Crowd, firm: Entity) -> None:
    person = crowd(1)[0]
    said = yes(random.Random(3), person, firm, "service", "sms")
    said.said_at, said.express, said.notice = moment(random.Random(3)), True, "News v1"
    said.save()
    row = Standing.objects.create(
        person=person.ref, entity=firm, purpose="service", channel="sms", given=said, express=False
    )
    row.refresh_from_db()
    assert (row.express, row.wording_kept, row.given_on) == (True, True, said.said_at.date())
    Standing.objects.filter(pk=row.pk).update(express=None, separate=None)
    row.refresh_from_db()
    assert (row.express, row.separate) == (True, said.separate)
    Standing.objects.filter(pk=row.pk).update(given=None, express=True)
    row.refresh_from_db()
    assert (row.express, row.given_on, row.wording_kept) == (None, None, None)
    assert Consent.objects.filter(pk=said.pk).exists()
