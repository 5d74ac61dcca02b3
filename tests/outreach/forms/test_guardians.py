"""Those whom the law does not let agree alone: from which age on, the law of their place says; a parent decides."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from comity.book.models import ContactPoint, Person
from comity.consent.models import Consent
from comity.counsel.asking import ask
from comity.law import Verdict
from comity.outreach.forms.asking import use_of
from comity.outreach.forms.confirming import names_for_check, settle, turn_down
from comity.outreach.forms.models import FormVersion, Guardianship, Proof, Submission
from comity.staff.guards import NotYours
from comity.staff.models import Entity, Staff
from comity.vault.models import PersonKey, Sealed
from tests.outreach.forms.building import came, dispatch_to, link, ready_to_send, send, the_form
from tests.post.relays import relay
from tests.post.writing import send_all
from tests.staff.people import client_of, make_staff

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate()
PARENT = "parent@kettle.example"


@pytest.fixture(autouse=True)
def here(settings: Settings) -> None:
    settings.ADDRESS = urlsplit("http://localhost:8000")
    settings.SECOND_FACTOR = "optional"


@pytest.fixture
def of_age(firm: Entity, tom: Staff, vera: Staff) -> FormVersion:
    """A form for people in Germany, France, California and China that lets guardians agree."""
    ready_to_send(firm)
    return the_form(firm, tom, vera, places=["DE", "FR", "US-CA"], young="guardian")


def send_aged(browser: Client, form: FormVersion, years: int, **more: Any) -> HttpResponse:  # noqa: ANN401 - what is typed
    """Send a form as somebody who is exactly so old, whichever day of the month they were born on."""
    born = date(TODAY.year - years, TODAY.month, 1)
    month, year = (born.month - 1, born.year) if born.month > 1 else (12, born.year - 1)
    return send(browser, form, birth_month=str(month), birth_year=str(year), **more)


@pytest.mark.parametrize(
    ("place", "alone", "not_alone"), [("DE", 16, 15), ("FR", 15, 14), ("US-CA", 16, 12)], ids=["DE", "FR", "US-CA"]
)
def test_from_which_age_one_agrees_alone_the_law_of_the_place_says(
    of_age: FormVersion, outside: Client, place: str, alone: int, not_alone: int
) -> None:
    assert send_aged(outside, of_age, alone, place=place).status_code == 200
    assert Submission.objects.count() == 1
    young = send_aged(outside, of_age, not_alone, place=place, email="young@kettle.example")
    assert young.status_code == 422
    assert "parent or guardian agrees with you" in young.content.decode()
    assert 'value="young@kettle.example"' in young.content.decode()
    assert Submission.objects.count() == 1


def test_who_may_be_too_young_by_the_month_of_birth_is_taken_to_be(of_age: FormVersion, outside: Client) -> None:
    born = date(TODAY.year - 16, TODAY.month, 1)
    answer = send(outside, of_age, birth_month=str(born.month), birth_year=str(born.year))
    assert "parent or guardian agrees with you" in answer.content.decode()


@pytest.mark.parametrize("guardian", ["", "nina@kettle.example", "no address"])
def test_a_guardian_has_an_address_of_their_own(of_age: FormVersion, outside: Client, guardian: str) -> None:
    assert send_aged(outside, of_age, 12, guardian=guardian).status_code == 422
    assert Submission.objects.count() == 0


def agreed(outside: Client, form: FormVersion, **more: str) -> Submission:
    send_aged(outside, form, 12, guardian=PARENT)
    outside.post(link(), {"given": "Petra", "family": "Neumann", "declare": "yes"} | more)
    return came()


@pytest.mark.django_db(transaction=True)
def test_the_message_goes_to_the_guardian_alone(firm: Entity, tom: Staff, vera: Staff, outside: Client) -> None:
    with relay() as (kept, port):
        ready_to_send(firm, port=port)
        form = the_form(firm, tom, vera, places=["DE", "US-CA"], young="guardian")
        send_aged(outside, form, 12, guardian=PARENT, place="US-CA")
        send_all(dispatch_to(came().ref))
    (letter,) = kept.kept
    assert letter.to == PARENT
    assert letter.message["Subject"] == "A child asks for your agreement: Comity Dublin Ltd"


def test_a_guardian_says_who_they_are_and_that_they_are_one(of_age: FormVersion, outside: Client) -> None:
    send_aged(outside, of_age, 12, guardian=PARENT)
    asked = outside.get(link()).content.decode()
    assert "A child named you as parent or guardian" in asked
    for lacking in ({}, {"given": "Petra", "family": "Neumann"}, {"declare": "yes", "given": "Petra"}):
        assert outside.post(link(), lacking).status_code == 422
    assert came().confirmed_at is None


def test_what_a_guardian_agreed_to_counts_when_it_is_certain_that_they_are_one(
    of_age: FormVersion, firm: Entity, outside: Client
) -> None:
    one = agreed(outside, of_age)
    assert one.confirmed_at is not None
    assert Consent.objects.count() == Person.objects.filter(ref=one.ref).count() == 0
    sana = make_staff("support", entity=firm)
    made = settle(submission=one, proof=Proof.SPOKEN, checked_by=sana, at=timezone.now())
    assert made is not None
    (consent,) = Consent.objects.all()
    assert (consent.person, consent.parental, consent.double_opt_in, consent.heard_by) == (one.ref, True, False, sana)
    answer = ask(question=use_of(firm.ref, "marketing", "email"), persons=[one.ref], day=TODAY)[one.ref]
    assert answer.verdict is Verdict.PERMIT
    guardian = Person.objects.get(ref=made.guardian)
    assert (guardian.home, guardian.birth_year) == ("DE", None)
    assert ContactPoint.objects.get(person=guardian).verified_at is not None
    assert ContactPoint.objects.get(person=one.ref).verified_at is None
    assert Sealed.objects.filter(person=one.ref, field_class="contact").count() == 1
    assert settle(submission=one, proof=Proof.SPOKEN, checked_by=sana, at=timezone.now()) is None
    assert Consent.objects.count() == Guardianship.objects.count() == 1


def test_a_guardian_who_is_none_leaves_nothing_behind(of_age: FormVersion, firm: Entity, outside: Client) -> None:
    one = agreed(outside, of_age)
    turn_down(submission=one, by=make_staff("support", entity=firm))
    assert Submission.objects.count() == Consent.objects.count() == 0
    assert not PersonKey.objects.filter(person=one.ref).exists()


def test_only_whoever_records_consents_settles_it(of_age: FormVersion, firm: Entity, outside: Client) -> None:
    one = agreed(outside, of_age)
    with pytest.raises(NotYours):
        settle(submission=one, proof=Proof.SPOKEN, checked_by=make_staff("auditor", entity=firm), at=timezone.now())


def test_staff_see_whom_to_make_certain_of_and_settle_it_on_a_page(
    of_age: FormVersion, firm: Entity, outside: Client
) -> None:
    one = agreed(outside, of_age)
    sana = make_staff("support", entity=firm)
    names = names_for_check(submission=one, viewer=sana)
    assert names == {
        "guardian": "Petra Neumann", "guardian_email": PARENT, "child": "Nina Neumann",
        "child_email": "nina@kettle.example",
    }  # fmt: skip
    browser = client_of(sana)
    assert f"/forms/guardians/{one.ref}/" in browser.get(f"/forms/{of_age.form_id}/").content.decode()
    assert PARENT in browser.get(f"/forms/guardians/{one.ref}/").content.decode()
    assert browser.post(f"/forms/guardians/{one.ref}/", {"proof": "signed"}).status_code == 302
    assert Guardianship.objects.get().proof == Proof.SIGNED
    assert browser.get(f"/forms/guardians/{one.ref}/").status_code == 404


def test_a_form_that_refuses_the_young_keeps_nothing_of_them(
    firm: Entity, tom: Staff, vera: Staff, outside: Client
) -> None:
    ready_to_send(firm)
    form = the_form(firm, tom, vera, young="refuse")
    answer = send_aged(outside, form, 12)
    assert "Nothing was kept" in answer.content.decode()
    assert Submission.objects.count() == 0
    assert send_aged(outside, form, 40).status_code == 200
    assert Submission.objects.count() == 1
