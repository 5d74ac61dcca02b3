"""Role by role and page by page: the table comes from roles.toml and from the addresses, so a new page is in it."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from comity.staff.guards import may_do, may_handle
from comity.staff.roles import roles
from tests.staff.addresses import Page, pages

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import Settings

    from comity.staff.models import Entity, Staff

BY_ALLAUTH = "sign-in/"
"""Pages of django-allauth: open to those who are about to sign in, and to each for what is their own."""

OURS = [page for page in pages() if not page.route.startswith((BY_ALLAUTH, "api/"))]
GUARDED = [page for page in OURS if page.guard and page.guard.may]


@pytest.mark.parametrize("page", OURS, ids=lambda page: page.route or "/")
def test_every_page_says_who_may_see_it(page: Page) -> None:
    assert page.guard is not None, f"{page.route}: put staff_page(may=…) or open_page(because=…) on top of the view"
    assert bool(page.guard.may) != bool(page.guard.open_because)


def test_all_other_pages_are_of_allauth() -> None:
    rest = [page for page in pages() if page.route.startswith(BY_ALLAUTH) and page.guard is None]
    assert [page.route for page in rest if not page.view.__module__.startswith("allauth.")] == []


@pytest.mark.parametrize("page", GUARDED, ids=lambda page: page.route or "/")
@pytest.mark.usefixtures("db")
def test_whoever_is_not_signed_in_is_asked_to(page: Page) -> None:
    answer = Client().get(page.example)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/?next=/")


@pytest.mark.parametrize(
    ("role", "page"), list(product(roles().roles, GUARDED)), ids=lambda one: getattr(one, "route", one)
)
def test_a_page_opens_to_the_roles_that_have_its_word_and_to_no_other(
    role: str, page: Page, staff_in: Callable[..., Staff], dublin: Entity, settings: Settings
) -> None:
    settings.SECOND_FACTOR = "optional"
    assert page.guard is not None
    client = Client()
    client.force_login(staff_in(role, entity=dublin), "allauth.account.auth_backends.AuthenticationBackend")
    refused = client.get(page.example).status_code == 403
    assert refused == (role not in roles().with_word(page.guard.may))


@pytest.mark.parametrize("page", GUARDED, ids=lambda page: page.route or "/")
@pytest.mark.usefixtures("db")
def test_without_a_role_every_page_stays_shut(page: Page, staff_in: Callable[..., Staff]) -> None:
    client = Client()
    client.force_login(staff_in(), "allauth.account.auth_backends.AuthenticationBackend")
    shut = client.get(page.example).status_code
    assert shut == 403


def test_words_and_cells_hold_for_the_entity_they_were_granted_for(
    staff_in: Callable[..., Staff], dublin: Entity, shanghai: Entity
) -> None:
    for role in roles().roles.values():
        staff = staff_in(role.id, entity=dublin)
        for word in roles().words.values():
            assert may_do(staff, word.id, dublin) == may_do(staff, word.id) == (role.id in word.roles)
            assert not may_do(staff, word.id, shanghai)
        for operation, purpose, field in product(roles().operations, roles().purposes, roles().field_classes):
            may_here, may_there = (
                may_handle(staff, operation=operation, purpose=purpose, field_class=field, entity=entity)
                for entity in (dublin, shanghai)
            )
            assert may_here == ((operation, purpose, field) in role.cells)
            assert not may_there
