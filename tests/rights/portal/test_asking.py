"""Asking: each wish is a request with its clock, from the person whose page it is, answered to their address."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.formats import date_format

from comity.book.actions import NewPoint
from comity.book.models import Reach
from comity.counsel.models import OwedDuty
from comity.rights.portal import asking
from comity.rights.portal.asking import WISHES
from comity.rights.portal.models import Portal
from comity.rights.requests.models import Request
from comity.staff.models import Entity
from tests.book.people import Add, newcomer
from tests.rights.portal.test_stopping import word_in
from tests.rights.portal.visitors import GRETA, comes_in, door, text_of

pytestmark = pytest.mark.django_db
WRITTEN = {"correct": {"given": "Margarete"}, "question": {"words": "What is this?"}, "complain": {"words": "It rang."}}


def sends(browser: Client, firm: Entity, wish: str, **more: str) -> int:
    word = word_in(text_of(browser, firm, "ask", wish))
    return browser.post(door(firm, "ask", wish), {"word": word, **more}).status_code


@pytest.mark.parametrize("wish", list(WISHES))
def test_each_wish_becomes_what_it_is_to_the_law(
    portal: Portal, greta: UUID, firm: Entity, outside: Client, wish: str
) -> None:
    del portal
    comes_in(outside, firm)
    assert sends(outside, firm, wish, **WRITTEN.get(wish, {})) == 302
    rows = list(Request.objects.all())
    assert sorted(row.kind for row in rows) == sorted(WISHES[wish].kinds)
    assert {(row.person, row.came_by, row.received_on) for row in rows} == {(greta, "portal", timezone.localdate())}


def test_its_day_and_article_stand_on_their_page(portal: Portal, greta: UUID, firm: Entity, outside: Client) -> None:
    del portal, greta
    comes_in(outside, firm)
    sends(outside, firm, "copy")
    page = text_of(outside, firm, "asked", done="1")
    assert "It came in" in page
    for request in Request.objects.all():
        duty = OwedDuty.objects.get(event__about=request.ref, act="answer", state="owed")
        assert f"answered by {date_format(duty.day, 'DATE_FORMAT')} at the latest" in page
        assert str(duty.told["cite"]) in page
    assert "Take it all away" in page


def test_what_is_to_be_corrected_is_named_and_written(
    portal: Portal, greta: UUID, firm: Entity, outside: Client
) -> None:
    del portal, greta
    comes_in(outside, firm)
    assert sends(outside, firm, "correct") == 422
    assert sends(outside, firm, "correct", given="Margarete", email="m@kettle.example", words="I moved.") == 302
    assert Request.objects.get().wants["corrects"] == ["given", "email"]


def test_what_must_be_written_is_asked_for(portal: Portal, greta: UUID, firm: Entity, outside: Client) -> None:
    del portal, greta
    comes_in(outside, firm)
    assert sends(outside, firm, "complain") == 422
    assert not Request.objects.exists()


def test_nobody_asks_without_a_visit_or_the_word_of_its_pages(
    portal: Portal, greta: UUID, firm: Entity, outside: Client
) -> None:
    del portal, greta
    assert Client().post(door(firm, "ask", "erase")).status_code == 302
    comes_in(outside, firm)
    outside.post(door(firm, "ask", "erase"), {"word": "0" * 32})
    outside.get(door(firm, "ask", "nothing"))
    assert not Request.objects.exists()


def test_where_several_have_the_address_it_is_asked_first_whose_data_it_is(
    portal: Portal, greta: UUID, firm: Entity, add: Add, outside: Client
) -> None:
    del portal, greta
    add(newcomer("Gustav", "Grünwald", "DE", points=[NewPoint(reach=Reach.EMAIL, value=GRETA)]))
    comes_in(outside, firm)
    sends(outside, firm, "erase")
    assert Request.objects.get().person is None
    assert "not listed here" in text_of(outside, firm, "asked")


def test_a_machine_that_asks_all_day_is_told_to_wait(
    portal: Portal, greta: UUID, firm: Entity, outside: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    del portal, greta
    monkeypatch.setattr(asking, "MOST_A_DAY", 1)
    comes_in(outside, firm)
    assert [sends(outside, firm, "recipients"), sends(outside, firm, "recipients")] == [302, 429]
