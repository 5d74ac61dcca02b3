"""What was recorded by mistake: it stays on record, counts no more, and no other no is lost with it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.test import Client

from comity.book.editing.history import as_of
from comity.book.imports.newcomers import SpokenWrongly
from comity.book.models import Person, Relation
from comity.consent.actions import object_to_marketing, withdraw_consent
from comity.consent.exporting import read_line
from comity.consent.history import facts_as_of
from comity.consent.mistakes import NotCorrected, correct_mistake
from comity.consent.models import Consent, Said, Standing, Why
from comity.counsel.asking import ask
from comity.counsel.questions import Question
from comity.law import Verdict
from comity.ledger.models import Entry
from comity.staff.models import Entity, Staff
from tests.book.imported import Bring
from tests.consent.people import MONDAY, about, says_yes
from tests.staff.people import make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_factor")]
DAY = date(2026, 11, 22)
HOUR = timedelta(hours=1)
NOBODY = UUID(int=0)


@pytest.fixture
def vera(firm: Entity) -> Staff:
    """Vera is the privacy officer of the firm."""
    return make_staff("privacy-officer", entity=firm, name="Vera Lindqvist")


def objects(person: UUID, firm: Entity, at: datetime = MONDAY) -> Consent:
    return object_to_marketing(person=person, entity=firm, said_at=at, source="by phone", heard_by=None)


def corrected(mistaken: Consent, by: Staff) -> Consent:
    return correct_mistake(mistaken=mistaken, why=Why.PERSON, source="recording of Monday", corrected_by=by)


def question(firm: Entity) -> Question:
    return Question(operation="contact", purpose="marketing", channel="email", entity=firm.ref)


def verdict(person: UUID, firm: Entity) -> Verdict:
    return ask(question=question(firm), persons=[person], day=DAY)[person].verdict


def objected_at(person: UUID) -> datetime | None:
    return Person.objects.get(ref=person).objected_at


class TestAnObjection:
    def test_one_recorded_by_mistake_counts_no_more_and_stays_on_record(
        self, greta: UUID, firm: Entity, vera: Staff
    ) -> None:
        says_yes(greta, firm)
        mistaken = objects(greta, firm, MONDAY + HOUR)
        assert verdict(greta, firm) is Verdict.DENY
        correction = corrected(mistaken, vera)
        assert verdict(greta, firm) is Verdict.PERMIT
        assert objected_at(greta) is None
        assert [row.said for row in Consent.objects.filter(person=greta)] == ["mistaken", "objected", "given"]
        assert (correction.corrects, correction.why, correction.heard_by) == (mistaken, Why.PERSON, vera)

    def test_the_ledger_says_which_one_and_why(self, greta: UUID, firm: Entity, vera: Staff) -> None:
        mistaken = objects(greta, firm)
        corrected(mistaken, vera)
        entry = Entry.objects.get(kind="consent.corrected")
        body = json.loads(bytes(entry.body))["body"]
        assert (entry.persons, entry.staff) == ([greta], vera.ref)
        assert (body["corrects"], body["said"], body["why"]) == (str(mistaken.ref), "objected", "wrong-person")

    @pytest.mark.parametrize("hours", [-1, 1], ids=["earlier", "later"])
    def test_another_objection_still_counts(self, greta: UUID, firm: Entity, vera: Staff, hours: int) -> None:
        other = MONDAY + hours * HOUR
        objects(greta, firm, other)
        corrected(objects(greta, firm), vera)
        assert objected_at(greta) == other
        assert verdict(greta, firm) is Verdict.DENY

    def test_an_objection_that_came_with_her_counts_again(self, greta: UUID, firm: Entity, vera: Staff) -> None:
        Person.objects.filter(ref=greta).update(objected_at=MONDAY + HOUR)
        mistaken = objects(greta, firm)
        assert objected_at(greta) == MONDAY
        corrected(mistaken, vera)
        assert objected_at(greta) == MONDAY + HOUR

    def test_an_objection_in_a_file_that_came_meanwhile_counts(self, bring: Bring, vera: Staff, firm: Entity) -> None:
        file = b"Email,First Name,Last Name,Country,Do not contact\nhank@kettle.example,Hank,Hill,Ireland,"
        bring(file + b"\n")
        hank = Person.objects.get().ref
        mistaken = objects(hank, firm, datetime(2026, 11, 1, tzinfo=UTC))
        bring(file + b"yes\n")
        assert Consent.objects.filter(person=hank, said=Said.OBJECTED).count() == 2
        corrected(mistaken, vera)
        assert objected_at(hank) is not None

    def test_what_was_so_before_is_answered_as_it_was_then(self, greta: UUID, firm: Entity, vera: Staff) -> None:
        mistaken = objects(greta, firm)
        then = Consent.objects.get(pk=mistaken.pk).recorded_at
        corrected(mistaken, vera)
        assert [row.objected_at for row in as_of(Person, [greta], then - HOUR)] == [None]

    def test_who_lacks_the_word_for_all_who_know_the_person_corrects_nothing(
        self, greta: UUID, firm: Entity, shanghai: Entity, vera: Staff
    ) -> None:
        mistaken = objects(greta, firm)
        Person.objects.filter(ref=greta).update(entities=[firm.ref, shanghai.ref])
        with pytest.raises(PermissionDenied):
            corrected(mistaken, vera)
        assert objected_at(greta) == MONDAY


class TestAYesOrNo:
    def test_a_no_recorded_by_mistake_leaves_the_yes(self, greta: UUID, firm: Entity, vera: Staff) -> None:
        says_yes(greta, firm)
        no = withdraw_consent(about=about(greta, firm), said_at=MONDAY + HOUR, source="by phone", heard_by=None)
        assert verdict(greta, firm) is Verdict.DENY
        corrected(no, vera)
        assert verdict(greta, firm) is Verdict.PERMIT
        standing = Standing.objects.get(person=greta)
        assert (standing.withdrawn, standing.opted_out_on) == (False, None)

    def test_a_yes_recorded_by_mistake_leaves_what_was_said_before(
        self, greta: UUID, firm: Entity, vera: Staff
    ) -> None:
        no = withdraw_consent(about=about(greta, firm), said_at=MONDAY - HOUR, source="by phone", heard_by=None)
        corrected(says_yes(greta, firm), vera)
        standing = Standing.objects.get(person=greta)
        assert (standing.given, standing.opted_out_on) == (None, no.said_at.date())
        assert verdict(greta, firm) is Verdict.DENY

    def test_what_is_said_afterwards_counts_as_if_the_mistake_had_never_been(
        self, greta: UUID, firm: Entity, vera: Staff
    ) -> None:
        no = withdraw_consent(about=about(greta, firm), said_at=MONDAY + HOUR, source="by phone", heard_by=None)
        corrected(no, vera)
        says_yes(greta, firm, MONDAY)
        assert verdict(greta, firm) is Verdict.PERMIT

    def test_as_of_then_it_counted(self, greta: UUID, firm: Entity, vera: Staff) -> None:
        mistaken = Consent.objects.get(pk=says_yes(greta, firm).pk)
        Consent.objects.filter(pk=mistaken.pk).update(recorded_at=MONDAY)
        mistaken.refresh_from_db()
        corrected(mistaken, vera)
        told = [facts_as_of(question(firm), [greta], DAY, at)[greta] for at in (MONDAY, datetime.now(UTC))]
        assert ["consent.given" in facts for facts in told] == [True, False]

    def test_where_she_stands_for_other_reasons_nothing_is_changed(
        self, greta: UUID, firm: Entity, vera: Staff
    ) -> None:
        yes = says_yes(greta, firm)
        Standing.objects.filter(person=greta).update(given=None, opted_out_on=MONDAY.date())
        with pytest.raises(NotCorrected):
            corrected(yes, vera)
        assert not Consent.objects.filter(said=Said.MISTAKEN).exists()

    def test_opt_outs_that_were_unknown_are_unknown_again(self, greta: UUID, firm: Entity, vera: Staff) -> None:
        Relation.objects.filter(person=greta).update(opt_outs_known=[])
        yes = Consent.objects.get(pk=says_yes(greta, firm).pk)
        assert Relation.objects.get(person=greta).opt_outs_known is None
        corrected(yes, vera)
        assert Relation.objects.get(person=greta).opt_outs_known == []


class TestNever:
    def test_twice(self, greta: UUID, firm: Entity, vera: Staff) -> None:
        mistaken = objects(greta, firm)
        correction = corrected(mistaken, vera)
        for row in (mistaken, correction):
            with pytest.raises(NotCorrected):
                corrected(row, vera)

    def test_by_whoever_lacks_the_word(self, greta: UUID, firm: Entity, ada: Staff) -> None:
        mistaken = objects(greta, firm)
        with pytest.raises(PermissionDenied):
            corrected(mistaken, ada)
        assert objected_at(greta) == MONDAY

    def test_while_two_are_one(self, greta: UUID, oliver: UUID, firm: Entity, vera: Staff) -> None:
        mistaken = objects(greta, firm)
        Person.objects.filter(ref=oliver).update(merged_into=greta)
        with pytest.raises(NotCorrected):
            corrected(mistaken, vera)

    def test_without_a_row_or_a_reason(self, greta: UUID, firm: Entity) -> None:
        mistaken = objects(greta, firm)
        for row in ({"said": Said.MISTAKEN}, {"said": Said.REFUSED, "corrects": mistaken, "why": Why.TWICE}):
            with pytest.raises(IntegrityError), transaction.atomic():
                Consent.objects.create(
                    person=greta, entity=firm, purpose="marketing", channel="none", said_at=MONDAY, **row
                )

    def test_by_a_file(self) -> None:
        with pytest.raises(SpokenWrongly):
            read_line("mistaken 2026-11-16T10:00:00Z", purpose="marketing", channel="email")


class TestThePage:
    SAID = {"why": "wrong-button", "source": "Ada's word"}  # noqa: RUF012 - read, never written

    def open(self, staff: Staff) -> Client:
        client = Client()
        client.force_login(staff, "allauth.account.auth_backends.AuthenticationBackend")
        return client

    def test_leads_from_what_was_said_to_the_correction_and_back(self, greta: UUID, firm: Entity, vera: Staff) -> None:
        mistaken = objects(greta, firm)
        where = f"/people/{greta}/says/{mistaken.ref}/mistake/"
        client = self.open(vera)
        assert where in client.get(f"/people/{greta}/").content.decode()
        assert client.get(where).status_code == 200
        assert client.post(where, self.SAID).status_code == 302
        page = client.get(f"/people/{greta}/").content.decode()
        assert "<s>Objected to advertising</s>" in page
        assert "Nobody said anything: it was recorded by accident" in page
        assert where not in page
        assert client.get(where).status_code == 404

    def test_is_for_the_privacy_officer_alone(self, greta: UUID, firm: Entity, ada: Staff) -> None:
        where = f"/people/{greta}/says/{objects(greta, firm).ref}/mistake/"
        client = self.open(ada)
        assert where not in client.get(f"/people/{greta}/").content.decode()
        assert client.post(where, self.SAID).status_code == 403
        assert objected_at(greta) == MONDAY

    def test_a_reason_is_needed(self, greta: UUID, firm: Entity, vera: Staff) -> None:
        where = f"/people/{greta}/says/{objects(greta, firm).ref}/mistake/"
        assert self.open(vera).post(where, self.SAID | {"why": ""}).status_code == 200
        assert objected_at(greta) == MONDAY

    def test_nobody_finds_what_another_person_said(self, greta: UUID, oliver: UUID, firm: Entity, vera: Staff) -> None:
        where = f"/people/{oliver}/says/{objects(greta, firm).ref}/mistake/"
        assert self.open(vera).get(where).status_code == 404
        assert self.open(vera).get(f"/people/{greta}/says/{NOBODY}/mistake/").status_code == 404
