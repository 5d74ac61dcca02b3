"""Naughty strings through every form: stored and shown as given, or refused with why; never a fault of ours."""

from __future__ import annotations

import html
import json
import os
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django import forms
from django.test import Client

from comity.book.editing.forms import (
    LONGEST_NAME,
    LONGEST_TEXT,
    ActivityKept,
    Kept,
    NameKept,
    PointKept,
    PostKept,
    RelationKept,
    SomebodyNew,
    TagPut,
)
from comity.book.editing.whole import whole_of
from comity.book.models import Activity, Organisation, Person, Reach, Relation, Tag
from comity.book.opening import Look
from comity.staff.models import Staff
from comity.vault.sealing import FieldClass, Label
from tests.conftest import lack

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_factor")]
DATA = Path(os.environ.get("COMITY_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
HTMX = {"HX-Request": "true"}
WHEN = "2026-11-20T10:00"
NUL = ["\0", "a\0b"]
EVERY = 90
"""Of the strings, one in so many goes through each page; all of them go through the forms themselves."""


@pytest.fixture(scope="module")
def naughty() -> list[str]:
    path = DATA / "naughty-strings.json"
    if not path.exists():
        lack(f"No naughty strings: {path} is not there (COMITY_TEST_DATA names its folder)")
    texts: list[str] = json.loads(path.read_text("utf-8"))
    return texts


@pytest.fixture(scope="module")
def some(naughty: list[str]) -> list[str]:
    nasty = [" ", "x" * 20_001, "\u202etxt", "'; DROP TABLE book_person; --", "<script>alert(1)</script>"]
    return [*naughty[::EVERY], *NUL, *nasty]


@pytest.fixture
def client(ada: Staff) -> Client:
    client = Client()
    client.force_login(ada, "allauth.account.auth_backends.AuthenticationBackend")
    return client


def version(page: str) -> str:
    return str(re.findall(r'name="version" value="(\w+)"', page)[0])


def kept(client: Client, address: str, said: dict[str, Any]) -> bool:
    """Send a form; return whether it was kept. One that was not says why."""
    opened = client.get(address, headers=HTMX).content.decode()
    answer = client.post(address, said | {"version": version(opened)}, headers=HTMX)
    told = answer.content.decode()
    assert answer.status_code == 200, told[:300]
    refused = 'class="wrong' in told
    assert refused == ("HX-Retarget" not in answer.headers)
    return not refused


def as_typed(text: str) -> str:
    """Return a text without the blanks around it, which no form keeps."""
    return text.strip()


@pytest.mark.parametrize("form", [NameKept, ActivityKept, PostKept, TagPut, RelationKept, SomebodyNew])
def test_every_form_takes_every_string_or_says_why_not(form: type[Kept], naughty: list[str]) -> None:
    for text in [*naughty, *NUL]:
        filled = form(dict.fromkeys(form.base_fields, text), initial={}, name="naughty")
        if not filled.is_valid():
            assert all(str(why) for whys in filled.errors.values() for why in whys)
        for name, value in filled.cleaned_data.items():
            if isinstance(filled.fields.get(name), forms.CharField) and value:
                assert value == as_typed(text)
        assert filled.is_valid() is False or "\0" not in text


@pytest.mark.parametrize("reach", list(Reach))
def test_an_address_or_number_of_any_kind_is_kept_as_it_is_or_refused(reach: Reach, naughty: list[str]) -> None:
    for text in [*naughty, *NUL]:
        filled = PointKept({"value": text}, initial={}, name="naughty", reach=reach)
        if filled.is_valid():
            assert filled.cleaned_data["value"] == as_typed(text)
        else:
            assert filled.errors["value"]


def test_names_are_kept_and_shown_as_they_are_or_refused(
    some: list[str], client: Client, greta: UUID, look: Look
) -> None:
    for text in some:
        if kept(client, f"/people/{greta}/name/", {"given": text}):
            assert (whole_of(look, Person.objects.get(ref=greta)).fields or {})["given"] == as_typed(text)
            page = client.get(f"/people/{greta}/shown/name/").content.decode()
            assert html.escape(as_typed(text)) in page
        else:
            assert "\0" in text or not as_typed(text) or len(text) > LONGEST_NAME


def test_texts_of_activities_are_kept_as_they_are(some: list[str], client: Client, greta: UUID, look: Look) -> None:
    for text in some:
        said = {"doing": "note", "at": WHEN, "text": text}
        if not kept(client, f"/people/{greta}/activities/new/note/", said):
            assert "\0" in text or not as_typed(text) or len(text) > LONGEST_TEXT
            continue
        row = Activity.objects.filter(staff__isnull=False).order_by("-ref")[0]
        label = Label(greta, FieldClass.NOTE, "activity", row.ref)
        opened = whole_of(look, row.person, [label]).seen.opened[label]["text"]
        assert opened == as_typed(text).replace("\r\n", "\n").replace("\r", "\n") or opened == as_typed(text)
    page = client.get(f"/people/{greta}/").content.decode()
    assert "<script>alert" not in page


def test_contact_points_organisations_and_tags_take_what_they_can(
    some: list[str], client: Client, greta: UUID, look: Look
) -> None:
    for text in some:
        if kept(client, f"/people/{greta}/points/new/messenger/", {"value": text}):
            values = {point.value for point in whole_of(look, Person.objects.get(ref=greta)).points}
            assert as_typed(text) in values
        if kept(client, f"/people/{greta}/posts/new/", {"organisation": text}):
            assert Organisation.objects.filter(name__iexact=as_typed(text)).exists()
        if kept(client, f"/people/{greta}/tags/", {"tag": text}):
            assert Tag.objects.filter(name__iexact=as_typed(text)).exists()
    assert client.get(f"/people/{greta}/").status_code == 200


def test_what_is_no_address_number_day_or_language_is_refused(some: list[str], client: Client, greta: UUID) -> None:
    for text in some:
        facts = {"home_0": text, "language": text, "birth_year": text, "birth_month": text, "capacity": text}
        client.post(f"/people/{greta}/facts/", facts, headers=HTMX)
        kept(client, f"/people/{greta}/relation/", {"customer_since": text, "notice": text[:60], "source": "person"})
        kept(client, f"/people/{greta}/points/new/email/", {"value": text})
        kept(client, f"/people/{greta}/points/new/phone/", {"value": text})
        for address in (f"/people/{greta}/?before={text}", "/people/organisations/", f"/people/{greta}/may/"):
            assert client.get(address, {"organisation": text, "was": text, "why": text}).status_code == 200
    assert Person.objects.get(ref=greta).home == "DE"
    assert Relation.objects.get(person=greta).source == "person"


def test_somebody_new_may_be_called_anything(some: list[str], client: Client, look: Look) -> None:
    del look
    for text in some:
        said = {"given": text, "home": "DE", "source": "published", "organisation": text, "all_the_same": "on"}
        assert client.post("/people/new/", said).status_code in {200, 302}


def test_what_people_say_is_taken_down_as_it_is(some: list[str], client: Client, greta: UUID) -> None:
    for text in some:
        said = {"purpose": "marketing", "channel": "email", "said_at": WHEN, "source": text, "notice": text}
        answer = client.post(f"/people/{greta}/says/yes/", said, headers=HTMX)
        assert answer.status_code == 200
        assert ("HX-Retarget" in answer.headers) == (0 < len(as_typed(text)) <= 60 and "\0" not in text)
