"""The pages of erasing: a plan that changes nothing, a second person, the run by a worker, and the certificate."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from comity.book.models import Person
from comity.ledger.comity_verify import verify_certificate
from comity.ledger.notes import SigningKey
from comity.retention.erasing.actions import KIND
from comity.retention.erasing.models import Erasure, Why
from comity.staff.approvals import settle_approval
from comity.staff.models import Approval, Entity, Staff
from tests.jobs import run_jobs
from tests.ledger.book import number
from tests.ledger.conftest import key
from tests.staff.people import client_of, make_staff
from tests.web.conftest import no_second_factor

__all__ = ["key", "no_second_factor"]

pytestmark = pytest.mark.usefixtures("no_second_factor")


@pytest.fixture
def olga(firm: Entity) -> Staff:
    return make_staff("privacy-officer", entity=firm)


@pytest.fixture
def browser(olga: Staff) -> Client:
    return client_of(olga)


def of(name: str, person: UUID, entity: Entity) -> str:
    return f"{reverse(f'retention:{name}', args=[person])}?entity={entity.ref}"


def test_the_plan_changes_nothing_and_says_what_would_go(browser: Client, firm: Entity, oliver: UUID) -> None:
    page = browser.post(of("erase", oliver, firm), {"why": Why.ASKED}, follow=True).content.decode()
    assert "How to reach you" in page
    assert "Limitation Act" in page
    assert Person.objects.filter(ref=oliver).exists()
    assert Erasure.objects.get(person=oliver).begun_at is None


def test_without_a_second_person_nothing_begins(browser: Client, firm: Entity, greta: UUID) -> None:
    browser.post(of("erase", greta, firm), {"why": Why.ASKED})
    page = browser.post(of("erase-begin", greta, firm), follow=True).content.decode()
    assert "No second person has approved just this" in page
    run_jobs()
    assert Person.objects.filter(ref=greta).exists()


@pytest.mark.django_db(transaction=True)
def test_approved_it_is_erased_and_the_certificate_can_be_verified(
    browser: Client, firm: Entity, greta: UUID, key: SigningKey
) -> None:
    browser.post(of("erase", greta, firm), {"why": Why.ASKED})
    browser.post(of("erase-ask", greta, firm), {"reason": "Asked by letter"})
    vera = make_staff("privacy-officer", name="Vera Lind", entity=firm)
    settle_approval(approval=Approval.objects.get(kind=KIND), approved=True, settled_by=vera)
    assert "Erase for ever" in browser.get(of("erase", greta, firm)).content.decode()
    shown = browser.post(of("erase-begin", greta, firm), follow=True)
    run_jobs()
    assert not Person.objects.filter(ref=greta).exists()
    done = Erasure.objects.get(person=greta)
    at = reverse("retention:certificate", args=[done.ref])
    assert browser.get(at).status_code == 404
    number(key)
    claims, _head = verify_certificate(browser.get(at).content.decode(), key.public)
    assert claims["erasure"] == str(done.ref)
    assert shown.status_code == 200
    page = browser.get(reverse("retention:erasure", args=[done.ref])).content.decode()
    assert "Take the certificate" in page
    assert json.loads(browser.get(at).content)["format"].startswith("comity erasure")
    assert str(done.ref) in browser.get(reverse("retention:erasures")).content.decode()


@pytest.mark.parametrize("role", ["sales", "marketing", "support", "administrator", "auditor"])
def test_nobody_else_erases(role: str, firm: Entity, greta: UUID) -> None:
    browser = client_of(make_staff(role, entity=firm))
    for name in ("erase", "erase-ask", "erase-begin"):
        assert browser.post(of(name, greta, firm), {"why": Why.ASKED, "reason": "x"}).status_code == 403


def test_of_another_entity_nothing_is_seen(browser: Client, shanghai: Entity, greta: UUID) -> None:
    assert browser.get(of("erase", greta, shanghai)).status_code == 404
    assert browser.get(f"{reverse('retention:erase', args=[greta])}?entity=x").status_code == 404


def test_a_plan_that_was_made_anew_was_not_approved(browser: Client, firm: Entity, greta: UUID) -> None:
    browser.post(of("erase", greta, firm), {"why": Why.ASKED})
    browser.post(of("erase-ask", greta, firm), {"reason": "Asked by letter"})
    vera = make_staff("privacy-officer", name="Vera Lind", entity=firm)
    settle_approval(approval=Approval.objects.get(kind=KIND), approved=True, settled_by=vera)
    browser.post(of("erase", greta, firm), {"why": Why.MISTAKE})
    assert "Erase for ever" not in browser.get(of("erase", greta, firm)).content.decode()
    browser.post(of("erase-begin", greta, firm))
    run_jobs()
    assert Person.objects.filter(ref=greta).exists()
