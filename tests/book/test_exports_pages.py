"""The pages of exports: from the list to the file, in a browser and without one."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from pytest_django import Settings

from comity.book.exports.actions import Wanted, ask_export, begin_export, make_file
from comity.book.exports.models import Export, Format
from comity.book.models import Person
from comity.refs import new_ref, shown
from comity.staff.approvals import settle_approval
from comity.staff.models import Approval, Entity, Staff
from tests.book.taking_out import Sign, sign
from tests.staff.people import client_of

__all__ = ["sign"]

pytestmark = pytest.mark.django_db

FORM = {"purpose": "service", "recipient": "none", "format": "csv", "columns": ["ref", "given", "email"]}


@pytest.fixture(autouse=True)
def without_second_factor(settings: Settings) -> None:
    settings.SECOND_FACTOR = "optional"


@pytest.mark.usefixtures("greta", "aiko")
def test_the_form_says_what_the_law_would_say(ada: Staff) -> None:
    page = client_of(ada).get("/people/export/").content.decode()
    assert "2 people of Comity Dublin Ltd" in page
    assert "50 % permit" in page
    assert Export.objects.count() == 0


@pytest.mark.usefixtures("greta")
def test_the_form_offers_no_choice_about_refusals_and_says_that_a_card_has_none(ada: Staff) -> None:
    page = client_of(ada).get("/people/export/").content.decode()
    assert 'value="objected"' not in page
    assert "A vCard has no room for what people refused." in page


def test_the_page_counts_who_was_taken_away_before_the_file_was_made(ada: Staff, greta: UUID, firm: Entity) -> None:
    wanted = Wanted(entity=firm, purpose="service", format=Format.CSV, columns=["ref"])
    export = begin_export(export=ask_export(wanted=wanted, persons=[greta], asked_by=ada), staff=ada)
    Person.objects.filter(ref=greta).update(entities=[new_ref()])
    make_file(export=export)
    page = client_of(ada).get(f"/people/exports/{export.ref}/").content.decode()
    assert "1 not in the book any more" in page
    assert "They were chosen, but merged, erased or taken from this entity" in page


@pytest.mark.usefixtures("aiko")
def test_the_lists_filters_choose_the_people(ada: Staff, greta: UUID) -> None:
    client_of(ada).post("/people/export/?home=DE&sort=-added", FORM)
    assert [part.persons for part in Export.objects.get().parts.all()] == [[greta]]


@pytest.mark.usefixtures("greta")
def test_picked_people_are_taken_out_alone(ada: Staff, oliver: UUID) -> None:
    client_of(ada).post(f"/people/export/?pick={oliver}", FORM)
    assert [part.persons for part in Export.objects.get().parts.all()] == [[oliver]]


@pytest.mark.usefixtures("greta", "aiko")
def test_from_the_form_to_the_file(ada: Staff, sign: Sign) -> None:
    client = client_of(ada)
    answer = client.post("/people/export/", FORM, follow=True)
    assert "waits until the ledger is signed" in answer.content.decode()
    sign()
    export = Export.objects.get()
    page = client.get(f"/people/exports/{export.ref}/").content.decode()
    assert "Fetch the file" in page
    assert "No law pack covers this for people in Japan." in page
    file = client.post(f"/people/exports/{export.ref}/file/")
    text = b"".join(file.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]  # it streams
    assert file["Content-Disposition"] == f'attachment; filename="people-comity-{export.code}.csv"'
    assert (
        text.splitlines()[0]
        == "Person ref,Export mark,Given name,E-mail,Objected at,Opt-out signal at,Restricted at,Deceased at"
    )
    assert "Greta,greta@kettle.example" in text
    again = client.post(f"/people/exports/{export.ref}/file/", follow=True)
    assert "This file is gone" in again.content.decode()


def test_who_was_left_out_is_told_by_ref(ada: Staff, aiko: UUID) -> None:
    client = client_of(ada)
    client.post("/people/export/", FORM)
    told = client.get(f"/people/exports/{Export.objects.get().ref}/left-out.csv").content.decode("utf-8-sig")
    assert told == f"Person ref,Verdict,Because,Missing\r\n{shown(aiko)},ask,no-law:JP,\r\n"


@pytest.mark.usefixtures("greta", "oliver")
def test_many_wait_for_a_second_person(ada: Staff, olga: Staff, settings: Settings) -> None:
    settings.EXPORT_ALONE = 1
    client = client_of(ada)
    page = client.post("/people/export/", FORM, follow=True).content.decode()
    assert "A second person must approve this" in page
    where = f"/people/exports/{Export.objects.get().ref}/"
    assert "Reason" in client.post(f"{where}approval/", {"reason": ""}).content.decode()
    client.post(f"{where}approval/", {"reason": "The yearly audit"})
    assert "Make the file" not in client.get(where).content.decode()
    asked = client_of(olga).get(f"/approvals/{Approval.objects.get().ref}/").content.decode()
    assert "<dd>2</dd>" in asked
    assert "Given name" in asked
    assert "hmac-sha256" not in asked
    settle_approval(approval=Approval.objects.get(), approved=True, settled_by=olga)
    assert "Make the file" in client.get(where).content.decode()
    client.post(f"{where}make/")
    assert Export.objects.get().state == "made"


@pytest.mark.usefixtures("greta")
def test_others_exports_are_not_there(ada: Staff, firm: Entity, staff_in: Callable[..., Staff]) -> None:
    client_of(ada).post("/people/export/", FORM)
    where = f"/people/exports/{Export.objects.get().ref}/"
    tom, otto = (staff_in(role, entity=firm) for role in ("marketing", "auditor"))
    assert client_of(tom).get(where).status_code == 404
    page = client_of(otto).get(where)
    assert page.status_code == 200
    assert "Fetch the file" not in page.content.decode()


@pytest.mark.usefixtures("greta")
def test_a_pasted_row_leads_to_its_export(ada: Staff, olga: Staff) -> None:
    client_of(ada).post("/people/export/", FORM)
    export = Export.objects.get()
    page = client_of(olga).post("/people/exports/trace/", {"text": f"people-comity-{export.code}.csv"})
    assert "It leads to" in page.content.decode()
    assert "It leads nowhere" in client_of(olga).post("/people/exports/trace/", {"text": "x"}).content.decode()


@pytest.mark.usefixtures("greta")
def test_a_form_that_lacks_something_says_so_and_asks_nothing(ada: Staff) -> None:
    page = client_of(ada).post("/people/export/", FORM | {"columns": []})
    assert page.status_code == 200
    assert Export.objects.count() == 0


@pytest.mark.usefixtures("greta")
def test_asking_the_law_again_takes_nobody_out(ada: Staff) -> None:
    client_of(ada).post("/people/export/", FORM | {"does": "preview", "recipient": "data-broker"})
    assert Export.objects.count() == 0
