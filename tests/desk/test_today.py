"""Today, the first page: what is due, what waits, whom one looked after, and how the record stands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from html import unescape
from pathlib import Path
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page

from comity.book.imports.models import Import, Stage
from comity.book.models import Activity
from comity.book.opening import Look, names_of
from comity.counsel.actions import assign
from comity.counsel.duties import data_came, note_event
from comity.counsel.models import OpenQuestion
from comity.ledger.models import Entry
from comity.refs import new_ref
from comity.staff.actions import break_glass
from comity.staff.approvals import ask_approval
from comity.staff.models import Entity, Staff
from comity.staff.roles import roles
from comity.vault import keyring
from tests.browser import DESK, PHONE, found_by_axe, wider_than_screen
from tests.staff.people import make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_factor")]


def read(staff: Staff, address: str = "/today/") -> str:
    client = Client()
    client.force_login(staff, "allauth.account.auth_backends.AuthenticationBackend")
    answer = client.get(address, follow=True)
    assert answer.status_code == 200, answer.content.decode()[:500]
    return unescape(answer.content.decode())


def came(entity: Entity, ago: int, homes: dict[str, int]) -> None:
    """Let data about people come to us from somebody else, so many days ago."""
    day = timezone.localdate() - timedelta(days=ago)
    note_event(event=data_came(on=day, source="third-party"), entity=entity, about=new_ref(), staff=None, homes=homes)


# ---------------------------------------------------------------- the first page


@pytest.mark.parametrize("role", roles().roles)
def test_the_first_address_leads_everybody_to_today(role: str, firm: Entity) -> None:
    client = Client()
    client.force_login(make_staff(role, entity=firm), "allauth.account.auth_backends.AuthenticationBackend")
    answer = client.get("/", follow=True)
    assert answer.redirect_chain == [("/today/", 302)]
    assert "Nothing waits for you" in answer.content.decode()


def test_an_empty_day_teaches_where_to_begin(ada: Staff, firm: Entity) -> None:
    del firm
    told = read(ada)
    assert 'href="/law/may-we/"' in told
    assert 'href="/people/"' in told
    assert "Look into the ledger" not in told  # Ada may not


# ---------------------------------------------------------------- what is due


def test_the_overdue_are_counted_in_words(firm: Entity, olga: Staff) -> None:
    came(firm, 40, {"DE": 3})
    came(firm, 20, {"DE": 5})
    told = read(olga)
    assert "1 duty is overdue" in told
    assert "about 3 people" in told
    assert told.index("about 3 people") < told.index("about 5 people")


def test_the_weeks_ahead_are_drawn_with_words_where_there_is_something_to_compare(firm: Entity, olga: Staff) -> None:
    came(firm, 20, {"DE": 5})
    assert "Due in the weeks ahead" not in read(olga)
    came(firm, 10, {"DE": 5})
    assert "this week: " in read(olga)


def test_who_lacks_the_word_sees_no_duties(firm: Entity, ada: Staff) -> None:
    came(firm, 40, {"DE": 3})
    assert "What is due" not in read(ada)


def test_what_another_entity_owes_is_not_here(firm: Entity, shanghai: Entity) -> None:
    came(firm, 40, {"DE": 3})
    assert "overdue" not in read(make_staff("privacy-officer", entity=shanghai))


# ---------------------------------------------------------------- what waits


def test_questions_wait_for_whom_they_were_given_to_and_free_ones_for_who_may_rule(
    look: Look, aiko: UUID, olga: Staff, ada: Staff
) -> None:
    names_of(look, [aiko])
    assert "1 question that the law leaves open is nobody's yet" in read(olga)
    assert "nobody's yet" not in read(ada)
    assign(question=OpenQuestion.objects.get(), to=ada, assigned_by=olga)
    assert "1 question was given to you" in read(ada)
    assert "nobody's yet" not in read(olga)


def test_an_approval_waits_for_the_second_person_and_not_for_who_asks(firm: Entity, olga: Staff, adam: Staff) -> None:
    asked = ask_approval(kind="key.destroy", request={"epoch": 1}, reason="It was lost.", asked_by=adam, entity=firm)
    assert f'href="/approvals/{asked.ref}/"' in read(olga)
    assert str(asked.ref) not in read(adam)


def test_broken_glass_is_urgent_for_the_privacy_officer(firm: Entity, greta: UUID, ada: Staff, olga: Staff) -> None:
    break_glass(
        staff=ada, entity=firm, person=greta, purpose="security", reason="Fire.", lasts=timedelta(minutes=5),
        proved_at=timezone.now(),
    )  # fmt: skip
    told = read(olga)
    assert "Glass was broken 1 time" in told
    assert "urgent" in told


def test_ones_own_imports_and_whoevers_stopped_are_named(firm: Entity, olga: Staff) -> None:
    tom = make_staff("marketing", entity=firm)
    Import.objects.create(entity=firm, begun_by=tom, dialect="plain", kind="csv", rows=4, stage=Stage.RUNNING)
    assert "An import is running" in read(tom)
    assert "An import is running" not in read(olga)
    Import.objects.update(stage=Stage.STOPPED)
    assert "An import stopped half-way" in read(olga)


# ---------------------------------------------------------------- people


@pytest.fixture
def called(firm: Entity, greta: UUID, ada: Staff) -> Activity:
    """Give the call that Ada made to Greta."""
    return Activity.objects.create(person_id=greta, entity=firm, doing="call", at=timezone.now(), staff=ada)


def test_whom_one_looked_after_is_named_by_one_decision_that_is_on_record(
    called: Activity, greta: UUID, ada: Staff
) -> None:
    del called
    before = Entry.objects.count()
    told = read(ada)
    assert "Greta Grünwald" in told
    assert f'href="/people/{greta}/"' in told
    kinds = list(Entry.objects.order_by("ref").values_list("kind", flat=True))[before:]
    assert kinds == ["counsel.decided", "vault.opened"]


def test_whom_others_looked_after_is_not_here(called: Activity, firm: Entity) -> None:
    del called
    assert "Greta" not in read(make_staff("support", entity=firm))


def test_without_its_key_the_page_still_stands_and_says_what_is_the_matter(
    called: Activity, ada: Staff, folder: Path
) -> None:
    del called
    for file in (folder / "keys").glob("epoch-*.key"):
        file.unlink()
    keyring.forget()
    told = read(ada)
    assert "Names stay sealed." in told
    assert "Greta" not in told
    assert str(folder) not in told  # where keys lie is for those alone who may see keys


# ---------------------------------------------------------------- the record


def test_the_record_says_that_nothing_is_signed_yet(firm: Entity, olga: Staff, ada: Staff) -> None:
    del firm
    assert "Nothing is signed yet." in read(olga)
    assert "The record" not in read(ada)


# ---------------------------------------------------------------- in a browser


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("role", roles().roles)
def test_every_roles_day_is_accessible_and_fits_a_phone(
    role: str, firm: Entity, greta: UUID, signed_in: Callable[[Staff], Page]
) -> None:
    staff = make_staff(role, entity=firm)
    came(firm, 40, {"DE": 3})
    came(firm, 20, {"DE": 3})
    came(firm, 10, {"GB": 3})
    Activity.objects.create(person_id=greta, entity=firm, doing="call", at=timezone.now(), staff=staff)
    page = signed_in(staff)
    for width, height in (DESK, PHONE):
        page.set_viewport_size({"width": width, "height": height})
        page.goto("/today/")
        assert page.title() == "Today · Comity"
        assert wider_than_screen(page) == 0
        assert found_by_axe(page) == []
