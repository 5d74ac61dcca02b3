"""A request comes: its clocks run, its letter is sealed, and what somebody says no to ends at once."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone

from comity.book.models import Person
from comity.consent.actions import About, give_consent
from comity.consent.models import Consent, Said, Standing
from comity.consent.suppression.models import Suppressed
from comity.counsel.models import DutyEvent, OwedDuty
from comity.ledger.models import Entry
from comity.rights.requests.actions import NotDone, match_person, receive_request, take_back
from comity.rights.requests.letter import open_letter
from comity.rights.requests.models import AskedBy, CameBy, Kind, Request, State
from comity.rights.requests.telling_law import Contradiction, duties_of, open_duties
from comity.staff.guards import NotYours
from comity.staff.models import Entity, Staff
from comity.vault.models import Sealed
from tests.rights.requests.conftest import LETTER, REACH, Asks, ago, today
from tests.staff.people import make_staff

pytestmark = pytest.mark.django_db


def by_rule(request: Request) -> dict[str, OwedDuty]:
    return {duty.rule: duty for duty in duties_of(request)}


# ---------------------------------------------------------------- its clocks


def test_a_letter_that_asks_two_things_is_two_requests_with_two_clocks(firm: Entity, greta: UUID, sana: Staff) -> None:
    access, erasure = receive_request(
        entity=firm, kinds=[Kind.ACCESS, Kind.ERASURE, Kind.ACCESS], came_by=CameBy.POST, person=greta, words=LETTER,
        reach=REACH, language="de", received_on=today(), noted_by=sana,
    )  # fmt: skip
    assert (access.kind, erasure.kind) == ("access", "erasure")
    assert access.letter == erasure.letter
    assert "eu-gdpr/answer-access" in by_rule(access)
    assert "eu-gdpr/answer-change" in by_rule(erasure)


def test_the_clock_runs_from_the_day_it_came_not_from_when_it_was_noted(asks: Asks) -> None:
    early, late = asks(days=12), asks()
    days = [by_rule(one)["eu-gdpr/answer-access"].day for one in (early, late)]
    assert days[0] < days[1]
    event = DutyEvent.objects.get(about=early.ref)
    assert (event.on, event.facts["event.request"], event.facts["event.by"]) == (ago(12), "access", "person")


def test_a_complaint_is_another_event(asks: Asks) -> None:
    event = DutyEvent.objects.get(about=asks(Kind.COMPLAINT).ref)
    assert (event.kind, event.facts["event.complaint"]) == ("complaint-received", "data-protection")


def test_who_asks_is_told_to_the_law(asks: Asks) -> None:
    event = DutyEvent.objects.get(about=asks(asked_by=AskedBy.AGENT).ref)
    assert event.facts["event.by"] == "agent"


def test_each_request_is_on_record_without_a_name(asks: Asks, greta: UUID) -> None:
    request = asks()
    entry = Entry.objects.get(kind="rights.request-received")
    told = json.loads(bytes(entry.body))
    assert told["persons"] == [str(greta)]
    assert (told["body"]["request"], told["body"]["asks"]) == (str(request.ref), "access")
    assert "kettle" not in str(told)
    assert [step.did for step in request.steps.all()] == ["received"]


def test_a_day_to_come_is_refused(asks: Asks) -> None:
    with pytest.raises(NotDone, match="has not come"):
        asks(received_on=today() + timedelta(days=1))
    assert not Request.objects.exists()


def test_noting_takes_the_word_and_working_on_it_another(asks: Asks, firm: Entity, ada: Staff) -> None:
    assert asks(noted_by=ada).handler is None  # sales may note
    with pytest.raises(NotYours):
        asks(noted_by=make_staff("auditor", entity=firm))


def test_whoever_may_work_on_it_looks_after_what_they_noted(asks: Asks, sana: Staff) -> None:
    assert asks().handler == sana


def test_what_our_own_log_fulfils_is_settled_at_once(asks: Asks) -> None:
    request = asks(wants={"home": "US-CA"}, person=None)
    logged = by_rule(request)["us-ca-ccpa/requests-logged"]
    assert logged.settled == "done"
    assert by_rule(request)["us-ca-ccpa/know-answered"].settled == ""


# ---------------------------------------------------------------- before anybody knows whose data it is about


def test_the_letter_of_somebody_unknown_is_sealed_under_a_key_of_its_own(asks: Asks, greta: UUID) -> None:
    request = asks(person=None, wants={"home": "DE"})
    kinds = set(Sealed.objects.filter(person=request.ref).values_list("field_class", flat=True))
    assert kinds >= {"name", "contact", "message"}
    assert not Sealed.objects.filter(person=greta, kind="request").exists()


def test_the_letter_is_opened_for_who_works_on_it_and_that_is_on_record(asks: Asks, olga: Staff, sana: Staff) -> None:
    request = asks(person=None, wants={"home": "DE"})
    for reader in (olga, sana):
        read = open_letter(reader, request)
        assert read is not None
        assert (read.words, read.name, read.reach["email"]) == (LETTER, REACH["name"], REACH["email"])
    assert Entry.objects.filter(kind="vault.opened", persons__contains=[request.ref]).count() == 2


def test_a_letter_from_nobody_knows_where_is_read_by_the_law_of_our_own_place(asks: Asks, olga: Staff) -> None:
    assert open_letter(olga, asks(person=None)) is not None


def test_who_may_not_read_messages_reads_no_letter(asks: Asks, firm: Entity) -> None:
    read = open_letter(make_staff("administrator", entity=firm), asks())
    assert read is None or not read.words


def test_once_it_is_known_whose_data_it_is_the_law_of_their_home_is_asked(
    asks: Asks, oliver: UUID, sana: Staff
) -> None:
    request = asks(person=None, wants={"home": "DE"})
    assert by_rule(request)["eu-gdpr/answer-access"].state == "owed"
    request = match_person(request=request, person=oliver, by=sana)
    rules = {duty.rule for duty in open_duties(request)}
    assert "uk-gdpr/answer-access" in rules
    request.refresh_from_db()
    assert request.person == oliver
    old = OwedDuty.objects.exclude(event=DutyEvent.objects.filter(about=request.ref).latest("noted_at"))
    assert set(old.filter(event__about=request.ref).values_list("settled", flat=True)) <= {"not-owed", "done"}


def test_only_somebody_of_this_entitys_book_is_matched(asks: Asks, sana: Staff, shanghai: Entity) -> None:
    request = asks(person=None)
    with pytest.raises(NotDone, match="Nobody of this entity"):
        match_person(request=request, person=shanghai.ref, by=sana)


def test_who_was_matched_wrongly_is_matched_again_and_the_first_clocks_run_on(
    asks: Asks, greta: UUID, oliver: UUID, sana: Staff
) -> None:
    request = asks(days=4)
    first = by_rule(request)["eu-gdpr/answer-access"]
    match_person(request=request, person=oliver, by=sana)
    request.refresh_from_db()
    assert by_rule(request)["uk-gdpr/answer-access"].settled == ""
    first.refresh_from_db()
    assert first.settled == "not-owed"
    match_person(request=request, person=greta, by=sana)
    request.refresh_from_db()
    again = by_rule(request)["eu-gdpr/answer-access"]
    assert (again.ref, again.settled, again.day) == (first.ref, "", first.day)
    assert "uk-gdpr/answer-access" not in by_rule(request)
    assert not OwedDuty.objects.filter(event__about=request.ref, rule="uk-gdpr/answer-access", settled="").exists()


def test_a_place_that_is_none_is_refused_and_nothing_is_kept(asks: Asks) -> None:
    with pytest.raises(Contradiction), transaction.atomic():
        asks(person=None, wants={"home": "Atlantis"})
    assert not Request.objects.exists()


# ---------------------------------------------------------------- what ends at once


def test_an_objection_ends_advertising_at_once_and_settles_what_was_to_stop(asks: Asks, greta: UUID) -> None:
    request = asks(Kind.OBJECTION)
    assert Person.objects.get(ref=greta).objected_at is not None
    duties = by_rule(request)
    assert duties["eu-gdpr/objection-stops-the-use-request"].settled == "done"
    assert duties["eu-gdpr/answer-objection-request"].settled == ""
    assert [step.did for step in request.steps.all()] == ["received", "took-effect"]
    assert request.state == State.RECEIVED


def test_an_objection_from_an_unknown_address_shuts_the_address_and_ends_the_rest_once_it_is_known(
    asks: Asks, greta: UUID, sana: Staff
) -> None:
    request = asks(Kind.OBJECTION, person=None, days=3, wants={"home": "DE"})
    assert Suppressed.objects.filter(entity=request.entity, reach="email").exists()
    assert Person.objects.get(ref=greta).objected_at is None
    match_person(request=request, person=greta, by=sana)
    objected = Person.objects.get(ref=greta).objected_at
    assert objected is not None
    assert objected.date() == ago(3)


def test_a_withdrawal_takes_back_each_yes_and_only_what_was_meant(asks: Asks, firm: Entity, greta: UUID) -> None:
    for channel in ("email", "sms"):
        about = About(person=greta, entity=firm, purpose="marketing", channel=channel)
        give_consent(about=about, said_at=_yesterday(), notice="News v1", source="form", heard_by=None)
    asks(Kind.WITHDRAWAL, wants={"channels": ["email"]})
    given = Standing.objects.filter(person=greta, given__isnull=False).values_list("channel", flat=True)
    assert list(given) == ["sms"]
    asks(Kind.WITHDRAWAL)
    assert not Standing.objects.filter(person=greta, given__isnull=False).exists()


def test_an_opt_out_ends_sale_and_sharing_for_every_purpose(asks: Asks, greta: UUID) -> None:
    asks(Kind.OPT_OUT)
    noes = Standing.objects.filter(person=greta, opted_out_on__isnull=False).values_list("purpose", "channel")
    assert {("marketing", "none"), ("targeted-advertising", "none"), ("analytics", "none")} <= set(noes)
    assert ("marketing", "email") not in set(noes)
    assert Consent.objects.filter(person=greta, said=Said.REFUSED, source__startswith="Request ").exists()


def test_an_access_request_ends_nothing(asks: Asks, greta: UUID) -> None:
    asks()
    assert not Standing.objects.filter(person=greta, opted_out_on__isnull=False).exists()
    assert not Suppressed.objects.exists()


def test_a_persons_own_page_needs_nobody_of_the_staff(asks: Asks, greta: UUID) -> None:
    said = asks(Kind.OBJECTION, noted_by=None, came_by=CameBy.PORTAL, wants={"purposes": ["marketing", "analytics"]})
    assert (said.noted_by, said.handler) == (None, None)
    assert Person.objects.get(ref=greta).objected_at is not None
    assert Standing.objects.filter(person=greta, purpose="analytics", opted_out_on__isnull=False).exists()
    request = asks(noted_by=None, person=None, came_by=CameBy.PORTAL, wants={"home": "FR"})
    match_person(request=request, person=greta, by=None)
    take_back(request=request, words="By their own page.", by=None)
    request.refresh_from_db()
    assert request.state == State.WITHDRAWN
    assert {step.by for step in request.steps.all()} == {None}


def test_of_several_purposes_the_one_that_nothing_outweighs_is_told_to_the_law(asks: Asks) -> None:
    request = asks(Kind.OBJECTION, wants={"purposes": ["analytics", "marketing"]})
    assert DutyEvent.objects.get(about=request.ref).facts["use.purpose"] == "marketing"
    assert "eu-gdpr/objection-freezes-request" not in by_rule(request)


def _yesterday() -> datetime:
    return timezone.now() - timedelta(days=1)
