"""Search over all people, and the first who are found for the palette."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.shortcuts import render

from comity.book.looking import look_of
from comity.book.organisations.queries import organisations_called
from comity.book.searching import find
from comity.staff.guards import StaffRequest, may_do, staff_page

if TYPE_CHECKING:
    from comity.book.models import Organisation

LONGEST_QUERY = 200
QUICK = 8
"""People that the palette shows."""
FEW = 3
"""Organisations that it shows below them."""
MANY = 20
"""Organisations that the page of a search shows."""


@staff_page(may="person.view")
def search(request: StaffRequest) -> HttpResponse:
    """Show who is called so, or has that address or number."""
    look, query = look_of(request), _query(request)
    firms = _firms(request, query, MANY)
    told = {"query": query, "hits": find(look, query), "firms": firms, "look": look}
    return render(request, "desk/search.html", told)


@staff_page(may="person.view")
def quick_search(request: StaffRequest) -> HttpResponse:
    """List the first who are found, for the palette."""
    query = _query(request)
    told = {"hits": find(look_of(request), query)[:QUICK], "firms": _firms(request, query, FEW), "query": query}
    return render(request, "desk/quick_search.html", told)


def _firms(request: StaffRequest, query: str, most: int) -> list[Organisation]:
    return organisations_called(request.staff, query, most) if may_do(request.staff, "organisation.view") else []


def _query(request: StaffRequest) -> str:
    return request.GET.get("q", "").strip()[:LONGEST_QUERY]
