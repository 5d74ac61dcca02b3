"""Who may be the same person, told by blind tokens alone: nothing is opened, and no token is shown.

Two people with the same e-mail address or phone number have a token in common. How alike two names are is told by how
many of their tokens are the same: pieces of words, sounds, words with a letter left out.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from django.db import connection

from comity.vault.sealing import FieldClass

MOST_SHARING: Final = 5
"""People with one address or number who are looked at; more of them share an office or a switchboard."""

SHARING: Final = """
    WITH held AS (
        SELECT DISTINCT person, record, unnest(tokens) AS token FROM vault_sealed
        WHERE field_class = 'contact' AND tokens IS NOT NULL
    ), shared AS (
        SELECT token FROM held GROUP BY token HAVING count(DISTINCT person) BETWEEN 2 AND %s
    )
    SELECT DISTINCT one.person, other.person, one.record FROM shared
    JOIN held AS one USING (token) JOIN held AS other USING (token) WHERE one.person < other.person
"""
NAMES: Final = """
    SELECT person, tokens FROM vault_sealed WHERE field_class = %s AND person = record AND person = ANY (%s::uuid[])
"""


def sharing_contacts() -> list[tuple[UUID, UUID, UUID]]:
    """Return pairs of people who share an address or number, the lower ref first, with the record of the one."""
    with connection.cursor() as cursor:
        cursor.execute(SHARING, [MOST_SHARING])
        found: list[tuple[UUID, UUID, UUID]] = cursor.fetchall()
    return found


def names_alike(pairs: Collection[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], float]:
    """Return for each pair which share of the shorter name's tokens the other has too: 0 to 1."""
    persons = {person for pair in pairs for person in pair}
    with connection.cursor() as cursor:
        cursor.execute(NAMES, [str(FieldClass.NAME), "{" + ",".join(person.hex for person in persons) + "}"])
        tokens = {person: frozenset(held or ()) for person, held in cursor.fetchall()}
    none: frozenset[int] = frozenset()
    return {pair: _share(tokens.get(pair[0], none), tokens.get(pair[1], none)) for pair in pairs}


def _share(one: frozenset[int], other: frozenset[int]) -> float:
    least = min(len(one), len(other))
    return len(one & other) / least if least else 0.0
