"""What can be asked of the vault without opening anything."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from comity.staff.once import rows_of
from comity.vault import keyring
from comity.vault.models import Epoch
from comity.vault.sealing import FieldClass, Label
from comity.vault.tokens import Ask, Sort, Tokens, asks

MOST: Final = {Sort.EXACT: 50, Sort.PREFIX: 30, Sort.FUZZY: 100}
"""Blobs that a search may open. Who is not among them is found by typing more."""

FOUND: Final = """
    WITH held AS MATERIALIZED ({ways})
    SELECT person, field_class, kind, record FROM held WHERE ({among}) IS NOT NULL LIMIT {most}
"""
"""Each of those found is looked up among whom it is sought. A join might read all of them first."""
WAY: Final = "SELECT person, field_class, kind, record FROM vault_sealed WHERE {asked}"
"""One way to find it; each is begun only if those before it did not find enough.

The limit stands outside. The planner cannot know how rare a token is, and takes a rare one for common: with the limit
in sight it would read the table until so many are found, which may be never. The rows come one by one all the same.
"""


@dataclass(frozen=True)
class Among:
    """Those among whom somebody is sought: SQL that tells of `held.person` whether it is one of them; or nobody."""

    sql: str = ""
    parameters: tuple[object, ...] = ()

    @classmethod
    def of(cls, refs: QuerySet[Any, UUID]) -> Among:
        """Return those whose refs a query gives; whoever seeks often keeps it, for Django writes it anew each time."""
        with suppress(EmptyResultSet):
            return cls(*refs.filter(pk=RawSQL("held.person", ()))[:1].query.sql_with_params())
        return cls()


def candidates(*, sort: Sort, query: str, among: Among) -> list[Label]:
    """Return blobs that may hold what is sought, the most promising first.

    Neither the blobs nor their number may be shown: `actions.search` opens and compares them under a decision. Raises
    KeyTrouble.
    """
    return held_by(asks(sort, query), among=among, most=MOST[sort])


def held_by(wanted: list[Ask], *, among: Among, most: int) -> list[Label]:
    """Return the blobs that have what one of these asks for, in any epoch whose key lives. Raises KeyTrouble."""
    if not wanted or not among.sql:
        return []
    making = [keyring.tokens_of(epoch.number, epoch.check_value) for epoch in keyring.live_epochs()]
    rows = rows_of(*_statement(wanted, making, most, among), binary=True)
    found = (Label(person, FieldClass(name), kind, record) for person, name, kind, record in rows)
    return list(dict.fromkeys(found))[:most]


def _statement(wanted: list[Ask], making: list[Tokens], most: int, among: Among) -> tuple[str, list[Any]]:
    ways = [WAY.format(asked=" AND ".join(["tokens && %s::bigint[]"] * len(ask))) for ask in wanted]
    tokens = [_array(tokens.number(term) for tokens in making for term in terms) for ask in wanted for terms in ask]
    return FOUND.format(ways=" UNION ALL ".join(ways), among=among.sql, most=2 * most), [*tokens, *among.parameters]


def _array(numbers: Iterable[int]) -> str:
    """Return numbers as PostgreSQL writes an array."""
    return "{" + ",".join(map(str, numbers)) + "}"


# ---------------------------------------------------------------- how long backups remember


@dataclass(frozen=True, kw_only=True)
class Horizon:
    """From when on no backup can open what was erased.

    `day` is None while no day is sure: keys that could open it still exist, those of the `waiting_for` epochs. They go
    when `rotation.destroy_epoch` is called for them.
    """

    day: date | None
    waiting_for: tuple[int, ...]


def forgotten_from(*, erased_at: datetime, copies_kept: timedelta) -> Horizon:
    """Return from which day on no backup can open what was erased at that instant.

    Backups made before hold the erased person's key, wrapped in the epoch of their time, and tokens made in it. So
    every epoch that had begun by then must be destroyed, and every copy of the keys' folder that still has its file
    must be gone: `copies_kept` is how long such copies are kept at most (none, where the folder is never copied).
    """
    epochs = list(Epoch.objects.filter(begun_at__lte=erased_at).values_list("number", "destroyed_at"))
    waiting = tuple(number for number, destroyed_at in epochs if destroyed_at is None)
    if waiting or not epochs:
        return Horizon(day=None, waiting_for=waiting)
    latest = max(destroyed_at for _, destroyed_at in epochs if destroyed_at is not None)
    return Horizon(day=(max(latest, erased_at) + copies_kept + timedelta(days=1)).date(), waiting_for=())


# ---------------------------------------------------------------- what there is of one person


def labels_of(person: UUID) -> list[Label]:
    """Return where everything lies that is sealed under a person's key. Nothing is opened."""
    rows = rows_of(
        "SELECT field_class, kind, record FROM vault_sealed WHERE person = %s ORDER BY record", [person], binary=True
    )
    return [Label(person, FieldClass(sort), kind, record) for sort, kind, record in rows]
