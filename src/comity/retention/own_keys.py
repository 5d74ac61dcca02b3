"""Rows that are sealed under a key of their own, as a request or a filled-in form is: it goes with the row."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import connection

from comity.refs import as_array

OWN = """
    SELECT person FROM vault_personkey AS held WHERE person = ANY (%s::uuid[])
    AND NOT EXISTS (SELECT FROM book_person WHERE ref = held.person)
"""
"""A form that somebody confirmed may bear the ref of a person in the book: their key is not the row's."""


def own_keys_of(refs: Collection[UUID]) -> list[UUID]:
    """Return those of these rows that have a key of their own."""
    if not refs:
        return []
    with connection.cursor() as cursor:
        cursor.execute(OWN, [as_array(refs)])
        return [ref for (ref,) in cursor.fetchall()]
