"""What is done about a request, step by step, and what the law makes of each."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from comity.book.merging.actions import _movers
from comity.counsel.duties import NotYoursToEnd
from comity.counsel.models import OwedDuty
from comity.ledger.models import Entry
from comity.rights.requests.actions import (
    Late,
    NotAsked,
    NotDone,
    NotExempt,
    NotExtended,
    Over,
    answer,
    appeal,
    ask_clarification,
    ask_identity,
    clarified,
    confirm_identity,
    doubt,
    extend,
    hand_over,
    match_person,
    most_to_ask,
    refuse,
    take_back,
)
from comity.rights.requests.clocks import clocks_of, leading, wanted_of
from comity.rights.requests.letter import label_of_proof
from comity.rights.requests.models import AskedBy, Kind, Level, Request, Shown, State
from comity.rights.requests.remedies import exemptions_from, remedies_of
from comity.rights.requests.telling_law import Contradiction, duties_of, open_duties, tell
from comity.staff.guards import NotYours
from comity.staff.models import Entity, Staff
from comity.vault.models import Sealed
from tests.rights.requests.conftest import Asks, ago, today

pytestmark = pytest.mark.django_db
ANSWER, REFUSAL = "eu-gdpr/answer-access", "eu-gdpr/refusal-is-told"
STOP = "eu-gdpr/answer-access/stop-1"


@pytest.fixture(autouse=True)
def large(firm: Entity) -> None:
    """Let our entity be large enough for the laws of California."""
    firm.facts = {**firm.facts, "org.over_thresholds": True}
    firm.save()


def duty(request: Request, rule: str = ANSWER) -> OwedDuty:
    return duties_of(request).get(rule=rule)


def dids(request: Request) -> list[str]:
    return [step.did for step in request.steps.all()]


# ---------------------------------------------------------------- who asks


def test_while_a_real_doubt_is_open_the_law_says_what_the_clock_does(asks: Asks, sana: Staff) -> None:
    request = asks(days=10)
    before = duty(request)
    ask_identity(
        request=request, level=Level.REASONABLE, words="Another name signed.", by=sana, doubtful=True, on=ago(9)
    )
    confirm_identity(request=request, shown=Shown.CODE, by=sana, on=ago(4))
    after = duty(request)
    assert after.day == before.day  # GDPR: keep to the day that is not suspended …
    assert after.told["later"] is not None  # … and the other reading stands beside it
    assert after.learnt == {
        "event.identity_asked_on": ago(9).isoformat(), "event.identity_doubtful": True,
        "event.identity_confirmed_on": ago(4).isoformat(),
    }  # fmt: skip
    request.refresh_from_db()
    assert request.state == State.WORKING


def test_it_waits_for_the_person_while_they_are_asked(asks: Asks, sana: Staff) -> None:
    request = asks()
    ask_identity(request=request, level=Level.REASONABLE, words="For the code.", by=sana)
    request.refresh_from_db()
    assert request.state == State.CHECKING
    with pytest.raises(NotAsked, match="already"):
        ask_identity(request=request, level=Level.REASONABLE, words="Again.", by=sana)


def test_asking_in_california_moves_no_clock_and_ends_none(asks: Asks, sana: Staff) -> None:
    request = asks(person=None, wants={"home": "US-CA"})
    before = duty(request, "us-ca-ccpa/know-answered").day
    ask_identity(request=request, level=Level.HIGH, words="Two numbers.", by=sana, doubtful=True)
    known = duty(request, "us-ca-ccpa/know-answered")
    assert (known.day, known.settled) == (before, "")


@pytest.mark.parametrize("kind", [Kind.OPT_OUT, Kind.LIMIT, Kind.OBJECTION, Kind.WITHDRAWAL])
def test_nobody_shows_who_they_are_to_say_no(asks: Asks, olga: Staff, kind: Kind) -> None:
    request = asks(kind)
    with pytest.raises(NotAsked, match="taken effect"):
        ask_identity(request=request, level=Level.REASONABLE, words="Who?", by=olga)
    with pytest.raises(NotAsked):
        doubt(request=request, words="Who?", by=olga)
    assert not request.proofs.exists()


def test_no_more_is_asked_than_is_needed(asks: Asks, sana: Staff) -> None:
    with pytest.raises(NotAsked, match="more than this needs"):
        ask_identity(request=asks(Kind.RECTIFICATION), level=Level.HIGH, words="A passport.", by=sana)
    assert most_to_ask(Kind.ACCESS, AskedBy.PERSON) == Level.HIGH
    assert most_to_ask(Kind.ACCESS, AskedBy.AGENT) == Level.SIGNED
    assert most_to_ask(Kind.OPT_OUT, AskedBy.AGENT) is None


def test_less_than_was_asked_for_confirms_nothing(asks: Asks, sana: Staff) -> None:
    request = asks()
    ask_identity(request=request, level=Level.HIGH, words="Two facts.", by=sana)
    with pytest.raises(NotDone, match="less certain"):
        confirm_identity(request=request, shown=Shown.CODE, by=sana)


def test_what_was_shown_is_sealed_and_destroyed_when_the_request_is_over(asks: Asks, sana: Staff) -> None:
    request = asks()
    ask_identity(request=request, level=Level.HIGH, words="Two facts.", by=sana)
    proof = confirm_identity(request=request, shown=Shown.FACTS, evidence="Order 4711 of May", by=sana)
    label = label_of_proof(proof)
    lies = Sealed.objects.filter(person=label.person, field_class=label.field_class, record=label.record)
    assert lies.exists()
    answer(request=request, words="Mail of today.", by=sana)
    assert not lies.exists()
    proof.refresh_from_db()
    assert proof.destroyed_at is not None


def test_a_code_that_came_back_to_their_own_page_needs_nobody_of_the_staff(asks: Asks, sana: Staff) -> None:
    request = asks()
    ask_identity(request=request, level=Level.REASONABLE, words="The code.", by=sana, doubtful=True)
    proof = confirm_identity(request=request, shown=Shown.CODE, by=None)
    assert (proof.confirmed_by, proof.shown) == (None, "code")
    assert duty(request).learnt["event.identity_confirmed_on"] == today().isoformat()


def test_who_cannot_be_made_certain_is_owed_what_the_law_then_says(asks: Asks, olga: Staff, sana: Staff) -> None:
    request = asks(person=None, wants={"home": "US-CA"})
    with pytest.raises(NotYours):
        doubt(request=request, words="Nothing fits.", by=sana)
    doubt(request=request, words="Nothing they gave fits.", by=olga)
    assert duty(request, "us-ca-ccpa/know-answered").settled == "not-owed"
    arisen = duty(request, "us-ca-ccpa/unverified-denied")
    assert (arisen.act, arisen.state, arisen.settled) == ("refuse", "owed", "")
    assert duty(request, "us-ca-ccpa/know-answered").day == arisen.day


# ---------------------------------------------------------------- what is meant, and more time


def test_a_question_about_what_is_meant_pauses_where_the_law_says_so(asks: Asks, sana: Staff) -> None:
    request = asks(days=8)
    ask_clarification(request=request, words="Which years?", by=sana, on=ago(7))
    assert Request.objects.get(pk=request.pk).state == State.CHECKING
    clarified(request=request, words="All of them.", by=sana, on=ago(2))
    assert duty(request).told["later"] is not None
    assert Request.objects.get(pk=request.pk).state == State.WORKING


def test_a_day_before_the_request_came_is_refused_with_words(asks: Asks, sana: Staff) -> None:
    request = asks(days=2)
    with pytest.raises(Contradiction, match=r"is before event\.on"):
        ask_clarification(request=request, words="Which?", by=sana, on=ago(5))
    assert dids(request) == ["received"]


def test_more_time_is_the_laws_and_only_within_the_first_period(asks: Asks, olga: Staff, sana: Staff) -> None:
    request = asks(days=3)
    before = duty(request).day
    with pytest.raises(NotYours):
        extend(request=request, words="Forty folders.", by=sana)
    extend(request=request, words="Forty folders.", by=olga)
    assert duty(request).day > before + timedelta(days=50)
    with pytest.raises(NotExtended):
        extend(request=request, words="Fifty.", by=olga)
    late = asks(days=40)
    with pytest.raises(NotExtended, match="first period"):
        extend(request=late, words="Forty folders.", by=olga)
    assert dids(late) == ["received"]


# ---------------------------------------------------------------- the end


def test_an_answer_settles_what_each_law_wants_told_with_what_it_contained(asks: Asks, sana: Staff) -> None:
    request = asks()
    wanted = [one.says for one in wanted_of(clocks_of(duties_of(request), today()))]
    assert "the purposes" in wanted
    answer(request=request, words="Package of today.", by=sana, contained=["the purposes", wanted[0]])
    done = duty(request)
    assert (done.settled, done.settled_on, done.settled_by) == ("done", today(), sana)
    assert len(done.steps.get(did="done").facts["contents"]) == 2
    refusal = duty(request, REFUSAL)
    assert refusal.settled == "not-owed"
    request.refresh_from_db()
    assert request.state == State.ANSWERED
    assert request.closed_at is not None
    with pytest.raises(Over):
        answer(request=request, words="Again.", by=sana)


def test_an_erasure_that_is_granted_owes_the_deletion_until_it_is_done(asks: Asks, sana: Staff) -> None:
    request = asks(Kind.ERASURE)
    answer(request=request, words="Letter of today.", by=sana)
    left = duty(request, "eu-gdpr/erase-on-request")
    assert (left.state, left.settled) == ("owed", "")
    other = asks(Kind.ERASURE, words="Erase me too.")
    erase = duty(other, "eu-gdpr/erase-on-request")
    answer(request=other, words="Letter of today.", by=sana, also_done=[erase.ref])
    assert duty(other, "eu-gdpr/erase-on-request").settled == "done"


def test_nothing_is_closed_late_without_the_reason(asks: Asks, sana: Staff) -> None:
    request = asks(days=60)
    for said in ("", "  "):
        with pytest.raises(Late, match="Say why it is late"):
            answer(request=request, words="Mail of today.", by=sana, late_because=said)
    assert not duty(request).settled
    answer(request=request, words="Mail of today.", by=sana, late_because="The letter lay in the wrong office.")
    request.refresh_from_db()
    assert request.late_because == "The letter lay in the wrong office."


def test_a_refusal_needs_an_exception_of_the_law_and_tells_the_remedies(asks: Asks, olga: Staff, sana: Staff) -> None:
    request = asks()
    with pytest.raises(NotYours):
        refuse(request=request, exemptions=[STOP], words="The ninth this month.", by=sana)
    with pytest.raises(NotExempt, match="at least one"):
        refuse(request=request, exemptions=[], words="No.", by=olga)
    with pytest.raises(NotExempt, match="is no exception"):
        refuse(request=request, exemptions=["eu-gdpr/answer-portability/stop-1"], words="No.", by=olga)
    refuse(request=request, exemptions=[STOP], words="The ninth this month.", by=olga)
    request.refresh_from_db()
    assert (request.state, request.exceptions) == (State.REFUSED, [STOP])
    assert duty(request).settled == "not-owed"
    told = duty(request, REFUSAL)
    assert (told.settled, told.state) == ("done", "owed")
    step = request.steps.get(did="refused")
    assert "GDPR Art. 12(4)-(5)" in {one["cite"] for one in step.facts["remedies"]}
    assert Entry.objects.filter(kind="rights.request-refused").count() == 1


def test_only_exceptions_that_are_about_what_was_asked_are_offered_each_once(asks: Asks) -> None:
    known = exemptions_from(open_duties(asks(Kind.ERASURE)))
    said = [(one.says, one.cite) for one in known]
    assert len(said) == len(set(said))
    assert not [one.says for one in known if one.says.startswith(("The objection", "The yes"))]
    assert any("Art. 17(3)" in one.cite for one in known)
    lifted = {one.id: one.lifts for one in known}
    assert "eu-gdpr/erase-on-request" in lifted["eu-gdpr/answer-change/stop-2"]


def test_a_refusal_by_one_law_leaves_the_answer_that_another_asks_for(asks: Asks, olga: Staff) -> None:
    request = asks(person=None, wants={"home": "US-CA"})  # our Dublin entity: both laws ask for an answer
    assert {ANSWER, "us-ca-ccpa/know-answered"} <= {one.rule for one in open_duties(request)}
    with pytest.raises(NotExempt, match="you named no exception of its own"):
        refuse(request=request, exemptions=[STOP], words="The ninth this month.", by=olga)
    request.refresh_from_db()
    assert request.state == State.RECEIVED
    assert not duty(request).settled


def test_part_of_it_may_be_left_out_by_an_exception_and_that_takes_who_decides(
    asks: Asks, olga: Staff, sana: Staff
) -> None:
    request = asks()
    with pytest.raises(NotYours):
        answer(request=request, words="But for the mails.", by=sana, exemptions=[STOP])
    answer(request=request, words="But for the mails.", by=olga, exemptions=[STOP])
    request.refresh_from_db()
    assert (request.state, request.exceptions) == (State.ANSWERED, [STOP])
    assert duty(request, REFUSAL).settled == "done"


def test_a_refusal_can_be_looked_at_again_with_a_clock_of_its_own(asks: Asks, olga: Staff, sana: Staff) -> None:
    request = asks(person=None, wants={"home": "US-VA"})
    with pytest.raises(NotDone, match="Nothing of this request"):
        appeal(request=request, words="Look again.", received_on=today(), noted_by=sana)
    known = exemptions_from(open_duties(request))
    refuse(request=request, exemptions=[one.id for one in known], words="No.", by=olga)
    again = appeal(request=request, words="Look again.", received_on=today(), noted_by=sana)
    assert (again.kind, again.appeals, again.handler) == (Kind.APPEAL, request, None)
    assert duty(again, "us-va-privacy/appeal-answered").day == today() + timedelta(days=60)
    assert "appealed" in dids(request)


def test_the_remedies_name_the_appeals_of_each_law(asks: Asks) -> None:
    request = asks(person=None, wants={"home": "US-VA"})
    cites = {one.cite for one in remedies_of(duties_of(request)) if one.law == "us-va-privacy"}
    appeals = duty(asks(Kind.APPEAL, person=None, wants={"home": "US-VA"}), "us-va-privacy/appeal-answered")
    assert appeals.told["cite"] in cites


def test_what_is_taken_back_is_not_owed(asks: Asks, sana: Staff) -> None:
    request = asks()
    take_back(request=request, words="She phoned.", by=sana)
    request.refresh_from_db()
    assert request.state == State.WITHDRAWN
    assert not open_duties(request).exists()


def test_support_ends_no_duty_by_a_fact(asks: Asks, sana: Staff) -> None:
    request = asks()
    with pytest.raises(NotYoursToEnd):
        tell(request, {"event.excessive": True}, "The ninth.", sana)


# ---------------------------------------------------------------- who looks after it, and whose it is


def test_it_is_handed_to_somebody_who_may_work_on_it(asks: Asks, ada: Staff, olga: Staff, sana: Staff) -> None:
    request = asks()
    hand_over(request=request, to=olga, by=sana)
    request.refresh_from_db()
    assert request.handler == olga
    with pytest.raises(NotDone, match="None of their roles"):
        hand_over(request=request, to=ada, by=sana)
    hand_over(request=request, to=None, by=sana)
    assert Request.objects.get(pk=request.pk).handler is None


def test_requests_follow_people_who_are_merged(asks: Asks, greta: UUID, oliver: UUID) -> None:
    request = asks()
    mover = _movers["requests"]
    told = mover.move(gone=greta, kept=oliver)
    assert Request.objects.get(pk=request.pk).person == oliver
    mover.put_back(gone=greta, kept=oliver, told=told)
    assert Request.objects.get(pk=request.pk).person == greta


# ---------------------------------------------------------------- the strictest clock


def test_the_earliest_certain_day_leads_and_says_why(asks: Asks) -> None:
    request = asks(person=None, wants={"home": "US-CA"})
    clocks = clocks_of(duties_of(request), today())
    lead = leading(clocks)
    assert lead is not None
    assert lead.clock.due == min(one.due for one in clocks if one.counts and one.due)
    assert lead.clock.duty.rule == "us-ca-ccpa/receipt-confirmed"
    answers = leading([one for one in clocks if one.duty.act == "answer"])
    assert answers is not None
    assert answers.clock.law == "eu-gdpr"
    assert answers.beside >= 1
    assert "by no earlier day" in answers.why


def test_what_is_only_possible_never_leads(asks: Asks) -> None:
    request = asks(person=None)
    clocks = clocks_of(duties_of(request), today())
    assert [one for one in clocks if not one.certain]
    lead = leading(clocks)
    assert lead is None or lead.clock.certain


def test_matching_keeps_what_was_learnt(asks: Asks, greta: UUID, olga: Staff) -> None:
    request = asks(person=None, days=5, wants={"home": "FR"})
    extend(request=request, words="Forty folders.", by=olga)
    day = duty(request).day
    match_person(request=request, person=greta, by=olga)
    assert duty(request).day == day
