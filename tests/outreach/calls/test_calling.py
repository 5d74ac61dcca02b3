"""Somebody is called: what is asked at the moment of dialling, what is said, and what counts once they hang up."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from comity.book.actions import Newcomer, NewPoint, add_persons
from comity.book.models import Activity, ContactPoint, Person, Reach, Relation
from comity.consent.actions import About, give_consent, withdraw_consent
from comity.consent.models import Consent, Said, Standing
from comity.consent.suppression.models import Looked, Register, Suppressed
from comity.counsel.models import OwedDuty
from comity.ledger.models import Entry
from comity.outreach.calls.actions import Begun, NotCalled, begin_call, end_call
from comity.outreach.calls.dialling import local_times, question_of, register_of
from comity.outreach.calls.models import Call, Outcome, Recording
from comity.outreach.campaigns.models import Imprint
from comity.post.pacing.models import Reached, Restraint
from comity.staff.guards import NotYours
from comity.staff.models import Entity, RoleGrant, Staff
from comity.staff.walls import behind_wall
from tests.staff.people import client_of, make_staff

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)  # a Monday
NUMBER = "+4915100000001"
TODAY = date(2026, 11, 22)


@pytest.fixture
def ada(firm: Entity) -> Staff:
    """Sells, for Dublin."""
    Imprint.objects.create(
        entity=firm, address="hello@comity.example", postal_address="1 Quay Street", phone="+353 1 5550100"
    )
    return make_staff("sales", entity=firm)


def somebody(firm: Entity, home: str = "DE", number: str = NUMBER) -> UUID:
    one = Newcomer(
        name={"given": "Greta", "family": "Grünwald"}, facts={"home": home, "birth_year": 1985},
        points=[NewPoint(reach=Reach.PHONE, value=number, mobile=True)], relation={"source": "person"},
    )  # fmt: skip
    add_persons(newcomers=[one], entity=firm, staff=None)
    return one.ref


def agrees(person: UUID, firm: Entity) -> None:
    give_consent(
        about=About(person=person, entity=firm, purpose="marketing", channel="call"), said_at=timezone.now(),
        notice="Calls v1", source="Website form", heard_by=None, express=True, separate=True, written=True,
        names_caller=True,
    )  # fmt: skip


def called(person: UUID, firm: Entity, staff: Staff, at: datetime = NOON) -> Begun:
    with behind_wall(staff=staff.ref, entities=[firm.ref]):
        return begin_call(person=person, entity=firm, purpose="marketing", staff=staff, at=at)


def ended(begun: Begun, outcome: Outcome, staff: Staff, **more: datetime | Recording) -> Call:
    with behind_wall(staff=staff.ref, entities=[begun.call.entity_id]):
        return end_call(call=begun.call, outcome=outcome, staff=staff, **more)  # type: ignore[arg-type]  # as it takes them


class TestDialling:
    def test_a_number_opens_only_if_the_law_permits_this_call(self, firm: Entity, ada: Staff) -> None:
        person = somebody(firm)
        with pytest.raises(NotCalled):
            called(person, firm, ada)
        assert not Call.objects.exists()
        agrees(person, firm)
        begun = called(person, firm, ada)
        assert begun.number == NUMBER
        assert Entry.objects.filter(kind="outreach.call-begun", persons__contains=[person]).count() == 1

    def test_a_no_stops_the_next_call(self, firm: Entity, ada: Staff) -> None:
        person = somebody(firm)
        agrees(person, firm)
        about = About(person=person, entity=firm, purpose="marketing", channel="call")
        withdraw_consent(about=about, said_at=timezone.now(), source="Letter", heard_by=None)
        with pytest.raises(NotCalled):
            called(person, firm, ada)

    def test_the_script_says_first_who_calls_for_whom_and_that_it_sells(self, firm: Entity, ada: Staff) -> None:
        person = somebody(firm)
        agrees(person, firm)
        script = called(person, firm, ada).dial.script
        assert script is not None
        assert "Ada Byrne" in script.opening[0]
        assert "Comity Dublin Ltd" in script.opening[0]
        assert script.from_number == "+353 1 5550100"

    def test_nobody_is_called_before_it_is_said_who_calls(self, firm: Entity, ada: Staff) -> None:
        person = somebody(firm)
        agrees(person, firm)
        Imprint.objects.all().delete()
        with pytest.raises(NotCalled, match="Say who calls"):
            called(person, firm, ada)

    def test_where_nobody_knows_from_whom_we_have_them_the_page_says_so_in_words_and_leads_to_where_it_is_entered(
        self, firm: Entity, settings: Settings
    ) -> None:
        settings.SECOND_FACTOR = "optional"
        Imprint.objects.create(entity=firm, address="hello@comity.example", postal_address="1 Quay Street", phone="1")
        person = somebody(firm)
        Relation.objects.filter(person=person).update(source="third-party")
        agrees(person, firm)
        seller = make_staff("sales", entity=firm)
        page = client_of(seller).get(f"/people/{person}/call/?for=marketing").content.decode()
        assert "It is not known from whom we have this person" in page
        assert "A privacy officer says from whom we have them." in page
        assert "origin-notice" not in page
        assert "Not yet" in page
        RoleGrant.objects.create(
            staff=seller, role="privacy-officer", entity=firm, reason="tests", begins_at=timezone.now()
        )
        page = client_of(seller).get(f"/people/{person}/call/?for=marketing").content.decode()
        assert f"/people/{person}/origin/?" in page

    def test_whoever_has_no_role_for_calls_opens_nothing(self, firm: Entity, ada: Staff, tom: Staff) -> None:
        del ada
        person = somebody(firm)
        agrees(person, firm)
        with pytest.raises(NotYours):
            called(person, firm, tom)

    def test_people_of_another_entity_are_not_called(self, firm: Entity, ada: Staff, shanghai: Entity) -> None:
        person = somebody(shanghai)
        agrees(person, firm)
        with pytest.raises(NotCalled, match="no such person"):
            called(person, firm, ada)


class TestRegistersAndClocks:
    def test_how_fresh_the_register_is_stands_beside(self, firm: Entity) -> None:
        person = somebody(firm, "GB", "+447700900123")
        register = Register.objects.create(
            entity=firm, name="TPS", place="GB", reach="phone", channels=["call"], version_on=TODAY
        )
        question = question_of(firm.ref, "marketing")
        assert register_of(person, question, [], TODAY).found is None
        point = ContactPoint.objects.get(person=person)
        Looked.objects.create(
            point=point.ref, register=register, entity=firm, person=person, version_on=TODAY - timedelta(days=9),
            found=False,
        )  # fmt: skip
        told = register_of(person, question, [], TODAY)
        assert (told.found, told.days) == (False, 9)
        assert "9 days ago" in told.says

    def test_nobody_is_called_at_night_by_their_own_clock(self, firm: Entity, ada: Staff) -> None:
        person = somebody(firm)
        agrees(person, firm)
        with pytest.raises(NotCalled, match="Not at this hour"):
            called(person, firm, ada, at=NOON + timedelta(hours=10))

    def test_what_their_clock_shows_is_known_only_where_their_home_is(self) -> None:
        assert local_times("DE", NOON) == [("Europe/Berlin", "13:00")]
        assert local_times("", NOON) == []
        assert local_times("XX", NOON) == []
        assert len(local_times("DE|GB", NOON)) == 2

    def test_the_page_shows_their_hour_whatever_hour_it_is_here(self, firm: Entity, ada: Staff, client: Client) -> None:
        person = somebody(firm, home="NZ", number="+6421000001")
        client.force_login(ada, "allauth.account.auth_backends.AuthenticationBackend")
        before = datetime.now(ZoneInfo("Pacific/Auckland"))
        page = client.get(f"/people/{person}/call/?entity={firm.ref}").content.decode()
        shown = {f"<b>{at:%H:%M}</b> <small>Pacific/Auckland" for at in (before, before + timedelta(minutes=1))}
        assert any(one in page for one in shown)


class TestWhatCameOfIt:
    @pytest.fixture
    def begun(self, firm: Entity, ada: Staff) -> Begun:
        person = somebody(firm)
        agrees(person, firm)
        return called(person, firm, ada)

    def test_who_wants_no_more_calls_gets_none_from_now_on(self, begun: Begun, firm: Entity, ada: Staff) -> None:
        person = begun.call.person
        ended(begun, Outcome.NO_MORE_CALLS, ada)
        assert Person.objects.get(ref=person).objected_at is not None
        assert Standing.objects.get(person=person, channel="call").opted_out_on is not None
        assert {one.said for one in Consent.objects.filter(person=person)} == {
            Said.GIVEN, Said.OBJECTED, Said.WITHDRAWN,
        }  # fmt: skip
        (row,) = Suppressed.objects.all()
        assert "marketing/call" in row.uses
        assert "marketing/sms" not in row.uses
        assert OwedDuty.objects.filter(event__about=person).exists()
        with pytest.raises(NotCalled):
            called(person, firm, ada)
        other = somebody(firm)  # the same number under another name
        agrees(other, firm)
        with pytest.raises(NotCalled, match="list of those"):
            called(other, firm, ada)

    def test_a_wrong_number_is_dialled_no_more(self, begun: Begun, firm: Entity, ada: Staff) -> None:
        ended(begun, Outcome.WRONG_NUMBER, ada)
        assert ContactPoint.objects.get(ref=begun.call.point).failed_at is not None
        with pytest.raises(NotCalled, match="no number"):
            called(begun.call.person, firm, ada)

    def test_it_is_said_once_and_by_who_called(self, begun: Begun, firm: Entity, ada: Staff) -> None:
        other = make_staff("sales", entity=firm, name="Sid Other")
        with pytest.raises(NotCalled, match="Who called"):
            ended(begun, Outcome.REACHED, other)
        ended(begun, Outcome.REACHED, ada, recording=Recording.AGREED)
        with pytest.raises(NotCalled, match="already"):
            ended(begun, Outcome.NO_ANSWER, ada)
        assert Call.objects.get().recording == Recording.AGREED

    def test_a_call_back_has_a_time_that_lies_ahead(self, begun: Begun, ada: Staff) -> None:
        with pytest.raises(NotCalled, match="when they want"):
            ended(begun, Outcome.CALL_BACK, ada)
        with pytest.raises(NotCalled, match="later than now"):
            ended(begun, Outcome.CALL_BACK, ada, call_back_at=timezone.now() - timedelta(hours=1))
        ended(begun, Outcome.CALL_BACK, ada, call_back_at=timezone.now() + timedelta(days=1))
        assert Call.objects.get().outcome == Outcome.CALL_BACK

    def test_it_stands_on_the_timeline(self, begun: Begun, ada: Staff) -> None:
        ended(begun, Outcome.REACHED, ada)
        assert Activity.objects.get(person=begun.call.person).doing == "call"


class TestOftenEnough:
    def test_calls_count_for_the_limits_of_the_house_and_a_refusal_is_kept(self, firm: Entity, ada: Staff) -> None:
        person = somebody(firm)
        agrees(person, firm)
        with behind_wall(staff=None, entities=[firm.ref]):
            Restraint.objects.create(entity=firm, most=2, in_days=7)
        calls = [called(person, firm, ada) for _ in range(2)]
        with pytest.raises(NotCalled, match="often enough: not before"):
            called(person, firm, ada)
        ended(calls[1], Outcome.NO_MORE_CALLS, ada)
        assert sorted(Reached.objects.values_list("refused", flat=True)) == [False, True]
