"""What somebody says about a purpose and channel, and what the law makes of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from comity.consent.actions import withdraw_consent
from comity.consent.history import stood
from comity.consent.models import Consent, Said, Standing
from comity.counsel.asking import ask
from comity.counsel.questions import Question
from comity.law import Verdict
from comity.ledger.models import Entry
from comity.staff.models import Entity
from tests.consent.people import MONDAY, about, says_yes

DAY = date(2026, 11, 22)
HOUR = timedelta(hours=1)


def says_no(person: UUID, firm: Entity, at: datetime = MONDAY) -> Consent:
    return withdraw_consent(about=about(person, firm), said_at=at, source="Preference page", heard_by=None)


def verdict(person: UUID, firm: Entity) -> Verdict:
    question = Question(operation="contact", purpose="marketing", channel="email", entity=firm.ref)
    return ask(question=question, persons=[person], day=DAY)[person].verdict


@pytest.mark.django_db
class TestSaying:
    def test_a_yes_makes_marketing_lawful_and_its_withdrawal_unlawful(self, greta: UUID, firm: Entity) -> None:
        assert verdict(greta, firm) is Verdict.DENY
        says_yes(greta, firm)
        assert verdict(greta, firm) is Verdict.PERMIT
        says_no(greta, firm, MONDAY + HOUR)
        assert verdict(greta, firm) is Verdict.DENY

    def test_history_is_kept_whole(self, greta: UUID, firm: Entity) -> None:
        says_yes(greta, firm)
        says_no(greta, firm, MONDAY + HOUR)
        assert [each.said for each in Consent.objects.filter(person=greta)] == [Said.WITHDRAWN, Said.GIVEN]

    def test_a_no_without_a_yes_is_a_refusal(self, greta: UUID, firm: Entity) -> None:
        assert says_no(greta, firm).said == Said.REFUSED
        assert not Standing.objects.get(person=greta).withdrawn

    def test_a_yes_recorded_late_does_not_overrule_a_later_no(self, greta: UUID, firm: Entity) -> None:
        says_no(greta, firm, MONDAY)
        says_yes(greta, firm, MONDAY - HOUR)
        assert Standing.objects.get(person=greta).given is None
        assert verdict(greta, firm) is Verdict.DENY

    def test_a_no_recorded_late_does_not_overrule_a_later_yes(self, greta: UUID, firm: Entity) -> None:
        says_yes(greta, firm, MONDAY)
        says_no(greta, firm, MONDAY - HOUR)
        assert verdict(greta, firm) is Verdict.PERMIT

    @pytest.mark.parametrize("turn", [(says_yes, says_no), (says_no, says_yes)], ids=["yes first", "no first"])
    def test_of_what_was_said_at_one_instant_the_no_counts(
        self, greta: UUID, firm: Entity, turn: tuple[Callable[..., Consent], ...]
    ) -> None:
        for says in turn:
            says(greta, firm)
        assert verdict(greta, firm) is Verdict.DENY
        assert Standing.objects.get(person=greta).opted_out_on == MONDAY.date()
        assert stood(Consent.objects.filter(person=greta).order_by("recorded_at", "ref")).given is None

    def test_a_no_of_now_is_not_overruled_by_a_yes_whose_clock_was_ahead(self, greta: UUID, firm: Entity) -> None:
        ahead = timezone.now() + HOUR
        says_yes(greta, firm, ahead)
        no = says_no(greta, firm, timezone.now())
        assert no.said_at == ahead
        assert Standing.objects.get(person=greta).given is None
        assert stood(Consent.objects.filter(person=greta).order_by("recorded_at", "ref")).given is None
        assert verdict(greta, firm) is Verdict.DENY

    def test_what_was_said_to_one_entity_counts_for_no_other(self, greta: UUID, firm: Entity, shanghai: Entity) -> None:
        says_yes(greta, shanghai)
        assert verdict(greta, firm) is Verdict.DENY

    def test_each_thing_said_is_in_the_ledger_without_its_words(self, greta: UUID, firm: Entity) -> None:
        says_yes(greta, firm)
        entry = Entry.objects.get(kind="consent.said")
        assert entry.persons == [greta]
        assert b"Newsletter" not in bytes(entry.body)


@pytest.mark.django_db(transaction=True)
def test_a_withdrawal_waits_for_whoever_is_handing_over_and_nobody_hands_over_after_it(
    greta: UUID, firm: Entity
) -> None:
    says_yes(greta, firm)
    handing_over, withdrawn = threading.Event(), threading.Event()

    def withdraw() -> None:
        handing_over.wait(10)
        says_no(greta, firm, MONDAY + HOUR)
        withdrawn.set()
        connections.close_all()

    other = threading.Thread(target=withdraw)
    other.start()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT given_id FROM consent_standing WHERE person = %s FOR SHARE", [greta])
        handing_over.set()
        assert not withdrawn.wait(0.5)
    other.join(10)
    assert withdrawn.is_set()
    assert Standing.objects.get(person=greta).given is None
