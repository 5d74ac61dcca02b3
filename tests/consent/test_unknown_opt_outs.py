"""A list that does not tell all opt-outs says of nobody that they never opted out: not when it comes, nor later."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from comity.book import facts as book_facts
from comity.book.models import Person, Relation
from comity.consent import history
from comity.consent.actions import About, give_consent, object_to_marketing, withdraw_consent
from comity.counsel.asking import ask
from comity.counsel.asking_many import ask_many
from comity.counsel.bulk import decide_segment, verdict_of
from comity.counsel.questions import Question
from comity.law import Verdict
from comity.ledger.models import Entry
from comity.staff.models import Entity
from tests.book.imported import Bring
from tests.book.people import CUSTOMER, newcomer

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 22)
MONDAY = datetime(2026, 11, 16, 10, tzinfo=UTC)
BARE = b"Email,First Name,Country\nhank@kettle.example,Hank,United States\n"
HUBSPOT = (
    b"Email,First Name,Country/Region,Unsubscribed from all email,Record ID,Lifecycle Stage\n"
    b"hank@kettle.example,Hank,United States,,1,\n"
)

Hank = Callable[[list[str] | None], UUID]


@pytest.fixture
def hank(add: Callable[..., UUID]) -> Hank:
    """Give a function that adds Hank from California, from a list complete for these opt-outs."""

    def added(known: list[str] | None) -> UUID:
        more: dict[str, Any] = {"relation": {**CUSTOMER, "opt_outs_known": known}, "organisation": ""}
        return add(newcomer("Hank", "Hill", "US-CA", **more))

    return added


def question(firm: Entity, channel: str = "email", operation: str = "contact") -> Question:
    return Question(operation=operation, purpose="marketing", channel=channel, entity=firm.ref)


def verdicts(person: UUID, asked: Question) -> set[Verdict | None]:
    """Return what the three ways of asking answer about one person."""
    segment = decide_segment(question=asked, persons=Person.objects.filter(ref=person), staff=None, day=DAY)
    return {
        ask(question=asked, persons=[person], day=DAY)[person].verdict,
        ask_many(question=asked, persons=[person], day=DAY)[person].verdict,
        verdict_of(segment=segment, person=person),
    }


@pytest.mark.parametrize(
    ("known", "verdict"),
    [(None, Verdict.PERMIT), (["email"], Verdict.PERMIT), ([], Verdict.ASK), (["sms"], Verdict.ASK)],
)
def test_an_opt_out_that_may_stand_elsewhere_is_a_question(
    hank: Hank, firm: Entity, known: list[str] | None, verdict: Verdict
) -> None:
    assert verdicts(hank(known), question(firm)) == {verdict}


def test_to_keep_people_and_look_at_them_what_was_said_to_us_counts(hank: Hank, firm: Entity) -> None:
    asked = Question(operation="store", purpose="marketing", entity=firm.ref)
    assert verdicts(hank([]), asked) == {Verdict.PERMIT}


def test_a_no_that_is_on_record_counts_whatever_else_is_unknown(hank: Hank, firm: Entity) -> None:
    person = hank([])
    Person.objects.filter(ref=person).update(objected_at=MONDAY)
    assert verdicts(person, question(firm)) == {Verdict.DENY}


@pytest.mark.parametrize("says", ["yes", "no", "objection"])
def test_who_speaks_to_us_is_known_from_then_on_and_was_not_before(hank: Hank, firm: Entity, says: str) -> None:
    person = hank([])
    before = timezone.now()
    about = About(person=person, entity=firm, purpose="service", channel="sms")
    match says:
        case "yes":
            give_consent(about=about, said_at=MONDAY, notice="News v1", source="Form", heard_by=None)
        case "no":
            withdraw_consent(about=about, said_at=MONDAY, source="Form", heard_by=None)
        case "objection":
            object_to_marketing(person=person, entity=firm, said_at=MONDAY, source="Letter", heard_by=None)
    assert Relation.objects.get(person=person).opt_outs_known is None
    asked = question(firm)
    assert ask(question=asked, persons=[person], day=DAY)[person].decision.facts["consent.opted_out"] is False
    then = [room.facts_as_of(asked, [person], DAY, before)[person] for room in (book_facts, history)]
    assert not {"person.objected", "consent.opted_out", "consent.withdrawn"} & {name for told in then for name in told}


@pytest.mark.parametrize(("file", "verdict"), [(BARE, Verdict.ASK), (HUBSPOT, Verdict.PERMIT)], ids=["bare", "hubspot"])
def test_an_import_foresees_what_the_book_says_afterwards(
    bring: Bring, firm: Entity, file: bytes, verdict: Verdict
) -> None:
    one = bring(file)
    assert one.found["verdicts"] == {verdict.value: 1}
    assert verdicts(Person.objects.get().ref, question(firm)) == {verdict}


def test_whoever_brings_a_list_may_say_that_it_tells_all_opt_outs(bring: Bring) -> None:
    for known, tells_all in (([], False), (None, True)):
        bring(BARE.replace(b"hank@", b"%d@" % tells_all), tells_all=tells_all)
        assert Relation.objects.latest("ref").opt_outs_known == known
    started = Entry.objects.filter(kind="book.import-started").order_by("recorded_at", "ref")
    assert [json.loads(bytes(one.body))["body"]["tells_all"] for one in started] == [False, True]
