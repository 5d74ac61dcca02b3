"""Where a page lies, if its room is there."""

from __future__ import annotations

from functools import cache

from django.urls import NoReverseMatch, reverse


@cache
def address_if_there(name: str) -> str:
    """Return the address of a named page: the same for everybody, in every language; nothing without its room."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
