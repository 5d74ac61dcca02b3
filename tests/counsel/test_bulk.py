"""A decision about many people says of each of them what the law says when asked about that one alone."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from comity.book.models import Capacity, ContactPoint, Person, Reach, Relation, Source, Tag, Tagging
from comity.book.opening import Look, name_label
from comity.consent.models import Consent, Standing
from comity.counsel import bulk, bulk_codes, facts
from comity.counsel.actions import make_ruling, told_of
from comity.counsel.asking import ask, plan_for
from comity.counsel.bulk import (
    AnswersDiffer,
    NotFresh,
    commitment,
    decide_segment,
    digest_of,
    finding_of,
    persons_with,
    reasons_of,
    verdict_of,
    warrant_for,
)
from comity.counsel.bulk_codes import NotInSql, StrangeValue
from comity.counsel.facts import Column, Columns, Contradiction
from comity.counsel.models import OpenQuestion, SegmentDecision, SegmentFinding, SegmentRow
from comity.counsel.questions import Question
from comity.law import Verdict
from comity.ledger.models import Entry
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from comity.vault.actions import open_fields
from comity.vault.gate import NotPermitted
from comity.vault.sealing import FieldClass
from tests.as_application import application_role

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 22)
PEOPLE = 900
MORE = 3_000
HOMES = ("DE", "FR", "IE", "GB", "ES", "CN", "US-CA", "US-TX", "JP", "AT", "DE|AT", "US-CA|US-NV", "FR|JP", "CH", "")

QUESTIONS: dict[str, dict[str, Any]] = {
    "marketing by e-mail": {"operation": "contact", "purpose": "marketing", "channel": "email"},
    "marketing by call": {"operation": "contact", "purpose": "marketing", "channel": "call"},
    "marketing by text": {"operation": "contact", "purpose": "marketing", "channel": "sms"},
    "a look for service": {
        "operation": "view", "purpose": "service", "more": {"use.contract_needs_it": True, "actor.on_duty": True}
    },
    "an export": {"operation": "export", "purpose": "marketing"},
    "sharing for advertising": {
        "operation": "share", "purpose": "targeted-advertising", "recipient": "ad-platform",
    },
    "a sale": {"operation": "sell", "purpose": "marketing", "recipient": "third-party"},
}  # fmt: skip


def maybe(dice: random.Random, value: Any, chance: float = 0.5) -> Any:  # noqa: ANN401 - a value of any column
    return value if dice.random() < chance else None


def day(dice: random.Random) -> date:
    """Return a day near some span that a law counts."""
    return TODAY - timedelta(
        days=dice.choice([-3, 0, 1, 14, 28, 90, 91, 365, 366, 540, 549, 730, 731, 900, 1500, 4000])
    )


def moment(dice: random.Random) -> datetime:
    return datetime.combine(day(dice), datetime.min.time(), UTC) + timedelta(minutes=dice.randrange(1440))


def somebody(dice: random.Random, entity: Entity) -> Person:
    year = maybe(dice, dice.choice([*range(2004, 2020), 1960, 1990, 2026, 2027]))
    return Person(
        home=dice.choice(HOMES), birth_year=year, birth_month=year and maybe(dice, dice.randrange(1, 13)),
        capacity=dice.choice([*Capacity.values, ""]), subscriber=dice.choice(["individual", "corporate", ""]),
        objected_at=maybe(dice, moment(dice), 0.05), opt_out_signal_at=maybe(dice, moment(dice), 0.1),
        restricted_at=maybe(dice, moment(dice), 0.05), deceased_at=maybe(dice, moment(dice), 0.05),
        protected_office=maybe(dice, dice.random() < 0.1), entities=[entity.ref],
    )  # fmt: skip


def relation(dice: random.Random, person: Person, entity: Entity) -> Relation:
    return Relation(
        person=person, entity=entity, customer_since=maybe(dice, day(dice)), contract_running=dice.random() < 0.5,
        address_from_sale=dice.random() < 0.5, refusal_offered=dice.random() < 0.5,
        last_purchase_on=maybe(dice, day(dice)), last_inquiry_on=maybe(dice, day(dice)),
        last_mailed_on=maybe(dice, day(dice)), source=dice.choice([*Source.values, ""]),
        opt_outs_known=dice.choice([None, None, None, [], ["email"], ["sms", "call"], ["sell"]]),
    )  # fmt: skip


def points(dice: random.Random, person: Person) -> list[ContactPoint]:
    """Return contact points, sometimes two of which both are the first one."""
    return [
        ContactPoint(
            person=person, reach=reach, first=dice.random() < 0.9, impersonal=dice.random() < 0.1,
            mobile=maybe(dice, dice.random() < 0.6),
        )
        for reach in dice.choices(Reach.values, k=dice.choice([0, 1, 2, 4]))
    ]  # fmt: skip


def yes(dice: random.Random, person: Person, entity: Entity, purpose: str, channel: str) -> Consent:
    return Consent(
        person=person.ref, entity=entity, purpose=purpose, channel=channel, said="given", said_at=moment(dice),
        express=maybe(dice, dice.random() < 0.7), separate=dice.random() < 0.5, written=dice.random() < 0.5,
        parental=dice.random() < 0.3, names_caller=dice.random() < 0.5, notice=dice.choice(["", "News v1"]),
        source=dice.choice(["", "form"]),
    )  # fmt: skip


def standing(dice: random.Random, person: Person, consent: Consent | None, about: tuple[Entity, str, str]) -> Standing:
    entity, purpose, channel = about
    refused = consent is None
    return Standing(
        person=person.ref, entity=entity, purpose=purpose, channel=channel, given=consent,
        withdrawn=refused and dice.random() < 0.5, opted_out_on=maybe(dice, day(dice), 0.3) if refused else None,
        last_used_on=maybe(dice, day(dice)),
    )  # fmt: skip


Crowd = Callable[[int], list[Person]]


@pytest.fixture
def crowd(firm: Entity) -> Crowd:
    """Give what fills the book with random people, of whom much is unknown."""

    def filled(many: int) -> list[Person]:
        dice = random.Random(20261122)
        people = Person.objects.bulk_create(somebody(dice, firm) for _ in range(many))
        Relation.objects.bulk_create(relation(dice, one, firm) for one in people if dice.random() < 0.8)
        ContactPoint.objects.bulk_create(point for one in people for point in points(dice, one))
        for told in QUESTIONS.values():
            about = firm, str(told["purpose"]), str(told.get("channel", "none"))
            said = {one.ref: yes(dice, one, *about) for one in people if dice.random() < 0.5}
            Consent.objects.bulk_create(said.values())
            standings = (standing(dice, one, said.get(one.ref), about) for one in people if dice.random() < 0.8)
            Standing.objects.bulk_create(standings, ignore_conflicts=True)
        return people

    return filled


def told_by(segment: SegmentDecision) -> dict[UUID, Any]:
    """Return the whole finding of each person."""
    told = dict(SegmentFinding.objects.filter(segment=segment).values_list("number", "told"))
    rows = SegmentRow.objects.filter(segment=segment).values_list("person", "finding")
    return {person: told[finding] for person, finding in rows}


@pytest.mark.parametrize("use", QUESTIONS)
def test_each_person_gets_the_answer_that_the_law_gives_about_them_alone(
    use: str, crowd: Crowd, firm: Entity, ada: Staff
) -> None:
    people = [person.ref for person in crowd(MORE if use == next(iter(QUESTIONS)) else PEOPLE)]
    question = Question(entity=firm.ref, **QUESTIONS[use])
    segment = decide_segment(question=question, persons=Person.objects.all(), staff=ada, day=TODAY)
    singly = {person: told_of(answer) for person, answer in ask(question=question, persons=people, day=TODAY).items()}
    assert told_by(segment) == singly
    assert {person: told["verdict"] for person, told in singly.items()} == dict(
        SegmentRow.objects.filter(segment=segment).values_list("person", "verdict")
    )
    assert len({told["verdict"] for told in singly.values()}) > 1


def test_facts_that_need_several_numbers_are_decided_alike(
    crowd: Crowd, firm: Entity, ada: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd(200)
    question = Question(entity=firm.ref, **QUESTIONS["marketing by e-mail"])
    one = decide_segment(question=question, persons=Person.objects.all(), staff=ada, day=TODAY)
    monkeypatch.setattr(bulk_codes, "LARGEST", 1_000)
    several = decide_segment(question=question, persons=Person.objects.all(), staff=ada, day=TODAY)
    assert len(bulk_codes.coding_of(plan_for(question, TODAY), question, TODAY).words) > 2
    assert told_by(one) == told_by(several)
    assert reasons_of(one) == reasons_of(several)


@pytest.fixture
def asked(look: Look, greta: UUID, oliver: UUID, aiko: UUID) -> SegmentDecision:
    """Ada asks whether she may look at Greta, Oliver and Aiko; for Aiko's home there is no law yet."""
    del greta, oliver, aiko
    return decide_segment(question=look.question, persons=Person.objects.all(), staff=look.viewer)


def test_verdicts_and_reasons_are_kept(asked: SegmentDecision, greta: UUID, oliver: UUID, aiko: UUID) -> None:
    assert (asked.people, asked.permitted, asked.denied, asked.asked) == (3, 2, 0, 1)
    assert verdict_of(segment=asked, person=aiko) is Verdict.ASK
    assert set(persons_with(asked, Verdict.PERMIT)) == {greta, oliver}
    assert verdict_of(segment=asked, person=asked.ref) is None
    (why,) = (one for one in reasons_of(asked) if one.verdict is Verdict.ASK)
    assert (why.verdict, why.because, why.people) == (Verdict.ASK, ("no-law:JP",), 1)
    found = finding_of(segment=asked, person=aiko)
    assert found is not None
    assert found.told["cures"]


def test_the_ledger_has_one_entry_with_counts_and_a_commitment(asked: SegmentDecision, greta: UUID) -> None:
    entry = Entry.objects.get(ref=asked.entry_id)
    body = json.loads(bytes(entry.body))["body"]
    assert entry.kind == "counsel.segment-decided"
    assert (body["people"], body["verdicts"]) == (3, {"permit": 2, "ask": 1})
    assert body["commitment"] == commitment(asked)
    assert digest_of(asked) == bytes(asked.digest)
    SegmentRow.objects.filter(person=greta).update(finding=9)
    assert digest_of(asked) != bytes(asked.digest)
    asked.digest = digest_of(asked)
    assert commitment(asked) != body["commitment"]


@pytest.mark.parametrize("change", [{"told": {"verdict": "permit"}}, {"people": 9}])
def test_a_changed_finding_breaks_the_commitment(asked: SegmentDecision, change: dict[str, Any]) -> None:
    before = commitment(asked)
    SegmentFinding.objects.filter(segment=asked, number=0).update(**change)
    assert commitment(asked) != before


def test_a_person_found_twice_or_by_a_slice_is_decided_about_once(look: Look, greta: UUID, oliver: UUID) -> None:
    for word in ("Tea", "Kettles"):
        Tagging.objects.create(tag=Tag.objects.create(name=word), person_id=greta)
    twice = Person.objects.filter(tags__name__in=["Tea", "Kettles"])
    assert decide_segment(question=look.question, persons=twice, staff=None).people == 1
    first = Person.objects.order_by("-ref")[:1]
    segment = decide_segment(question=look.question, persons=first, staff=None)
    assert list(persons_with(segment, Verdict.PERMIT)) == [oliver]


def test_a_percent_sign_in_a_filter_is_a_percent_sign(look: Look, greta: UUID) -> None:
    Person.objects.filter(ref=greta).update(language="100%s")
    persons = Person.objects.filter(language__startswith="100%")
    assert decide_segment(question=look.question, persons=persons, staff=None).people == 1


def test_nobody_at_all_is_an_answer_too(look: Look) -> None:
    segment = decide_segment(question=look.question, persons=Person.objects.none(), staff=None)
    assert (segment.people, reasons_of(segment)) == (0, [])


def test_the_age_is_that_of_the_day_that_is_asked_about(look: Look, greta: UUID) -> None:
    Person.objects.filter(ref=greta).update(birth_year=2012, birth_month=5)
    question = Question(entity=look.entity.ref, **QUESTIONS["an export"])
    then = [ask(question=question, persons=[greta], day=date(year, 6, 1))[greta] for year in (2026, 2031)]
    assert [answer.decision.facts["person.age"] for answer in then] == [(14, 14), (19, 19)]


# ---------------------------------------------------------------- rulings


@pytest.mark.parametrize("alone", [False, True], ids=["of the place", "of the one person"])
def test_a_ruling_settles_here_what_it_settles_there(
    look: Look, aiko: UUID, add: Callable[..., UUID], olga: Staff, alone: bool
) -> None:
    from tests.book.people import newcomer

    kenji = add(newcomer("Kenji", "Sato", "JP"))
    today = timezone.localdate()
    ruling = make_ruling(
        question=look.question, places=[] if alone else ["JP"], person=aiko if alone else None, settles=["no-law:JP"],
        reason="Counsel in Tokyo says so.", made_by=olga, entity=look.entity, begins_on=today,
        ends_on=today + timedelta(days=1),
    )  # fmt: skip
    segment = decide_segment(question=look.question, persons=Person.objects.all(), staff=None)
    kenjis = Verdict.ASK if alone else Verdict.PERMIT
    assert [verdict_of(segment=segment, person=one) for one in (aiko, kenji)] == [Verdict.PERMIT, kenjis]
    found = finding_of(segment=segment, person=aiko)
    assert found is not None
    assert found.told["ruling"] == str(ruling.ref)
    assert (segment.people, segment.permitted) == (2, 1 if alone else 2)


def test_what_the_law_leaves_to_a_human_waits_once_with_those_whom_it_is_about(
    look: Look, aiko: UUID, greta: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    Person.objects.filter(ref=greta).update(home="JP")
    for _ in range(2):
        decide_segment(question=look.question, persons=Person.objects.all(), staff=None)
    one = OpenQuestion.objects.get()
    assert (one.because, one.places) == (["no-law:JP"], ["JP"])
    assert set(one.concerned.values_list("person", flat=True)) == {aiko, greta}
    one.concerned.all().delete()
    monkeypatch.setattr(bulk, "MOST_NAMED", 1)
    decide_segment(question=look.question, persons=Person.objects.all(), staff=None)
    assert one.concerned.count() == 1


# ---------------------------------------------------------------- what cannot be decided is refused aloud


@pytest.fixture
def another(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Give what lets one more room say what it knows, until the end of the test."""
    monkeypatch.setattr(facts, "_sources", dict(facts._sources))

    def said(columns: Columns | None, **told: Any) -> None:  # noqa: ANN401 - facts of any type
        def in_sql(_question: Question, _day: date) -> Columns:
            assert columns
            return columns

        facts.register("another", lambda _q, persons, _d: dict.fromkeys(persons, told), in_sql if columns else None)

    return said


def decide(look: Look, use: str = "") -> SegmentDecision:
    """Ask about everybody, for what Ada looks for or for another use."""
    question = Question(entity=look.entity.ref, **QUESTIONS[use]) if use else look.question
    return decide_segment(question=question, persons=Person.objects.all(), staff=None)


def test_a_room_without_sql_refuses_all_decisions_about_many(
    look: Look, greta: UUID, another: Callable[..., None]
) -> None:
    del greta
    another(None, **{"person.on_register": True})
    with pytest.raises(Contradiction, match="another gives its facts in Python alone"):
        decide(look)


def test_a_fact_that_sql_cannot_give_refuses_where_the_law_asks_for_it(
    look: Look, greta: UUID, another: Callable[..., None]
) -> None:
    del greta
    another(Columns(facts={}, only_singly=frozenset({"relation.asked_for_it", "person.on_register"})))
    decide(look)
    with pytest.raises(NotInSql, match=r"another gives person\.on_register, relation\.asked_for_it for one person"):
        decide(look, "marketing by e-mail")


def test_a_fact_in_python_that_has_no_column_is_refused_even_singly(
    look: Look, greta: UUID, another: Callable[..., None]
) -> None:
    another(Columns(facts={}), **{"person.on_register": True})
    with pytest.raises(Contradiction, match=r"another has no column for person\.on_register"):
        ask(question=look.question, persons=[greta], day=TODAY)


def test_two_rooms_may_not_have_a_column_for_one_fact(look: Look, greta: UUID, another: Callable[..., None]) -> None:
    del greta
    another(Columns(facts={"person.age": Column(sql="1", upper="1")}))
    with pytest.raises(Contradiction, match=r"column for what another room has one for: person\.age"):
        decide(look)


def test_sql_that_says_otherwise_than_python_is_found_out(
    look: Look, oliver: UUID, another: Callable[..., None]
) -> None:
    another(Columns(facts={"person.on_register": Column(sql="true")}))
    with pytest.raises(AnswersDiffer, match=f"about person {oliver}"):
        decide(look, "marketing by call")
    assert not SegmentDecision.objects.exists()


def test_facts_that_change_meanwhile_are_no_contradiction(
    look: Look, greta: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = bulk._write_rows

    def write_while_she_moves(*arguments: Any) -> None:  # noqa: ANN401 - handed on
        write(*arguments)
        Person.objects.filter(ref=greta).update(home="JP")

    monkeypatch.setattr(bulk, "_write_rows", write_while_she_moves)
    segment = decide_segment(question=look.question, persons=Person.objects.all(), staff=None)
    assert verdict_of(segment=segment, person=greta) is Verdict.PERMIT
    assert (
        verdict_of(
            segment=decide_segment(question=look.question, persons=Person.objects.all(), staff=None), person=greta
        )
        is Verdict.ASK
    )


def test_a_word_that_the_vocabulary_lacks_refuses_the_whole(look: Look, greta: UUID) -> None:
    Person.objects.filter(ref=greta).update(capacity="robot")
    with pytest.raises(StrangeValue, match=r"person\.capacity"):
        decide(look)
    assert not SegmentDecision.objects.exists()


# ---------------------------------------------------------------- the wall, and acting on it


@pytest.fixture
def as_the_application(asked: SegmentDecision) -> Iterator[None]:
    """Go on as the role that the application has."""
    del asked
    with application_role():
        yield


@pytest.mark.usefixtures("as_the_application")
def test_whom_the_wall_hides_is_not_decided_about_and_no_row_is_seen_through_it(
    look: Look, firm: Entity, shanghai: Entity
) -> None:
    people = Person.objects.all()
    with behind_wall(staff=None, entities=[firm.ref]):
        assert decide_segment(question=look.question, persons=people, staff=None).people == 3
        assert SegmentRow.objects.count() == 6
        assert SegmentFinding.objects.exists()
    with behind_wall(staff=None, entities=[shanghai.ref]):
        elsewhere = replace(look.question, entity=shanghai.ref)
        assert decide_segment(question=elsewhere, persons=people, staff=None).people == 0
        assert not SegmentRow.objects.exists()
        assert not SegmentFinding.objects.exists()


def test_the_vault_opens_those_whom_the_decision_permits(
    asked: SegmentDecision, greta: UUID, oliver: UUID, aiko: UUID
) -> None:
    three = [greta, oliver, aiko]
    warrant, permitted = warrant_for(segment=asked, persons=three, field_classes=[FieldClass.NAME], handled=[greta])
    assert permitted == [greta]
    labels = [name_label(person) for person in three]
    assert set(open_fields(warrant=warrant, labels=labels, permitted_only=True)) == {name_label(greta)}
    with pytest.raises(NotPermitted):
        open_fields(warrant=warrant, labels=[name_label(oliver)])


def test_nothing_is_opened_later_or_for_others(asked: SegmentDecision, greta: UUID) -> None:
    with pytest.raises(ValueError, match="is not about"):
        warrant_for(segment=asked, persons=[greta, asked.ref], field_classes=[FieldClass.NAME])
    asked.decided_at -= timedelta(minutes=10)
    with pytest.raises(NotFresh):
        warrant_for(segment=asked, persons=[greta], field_classes=[FieldClass.NAME])
