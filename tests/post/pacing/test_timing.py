"""Nobody is reached at a wrong hour or too often: by the law, by our own house, whichever of our campaigns it is."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone

from comity.consent.actions import About, give_consent
from comity.counsel.questions import ADVERTISING
from comity.law import Decision, lawbook, may
from comity.law.hours import Hours
from comity.post.actions import begin_dispatch, stop_dispatch
from comity.post.gateways import Answer, Outcome
from comity.post.handing import next_due
from comity.post.letters import Later, Unsendable
from comity.post.models import Dispatch, Gateway, Message
from comity.post.pacing import timing
from comity.post.pacing.models import Reached, Restraint
from comity.post.pacing.timing import (
    Limit,
    Touch,
    forget_reached,
    free_again,
    hours_wanted,
    limits_wanted,
    note_reached,
    when_may,
)  # fmt: skip
from comity.refs import new_ref
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from tests.post.writing import KIND, MONDAY, Begun, begin, germans, in_a_thread, says_yes, send_all, stages, way_out

pytestmark = pytest.mark.django_db(transaction=True)
SENT = ("sent", "")
BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)


def restrain(entity: Entity, **what: object) -> None:
    with behind_wall(staff=None, entities=[entity.ref]):
        Restraint.objects.create(entity=entity, **what)


def not_this_hour() -> dict[str, int]:
    """Return a window of today or tomorrow in Germany in which it is not now."""
    now = timezone.now().astimezone(BERLIN)
    minute = now.hour * 60 + now.minute
    return {"opens": minute + 120, "closes": minute + 180} if minute < 720 else {"opens": 60, "closes": 120}


def call(**facts: object) -> Decision:
    """Ask the law about a call to sell something."""
    told = {
        "org.place": "DE", "use.operation": "contact", "use.purpose": "marketing", "use.channel": "call",
        "person.capacity": "consumer", "person.subscriber": "individual", **facts,
    }  # fmt: skip
    return may(lawbook(), told, day=date(2026, 11, 21))


# ---------------------------------------------------------------- hours


def test_what_is_not_to_go_at_this_hour_waits_for_the_next_and_no_address_is_opened(
    greta: UUID, firm: Entity, tom: Staff
) -> None:
    says_yes([greta], firm)
    window = not_this_hour()
    restrain(firm, channel="email", **window)
    way = Begun()
    dispatch = begin([greta], way_out(firm, way), tom)
    send_all(dispatch)
    assert stages(dispatch) == {greta: ("intended", "hours")}
    due = next_due(dispatch=dispatch)
    assert due is not None
    local = due.astimezone(BERLIN)
    assert local.hour * 60 + local.minute == window["opens"]
    assert timedelta() < due - timezone.now() <= timedelta(days=1)
    assert not way.began
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ledger_entry WHERE kind = 'vault.opened'")
        assert cursor.fetchone() == (0,)


def test_the_hour_is_asked_again_when_it_has_come(greta: UUID, firm: Entity, tom: Staff) -> None:
    says_yes([greta], firm)
    restrain(firm, channel="", **not_this_hour())
    dispatch = begin([greta], way_out(firm, Begun()), tom)
    for _ in range(2):  # somebody set the clock forward, or the zone's rules are others now
        send_all(dispatch)
        assert stages(dispatch) == {greta: ("intended", "hours")}
        Message.objects.update(due_at=timezone.now())
    with behind_wall(staff=None, entities=[firm.ref]):
        Restraint.objects.update(opens=0, closes=1440)
    send_all(dispatch)
    assert stages(dispatch) == {greta: SENT}


def test_what_is_no_advertising_goes_at_any_hour(firm: Entity) -> None:
    restrain(firm, channel="email", **not_this_hour())
    with behind_wall(staff=None, entities=[firm.ref]):
        assert timing.restraints_of(firm.ref, "email", "service") == []
        assert len(timing.restraints_of(firm.ref, "email", "marketing")) == 1
        assert timing.restraints_of(firm.ref, "sms", "marketing") == []


def test_the_house_is_stricter_than_the_law_and_never_milder() -> None:
    decision = call(**{"person.home": "DE"})
    law = Hours(opens=480, closes=1260)
    assert hours_wanted(decision, []) == law
    wider, narrower = Restraint(opens=0, closes=1440), Restraint(opens=600, closes=1080, days=["mon", "tue"])
    assert hours_wanted(decision, [wider]) == law
    assert hours_wanted(decision, [narrower]) == Hours(opens=600, closes=1080, days=frozenset({"mon", "tue"}))


@pytest.mark.parametrize(
    ("home", "at", "then"),
    [
        ("FR", "2026-11-20 13:30+01:00", "2026-11-20 14:00+01:00"),
        ("FR", "2026-11-20 19:59:29+01:00", None),  # it is out before 20:00
        ("FR", "2026-11-20 19:59:31+01:00", "2026-11-23 14:00+01:00"),  # it may not be, and then comes the weekend
        ("FR", "2026-11-11 15:00+01:00", "2026-11-12 14:00+01:00"),  # the day of the armistice
        ("RE", "2026-11-20 10:00+01:00", None),  # two in the afternoon on Réunion
        ("US-AL", "2026-07-03 19:00-05:00", "2026-07-06 08:00-05:00"),  # Independence Day, kept on Friday too; Sunday
        ("US-TX", "2026-11-21 08:30-06:00", "2026-11-21 10:00-06:00"),  # nine at El Paso is ten at Dallas
        ("US-KY", "2026-11-21 20:30-05:00", None),
    ],
)
def test_the_law_s_hours_are_those_of_the_person_s_own_clock(
    home: str, at: str, then: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.fromisoformat(at)
    monkeypatch.setattr(timing, "rows_of", lambda *_asked: [(now,)])  # the database's clock, and only here
    monkeypatch.setattr(timezone, "now", lambda: now)
    found = when_of(call(**{"person.home": home}))
    assert found == (then and Later(at=datetime.fromisoformat(then), why="hours"))


def when_of(decision: Decision) -> Later | Unsendable | None:
    ref = new_ref()
    return timing._shut({ref: (decision, [])}, {ref: hours_wanted(decision, [])}).get(ref)


@pytest.mark.parametrize(
    ("apart", "found"),
    [
        (timedelta(), None),
        (timedelta(seconds=-50), None),
        (timedelta(seconds=50), Later(at=datetime.fromisoformat("2026-11-23 14:00+01:00"), why="hours")),
        (timedelta(hours=2), Later(at=datetime.fromisoformat("2026-11-20 22:00+01:00"), why="clock")),
        (timedelta(days=-1), Later(at=datetime.fromisoformat("2026-11-20 20:00+01:00"), why="clock")),
    ],
    ids=str,
)
def test_where_our_clock_and_the_database_s_differ_it_suits_both_or_nothing_goes(
    apart: timedelta, found: Later | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = datetime.fromisoformat("2026-11-20 19:59+01:00")
    monkeypatch.setattr(timing, "rows_of", lambda *_asked: [(theirs,)])
    monkeypatch.setattr(timezone, "now", lambda: theirs + apart)
    assert when_of(call(**{"person.home": "FR"})) == found


def test_who_may_live_anywhere_is_called_at_no_hour() -> None:
    assert when_of(call()) == Unsendable(why="no-hour")


# ---------------------------------------------------------------- how often


def test_nobody_gets_more_in_a_week_than_the_house_wants_over_all_campaigns(firm: Entity, tom: Staff) -> None:
    people = germans(3, firm)
    says_yes(people, firm)
    restrain(firm, channel="", most=2, in_days=7)
    gateway = way_out(firm, Begun())
    first, second, third = (begin(people, gateway, tom) for _ in range(3))
    for each in (first, second, third):
        send_all(each)
    assert set(stages(first).values()) == set(stages(second).values()) == {SENT}
    assert set(stages(third).values()) == {("intended", "limit")}
    oldest = Reached.objects.filter(person=people[0]).order_by("at").first()
    assert oldest is not None
    due = Message.objects.get(dispatch=third, person=people[0]).due_at
    assert due == oldest.at + timedelta(days=7)


def test_what_was_sent_before_there_was_a_limit_counts(greta: UUID, firm: Entity, tom: Staff) -> None:
    says_yes([greta], firm)
    gateway = way_out(firm, Begun())
    send_all(begin([greta], gateway, tom))
    assert not Reached.objects.exists()
    restrain(firm, channel="", most=1, in_days=7)
    later = begin([greta], gateway, tom)
    send_all(later)
    assert stages(later) == {greta: ("intended", "limit")}


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.UNCERTAIN, Outcome.AGAIN])
def test_what_certainly_never_came_does_not_count_and_what_may_have_does(
    outcome: Outcome, greta: UUID, firm: Entity, tom: Staff
) -> None:
    says_yes([greta], firm)
    restrain(firm, channel="email", most=1, in_days=7)
    gateway = way_out(firm, Begun(lambda _letter: Answer(outcome=outcome, why="policy")))
    first = begin([greta], gateway, tom)
    send_all(first)
    if outcome is Outcome.AGAIN:  # it will be tried again, and has its place until it is given up
        second = begin([greta], gateway, tom)
        send_all(second)
        assert stages(second) == {greta: ("intended", "limit")}
        stop_dispatch(dispatch=first, staff=tom)
    well = begin([greta], way_out(firm, Begun()), tom)
    send_all(well)
    assert stages(well) == {greta: SENT if outcome is not Outcome.UNCERTAIN else ("intended", "limit")}


def test_a_message_does_not_stand_in_its_own_way(greta: UUID, firm: Entity, tom: Staff) -> None:
    says_yes([greta], firm)
    restrain(firm, channel="", most=1, in_days=7)
    answers = [Outcome.AGAIN, Outcome.SENT]
    dispatch = begin([greta], way_out(firm, Begun(lambda _letter: Answer(outcome=answers.pop(0)))), tom)
    send_all(dispatch)
    Message.objects.update(due_at=timezone.now())
    send_all(dispatch)
    assert stages(dispatch) == {greta: SENT}
    assert Reached.objects.count() == 1


@pytest.mark.parametrize("round_", range(3))
def test_two_senders_never_both_take_the_last_place(round_: int, firm: Entity, tom: Staff) -> None:
    people = germans(12, firm)
    says_yes(people, firm)
    restrain(firm, channel="", most=1, in_days=7)
    way, failed = Begun(), list[BaseException]()
    gateway = way_out(firm, way)
    begun = [begin(people, gateway, tom) for _ in range(4)]
    together = threading.Barrier(len(begun))

    def send(dispatch: Dispatch) -> None:
        together.wait(10)
        send_all(dispatch, 3 + round_)

    senders = [threading.Thread(target=in_a_thread(partial(send, each), failed)) for each in begun]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(60)
    assert failed == []
    for _ in range(3):  # whom another one had in hand just then
        Message.objects.filter(stage="intended", due_at__lte=timezone.now() + timedelta(minutes=1)).update(
            due_at=timezone.now()
        )
        for each in begun:
            send_all(each)
    assert sorted(len(times) for times in way.began.values()) == [1] * 12


def test_a_call_by_hand_counts_and_a_refusal_gives_quiet(greta: UUID, firm: Entity) -> None:
    decision = call(**{"person.home": "FR"})
    (limit,) = limits_wanted(decision, [], "call")
    assert (limit.most, limit.days, limit.pause) == (4, 30, 60)

    def told() -> Later | Unsendable | None:
        return when_may(decision=decision, person=greta, entity=firm.ref, channel="call", purpose="marketing")

    def by_limit() -> bool:
        found = told()
        return isinstance(found, Later) and found.why == "limit"

    with behind_wall(staff=None, entities=[firm.ref]):
        timing_free = hours_wanted(call(**{"person.home": "FR"}), [])
        assert timing_free is not None
        for number in range(5):
            touches = timing._touches(firm.ref, [greta], [])[greta]
            at = free_again(touches, [limit], timezone.now())
            assert (at is None) == (number < 4)
            note_reached(entity=firm.ref, person=greta, channel="sms" if number % 2 else "call", purpose="marketing")
        Reached.objects.all().delete()
        note_reached(entity=firm.ref, person=greta, channel="call", purpose="marketing", refused=True)
        at = free_again(timing._touches(firm.ref, [greta], [])[greta], [limit], timezone.now())
        assert at is not None
        assert timedelta(days=59) < at - timezone.now() < timedelta(days=60)
        assert by_limit() or isinstance(told(), Later)


def test_the_limits_of_the_law_are_read_from_what_it_wants() -> None:
    florida = limits_wanted(call(**{"person.home": "US-FL"}), [], "call")
    assert [(one.most, one.days) for one in florida] == [(3, 1)]
    assert limits_wanted(call(**{"person.home": "DE"}), [], "call") == []


def test_each_window_is_counted_for_itself() -> None:
    touches = [
        Touch(at=NOON - timedelta(hours=hours), channel=channel, purpose="marketing", refused=False, failed=failed)
        for hours, channel, failed in ((1, "email", False), (30, "email", False), (50, "call", True))
    ]
    house = Limit(most=2, days=7, purposes=ADVERTISING)
    calls = Limit(most=1, days=3, channels=frozenset({"call"}), attempts=True)
    assert free_again(touches, [house], NOON) == NOON + timedelta(days=7, hours=-30)
    assert free_again(touches, [calls], NOON) == NOON + timedelta(days=3, hours=-50)
    assert free_again(touches, [house, calls], NOON) == NOON + timedelta(days=7, hours=-30)
    assert free_again(touches, [Limit(most=3, days=7, purposes=ADVERTISING)], NOON) is None


def test_who_was_reached_is_forgotten_after_every_window(greta: UUID, firm: Entity) -> None:
    with behind_wall(staff=None, entities=[firm.ref]):
        old, new = (note_reached(entity=firm.ref, person=greta, channel="call", purpose="marketing") for _ in range(2))
        Reached.objects.filter(pk=old.pk).update(at=timezone.now() - timedelta(days=101))
        assert forget_reached(entities=[firm.ref]) == 1
        assert list(Reached.objects.all()) == [new]


# ---------------------------------------------------------------- by telephone, from one end to the other


def test_a_call_list_keeps_to_the_hours_of_the_law(firm: Entity, tom: Staff) -> None:
    (person,) = germans(1, firm)
    give_consent(
        about=About(person=person, entity=firm, purpose="marketing", channel="call"), said_at=MONDAY,
        notice="Calls v1", source="Website form", heard_by=None, express=True, separate=True,
    )  # fmt: skip
    way = Begun()
    way_out(firm, way)
    gateway = Gateway.objects.create(entity=firm, channel="call", kind="given", name="Calls")
    dispatch = begin_dispatch(
        kind=KIND, about=new_ref(), entity=firm, purpose="marketing", gateway=gateway, staff=tom, persons=[person]
    )
    send_all(dispatch)
    now = timezone.now()
    open_now = timing.clocks().soonest(Hours(opens=480, closes=1260), ["DE"], now) == now
    assert stages(dispatch) == {person: SENT if open_now else ("intended", "hours")}
    assert bool(way.began) == open_now
