from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from django.core.exceptions import BadRequest
from django.test import RequestFactory
from django.utils import timezone

from comity.staff.listing import Column, Listing, listed
from comity.staff.models import Staff

if TYPE_CHECKING:
    from django.http import HttpRequest

COLUMNS = (
    Column(id="name", title="Name", sorts_by="name", always=True),
    Column(id="seen", title="Seen", sorts_by="last_login", shows=lambda row: row.last_login),
    Column(id="email", title="E-mail", at_first=False),
)


def asking(query: str) -> HttpRequest:
    return RequestFactory().get("/" + query)


def page(query: str) -> Listing[Staff]:
    return listed(asking(query), rows=Staff.objects.all(), columns=COLUMNS, sort="name", size=3)


@pytest.fixture
def ten(db: None) -> list[str]:
    """Ten of the staff; two share a name, and every third was never seen."""
    del db
    now = timezone.now()
    for n in range(10):
        seen = None if n % 3 == 0 else now - timedelta(days=n)
        Staff.objects.create(name=f"Staff {max(n, 1)}", email=f"{n}@comity.example", last_login=seen)
    return [f"{n}@comity.example" for n in range(10)]


def walked(query: str, way: str) -> list[list[str]]:
    """Return the addresses on each page, going on by the links of the pages."""
    pages = []
    while query:
        shown = page(query)
        pages.append([row.email for row in shown.rows])
        query = str(getattr(shown, way))
    return pages


@pytest.mark.parametrize("sort", ["name", "-name", "seen", "-seen", ""])
def test_page_by_page_every_row_is_shown_once_and_in_order(ten: list[str], sort: str) -> None:
    forth = walked(f"?sort={sort}", "next_page")
    flat = [email for shown in forth for email in shown]
    assert sorted(flat) == ten
    assert [len(shown) for shown in forth] == [3, 3, 3, 1]
    keys = [Staff.objects.get(email=email) for email in flat]
    if sort.endswith("name"):
        names = [row.name for row in keys]
        assert names == sorted(names, reverse=sort.startswith("-"))
    if sort.endswith("seen"):
        days = [row.last_login for row in keys]
        seen = [day for day in days if day]
        assert days[len(seen) :] == [None] * 4
        assert all((a < b) != sort.startswith("-") for a, b in pairwise(seen))


@pytest.mark.parametrize("sort", ["name", "-name", "seen", "-seen"])
@pytest.mark.usefixtures("ten")
def test_the_way_back_shows_the_same_rows_in_the_same_order(sort: str) -> None:
    forth = [email for shown in walked(f"?sort={sort}", "next_page") for email in shown]
    query = f"?sort={sort}"
    while (shown := page(query)).next:
        query = shown.next_page
    back = walked(query, "previous_page")
    assert [email for shown in reversed(back) for email in shown] == forth


@pytest.mark.usefixtures("ten")
def test_a_row_that_comes_in_between_shifts_nothing() -> None:
    first = page("?sort=name")
    Staff.objects.create(name="Aaron", email="aaron@comity.example")
    following = page(first.next_page)
    assert following.rows[0].name == "Staff 3"


@pytest.mark.usefixtures("ten")
def test_columns_and_order_stand_in_the_address_and_a_new_order_begins_anew() -> None:
    shown = page(page("?sort=name&columns=email&q=x").next_page)
    assert [column.id for column in shown.columns] == ["name", "email"]
    heads = {head["column"].id: head for head in shown.heads}  # type: ignore[attr-defined]  # a Column
    assert heads["name"]["order"] == "ascending"
    assert heads["name"]["to"] == "?columns=email&q=x&sort=-name"
    assert heads["email"]["to"] == ""


@pytest.mark.parametrize("cursor", ["x", "bnVsbA", "W10", "WzEsMiwzXQ", "WyJhIiwibm8gcmVmIixmYWxzZV0"])
@pytest.mark.usefixtures("ten")
def test_a_place_that_no_list_wrote_is_refused(cursor: str) -> None:
    with pytest.raises(BadRequest, match="no place in this list"):
        page(f"?from={cursor}")


@pytest.mark.usefixtures("ten")
def test_an_order_that_is_not_offered_is_not_taken() -> None:
    assert page("?sort=password").sort == "name"
