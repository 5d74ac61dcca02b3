"""Handing messages over: to whom the law permits, once, and to nobody who said no before it began."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from django.db import connection, transaction
from django.utils import timezone

from comity.book.actions import add_persons
from comity.consent.actions import About, object_to_marketing, withdraw_consent
from comity.consent.models import Standing
from comity.consent.suppression.actions import suppress
from comity.consent.suppression.marks import mark_of
from comity.consent.suppression.models import Cause
from comity.counsel.models import AskedDecision
from comity.counsel.questions import Question
from comity.ledger.models import Entry
from comity.post import handing, hands
from comity.post.actions import end_if_done, pause_dispatch, resume_dispatch, stop_dispatch
from comity.post.gateways import Answer, Outcome
from comity.post.handing import WAITS, hand_over_some, next_due
from comity.post.hands import open_hands
from comity.post.letters import Letter, register_composer
from comity.post.models import Attempt, Dispatch, Message, Stage, State
from comity.staff.models import Entity, RoleGrant, Staff
from comity.vault.models import RecordedDecision
from tests.book.people import newcomer
from tests.post.relays import moody, relay
from tests.post.writing import MONDAY, Begun, Plain, begin, germans, in_a_thread, says_yes, send_all, stages, way_out

pytestmark = pytest.mark.django_db(transaction=True)
SENT = ("sent", "")


def withdraw(person: UUID, entity: Entity) -> None:
    withdraw_consent(
        about=About(person=person, entity=entity, purpose="marketing", channel="email"), said_at=timezone.now(),
        source="Link", heard_by=None,
    )  # fmt: skip


def objects(person: UUID, entity: Entity) -> None:
    object_to_marketing(person=person, entity=entity, said_at=timezone.now(), source="Link", heard_by=None)


# ---------------------------------------------------------------- to whom


def test_whom_the_law_permits_gets_the_message_and_nobody_else(
    greta: UUID, oliver: UUID, aiko: UUID, firm: Entity, tom: Staff
) -> None:
    says_yes([greta], firm)
    with relay() as (kept, port):
        dispatch = begin([greta, oliver, aiko], way_out(firm, port=port), tom)
        send_all(dispatch)
    assert [one.to for one in kept.kept] == ["greta@kettle.example"]
    assert kept.kept[0].message["Subject"] == "News"
    assert stages(dispatch) == {greta: SENT, oliver: ("refused", "law"), aiko: ("refused", "ask")}


def test_each_message_names_the_decision_under_which_it_ended(
    greta: UUID, oliver: UUID, firm: Entity, tom: Staff
) -> None:
    says_yes([greta], firm)
    send_all(begin([greta, oliver], way_out(firm, Begun()), tom))
    for message in Message.objects.all():
        asked = AskedDecision.objects.get(ref=str(message.decision))
        recorded = RecordedDecision.objects.get(ref=str(message.decision))
        assert asked.question["operation"] == "contact"
        assert (message.person in recorded.permitted) == (message.stage == Stage.SENT)


def test_nobody_without_an_address_is_written_to(greta: UUID, firm: Entity, tom: Staff) -> None:
    says_yes([greta], firm)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE book_contactpoint SET failed_at = now()")
    dispatch = begin([greta], way_out(firm, Begun()), tom)
    send_all(dispatch)
    assert stages(dispatch) == {greta: ("refused", "no-address")}


def test_whoever_lost_the_role_since_sends_nothing(greta: UUID, firm: Entity, tom: Staff) -> None:
    says_yes([greta], firm)
    way = Begun()
    dispatch = begin([greta], way_out(firm, way), tom)
    RoleGrant.objects.filter(staff=tom).update(ends_at=timezone.now())
    send_all(dispatch)
    assert stages(dispatch) == {greta: ("refused", "role")}
    assert not way.began


def test_what_happened_is_in_the_ledger_without_an_address(greta: UUID, firm: Entity, tom: Staff) -> None:
    says_yes([greta], firm)
    send_all(begin([greta], way_out(firm, Begun()), tom))
    entry = Entry.objects.get(kind="post.handed-over")
    assert entry.persons == [greta]
    assert json.loads(bytes(entry.body))["body"]["messages"] == {"sent": 1}
    assert not any(b"kettle" in bytes(each.body) for each in Entry.objects.all())


def test_the_opening_of_the_address_is_on_record_before_anything_leaves(greta: UUID, firm: Entity, tom: Staff) -> None:
    says_yes([greta], firm)
    seen: list[set[str]] = []

    def look(_letter: Letter) -> Answer:
        with psycopg.connect(
            **{
                k: v
                for k, v in connection.get_connection_params().items()
                if k in {"dbname", "user", "password", "host", "port"}
            }
        ) as other:
            seen.append({row[0] for row in other.execute("SELECT kind FROM ledger_entry").fetchall()})
        return Answer(outcome=Outcome.SENT)

    send_all(begin([greta], way_out(firm, Begun(look)), tom))
    assert {"counsel.decided", "vault.opened"} <= seen[0]


# ---------------------------------------------------------------- what becomes of it


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.UNCERTAIN, Outcome.SENT])
def test_what_went_out_or_may_have_is_never_tried_again(
    outcome: Outcome, greta: UUID, firm: Entity, tom: Staff
) -> None:
    says_yes([greta], firm)
    way = Begun(lambda _letter: Answer(outcome=outcome, why="policy"))
    dispatch = begin([greta], way_out(firm, way), tom)
    send_all(dispatch)
    send_all(dispatch)
    assert stages(dispatch) == {greta: (outcome.value, "policy")}
    assert [len(each) for each in way.began.values()] == [1]


def test_what_surely_did_not_go_out_is_tried_again_later_and_then_given_up(
    greta: UUID, firm: Entity, tom: Staff
) -> None:
    says_yes([greta], firm)
    way = Begun(lambda _letter: Answer(outcome=Outcome.AGAIN, why="busy"))
    dispatch = begin([greta], way_out(firm, way), tom)
    for wait in WAITS:
        before = timezone.now()
        send_all(dispatch)
        due = next_due(dispatch=dispatch)
        assert due is not None
        assert timedelta() <= due - before - wait < timedelta(seconds=20)
        Message.objects.update(due_at=timezone.now())
    send_all(dispatch)
    assert stages(dispatch) == {greta: ("failed", "busy")}
    assert [(one.number, one.outcome) for one in Attempt.objects.order_by("number")] == [
        (number, "again") for number in range(1, len(WAITS) + 2)
    ]


def test_a_relay_that_hangs_holds_nobody_up_for_longer_than_the_limit(
    greta: UUID, oliver: UUID, firm: Entity, tom: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handing, "LONGEST", 2.0)
    says_yes([greta, oliver], firm)
    with moody(script={".": None}) as (_mood, port):
        dispatch = begin([greta, oliver], way_out(firm, port=port), tom)
        began = time.monotonic()
        with open_hands() as held:
            hand_over_some(dispatch=dispatch, hands=held)
        assert time.monotonic() - began < 4
    assert sorted(stages(dispatch).values()) == [("intended", ""), ("uncertain", "timeout")]


def test_the_end_of_a_message_cannot_be_changed(greta: UUID, firm: Entity, tom: Staff) -> None:
    says_yes([greta], firm)
    send_all(begin([greta], way_out(firm, Begun()), tom))
    with pytest.raises(Exception, match="is final"), transaction.atomic():
        Message.objects.update(stage=Stage.INTENDED)
    with pytest.raises(Exception, match="is final"), transaction.atomic():
        Attempt.objects.update(outcome="again")


# ---------------------------------------------------------------- who dies, and where


def test_an_attempt_whose_maker_died_is_uncertain_and_nobody_makes_it_again(
    greta: UUID, firm: Entity, tom: Staff
) -> None:
    says_yes([greta], firm)

    def die(_letter: Letter) -> Answer:
        raise KeyboardInterrupt

    way = Begun(die)
    dispatch = begin([greta], way_out(firm, way), tom)
    with pytest.raises(KeyboardInterrupt):
        send_all(dispatch)
    assert stages(dispatch) == {greta: ("intended", "")}
    send_all(dispatch)
    assert stages(dispatch) == {greta: ("uncertain", "interrupted")}
    assert [len(each) for each in way.began.values()] == [1]


def test_whoever_dies_after_some_loses_only_what_was_in_hand(firm: Entity, tom: Staff) -> None:
    people = germans(5, firm)
    says_yes(people, firm)
    done: list[str] = []

    def die_at_the_third(letter: Letter) -> Answer:
        done.append(letter.to)
        if len(done) == 3:
            raise KeyboardInterrupt
        return Answer(outcome=Outcome.SENT)

    dispatch = begin(people, way_out(firm, Begun(die_at_the_third)), tom)
    with pytest.raises(KeyboardInterrupt):
        send_all(dispatch)
    send_all(dispatch)
    assert sorted(stages(dispatch).values()) == [SENT] * 4 + [("uncertain", "interrupted")]
    assert len(done) == len(set(done)) == 5


def test_a_sender_that_lost_its_locks_begins_nothing(greta: UUID, firm: Entity, tom: Staff) -> None:
    says_yes([greta], firm)
    way = Begun()
    dispatch = begin([greta], way_out(firm, way), tom)
    with open_hands() as held:
        real = held.check

        def cut() -> None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s)", [held.locks.info.backend_pid])
            real()

        held.check = cut  # type: ignore[method-assign]  # the locks are lost just now
        with pytest.raises(psycopg.OperationalError):
            hand_over_some(dispatch=dispatch, hands=held)
    assert not way.began


def test_several_senders_share_the_work_and_nobody_gets_two(firm: Entity, tom: Staff) -> None:
    people = germans(60, firm)
    says_yes(people, firm)
    way, failed = Begun(), list[BaseException]()
    dispatch = begin(people, way_out(firm, way), tom)
    senders = [threading.Thread(target=in_a_thread(lambda: send_all(dispatch, 4), failed)) for _ in range(6)]
    for each in senders:
        each.start()
    for each in senders:
        each.join(60)
    assert failed == []
    assert list(stages(dispatch).values()) == [SENT] * 60
    assert [len(each) for each in way.began.values()] == [1] * 60


# ---------------------------------------------------------------- no means no


@pytest.mark.parametrize("says_no", [withdraw, objects])
def test_a_no_waits_for_the_hand_over_that_goes_on_and_none_begins_after_it(
    says_no: object, firm: Entity, tom: Staff
) -> None:
    assert callable(says_no)
    people = germans(2, firm)
    says_yes(people, firm)
    going_on, go_on, returned = threading.Event(), threading.Event(), threading.Event()

    def wait(_letter: Letter) -> Answer:
        going_on.set()
        go_on.wait(10)
        return Answer(outcome=Outcome.SENT)

    way, failed = Begun(wait), list[BaseException]()
    dispatch = begin(people, way_out(firm, way), tom)
    sender = threading.Thread(target=in_a_thread(lambda: send_all(dispatch, 1), failed))
    sender.start()
    assert going_on.wait(10)
    in_hand, other = people if stages(dispatch)[people[0]][0] == "intended" else people[::-1]

    def no() -> None:
        for person in (in_hand, other):
            says_no(person, firm)
        returned.set()

    refuser = threading.Thread(target=in_a_thread(no, failed))
    refuser.start()
    assert not returned.wait(0.5)
    go_on.set()
    refuser.join(10)
    sender.join(10)
    assert failed == []
    assert returned.is_set()
    assert len(way.began) <= 2


@dataclass(frozen=True)
class Similar(Plain):
    """Writes about goods like those that were bought."""

    def question(self, dispatch: Dispatch) -> Question:
        return replace(super().question(dispatch), more={"use.similar_goods": True})


register_composer("similar", Similar())
CUSTOMER = {"customer_since": MONDAY.date(), "address_from_sale": True, "refusal_offered": True,
            "last_purchase_on": MONDAY.date(), "source": "person"}  # fmt: skip
WITHOUT_A_WORD: dict[str, dict[str, dict[str, object]]] = {
    "soft opt-in": {"facts": {"home": "DE"}, "relation": CUSTOMER},
    "legitimate interest": {
        "facts": {"home": "GB", "capacity": "business", "subscriber": "corporate"}, "relation": {"source": "person"},
    },
    "bought list": {"facts": {"home": "US-TX"}, "relation": {"source": "third-party"}},
}  # fmt: skip


@pytest.mark.parametrize("why", WITHOUT_A_WORD)
@pytest.mark.parametrize("says_no", [withdraw, objects])
def test_whoever_never_said_anything_has_a_row_that_is_locked_and_their_first_no_waits(
    says_no: object, why: str, firm: Entity, tom: Staff
) -> None:
    assert callable(says_no)
    ones = [newcomer(name, "Kettle", "", **WITHOUT_A_WORD[why]) for name in ("Ann", "Ben")]
    add_persons(newcomers=ones, entity=firm, staff=None)
    people, going_on, go_on, returned = [one.ref for one in ones], *(threading.Event() for _ in range(3))
    assert not Standing.objects.exists()

    def wait(_letter: Letter) -> Answer:
        going_on.set()
        go_on.wait(10)
        return Answer(outcome=Outcome.SENT)

    def no() -> None:
        for person in people:
            says_no(person, firm)
        returned.set()

    way, failed = Begun(wait), list[BaseException]()
    dispatch = begin(people, way_out(firm, way), tom, kind="similar")
    sender = threading.Thread(target=in_a_thread(lambda: send_all(dispatch, 1), failed))
    sender.start()
    assert going_on.wait(10)
    (in_hand,) = Standing.objects.values_list("person", flat=True)
    people.sort(key=lambda person: person == in_hand)
    refuser = threading.Thread(target=in_a_thread(no, failed))
    refuser.start()
    assert not returned.wait(0.5)
    go_on.set()
    for each in (refuser, sender):
        each.join(10)
    assert failed == []
    assert returned.is_set()
    assert stages(dispatch) == {in_hand: SENT, people[0]: ("refused", "law")}


def test_whoever_said_no_after_the_list_was_made_gets_nothing(firm: Entity, tom: Staff) -> None:
    people = germans(3, firm)
    says_yes(people, firm)
    way = Begun()
    dispatch = begin(people, way_out(firm, way), tom)
    withdraw(people[1], firm)
    send_all(dispatch)
    assert stages(dispatch)[people[1]] == ("refused", "law")
    assert len(way.began) == 2


def test_a_sender_waits_only_so_long_for_whoever_changes_where_somebody_stands(
    greta: UUID, firm: Entity, tom: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hands, "WAITING", "300ms")
    says_yes([greta], firm)
    way = Begun()
    dispatch = begin([greta], way_out(firm, way), tom)
    with transaction.atomic():
        withdraw(greta, firm)
        failed = list[BaseException]()
        sender = threading.Thread(target=in_a_thread(lambda: send_all(dispatch), failed))
        sender.start()
        sender.join(10)
        assert [type(each) for each in failed] == [psycopg.errors.LockNotAvailable]
    send_all(dispatch)
    assert stages(dispatch) == {greta: ("refused", "law")}
    assert not way.began


# ---------------------------------------------------------------- pause, resume, stop


def test_what_is_paused_rests_and_goes_on_when_it_is_resumed(greta: UUID, firm: Entity, tom: Staff) -> None:
    says_yes([greta], firm)
    dispatch = begin([greta], way_out(firm, Begun()), tom)
    pause_dispatch(dispatch=dispatch, staff=tom)
    send_all(dispatch)
    assert stages(dispatch) == {greta: ("intended", "")}
    assert not end_if_done(dispatch=dispatch)
    resume_dispatch(dispatch=dispatch, staff=tom)
    send_all(dispatch)
    assert stages(dispatch) == {greta: SENT}
    assert end_if_done(dispatch=dispatch)
    assert Dispatch.objects.get().state == State.ENDED


def test_senders_who_relieve_each_other_do_not_keep_a_pause_waiting(firm: Entity, tom: Staff) -> None:
    people = germans(120, firm)
    says_yes(people, firm)

    def take_a_while(_letter: Letter) -> Answer:
        time.sleep(0.1)
        return Answer(outcome=Outcome.SENT)

    way, failed = Begun(take_a_while), list[BaseException]()
    dispatch = begin(people, way_out(firm, way), tom)
    senders = [threading.Thread(target=in_a_thread(lambda: send_all(dispatch, 3), failed)) for _ in range(3)]
    for each in senders:
        each.start()
    while len(way.began) < 6:
        time.sleep(0.01)
    pause_dispatch(dispatch=dispatch, staff=tom)
    sent = len(way.began)
    for each in senders:
        each.join(30)
    assert failed == []
    assert len(way.began) == sent < 60


def test_what_is_stopped_never_goes_out(greta: UUID, firm: Entity, tom: Staff) -> None:
    says_yes([greta], firm)
    way = Begun()
    dispatch = begin([greta], way_out(firm, way), tom)
    stop_dispatch(dispatch=dispatch, staff=tom)
    send_all(dispatch)
    assert stages(dispatch) == {greta: ("stopped", "stopped")}
    assert not way.began


def test_of_what_is_sent_rooms_keep_what_they_must_once(greta: UUID, firm: Entity, tom: Staff) -> None:
    says_yes([greta], firm)
    dispatch = begin([greta], way_out(firm, Begun()), tom)
    send_all(dispatch)
    assert Message.objects.get().noted
    assert isinstance(Message.objects.get().ended_at, datetime)


def test_an_address_on_the_suppression_list_gets_nothing_whoever_it_belongs_to(firm: Entity, tom: Staff) -> None:
    people = germans(2, firm)
    says_yes(people, firm)
    mark = mark_of("email", "Person-1@Kettle.example")
    suppress(entity=firm, marks=[mark], cause=Cause.COMPLAINED, source="Relay", since=timezone.now())
    way = Begun()
    dispatch = begin(people, way_out(firm, way), tom)
    send_all(dispatch)
    assert stages(dispatch) == {people[0]: SENT, people[1]: ("refused", "suppressed")}
    assert list(way.began) == ["person-0@kettle.example"]
