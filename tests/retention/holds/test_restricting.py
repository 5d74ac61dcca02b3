"""A restricted record is stored and not used: placed and lifted with a reason, and the law refuses the rest."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from comity.book.models import PastFacts, Person
from comity.counsel.asking import ask, book
from comity.counsel.questions import Question
from comity.law import Verdict
from comity.ledger.models import Entry
from comity.retention.holds.models import Restriction
from comity.retention.holds.restricting import NotRestricted, lift_restriction, restrict_person
from comity.staff.guards import NotYours
from comity.staff.models import Entity, Staff
from tests.book.people import Add, newcomer
from tests.staff.people import client_of

pytestmark = pytest.mark.django_db(transaction=True)
REASON = "He says that the address is somebody else's"
OPERATIONS = sorted(set(book().vocabulary.facts["use.operation"].choices) - {"store"})
COVERED = {"DE", "FR", "IE", "GB", "PL", "SE", "US-CA", "US-TX"}
"""Homes of which the law permits something with what is known here."""
HOMES = ["DE", "FR", "IE", "GB", "PL", "SE", "CN", "US-CA", "US-TX", "JP", ""]


@pytest.fixture
def sana(firm: Entity, staff_in: Any) -> Staff:  # noqa: ANN401 - what makes staff
    """Helps people, and works on what they ask."""
    made: Staff = staff_in("support", entity=firm)
    return made


def test_it_is_placed_and_lifted_with_a_reason(oliver: UUID, firm: Entity, sana: Staff) -> None:
    restrict_person(person=oliver, entity=firm, reason=REASON, restricted_by=sana)
    assert Person.objects.get(ref=oliver).restricted_at
    assert PastFacts.objects.filter(person=oliver).exists()
    with pytest.raises(NotRestricted, match="restricted already"):
        restrict_person(person=oliver, entity=firm, reason=REASON, restricted_by=sana)
    today = timezone.localdate()
    lift_restriction(person=oliver, entity=firm, because="It is his", told_on=today, lifted_by=sana)
    assert Person.objects.get(ref=oliver).restricted_at is None
    kept = Restriction.objects.get()
    assert (kept.reason, kept.lifted_because, kept.told_on, kept.lifted_by) == (REASON, "It is his", today, sana)
    kinds = ["retention.restricted", "retention.restriction-lifted"]
    for entry in Entry.objects.filter(kind__in=kinds):
        assert entry.persons == [oliver]
        assert "address" not in bytes(entry.body).decode()
    assert Entry.objects.filter(kind__in=kinds).count() == 2


def test_nobody_lifts_it_before_the_person_was_told(oliver: UUID, firm: Entity, sana: Staff) -> None:
    restrict_person(person=oliver, entity=firm, reason=REASON, restricted_by=sana)
    told = timezone.localdate() + timedelta(days=1)
    with pytest.raises(NotRestricted, match="Tell the person first"):
        lift_restriction(person=oliver, entity=firm, because="It is his", told_on=told, lifted_by=sana)
    assert Person.objects.get(ref=oliver).restricted_at


def test_one_entity_does_not_lift_what_another_restricted(
    oliver: UUID, firm: Entity, shanghai: Entity, olga: Staff
) -> None:
    Person.objects.filter(ref=oliver).update(entities=[firm.ref, shanghai.ref])
    for entity in (firm, shanghai):
        restrict_person(person=oliver, entity=entity, reason=REASON, restricted_by=olga)
    told = {"because": "It is his", "told_on": timezone.localdate(), "lifted_by": olga}
    lift_restriction(person=oliver, entity=firm, **told)  # type: ignore[arg-type]  # as they are
    assert Person.objects.get(ref=oliver).restricted_at
    lift_restriction(person=oliver, entity=shanghai, **told)  # type: ignore[arg-type]  # as above
    assert Person.objects.get(ref=oliver).restricted_at is None


def test_who_sells_restricts_nobody(oliver: UUID, firm: Entity, ada: Staff) -> None:
    with pytest.raises(NotYours):
        restrict_person(person=oliver, entity=firm, reason=REASON, restricted_by=ada)


def test_what_came_restricted_from_elsewhere_is_lifted_too(oliver: UUID, firm: Entity, sana: Staff) -> None:
    Person.objects.filter(ref=oliver).update(restricted_at=timezone.now())
    lift_restriction(person=oliver, entity=firm, because="It is his", told_on=timezone.localdate(), lifted_by=sana)
    assert Person.objects.get(ref=oliver).restricted_at is None
    assert Restriction.objects.get().told_on == timezone.localdate()


def test_the_page_restricts_and_lifts(oliver: UUID, firm: Entity, sana: Staff, no_second_factor: None) -> None:
    del no_second_factor
    page: Client = client_of(sana)
    one = reverse("retention:person", args=[oliver])
    page.post(reverse("retention:restrict", args=[oliver]), {"reason": REASON})
    shown = page.get(one).content.decode()
    assert "stored, and not used" in shown
    assert REASON.replace("'", "&#x27;") in shown
    given = {"reason": "It is his", "told_on": timezone.localdate()}
    page.post(reverse("retention:unrestrict", args=[oliver]), given)
    assert "Restrict the record" in page.get(one).content.decode()
    del firm


# ---------------------------------------------------------------- the law engine


@pytest.mark.parametrize("home", HOMES)
@pytest.mark.parametrize("purpose", ["service", "marketing", "analytics", "legal-duty"])
def test_every_use_but_storing_is_refused_or_asked(home: str, purpose: str, firm: Entity, add: Add) -> None:
    """Whatever somebody's home: a customer who agreed to nothing new, with a contract, and restricted."""
    one = add(newcomer("Rita", "Restricted", home))
    if home in COVERED:  # else this test would be blind
        assert "view" in permitted(one, purpose, firm)
    Person.objects.filter(ref=one).update(restricted_at=timezone.now())
    assert permitted(one, purpose, firm) == []


def permitted(person: UUID, purpose: str, firm: Entity) -> list[str]:
    """Return what the law lets us do with somebody, besides storing."""
    found = []
    for operation in OPERATIONS:
        channel = "email" if operation == "contact" else "none"
        question = Question(operation=operation, purpose=purpose, entity=firm.ref, channel=channel)
        if ask(question=question, persons=[person], day=timezone.localdate())[person].verdict is Verdict.PERMIT:
            found.append(operation)
    return found
