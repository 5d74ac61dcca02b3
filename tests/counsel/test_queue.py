"""What the law leaves to a human waits once, is given, settled, closed and opened again, and costs a list nothing."""

from __future__ import annotations

import json
from datetime import date, timedelta
from uuid import UUID

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from comity.book.opening import Look, names_of
from comity.counsel.actions import (
    LONGEST_RULING,
    SettledAlready,
    TooLong,
    assign,
    close,
    reopen,
    settle,
    take_back_ruling,
)
from comity.counsel.asking import ask
from comity.counsel.models import Concerned, OpenQuestion, Ruling
from comity.counsel.queries import questions_seen_by
from comity.counsel.waiting import notice
from comity.law import Verdict
from comity.ledger.models import Entry
from comity.staff.models import Entity, Staff
from tests.book.people import Add, newcomer
from tests.staff.people import make_staff

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def today() -> date:
    return timezone.localdate()


@pytest.fixture
def kenji(add: Add) -> UUID:
    """Lives in Japan as Aiko does."""
    return add(newcomer("Kenji", "Sato", "JP"))


@pytest.fixture
def question(look: Look, aiko: UUID) -> OpenQuestion:
    """Give the question that looking at Aiko leaves open."""
    names_of(look, [aiko])
    return OpenQuestion.objects.get()


def last_entry(kind: str) -> dict[str, object]:
    body = Entry.objects.filter(kind=kind).latest("ref").body
    return dict(json.loads(bytes(body)))


def verdict(look: Look, person: UUID) -> Verdict:
    return ask(question=look.question, persons=[person], day=today())[person].verdict


# ---------------------------------------------------------------- what comes here


def test_an_ask_waits_with_its_reasons_and_places(look: Look, question: OpenQuestion) -> None:
    assert question.state == "open"
    assert (question.because, question.places) == (["no-law:JP"], ["JP"])
    assert question.question == look.question.as_json()


def test_a_permit_and_a_deny_wait_for_nobody(look: Look, greta: UUID, oliver: UUID) -> None:
    names_of(look, [greta, oliver])
    assert not OpenQuestion.objects.exists()


def test_the_same_question_stands_here_once_however_often_it_is_asked_and_of_how_many(
    look: Look, aiko: UUID, kenji: UUID, greta: UUID, ada: Staff
) -> None:
    names_of(look, [aiko])
    names_of(look, [aiko, kenji, greta])
    names_of(look, [kenji])
    (found,) = questions_seen_by(ada)
    assert found.people == 2  # type: ignore[attr-defined]  # counted by the query
    assert set(Concerned.objects.values_list("person", flat=True)) == {aiko, kenji}


def test_another_place_another_purpose_and_another_reason_are_questions_of_their_own(
    look: Look, firm: Entity, aiko: UUID, add: Add, ada: Staff
) -> None:
    minseo = add(newcomer("Minseo", "Kim", "KR"))
    names_of(look, [aiko, minseo])
    names_of(Look(viewer=ada, entity=firm, purpose="marketing"), [aiko])
    assert OpenQuestion.objects.count() == 3


def test_whose_home_nobody_knows_is_of_no_place(look: Look, add: Add) -> None:
    names_of(look, [add(newcomer("Sam", "Roe", ""))])
    question = OpenQuestion.objects.get()
    assert question.places == []
    assert "person.home" in question.missing


def test_what_was_asked_before_takes_one_statement_and_writes_nothing(look: Look, add: Add) -> None:
    people = [add(newcomer(f"Aiko {n}", "Tanaka", "JP")) for n in range(50)]
    answers = ask(question=look.question, persons=people, day=today())
    with CaptureQueriesContext(
        connection,
    ) as first:
        assert notice(question=look.question, answers=answers, day=today()) == 1
    assert len(first) == 1
    before = _written()
    with CaptureQueriesContext(connection) as again:
        notice(question=look.question, answers=answers, day=today())
    assert (len(again), _written()) == (1, before)
    assert Concerned.objects.count() == 50


def _written() -> list[object]:
    """Return the versions of all rows: another one for a row that was written again."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ref::text, ctid::text FROM counsel_openquestion UNION ALL "
                       "SELECT person::text, ctid::text FROM counsel_concerned ORDER BY 1")  # fmt: skip
        return list(cursor.fetchall())


def test_that_it_was_asked_again_is_kept_by_the_day(look: Look, question: OpenQuestion, aiko: UUID) -> None:
    answers = ask(question=look.question, persons=[aiko], day=today())
    notice(question=look.question, answers=answers, day=today() + DAY)
    question.refresh_from_db()
    assert question.last_asked_on == today() + DAY


# ---------------------------------------------------------------- settling


def test_a_question_is_settled_for_its_places_and_nothing_else_waits(
    look: Look, question: OpenQuestion, aiko: UUID, kenji: UUID, olga: Staff
) -> None:
    ruling = settle(
        question=question, reason="Counsel in Tokyo agrees.", ends_on=today() + 30 * DAY, made_by=olga, day=today()
    )
    question.refresh_from_db()
    assert (question.state, question.ruling) == ("settled", ruling)
    assert (ruling.settles, ruling.places, ruling.person) == (["no-law:JP"], ["JP"], None)
    assert verdict(look, aiko) is verdict(look, kenji) is Verdict.PERMIT
    said = last_entry("counsel.ruled")
    assert said["staff"] == str(olga.ref)


def test_a_question_settled_for_one_person_goes_on_for_the_others(
    look: Look, aiko: UUID, kenji: UUID, olga: Staff
) -> None:
    names_of(look, [aiko, kenji])
    question = OpenQuestion.objects.get()
    settle(question=question, reason="She asked us to.", ends_on=today() + DAY, made_by=olga, day=today(), person=aiko)
    question.refresh_from_db()
    assert (verdict(look, aiko), verdict(look, kenji), question.state) == (Verdict.PERMIT, Verdict.ASK, "open")
    settle(question=question, reason="He too.", ends_on=today() + DAY, made_by=olga, day=today(), person=kenji)
    question.refresh_from_db()
    assert question.state == "settled"


def test_a_ruling_stands_for_two_years_at_most(question: OpenQuestion, olga: Staff) -> None:
    for ends_on in (today(), today() - DAY, today() + LONGEST_RULING + DAY):
        with pytest.raises(TooLong):
            settle(question=question, reason="For ever.", ends_on=ends_on, made_by=olga, day=today())
    assert not Ruling.objects.exists()
    settle(question=question, reason="Long.", ends_on=today() + LONGEST_RULING, made_by=olga, day=today())


def test_nobody_settles_for_somebody_of_whom_was_not_asked(question: OpenQuestion, greta: UUID, olga: Staff) -> None:
    with pytest.raises(ValidationError, match="not asked about that person"):
        settle(question=question, reason="x", ends_on=today() + DAY, made_by=olga, day=today(), person=greta)


def test_where_no_home_is_known_it_is_settled_for_one_person_only(look: Look, add: Add, olga: Staff) -> None:
    sam = add(newcomer("Sam", "Roe", ""))
    names_of(look, [sam])
    question = OpenQuestion.objects.get()
    with pytest.raises(ValidationError, match="Nobody knows where"):
        settle(question=question, reason="x", ends_on=today() + DAY, made_by=olga, day=today())
    settle(question=question, reason="x", ends_on=today() + DAY, made_by=olga, day=today(), person=sam)
    assert verdict(look, sam) is Verdict.PERMIT


def test_what_is_settled_is_not_settled_twice(question: OpenQuestion, olga: Staff) -> None:
    settle(question=question, reason="x", ends_on=today() + DAY, made_by=olga, day=today())
    with pytest.raises(SettledAlready):
        settle(question=question, reason="y", ends_on=today() + DAY, made_by=olga, day=today())


def test_a_ruling_taken_back_opens_its_question_again(
    look: Look, question: OpenQuestion, aiko: UUID, olga: Staff
) -> None:
    ruling = settle(question=question, reason="x", ends_on=today() + DAY, made_by=olga, day=today())
    take_back_ruling(ruling=ruling, taken_back_by=olga)
    question.refresh_from_db()
    ruling.refresh_from_db()
    assert (question.state, verdict(look, aiko), ruling.taken_back_by) == ("open", Verdict.ASK, olga)
    assert last_entry("counsel.took-back")["body"] == {"ruling": str(ruling.ref)}
    with pytest.raises(ValidationError, match="taken back already"):
        take_back_ruling(ruling=ruling, taken_back_by=olga)


def test_a_question_whose_ruling_ended_waits_again_when_it_is_asked(
    look: Look, question: OpenQuestion, aiko: UUID, olga: Staff
) -> None:
    settle(question=question, reason="x", ends_on=today() + DAY, made_by=olga, day=today())
    later = today() + 2 * DAY
    OpenQuestion.objects.update(last_asked_on=later)  # that day too, before the ruling ended
    notice(question=look.question, answers=ask(question=look.question, persons=[aiko], day=later), day=later)
    question.refresh_from_db()
    assert question.state == "open"


# ---------------------------------------------------------------- giving and closing


def test_a_question_is_given_to_somebody(question: OpenQuestion, olga: Staff, ada: Staff) -> None:
    assign(question=question, to=ada, assigned_by=olga)
    question.refresh_from_db()
    assert question.assigned_to == ada
    assert last_entry("counsel.assigned")["body"] == {"question": str(question.ref), "to": str(ada.ref)}
    assign(question=question, to=None, assigned_by=olga)


def test_a_question_closed_with_words_stays_closed_until_it_is_opened_again(
    look: Look, question: OpenQuestion, aiko: UUID, olga: Staff
) -> None:
    close(question=question, words="We do not serve Japan.", closed_by=olga)
    names_of(look, [aiko])
    question.refresh_from_db()
    assert (question.state, verdict(look, aiko)) == ("closed", Verdict.ASK)
    with pytest.raises(SettledAlready):
        assign(question=question, to=olga, assigned_by=olga)
    reopen(question=question, reopened_by=olga)
    question.refresh_from_db()
    assert (question.state, question.closing_words) == ("open", "")
    with pytest.raises(ValidationError, match="not closed"):
        reopen(question=question, reopened_by=olga)
    assert {"counsel.closed", "counsel.reopened"} <= set(Entry.objects.values_list("kind", flat=True))


def test_questions_of_another_entity_are_not_seen(question: OpenQuestion, shanghai: Entity) -> None:
    lin = make_staff("privacy-officer", entity=shanghai)
    assert question not in questions_seen_by(lin)
