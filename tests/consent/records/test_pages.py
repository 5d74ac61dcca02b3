"""The page of what a person said, and the files that it hands out."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client

from comity.book.models import Person
from comity.consent.actions import object_to_marketing, withdraw_consent
from comity.consent.mistakes import correct_mistake
from comity.consent.models import Why
from comity.consent.records.gpc import honour_signal
from comity.consent.records.gpp import read
from comity.consent.records.gpp_meaning import meaning_of
from comity.consent.records.queries import gpp_of
from comity.ledger.models import Entry
from comity.refs import new_ref, shown
from comity.staff.models import Entity, Staff
from tests.book.people import Add, newcomer
from tests.consent.people import MONDAY, about, says_yes
from tests.consent.test_pages import client_of
from tests.staff.people import make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_factor")]
HOUR = timedelta(hours=1)


def test_the_page_lists_what_was_said_and_leads_to_every_file(ada: Staff, greta: UUID, firm: Entity) -> None:
    says_yes(greta, firm)
    withdraw_consent(about=about(greta, firm), said_at=MONDAY + HOUR, source="by phone", heard_by=None)
    client = client_of(ada)
    page = client.get(f"/people/{greta}/said/").content.decode()
    assert "Said yes" in page
    assert "Took it back" in page
    files = {address.replace("&amp;", "&") for address in re.findall(r'href="(/people/[^"]+)" download', page)}
    assert len(files) == 2 * 2 + 3
    for address in files:
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert answer["Content-Type"] in {"application/ld+json", "application/fhir+json"}
        assert answer["Content-Disposition"].startswith("attachment; filename=")
        assert answer.json()
    assert "Grünwald" not in page


def test_who_said_nothing_has_nothing_to_hand_out(ada: Staff, greta: UUID) -> None:
    page = client_of(ada).get(f"/people/{greta}/said/").content.decode()
    assert "Nothing was said yet" in page
    assert "download" not in page.split("<main")[1]


def test_a_file_is_called_by_refs_and_its_handing_out_is_in_the_ledger(ada: Staff, greta: UUID, firm: Entity) -> None:
    consent = says_yes(greta, firm)
    answer = client_of(ada).get(f"/people/{greta}/said/{consent.ref}/receipt/")
    assert f'filename="receipt-{shown(consent.ref)}.jsonld"' in answer["Content-Disposition"]
    assert answer.json()["@type"] == "dpv:ConsentReceipt"
    entry = Entry.objects.get(kind="consent.handed-out")
    assert (entry.persons, entry.staff) == ([greta], ada.ref)
    assert str(consent.ref) in bytes(entry.body).decode()
    client_of(ada).get(f"/people/{greta}/said/all/fhir/")
    assert Entry.objects.filter(kind="consent.handed-out").count() == 2


def test_what_was_recorded_by_mistake_cannot_be_handed_out(ada: Staff, greta: UUID, firm: Entity) -> None:
    consent = says_yes(greta, firm)
    officer = make_staff("privacy-officer", entity=firm)
    correct_mistake(mistaken=consent, why=Why.CLICK, source="the log", corrected_by=officer)
    assert client_of(ada).get(f"/people/{greta}/said/{consent.ref}/record/").status_code == 404


@pytest.mark.parametrize(
    "address", ["{greta}/said/all/pdf/", "{greta}/said/{said}/fhir/", "{greta}/said/{none}/record/"]
)
def test_there_is_no_other_file(address: str, ada: Staff, greta: UUID, firm: Entity) -> None:
    consent = says_yes(greta, firm)
    there = address.format(greta=greta, said=consent.ref, none=new_ref())
    assert client_of(ada).get(f"/people/{there}").status_code == 404
    assert not Entry.objects.filter(kind="consent.handed-out").exists()


def test_people_of_another_entity_are_not_there(greta: UUID, firm: Entity, shanghai: Entity) -> None:
    consent = says_yes(greta, firm)
    lin = client_of(make_staff("sales", entity=shanghai))
    for address in ("said/", "said/all/record/", f"said/{consent.ref}/record/"):
        assert lin.get(f"/people/{greta}/{address}").status_code == 404


def test_whoever_is_not_signed_in_sees_nothing(greta: UUID) -> None:
    assert Client().get(f"/people/{greta}/said/all/record/").status_code == 302


# ---------------------------------------------------------------- GPP


@pytest.mark.parametrize(
    ("home", "section"),
    [("US-CA", "usca"), ("US-TX", "ustx"), ("US-OH", "usnat"), ("US-CA|US-NV", "usnat"), ("US", "usnat"), ("DE", "")],
)
def test_the_section_is_that_of_the_home(home: str, section: str, add: Add, firm: Entity) -> None:
    person = Person.objects.get(ref=add(newcomer("Carlos", "Rivera", home)))
    text = gpp_of(person, firm, told=True)
    assert [each.name for each in read(text)] == [section] if section else text == ""


def test_the_string_says_what_the_person_said(ada: Staff, add: Add, firm: Entity) -> None:
    ref = add(newcomer("Carlos", "Rivera", "US-CA"))
    assert meaning_of(read(gpp_of(Person.objects.get(ref=ref), firm, told=False))) == []
    assert not any(each.is_no for each in meaning_of(read(gpp_of(Person.objects.get(ref=ref), firm, told=True))))
    honour_signal(person=Person.objects.get(ref=ref), entity=firm, at=MONDAY)
    said = meaning_of(read(gpp_of(Person.objects.get(ref=ref), firm, told=True)))
    assert {each.about for each in said if each.is_no} == {"sale", "sharing", "signal"}
    page = client_of(ada).get(f"/people/{ref}/said/").content.decode()
    assert "DBABBg~" in page


def test_an_objection_is_a_no_to_selling_too(add: Add, firm: Entity) -> None:
    ref = add(newcomer("Carlos", "Rivera", "US-VA"))
    object_to_marketing(person=ref, entity=firm, said_at=MONDAY, source="by phone", heard_by=None)
    said = meaning_of(read(gpp_of(Person.objects.get(ref=ref), firm, told=False)))
    assert {each.about for each in said if each.is_no} == {"sale", "targeted-advertising"}
