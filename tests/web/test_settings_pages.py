"""Settings: the way to everything that is set up, what we keep and how long, and what runs here."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape

import pytest
from django.test import Client
from playwright.sync_api import Page

from comity import __version__
from comity.counsel.reading import shelves
from comity.staff.models import Entity, Staff
from comity.vault.data_map import Clock, data_map
from comity.web.settings_pages import ROOMS, WORDS, clock_said
from tests.browser import DESK, PHONE, found_by_axe, wider_than_screen
from tests.staff.people import make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_factor")]
WITHIN = ("/settings/", "/settings/kept/", "/settings/about/")


def read(staff: Staff, address: str) -> str:
    client = Client()
    client.force_login(staff, "allauth.account.auth_backends.AuthenticationBackend")
    answer = client.get(address, follow=True)
    assert answer.status_code == 200, answer.content.decode()[:500]
    return unescape(answer.content.decode())


def test_the_rail_leads_to_settings(adam: Staff, dublin: Entity) -> None:
    del dublin
    assert '<a href="/settings/"' in read(adam, "/today/")


@pytest.mark.parametrize(
    ("role", "leads", "leads_not"),
    [
        ("administrator", ("/entities/", "/keys/", "/staff/", "/programs/", "/settings/kept/"), ()),
        ("auditor", ("/entities/", "/keys/", "/ledger/"), ("/programs/", "/settings/fields/", "/styleguide/")),
    ],
)
def test_settings_lead_wherever_the_role_may_go(
    role: str, leads: tuple[str, ...], leads_not: tuple[str, ...], dublin: Entity
) -> None:
    told = read(make_staff(role, entity=dublin), "/settings/").partition("<main")[2]
    assert all(f'href="{each}"' in told for each in leads)
    assert not [each for each in leads_not if f'href="{each}"' in told]


def test_every_stored_column_stands_on_the_page_with_its_clock(adam: Staff) -> None:
    told = read(adam, "/settings/kept/")
    for table in data_map().values():
        assert f"<code>{table.model}</code>" in told
        assert clock_said(table.clock) in told
        for name in table.columns:
            assert f"<code>{name}</code>" in told
    assert all(str(word) in told for word, _ in WORDS.values())


def test_every_room_of_ours_has_a_name() -> None:
    ours = {table.app for table in data_map().values() if table.app in {"desk", "web"} | ROOMS.keys()}
    assert ours <= ROOMS.keys()


@pytest.mark.parametrize(
    ("clock", "words"),
    [
        (Clock(until="person"), "until the person is erased"),
        (Clock(until="after", count=1, unit="years", column="ends_on"), "1 year after ends_on"),
        (Clock(until="after", count=90, unit="days", column="at"), "90 days after at"),
        (Clock(until="after", count=6, unit="months", column="at"), "6 months after at"),
    ],
)
def test_clocks_are_said_in_words(clock: Clock, words: str) -> None:
    assert clock_said(clock) == words


def test_what_runs_here_is_said_with_the_hash_of_every_pack(adam: Staff) -> None:
    told = read(adam, "/settings/about/")
    assert __version__ in told
    for shelf in shelves():
        assert shelf.sha256 in told


@pytest.mark.django_db(transaction=True)
def test_the_pages_are_accessible_and_fit_a_phone(adam: Staff, signed_in: Callable[[Staff], Page]) -> None:
    page = signed_in(adam)
    for width, height in (DESK, PHONE):
        page.set_viewport_size({"width": width, "height": height})
        for address in WITHIN:
            page.goto(address)
            assert page.url.endswith(address)
            assert wider_than_screen(page) == 0
            assert found_by_axe(page) == []
