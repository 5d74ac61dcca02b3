"""Search over all people, and the first who are found for the palette."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from comity.book.looking import look_of
from comity.book.searching import find
from comity.staff.guards import StaffRequest, staff_page

LONGEST_QUERY = 200
QUICK = 8
"""People that the palette shows."""


@staff_page(may="person.view")
def search(request: StaffRequest) -> HttpResponse:
    """Show who is called so, or has that address or number."""
    look, query = look_of(request), _query(request)
    told = {"query": query, "hits": find(look, query), "look": look}
    return render(request, "desk/search.html", told)


@staff_page(may="person.view")
def quick_search(request: StaffRequest) -> HttpResponse:
    """List the first who are found, for the palette."""
    return render(request, "desk/quick_search.html", {"hits": find(look_of(request), _query(request))[:QUICK]})


def _query(request: StaffRequest) -> str:
    return request.GET.get("q", "").strip()[:LONGEST_QUERY]
