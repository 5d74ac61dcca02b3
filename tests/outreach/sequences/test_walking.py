"""Going through a sequence: when, then, after, unless. Each step once, through the door, whatever dies or waits."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from pytest_django import Settings

from comity.book.models import Activity, Relation, Tag, Tagging
from comity.consent.actions import object_to_marketing
from comity.ledger.journal.replaying import replay
from comity.outreach.sequences.actions import (
    NotDone,
    add_step,
    begin_version,
    change_step,
    leave_all,
    move_step,
    next_version,
    pause_sequence,
    resume_sequence,
    stop_sequence,
)
from comity.outreach.sequences.models import Enrolment, Errand, Sequence, Step, Taken, Version
from comity.outreach.sequences.walking import walk
from comity.post.gateways import Answer, Outcome
from comity.post.models import Dispatch, Message
from comity.staff.approvals import NotApproved
from comity.staff.models import Entity, RoleGrant, Staff
from comity.staff.walls import behind_wall
from tests.as_application import application_role
from tests.consent.journal.days import put_back, take
from tests.outreach.sequences.making import DAY, begin, begun, draft, go_out, in_, live, mail, messages_to, where
from tests.post.relays import Keeper, relay
from tests.post.test_handing import withdraw
from tests.post.writing import Begun, germans, says_yes, way_out

pytestmark = pytest.mark.django_db(transaction=True)
TWO: list[dict[str, Any]] = [mail("Welcome"), mail("How is it?", 3 * DAY)]


@pytest.fixture(autouse=True)
def address(settings: Settings) -> None:
    settings.ADDRESS = urlsplit("https://book.comity.example")


def subjects(kept: Keeper) -> list[str]:
    return [str(one.message["Subject"]) for one in kept.kept]


def test_whoever_says_yes_gets_each_message_when_its_time_has_come(firm: Entity, tom: Staff, greta: UUID) -> None:
    with relay() as (kept, port):
        begun(firm, tom, way_out(firm, port=port), TWO)
        live(firm, 0)
        assert not Enrolment.objects.exists()
        says_yes([greta], firm)
        live(firm, 0, 24, 71)
        assert subjects(kept) == ["Welcome"]
        live(firm, 73, 200)
    assert subjects(kept) == ["Welcome", "How is it?"]
    assert where(greta) == ("through", "")
    for one in Message.objects.all():
        assert (one.stage, one.decision is not None) == ("sent", True)


def test_a_withdrawal_between_steps_stops_the_rest(firm: Entity, tom: Staff, greta: UUID) -> None:
    with relay() as (kept, port):
        begun(firm, tom, way_out(firm, port=port), TWO)
        says_yes([greta], firm)
        live(firm, 0)
        withdraw(greta, firm)
        live(firm, 100)
    assert subjects(kept) == ["Welcome"]
    assert where(greta) == ("left", "withdrew")
    assert messages_to(greta) == 1, "not even a message that the law would refuse"


def test_a_withdrawal_while_a_message_waits_is_refused_at_the_hand_over_and_ends_the_sequence(
    firm: Entity, tom: Staff, greta: UUID
) -> None:
    with relay() as (kept, port):
        begun(firm, tom, way_out(firm, port=port), TWO)
        says_yes([greta], firm)
        walk(entity=firm, now=in_(0))
        withdraw(greta, firm)
        go_out(firm)
        says_yes([greta], firm)
        live(firm, 100)
    assert kept.kept == []
    assert where(greta)[0] == "left"


def test_an_objection_ends_it_too(firm: Entity, tom: Staff, greta: UUID) -> None:
    begun(firm, tom, way_out(firm, Begun()), TWO)
    says_yes([greta], firm)
    live(firm, 0)
    object_to_marketing(person=greta, entity=firm, said_at=timezone.now(), source="Phone", heard_by=None)
    live(firm, 100)
    assert where(greta) == ("left", "withdrew")


@pytest.mark.parametrize("trigger", [{"kind": "yes"}, {"kind": "list", "query": "", "all": True}])
def test_it_goes_on_behind_the_wall_of_its_entity(
    firm: Entity, tom: Staff, greta: UUID, shanghai: Entity, trigger: dict[str, Any]
) -> None:
    begun(firm, tom, way_out(firm, Begun()), TWO, trigger=trigger, unless="person.home in {'FR'}")
    says_yes([greta], firm)
    with connection.cursor() as cursor:  # jobs are numbered
        cursor.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO comity_app")
    with transaction.atomic(), application_role():
        walk(entity=shanghai, now=in_(0))
        walk(entity=firm, now=in_(0))
    assert Taken.objects.count() == 1


def test_nothing_is_sent_twice_however_often_it_is_looked_at(firm: Entity, tom: Staff) -> None:
    people, kept = germans(5, firm), Begun()
    begun(firm, tom, way_out(firm, kept), TWO)
    says_yes(people, firm)
    live(firm, 0, 0, 0, 80, 80, 80)
    assert {len(times) for times in kept.began.values()} == {2}
    assert Taken.objects.count() == 10
    one = Taken.objects.select_related("enrolment", "step").first()
    assert one is not None
    with pytest.raises(IntegrityError), transaction.atomic():
        Taken.objects.create(enrolment=one.enrolment, step=one.step, entity=firm, what="sent")


class TestLateness:
    """After a time in which nothing ran."""

    def test_there_is_no_burst_and_a_message_that_is_too_late_is_dropped(
        self, firm: Entity, tom: Staff, greta: UUID
    ) -> None:
        kept = Begun()
        begun(firm, tom, way_out(firm, kept), [mail("1"), mail("2", DAY), mail("3", DAY), mail("4", DAY)], grace=48)
        says_yes([greta], firm)
        live(firm, 0)
        live(firm, 24 * 10, 24 * 10)
        assert [one.what for one in Taken.objects.order_by("at")] == ["sent", "late"]
        live(firm, 24 * 11 + 1, 24 * 11 + 1)
        assert [one.what for one in Taken.objects.order_by("at")] == ["sent", "late", "sent"]
        assert messages_to(greta) == 2

    def test_what_gives_us_something_to_do_is_never_too_late(self, firm: Entity, tom: Staff, greta: UUID) -> None:
        begun(firm, tom, way_out(firm, Begun()), [{"kind": "work", "wait": DAY, "says": "Call them"}])
        says_yes([greta], firm)
        live(firm, 0, 24 * 30)
        assert [(one.person, one.step.says) for one in Errand.objects.all()] == [(greta, "Call them")]

    def test_what_came_about_longer_than_a_week_ago_begins_nothing(self, firm: Entity, tom: Staff, greta: UUID) -> None:
        begun(firm, tom, way_out(firm, Begun()), TWO)
        says_yes([greta], firm)
        live(firm, 24 * 9)
        assert not Enrolment.objects.exists()

    def test_a_pause_stops_the_clock(self, firm: Entity, tom: Staff, greta: UUID) -> None:
        kept = Begun()
        sequence = begun(firm, tom, way_out(firm, kept), TWO)
        says_yes([greta], firm)
        live(firm, 0)
        with behind_wall(staff=tom.ref, entities=[firm.ref]):
            pause_sequence(sequence=sequence, by=tom)
        live(firm, 24 * 9)
        assert messages_to(greta) == 1
        with behind_wall(staff=tom.ref, entities=[firm.ref]):
            resume_sequence(sequence=sequence, by=tom, now=in_(24 * 10))
        live(firm, 24 * 10, 24 * 12)
        assert messages_to(greta) == 1
        live(firm, 24 * 13 + 1)
        assert [len(times) for times in kept.began.values()] == [2]

    def test_the_next_message_waits_for_the_one_before(self, firm: Entity, tom: Staff, greta: UUID) -> None:
        busy = Begun(lambda _letter: Answer(outcome=Outcome.AGAIN, why="busy"))
        begun(firm, tom, way_out(firm, busy), [mail("1"), mail("2")])
        says_yes([greta], firm)
        live(firm, 0, 0.1)
        assert messages_to(greta) == 1


class TestUnless:
    """What ends it early."""

    def test_whoever_was_in_touch_with_one_of_us_gets_no_more(self, firm: Entity, tom: Staff, greta: UUID) -> None:
        begun(firm, tom, way_out(firm, Begun()), TWO, exits=["in-touch"])
        says_yes([greta], firm)
        live(firm, 0)
        Activity.objects.create(person_id=greta, entity=firm, doing="call", at=timezone.now() + timedelta(hours=1))
        live(firm, 100)
        assert where(greta) == ("left", "in-touch")

    def test_an_answer_ends_every_sequence(self, firm: Entity, tom: Staff, greta: UUID) -> None:
        begun(firm, tom, way_out(firm, Begun()), TWO)
        says_yes([greta], firm)
        live(firm, 0)
        with behind_wall(staff=None, entities=[firm.ref]):
            assert leave_all(person=greta, entity=firm.ref) == 1
        live(firm, 100)
        assert (where(greta), messages_to(greta)) == (("left", "replied"), 1)

    @pytest.mark.parametrize(
        ("unless", "goes_on"),
        [("relation.contract_running", False), ("person.age < 18", False), ("person.home in EEA", False),
         ("person.home in {'FR'}", True)],
    )  # fmt: skip
    def test_a_condition_must_be_certainly_false_and_unknown_is_not(
        self, firm: Entity, tom: Staff, greta: UUID, unless: str, goes_on: bool
    ) -> None:
        begun(firm, tom, way_out(firm, Begun()), TWO, unless=unless)
        says_yes([greta], firm)
        live(firm, 0)
        assert (where(greta) == ("under-way", "")) is goes_on
        assert messages_to(greta) == goes_on

    def test_a_look_lets_go_on_only_whoever_it_certainly_holds_of(
        self, firm: Entity, tom: Staff, greta: UUID, oliver: UUID
    ) -> None:
        steps = [{"kind": "check", "wait": 0, "only_if": "person.home in {'DE'}"}, mail("For Germany")]
        begun(firm, tom, way_out(firm, Begun()), steps)
        says_yes([greta, oliver], firm)
        live(firm, 0, 0)
        assert (where(greta)[0], where(oliver)) == ("through", ("left", "check"))

    def test_to_choose_by_facts_is_a_use_that_the_law_is_asked_about(
        self, firm: Entity, tom: Staff, greta: UUID
    ) -> None:
        begun(firm, tom, way_out(firm, Begun()), TWO, unless="relation.contract_running", significant=True)
        says_yes([greta], firm)
        live(firm, 0)
        assert where(greta) == ("left", "profile")

    def test_a_condition_that_cannot_be_read_is_refused_with_what_is_wrong(self, firm: Entity, tom: Staff) -> None:
        with behind_wall(staff=tom.ref, entities=[firm.ref]):
            for wrong in ("relation.costumer", "use.purpose == 'marketing'", "__import__('os')"):
                with pytest.raises(NotDone, match="cannot be read"):
                    draft(firm, tom, way_out(firm, Begun()), [], unless=wrong)


class TestBeginnings:
    """What begins a sequence."""

    def test_those_who_come_to_a_list_and_not_those_who_were_there(
        self, firm: Entity, tom: Staff, greta: UUID, oliver: UUID
    ) -> None:
        tag = Tag.objects.create(name="fair")
        Tagging.objects.create(tag=tag, person_id=oliver)
        begun(firm, tom, way_out(firm, Begun()), TWO, trigger={"kind": "list", "query": f"tag={tag.ref}"})
        Tagging.objects.create(tag=tag, person_id=greta)
        live(firm, 0, 100)
        assert (where(greta), where(oliver)) == (("left", "refused"), ("left", "before"))  # Greta never said yes
        assert (messages_to(greta), messages_to(oliver)) == (1, 0)

    def test_a_day_that_comes_begins_it_once_for_that_day(self, firm: Entity, tom: Staff, greta: UUID) -> None:
        work = [{"kind": "work", "wait": 0, "says": "Ask how they like it"}]
        trigger = {"kind": "day", "day": "last_purchase_on", "after": 3}
        begun(firm, tom, way_out(firm, Begun()), work, trigger=trigger, once=False)
        bought = timezone.now().date() + timedelta(days=1)
        Relation.objects.filter(person=greta).update(last_purchase_on=bought)
        live(firm, 24 * 3, 24 * 5, 24 * 5, 24 * 6)
        assert Errand.objects.count() == 1
        Relation.objects.filter(person=greta).update(last_purchase_on=bought + timedelta(days=10))
        live(firm, 24 * 15)
        assert Errand.objects.count() == 2

    def test_something_put_on_record_begins_it(self, firm: Entity, tom: Staff, greta: UUID) -> None:
        work = [{"kind": "work", "wait": 0, "says": "Say thank you"}]
        begun(firm, tom, way_out(firm, Begun()), work, trigger={"kind": "activity", "doing": "order"})
        Activity.objects.create(person_id=greta, entity=firm, doing="order", at=timezone.now() + timedelta(minutes=1))
        live(firm, 1)
        assert Errand.objects.count() == 1

    def test_nobody_goes_through_it_twice_unless_its_maker_says_so(self, firm: Entity, tom: Staff, greta: UUID) -> None:
        begun(firm, tom, way_out(firm, Begun()), [mail("Welcome")])
        says_yes([greta], firm)
        live(firm, 0)
        says_yes([greta], firm)
        live(firm, 0)
        assert Enrolment.objects.count() == 1


class TestVersions:
    """What people go through does not change under them."""

    def test_whoever_began_in_a_version_goes_on_in_it(
        self, firm: Entity, tom: Staff, greta: UUID, oliver: UUID
    ) -> None:
        with relay() as (kept, port):
            sequence = begun(firm, tom, way_out(firm, port=port), TWO)
            says_yes([greta], firm)
            live(firm, 0)
            with behind_wall(staff=tom.ref, entities=[firm.ref]):
                later = next_version(sequence=sequence, by=tom)
                second = later.steps.get(place=2)
                change_step(step=second, by=tom, content=mail("Another question")["content"])
                begin(Version.objects.select_related("sequence__entity").get(pk=later.pk), tom)
            says_yes([oliver], firm)
            live(firm, 0.1, 100)
        assert sorted(subjects(kept)) == ["Another question", "How is it?", "Welcome", "Welcome"]

    def test_a_version_that_began_is_fixed_even_for_the_database(self, firm: Entity, tom: Staff) -> None:
        sequence = begun(firm, tom, way_out(firm, Begun()), TWO)
        step = Step.objects.filter(version__sequence=sequence).first()
        assert step is not None
        with behind_wall(staff=tom.ref, entities=[firm.ref]), pytest.raises(NotDone, match="next one"):
            change_step(step=step, by=tom, wait=0)
        for rows in (Step.objects.all(), Version.objects.all()):
            with pytest.raises(IntegrityError), transaction.atomic():
                rows.update(entity=firm)

    def test_steps_change_places(self, firm: Entity, tom: Staff) -> None:
        with behind_wall(staff=tom.ref, entities=[firm.ref]):
            version = draft(firm, tom, way_out(firm, Begun()), TWO)
            move_step(step=version.steps.get(place=2), by=tom, up=True)
            assert [one.wait for one in version.steps.order_by("place")] == [3 * DAY, 0]


class TestFourEyes:
    """A second person approves just this."""

    def test_nothing_begins_without_and_other_words_want_another(self, firm: Entity, tom: Staff) -> None:
        with behind_wall(staff=tom.ref, entities=[firm.ref]):
            version = draft(firm, tom, way_out(firm, Begun()), TWO)
            with pytest.raises(NotApproved):
                begin_version(version=version, by=tom, lint_of=lambda _version: [])
            begin(version, tom)
            later = next_version(sequence=version.sequence, by=tom)
            add_step(version=later, by=tom, kind="work", wait=0, says="Call")
            with pytest.raises(NotApproved):
                begin_version(version=later, by=tom, lint_of=lambda _version: [])

    def test_what_is_missing_is_said(self, firm: Entity, tom: Staff) -> None:
        with behind_wall(staff=tom.ref, entities=[firm.ref]):
            version = draft(firm, tom, way_out(firm, Begun()), [], trigger={})
            with pytest.raises(NotDone) as refused:
                begin_version(version=version, by=tom, lint_of=lambda _version: [])
        assert refused.value.messages == ["Say what begins it.", "Add a step."]


def test_stopping_it_ends_it_for_all_and_what_waits_never_goes_out(firm: Entity, tom: Staff, greta: UUID) -> None:
    kept = Begun()
    sequence = begun(firm, tom, way_out(firm, kept), TWO)
    says_yes([greta], firm)
    walk(entity=firm, now=in_(0))
    with behind_wall(staff=tom.ref, entities=[firm.ref]):
        stop_sequence(sequence=sequence, by=tom)
    live(firm, 0, 100)
    assert (kept.began, where(greta)) == ({}, ("left", "gone"))
    assert [one.stage for one in Message.objects.all()] == ["stopped"]


def test_once_its_beginner_may_not_any_more_nobody_begins_and_nothing_is_sent(
    firm: Entity, tom: Staff, greta: UUID, oliver: UUID
) -> None:
    kept = Begun()
    begun(firm, tom, way_out(firm, kept), TWO)
    says_yes([greta], firm)
    walk(entity=firm, now=in_(0))
    RoleGrant.objects.filter(staff=tom).delete()
    says_yes([oliver], firm)
    live(firm, 0, 100)
    assert kept.began == {}
    assert not Enrolment.objects.filter(person=oliver).exists()


def test_an_ended_gateway_keeps_people_where_they_are(firm: Entity, tom: Staff, greta: UUID) -> None:
    gateway = way_out(firm, Begun())
    sequence = begun(firm, tom, gateway, TWO)
    says_yes([greta], firm)
    gateway.ended_at = timezone.now()
    gateway.save()
    live(firm, 0)
    assert (where(greta), Dispatch.objects.count()) == (("under-way", ""), 0)
    assert Sequence.objects.get(pk=sequence.pk).state == "running"


def test_in_a_database_that_was_put_back_nobody_gets_a_step_again(
    firm: Entity, tom: Staff, greta: UUID, oliver: UUID, tmp_path: Path
) -> None:
    with relay() as (kept, port):
        sequence = begun(firm, tom, way_out(firm, port=port), [mail("Welcome"), mail("And more", wait=DAY)])
        says_yes([greta], firm)
        backup = take(tmp_path / "dump")
        live(firm, 0)
        withdraw(oliver, firm)
        put_back(backup)
        replay()
        live(firm, 1, 25)
        assert len(kept.kept) == 1
    assert Sequence.objects.get(pk=sequence.pk).state == "paused"
