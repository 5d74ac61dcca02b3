"""Gateways and domains get no more than they take, senders and dispatches share it, and an ill gateway rests."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from comity.book.actions import Newcomer, NewPoint, add_persons
from comity.book.models import Reach
from comity.post import jobs
from comity.post.gateways import Answer, Outcome
from comity.post.handing import hand_over_some
from comity.post.hands import open_hands
from comity.post.letters import Letter
from comity.post.models import Attempt, Dispatch, Gateway, Message
from comity.post.pacing import turns
from comity.post.pacing.domains import domain_key
from comity.post.pacing.models import Bucket, Health, InLine, Throttle
from comity.post.pacing.turns import Turns, forget_turns
from comity.refs import new_ref
from comity.staff.models import Entity, Staff
from tests.post.relays import moody
from tests.post.test_jobs import waiting, work
from tests.post.test_smtp import LETTER, handed, to
from tests.post.writing import Begun, begin, germans, in_a_thread, says_yes, send_all, stages, way_out

pytestmark = pytest.mark.django_db(transaction=True)
SENT = ("sent", "")
PATIENCE = Answer(outcome=Outcome.AGAIN, why="busy", code="451 4.7.1")


def throttled(entity: Entity, way: Begun, **limits: int) -> Gateway:
    gateway = way_out(entity, way)
    Throttle.objects.create(gateway=gateway, **limits)
    return gateway


def keep_sending(dispatch: Dispatch, seconds: float = 20) -> None:
    """Send as a job does, until nothing is due or the way is not free for long."""
    until = time.monotonic() + seconds
    with open_hands() as hands:
        while (hand_over_some(dispatch=dispatch, hands=hands) or hands.turns.waited()) and time.monotonic() < until:
            pass


def all_at_once(*acts: object) -> None:
    failed: list[BaseException] = []
    threads = [threading.Thread(target=in_a_thread(act, failed)) for act in acts]  # type: ignore[arg-type]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert failed == []


def people_at(domain: str, many: int, entity: Entity) -> list[UUID]:
    newcomers = [
        Newcomer(
            name={"given": "Nora", "family": f"Neumann {number}"}, facts={"home": "DE"}, ref=new_ref(),
            points=[NewPoint(reach=Reach.EMAIL, value=f"nora-{number}@{domain}")], relation={"source": "person"},
        )
        for number in range(many)
    ]  # fmt: skip
    add_persons(newcomers=newcomers, entity=entity, staff=None)
    return [one.ref for one in newcomers]


# ---------------------------------------------------------------- gateways


def test_two_senders_together_send_no_more_in_any_second_than_the_gateway_takes(firm: Entity, tom: Staff) -> None:
    people, limit = germans(45, firm), 20
    says_yes(people, firm)
    way = Begun()
    dispatch = begin(people, throttled(firm, way, a_second=limit), tom)
    all_at_once(lambda: keep_sending(dispatch), lambda: keep_sending(dispatch))
    assert set(stages(dispatch).values()) == {SENT}
    times = sorted(moment for each in way.began.values() for moment in each)
    assert times[-1] - times[0] >= (len(times) - 1) / limit - 0.05
    for first in times:
        assert len([each for each in times if first <= each < first + 1]) <= limit + 1


def test_a_huge_audience_keeps_no_small_one_waiting(firm: Entity, tom: Staff) -> None:
    many, few = germans(60, firm), people_at("other.example", 6, firm)
    says_yes([*many, *few], firm)
    way = Begun()
    gateway = throttled(firm, way, a_second=30)
    huge, small = begin(many, gateway, tom), begin(few, gateway, tom)
    all_at_once(lambda: keep_sending(huge, 8), lambda: keep_sending(small))
    times = {to: each[0] for to, each in way.began.items()}
    last = max(moment for to, moment in times.items() if to.endswith("other.example"))
    first = min(moment for to, moment in times.items() if to.endswith("other.example"))
    between = [moment for to, moment in times.items() if to.endswith("kettle.example") and first <= moment <= last]
    assert set(stages(small).values()) == {SENT}
    assert len(between) <= 2 * len(few) + 2


def test_what_comes_too_early_is_no_try_and_waits(firm: Entity, tom: Staff) -> None:
    people = germans(3, firm)
    says_yes(people, firm)
    way = Begun()
    dispatch = begin(people, throttled(firm, way, a_minute=1), tom)
    with open_hands() as hands:
        began = time.monotonic()
        while hand_over_some(dispatch=dispatch, hands=hands):
            pass
        assert 55 < hands.turns.wait <= 60
        assert not hands.turns.waited()
    assert time.monotonic() - began < 5  # nobody who says no waits for it
    assert sorted(stages(dispatch).values()) == [("intended", ""), ("intended", ""), SENT]
    assert Attempt.objects.count() == len(way.began) == 1


def test_the_day_s_messages_are_counted_and_the_rest_waits_for_midnight(firm: Entity, tom: Staff) -> None:
    people = germans(5, firm)
    says_yes(people, firm)
    gateway = throttled(firm, Begun(), a_day=3)
    dispatch = begin(people, gateway, tom)
    with open_hands() as hands:
        while hand_over_some(dispatch=dispatch, hands=hands):
            pass
        wait = timedelta(seconds=hands.turns.wait)
    assert list(stages(dispatch).values()).count(SENT) == 3
    now = datetime.now(tz=UTC)
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    assert abs(wait - (midnight - now)) < timedelta(seconds=20)
    Bucket.objects.update(day=now.date() - timedelta(days=1))
    keep_sending(dispatch)
    assert set(stages(dispatch).values()) == {SENT}


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=1), timedelta(days=400)], ids=str)
def test_a_turn_that_a_clock_took_that_was_ahead_keeps_nobody_waiting(
    ahead: timedelta, firm: Entity, tom: Staff
) -> None:
    people = germans(2, firm)
    says_yes(people, firm)
    dispatch = begin(people, throttled(firm, Begun(), a_second=50, a_day=5), tom)
    with open_hands() as hands:
        assert hand_over_some(dispatch=dispatch, hands=hands, most=1)
    Bucket.objects.update(free_at=timezone.now() + ahead, day=(timezone.now() + ahead).date())
    keep_sending(dispatch, 5)
    assert set(stages(dispatch).values()) == {SENT}


def test_clocks_that_disagree_about_midnight_do_not_begin_the_day_s_count_anew(firm: Entity, tom: Staff) -> None:
    people = germans(5, firm)
    says_yes(people, firm)
    dispatch = begin(people, throttled(firm, Begun(), a_day=3), tom)
    with open_hands() as hands:
        while hand_over_some(
            dispatch=dispatch, hands=hands, most=1
        ):  # each sends one, by a clock for which it is tomorrow
            Bucket.objects.update(day=datetime.now(tz=UTC).date() + timedelta(days=1))
        assert hands.turns.wait > 0
    assert list(stages(dispatch).values()).count(SENT) == 3


def test_a_gateway_without_limits_asks_for_no_turns(greta: UUID, firm: Entity, tom: Staff) -> None:
    says_yes([greta], firm)
    send_all(begin([greta], way_out(firm, Begun()), tom))
    assert not Bucket.objects.exists()
    assert not InLine.objects.exists()
    assert not Health.objects.exists()


# ---------------------------------------------------------------- domains


def test_a_domain_that_asks_for_patience_gets_it_and_nobody_else_waits(firm: Entity, tom: Staff) -> None:
    slow, quick = germans(4, firm), people_at("other.example", 4, firm)
    says_yes([*slow, *quick], firm)
    way = Begun(lambda letter: PATIENCE if "kettle" in letter.to else Answer(outcome=Outcome.SENT))
    dispatch = begin([*slow, *quick], way_out(firm, way), tom)
    with open_hands() as hands:
        hand_over_some(dispatch=dispatch, hands=hands)
    found = stages(dispatch)
    assert {found[each] for each in quick} == {SENT}
    assert sorted(found[each] for each in slow) == [("intended", "busy"), *[("intended", "domain")] * 3]
    waiting_ = Message.objects.filter(why="domain").order_by("due_at")
    assert [one.tries for one in waiting_] == [0, 0, 0]
    apart = [later.due_at - sooner.due_at for sooner, later in pairwise(waiting_)]
    assert all(abs(each - timedelta(seconds=1)) < timedelta(milliseconds=50) for each in apart)


def test_messages_to_a_slow_domain_go_one_by_one_and_are_composed_twice_at_most(firm: Entity, tom: Staff) -> None:
    people = germans(5, firm)
    says_yes(people, firm)
    way = Begun()
    gateway = way_out(firm, way)
    Bucket.objects.create(
        key=domain_key(gateway.ref, "a@kettle.example"), gateway=gateway, free_at=timezone.now(), spacing=0.3
    )
    dispatch = begin(people, gateway, tom)
    until = time.monotonic() + 10
    while time.monotonic() < until and set(stages(dispatch).values()) != {SENT}:
        keep_sending(dispatch)
    times = sorted(moment for each in way.began.values() for moment in each)
    assert [len(each) for each in way.began.values()] == [1] * 5
    assert all(later - sooner > 0.29 for sooner, later in pairwise(times))


def test_the_queue_for_a_domain_outlives_the_sender_and_is_each_dispatch_s_own(firm: Entity, tom: Staff) -> None:
    gateway = way_out(firm, Begun())
    huge, small = begin(germans(1, firm), gateway, tom), begin(people_at("other.example", 1, firm), gateway, tom)
    letter, key = Letter(to="a@kettle.example", sender="", data=b""), domain_key(gateway.ref, "a@kettle.example")
    free_at = timezone.now() + timedelta(seconds=10)
    Bucket.objects.create(key=key, gateway=gateway, free_at=free_at, spacing=10)

    def place(dispatch: Dispatch) -> int:
        mine = Turns()
        mine.room(dispatch, 25)
        later = mine.take(dispatch, letter, until=time.monotonic() + 5, queued=False)
        assert later is not None
        return round((later.at - free_at).total_seconds())

    assert [place(huge) for _ in range(4)] == [0, 10, 20, 30]
    assert place(small) == 0
    Bucket.objects.update(free_at=timezone.now() + timedelta(hours=5))
    assert place(huge) <= 3600


@pytest.mark.parametrize(
    ("code", "slows"),
    [("421", True), ("421 4.7.0", True), ("450", True), ("451 4.7.1", True), ("450 4.7.25", True),
     ("450 4.2.0", False), ("451 4.4.1", False), ("452 4.2.2", False), ("", False)],
)  # fmt: skip
def test_only_who_asks_for_patience_is_written_to_more_slowly(
    code: str, slows: bool, greta: UUID, firm: Entity, tom: Staff
) -> None:
    says_yes([greta], firm)
    way = Begun(lambda _letter: Answer(outcome=Outcome.AGAIN, why="busy", code=code))
    send_all(begin([greta], way_out(firm, way), tom))
    assert Bucket.objects.exists() is slows


def test_each_complaint_doubles_the_distance_and_each_quiet_minute_halves_it(firm: Entity, tom: Staff) -> None:
    dispatch = begin(germans(1, firm), way_out(firm, Begun()), tom)
    letter, mine = Letter(to="a@kettle.example", sender="", data=b""), Turns()
    for spacing in (1, 2, 4):
        assert not mine.learn(dispatch, letter, PATIENCE)
        assert Bucket.objects.get().spacing == spacing
    for _ in range(20):
        mine.learn(dispatch, letter, PATIENCE)
    assert Bucket.objects.get().spacing == turns.LAST_SPACING
    Bucket.objects.update(spacing=0.12)
    well = Answer(outcome=Outcome.SENT)
    mine.learn(dispatch, letter, well)
    assert Bucket.objects.get().spacing == 0.12
    Bucket.objects.update(changed_at=timezone.now() - timedelta(seconds=61))
    mine.learn(dispatch, letter, well)
    assert Bucket.objects.get().spacing == 0.06
    Bucket.objects.update(changed_at=timezone.now() - timedelta(seconds=61))
    mine.learn(dispatch, letter, well)
    assert not Bucket.objects.exists()


def test_a_limit_for_each_domain_holds_from_the_first_message_on(firm: Entity, tom: Staff) -> None:
    people = [*germans(3, firm), *people_at("other.example", 1, firm)]
    says_yes(people, firm)
    way = Begun()
    dispatch = begin(people, throttled(firm, way, domain_a_minute=2), tom)
    send_all(dispatch)
    assert sorted(stages(dispatch).values()) == [*[("intended", "domain")] * 2, SENT, SENT]
    due = sorted(one.due_at - timezone.now() for one in Message.objects.filter(stage="intended"))
    assert timedelta(seconds=25) < due[0] <= timedelta(seconds=30) < due[1] <= timedelta(seconds=60)


def test_no_domain_can_be_read_from_what_is_kept(folder: Path) -> None:
    del folder  # the key lies in it
    one, other = new_ref(), new_ref()
    key = domain_key(one, "greta@kettle.example")
    assert key == domain_key(one, "someone.else@Kettle.Example.")
    assert len({key, domain_key(other, "greta@kettle.example"), domain_key(one, "greta@kettle2.example")}) == 3


def test_a_relay_s_own_code_is_kept_with_its_answer() -> None:
    with moody(script={"RCPT": "451 4.7.1 slow down"}) as (_mood, port), to(port) as way:
        assert handed(way).code == "451 4.7.1"
    with moody(script={"RCPT": "451 4.7.1slow"}) as (_mood, port), to(port) as way:
        assert handed(way, letter=LETTER).code == "451"


# ---------------------------------------------------------------- gateways that are ill


@pytest.mark.parametrize(
    ("answer", "faults"),
    [
        (Answer(outcome=Outcome.UNCERTAIN, why="broken-off"), 3),  # accepts and dies
        (Answer(outcome=Outcome.UNCERTAIN, why="timeout"), 3),
        (Answer(outcome=Outcome.FAILED, why="policy"), 5),
        (Answer(outcome=Outcome.FAILED, why="no-such-address"), 8),
        (Answer(outcome=Outcome.AGAIN, why="busy", code="452 4.2.2"), 8),
    ],
    ids=lambda each: getattr(each, "why", each),
)
def test_a_gateway_rests_after_some_faults_in_a_row(answer: Answer, faults: int, firm: Entity, tom: Staff) -> None:
    people = germans(8, firm)
    says_yes(people, firm)
    way = Begun(lambda _letter: answer)
    send_all(begin(people, way_out(firm, way), tom))
    assert len(way.began) == faults
    if faults < 8:
        health = Health.objects.get()
        assert health.why == answer.why
        assert health.until is not None
        assert timedelta(seconds=40) < health.until - timezone.now() <= timedelta(minutes=1)


def test_a_gateway_that_rested_is_tried_with_one_message_and_rests_longer_or_is_well(firm: Entity, tom: Staff) -> None:
    people = germans(9, firm)
    says_yes(people, firm)
    outcomes = [Outcome.UNCERTAIN] * 4 + [Outcome.SENT] * 5
    way = Begun(lambda _letter: Answer(outcome=outcomes[len(way.began) - 1], why="broken-off"))
    dispatch = begin(people, way_out(firm, way), tom)
    send_all(dispatch)
    assert len(way.began) == 3
    send_all(dispatch)
    assert len(way.began) == 3  # it rests
    Health.objects.update(until=timezone.now())
    send_all(dispatch)
    assert len(way.began) == 4  # one tried
    health = Health.objects.get()
    assert health.until is not None
    assert timedelta(minutes=4) < health.until - timezone.now() <= timedelta(minutes=5)
    Health.objects.update(until=timezone.now())
    send_all(dispatch)
    assert len(way.began) == 9
    assert not Health.objects.exists()


def test_faults_that_are_not_in_a_row_are_none(firm: Entity, tom: Staff) -> None:
    people = germans(9, firm)
    says_yes(people, firm)
    outcomes = [Outcome.UNCERTAIN, Outcome.UNCERTAIN, Outcome.SENT] * 3
    way = Begun(lambda _letter: Answer(outcome=outcomes[len(way.began) - 1], why="broken-off"))
    send_all(begin(people, way_out(firm, way), tom))
    assert len(way.began) == 9
    assert not Health.objects.exists()


# ---------------------------------------------------------------- jobs


def test_a_job_comes_back_when_its_gateway_has_rested(greta: UUID, firm: Entity, tom: Staff) -> None:
    says_yes([greta], firm)
    gateway = way_out(firm, Begun())
    dispatch = begin([greta], gateway, tom)
    until = timezone.now() + timedelta(minutes=5)
    Health.objects.create(gateway=gateway, faults=5, rests=2, until=until)
    work(dispatch)
    (at,) = waiting(dispatch)
    assert isinstance(at, datetime)
    assert abs(at - until) < timedelta(seconds=5)
    assert stages(dispatch) == {greta: ("intended", "")}


def test_a_job_makes_room_for_others_and_lines_up_again(
    firm: Entity, tom: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = germans(30, firm)
    says_yes(people, firm)
    monkeypatch.setattr(jobs, "A_SLICE", 0.0)
    dispatch = begin(people, way_out(firm, Begun()), tom)
    work(dispatch)
    assert list(stages(dispatch).values()).count(SENT) == 25
    (at,) = waiting(dispatch)
    assert isinstance(at, datetime)
    assert at <= timezone.now()
    work(dispatch)
    assert set(stages(dispatch).values()) == {SENT}


def test_turns_of_days_gone_by_are_forgotten(firm: Entity, tom: Staff) -> None:
    dispatch = begin(germans(1, firm), way_out(firm, Begun()), tom)
    for ago in (timedelta(days=2), timedelta(hours=2)):
        Bucket.objects.create(key=new_ref(), gateway=dispatch.gateway, free_at=timezone.now() - ago)
    InLine.objects.create(dispatch=dispatch, gateway=dispatch.gateway, at=timezone.now() - timedelta(days=2))
    forget_turns()
    assert Bucket.objects.count() == 1
    assert not InLine.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def test_a_dispatch_leaves_every_second_turn_to_another_that_asks(firm: Entity, tom: Staff) -> None:
    gateway = throttled(firm, Begun(), a_second=20)
    one, other = begin(germans(1, firm), gateway, tom), begin(people_at("other.example", 1, firm), gateway, tom)
    letter = Letter(to="a@kettle.example", sender="", data=b"")

    def five() -> float:
        mine = Turns()
        mine.room(one, 25)
        began = time.monotonic()
        for _ in range(5):
            assert mine.take(one, letter, until=began + 5, queued=False) is None
        return time.monotonic() - began

    assert five() >= 4 / 20
    Turns().room(other, 25)
    assert five() >= 2 * 4 / 20
    InLine.objects.filter(dispatch=other).update(at=timezone.now() - timedelta(seconds=11))
    assert five() < 2 * 4 / 20  # it asks no more


def test_only_the_one_that_tries_a_gateway_again_is_opened_for_it(firm: Entity, tom: Staff) -> None:
    people = germans(3, firm)
    says_yes(people, firm)
    gateway = way_out(firm, Begun(lambda _letter: Answer(outcome=Outcome.UNCERTAIN, why="timeout")))
    Health.objects.create(gateway=gateway, faults=5, rests=1, until=timezone.now())
    send_all(begin(people, gateway, tom))
    assert Message.objects.exclude(decision=None).count() == 1
