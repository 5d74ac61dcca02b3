"""What lists must know when the application starts."""

from __future__ import annotations


def begin() -> None:
    """Offer the filters by plain facts, by what happened, by fields of one's own, and by exact values."""
    from comity.book.lists import exactly, happened, own_fields, relations, typed

    for part in (happened, relations, own_fields, exactly, typed):
        part.begin()
