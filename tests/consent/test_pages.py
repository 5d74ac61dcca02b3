"""Taking down what people say, in the page of the person; and what the law says once it is down."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from comity.book.editing.history import as_of
from comity.book.models import Person
from comity.consent.actions import object_to_marketing
from comity.consent.models import Consent, Said, Standing
from comity.counsel.models import OwedDuty
from comity.ledger.models import Entry
from comity.staff.models import Entity, Staff
from tests.staff.people import make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_factor")]
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
HTMX = {"HX-Request": "true"}
BEFORE = "2026-11-20T10:30"
NO: dict[str, Any] = {"purpose": "marketing", "channel": "email", "said_at": BEFORE, "source": "by phone"}
YES = NO | {"notice": "Newsletter v3", "express": "on", "double_opt_in": "on"}


def client_of(staff: Staff) -> Client:
    client = Client()
    client.force_login(staff, BACKEND)
    return client


def says(staff: Staff, ref: UUID, what: str, said: dict[str, Any]) -> str:
    answer = client_of(staff).post(f"/people/{ref}/says/{what}/", said, headers=HTMX)
    assert answer.status_code == 200, answer.content.decode()[:500]
    return answer.content.decode() + str(answer.headers)


def verdicts(staff: Staff, ref: UUID, was: str = "") -> list[str]:
    """Return what the cards say, and behind it what they say has turned."""
    told = client_of(staff).get(f"/people/{ref}/may/?was={was}").content.decode()
    return re.findall(r'may-card (permit|deny|ask)"', told) + re.findall(
        r'verdict (permit|deny|ask)"', told.split('class="may"')[0]
    )


def test_a_yes_turns_the_card_at_once_and_the_page_says_so(ada: Staff, greta: UUID) -> None:
    assert verdicts(ada, greta)[1] == "deny"
    told = says(ada, greta, "yes", YES)
    assert "person-changed" in told
    assert "timeline-changed" in told
    consent = Consent.objects.get(person=greta)
    assert (consent.said, consent.express, consent.double_opt_in, consent.separate) == ("given", True, True, False)
    assert (consent.notice, consent.source, consent.heard_by) == ("Newsletter v3", "by phone", ada)
    before = ".".join(["permit", "deny", *verdicts(ada, greta)[2:4]])
    assert verdicts(ada, greta, before)[1] == "permit"
    assert verdicts(ada, greta, before)[4:] == ["deny", "permit"]


def test_a_yes_taken_back_is_a_deny_from_then_on(ada: Staff, greta: UUID) -> None:
    says(ada, greta, "yes", YES)
    says(ada, greta, "no", NO | {"said_at": "2026-11-21T09:00"})
    assert Standing.objects.get(person=greta).withdrawn
    assert [row.said for row in Consent.objects.filter(person=greta)] == [Said.WITHDRAWN, Said.GIVEN]
    assert verdicts(ada, greta)[1] == "deny"


def test_an_objection_ends_advertising_by_every_channel_and_keeps_what_was_so_before(ada: Staff, greta: UUID) -> None:
    says(ada, greta, "yes", YES)
    before = timezone.now()
    says(ada, greta, "objection", {"said_at": "2026-11-21T09:00", "source": "by phone"})
    assert verdicts(ada, greta) == ["permit", "deny", "deny", "deny"]
    assert as_of(Person, [greta], before)[0].objected_at is None
    page = client_of(ada).get(f"/people/{greta}/").content.decode()
    assert "Objected to advertising" in page
    assert Entry.objects.filter(kind="consent.said", persons__contains=[greta]).count() == 2
    assert OwedDuty.objects.filter(event__about=greta, rule__startswith="eu-gdpr/").exists()


def test_an_objection_counts_from_the_first_time_it_was_said(greta: UUID, firm: Entity) -> None:
    days = [datetime.fromisoformat(f"2026-11-{day}T10:00:00+00:00") for day in (20, 19, 21)]
    for said_at in days:
        object_to_marketing(person=greta, entity=firm, said_at=said_at, source="by phone", heard_by=None)
    assert Person.objects.get(ref=greta).objected_at == min(days)
    assert Consent.objects.filter(person=greta, said=Said.OBJECTED).count() == len(days)


@pytest.mark.parametrize(
    ("what", "said", "why"),
    [
        ("yes", YES | {"notice": ""}, "required"),
        ("yes", YES | {"source": " "}, "required"),
        ("yes", YES | {"said_at": "2999-01-01T00:00"}, "lies in the future"),
        ("yes", YES | {"channel": "pigeon"}, "valid choice"),
        ("no", NO | {"source": "by\0phone"}, "Null characters"),
        ("objection", {"said_at": "yesterday", "source": "by phone"}, "valid date"),
    ],
)
def test_what_proves_nothing_is_refused_with_why(
    what: str, said: dict[str, Any], why: str, ada: Staff, greta: UUID
) -> None:
    assert why in says(ada, greta, what, said)
    assert not Consent.objects.exists()


def test_without_a_script_one_is_led_back_to_the_person_and_told_what_turned(ada: Staff, greta: UUID) -> None:
    client = client_of(ada)
    page = client.get(f"/people/{greta}/").content.decode()
    (address,) = {
        found.replace("&amp;", "&") for found in re.findall(r'href="(/people/[^"]+/says/yes/[^"]+)" hx', page)
    }
    assert "<html" in client.get(address).content.decode()
    told = client.post(address, YES, follow=True).content.decode()
    assert "It counts from now on." in told
    assert "became" in told


def test_a_card_leads_to_the_form_for_its_purpose_and_channel(ada: Staff, greta: UUID) -> None:
    client = client_of(ada)
    page = client.get(f"/people/{greta}/?why=sms-marketing").content.decode()
    (address,) = {
        found.replace("&amp;", "&") for found in re.findall(r'class="button" href="([^"]+/says/yes/[^"]+)"', page)
    }
    form = client.get(address).content.decode()
    assert '<option value="sms" selected>' in form


def test_whoever_reads_everything_takes_nothing_down(greta: UUID, firm: Entity) -> None:
    aud = make_staff("auditor", entity=firm)
    assert client_of(aud).post(f"/people/{greta}/says/yes/", YES).status_code == 403
    assert client_of(aud).get(f"/people/{greta}/says/").status_code == 200
    assert not Consent.objects.exists()


def test_people_of_another_entity_are_not_there(greta: UUID, shanghai: Entity) -> None:
    lin = make_staff("sales", entity=shanghai)
    assert client_of(lin).post(f"/people/{greta}/says/objection/", NO).status_code == 404
    assert Person.objects.get(ref=greta).objected_at is None


def test_a_person_says_yes_no_or_objects_and_nothing_else(ada: Staff, greta: UUID) -> None:
    assert client_of(ada).get(f"/people/{greta}/says/perhaps/").status_code == 404
