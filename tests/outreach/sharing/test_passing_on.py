"""What somebody says after their data were given reaches whoever got them: once, by the marks in their own file."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from uuid import UUID

import pytest
from django.utils import timezone

from comity.book.models import Person, Relation
from comity.book.opening import Look
from comity.consent.actions import object_to_marketing
from comity.consent.models import Consent
from comity.counsel.models import OwedDuty
from comity.outreach.campaigns.models import Imprint
from comity.outreach.sharing import passing_on
from comity.outreach.sharing.models import PassedOn, Telling, What
from comity.outreach.sharing.passing_on import (
    NotTold,
    acknowledge,
    file_of,
    go_round,
    hand_to_staff,
    look_for_noes,
    make_tellings,
    pass_on_correction,
)
from comity.outreach.sharing.queries import overdue
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from tests.book.taking_out import Sign
from tests.outreach.sharing.giving import agrees, given, takes_back, within
from tests.post.relays import relay
from tests.post.writing import MONDAY, germans, way_out

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def look(tom: Staff, firm: Entity) -> Look:
    """Tom looks, for marketing."""
    return Look(viewer=tom, entity=firm, purpose="marketing")


@pytest.fixture
def shared(look: Look, olga: Staff, sign: Sign) -> dict[UUID, str]:
    """Three Germans were shared with a partner; return by person which mark the partner knows them by."""
    people = germans(3, look.entity)
    agrees(people, look.entity)
    _sharing, rows = given(look, olga, sign)
    marks = {row["E-mail"]: row["Export mark"] for row in rows}
    return {person: marks[f"person-{number}@kettle.example"] for number, person in enumerate(people)}


def rows_of(telling: Telling) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file_of(telling).decode("utf-8-sig"), newline="")))


def around(entity: Entity) -> None:
    go_round(entity=entity)


class TestALaterNo:
    def test_reaches_the_recipient_once_however_often_it_is_looked_for(
        self, look: Look, shared: dict[UUID, str]
    ) -> None:
        person, *_others = shared
        takes_back(person, look.entity)
        for _ in range(3):
            around(look.entity)
        (telling,) = Telling.objects.all()
        (row,) = rows_of(telling)
        assert (row["Mark"], row["What to do"]) == (shared[person], "stop using")
        assert (telling.number, telling.people) == (1, 1)

    def test_an_objection_a_restriction_and_an_erasure_reach_them_too(
        self, look: Look, shared: dict[UUID, str]
    ) -> None:
        objects, restricted, erased = shared
        object_to_marketing(person=objects, entity=look.entity, said_at=timezone.now(), source="Letter", heard_by=None)
        Person.objects.filter(ref=restricted).update(restricted_at=timezone.now())
        Relation.objects.filter(person=erased).delete()
        around(look.entity)
        (telling,) = Telling.objects.all()
        assert {row["Mark"]: row["What to do"] for row in rows_of(telling)} == {
            shared[objects]: "stop using", shared[restricted]: "store only", shared[erased]: "erase",
        }  # fmt: skip

    def test_a_no_of_whom_they_never_got_is_not_told(self, look: Look, shared: dict[UUID, str]) -> None:
        del shared
        (stranger,) = germans(1, look.entity)
        takes_back(stranger, look.entity)
        around(look.entity)
        assert not PassedOn.objects.exists()

    def test_whoever_was_merged_into_another_is_found_by_what_that_one_says(
        self, look: Look, shared: dict[UUID, str]
    ) -> None:
        person, *_others = shared
        (heir,) = germans(1, look.entity)
        Person.objects.filter(ref=person).update(merged_into=heir)
        takes_back(heir, look.entity)
        around(look.entity)
        assert [row["Mark"] for row in rows_of(Telling.objects.get())] == [shared[person]]

    def test_a_merge_with_somebody_who_had_said_no_before_is_news_to_them(
        self, look: Look, shared: dict[UUID, str]
    ) -> None:
        person, *_others = shared
        (heir,) = germans(1, look.entity)
        takes_back(heir, look.entity)
        Consent.objects.filter(person=heir).update(recorded_at=MONDAY)
        around(look.entity)
        assert not PassedOn.objects.exists()
        Person.objects.filter(ref=person).update(merged_into=heir)
        around(look.entity)
        assert [row["Mark"] for row in rows_of(Telling.objects.get())] == [shared[person]]

    def test_the_file_names_nobody(self, look: Look, shared: dict[UUID, str]) -> None:
        person, *_others = shared
        takes_back(person, look.entity)
        around(look.entity)
        said = file_of(Telling.objects.get()).decode()
        assert "Greta" not in said
        assert "kettle.example" not in said
        assert str(person) not in said

    def test_whoever_dies_before_the_notice_leaves_it_to_the_next_round(
        self, look: Look, shared: dict[UUID, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        person, *_others = shared
        takes_back(person, look.entity)

        def dies(*_given: object, **_more: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as broken:
            broken.setattr(passing_on, "note_event", dies)
            with pytest.raises(KeyboardInterrupt):
                around(look.entity)
        assert PassedOn.objects.filter(telling=None).count() == 1
        around(look.entity)
        assert [row["Mark"] for row in rows_of(Telling.objects.get())] == [shared[person]]

    def test_a_second_no_by_somebody_else_is_a_second_notice(self, look: Look, shared: dict[UUID, str]) -> None:
        first, second, _third = shared
        for person in (first, second):
            takes_back(person, look.entity)
            around(look.entity)
        assert [(one.number, [row["Mark"] for row in rows_of(one)]) for one in Telling.objects.order_by("number")] == [
            (1, [shared[first]]),
            (2, [shared[second]]),
        ]

    def test_a_correction_is_told_each_time(self, look: Look, shared: dict[UUID, str], olga: Staff) -> None:
        person, *_others = shared
        for _ in range(2):
            with within(look):
                assert pass_on_correction(person=person, entity=look.entity, by=olga) == 1
        around(look.entity)
        assert PassedOn.objects.filter(what=What.CORRECT).count() == 2


class TestTheLawsDays:
    def test_it_is_a_duty_until_they_were_told(self, look: Look, shared: dict[UUID, str], olga: Staff) -> None:
        person, *_others = shared
        takes_back(person, look.entity)
        around(look.entity)
        telling = Telling.objects.get()
        owed = OwedDuty.objects.filter(event__about=telling.ref)
        assert {duty.act for duty in owed} == {"pass-on"}
        assert "eu-gdpr/objection-is-passed-on" in {duty.rule for duty in owed}
        assert telling.due_on == min(duty.day for duty in owed)
        with within(look):
            hand_to_staff(telling=telling, by=olga)
        assert set(owed.values_list("settled", flat=True)) == {"done"}

    def test_it_is_overdue_when_its_day_has_passed_and_when_they_do_not_acknowledge(
        self, look: Look, shared: dict[UUID, str], olga: Staff
    ) -> None:
        person, *_others = shared
        takes_back(person, look.entity)
        around(look.entity)
        day, later = timezone.localdate(), timezone.localdate() + timedelta(days=9)
        every = Telling.objects.all()
        assert not overdue(every, day, day - passing_on.PATIENCE)
        assert overdue(every, later, later - passing_on.PATIENCE)
        with within(look), pytest.raises(NotTold):
            acknowledge(telling=every.get(), by=olga)
        with within(look):
            hand_to_staff(telling=every.get(), by=olga)
        assert overdue(every, later, later - passing_on.PATIENCE)
        with within(look):
            acknowledge(telling=every.get(), by=olga)
        assert not overdue(every, later, later - passing_on.PATIENCE)


class TestByMail:
    def test_it_goes_to_their_address_by_itself_and_once(self, look: Look, shared: dict[UUID, str]) -> None:
        person, *_others = shared
        Imprint.objects.create(entity=look.entity, address="news@comity.example", postal_address="1 Quay Street")
        takes_back(person, look.entity)
        with relay() as (kept, port):
            way_out(look.entity, port=port)
            for _ in range(3):
                around(look.entity)
        assert [one.to for one in kept.kept] == ["privacy@kettle-mail.example"]
        message = message_from_bytes(kept.kept[0].message.as_bytes(), policy=default)
        (file,) = list(message.iter_attachments())
        assert shared[person] in str(file.get_content())
        assert Telling.objects.get().told_at is not None

    def test_what_no_relay_takes_waits_for_the_next_round(self, look: Look, shared: dict[UUID, str]) -> None:
        person, *_others = shared
        Imprint.objects.create(entity=look.entity, address="news@comity.example", postal_address="1 Quay Street")
        takes_back(person, look.entity)
        gateway = way_out(look.entity, port=1)
        around(look.entity)
        telling = Telling.objects.get()
        assert (telling.tries, telling.told_at) == (1, None)
        with relay() as (kept, port):
            gateway.settings = gateway.settings | {"port": port}
            gateway.save()
            around(look.entity)
        assert len(kept.kept) == 1


def test_nothing_of_another_entity_is_looked_for(look: Look, shared: dict[UUID, str], shanghai: Entity) -> None:
    person, *_others = shared
    takes_back(person, look.entity)
    with behind_wall(staff=None, entities=[shanghai.ref]):
        assert look_for_noes(entity=shanghai) == 0
        assert make_tellings(entity=shanghai) == []
