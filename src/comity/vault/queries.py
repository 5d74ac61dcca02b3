"""What can be asked of the vault without opening anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from comity.vault import keyring
from comity.vault.models import Epoch
from comity.vault.sealing import FieldClass, Label
from comity.vault.tokens import Ask, Sort, Tokens, asks

MOST: Final = {Sort.EXACT: 50, Sort.PREFIX: 30, Sort.FUZZY: 100}
"""Blobs that a search may open. Who is not among them is found by typing more."""

NOBODY: Final = "SELECT person, field_class, kind, record FROM vault_sealed WHERE false"
"""Ends a union, so that the limit after it counts for the whole."""


def candidates(*, sort: Sort, query: str, most: int | None = None) -> list[Label]:
    """Return blobs that may hold what is sought, the most promising first.

    Neither they nor their number may be shown: `actions.search` opens and compares them under a decision. Raises
    KeyTrouble.
    """
    wanted = asks(sort, query)
    if not wanted:
        return []
    making = [keyring.tokens_of(epoch.number, epoch.check_value) for epoch in keyring.live_epochs()]
    most = most or MOST[sort]
    statement, tokens = _statement(wanted, making, most)
    with _by_index() as cursor:
        cursor.execute(statement, tokens)
        rows = cursor.fetchall()
    found = (Label(person, FieldClass(field_class), kind, record) for person, field_class, kind, record in rows)
    return list(dict.fromkeys(found))[:most]


@contextmanager
def _by_index() -> Iterator[CursorWrapper]:
    """Give a cursor for whose queries the planner may not read the whole table.

    It cannot know how rare a token is, and takes a rare one for common: a limit would then make it prefer reading until
    a hundred are found, which may be never.
    """
    inside_another = connection.in_atomic_block
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('enable_seqscan'), set_config('enable_seqscan', 'off', true)")
        before = cursor.fetchone() or ("on",)
        yield cursor
        if inside_another:  # else it ends with the transaction
            cursor.execute("SELECT set_config('enable_seqscan', %s, true)", [before[0]])


def _statement(wanted: list[Ask], making: list[Tokens], most: int) -> tuple[str, list[list[int]]]:
    """Write one SELECT for each way to find it, each begun only if those before it did not find enough."""
    one = "(SELECT person, field_class, kind, record FROM vault_sealed WHERE {} LIMIT {:d})"
    ways = [one.format(" AND ".join(["tokens && %s::bigint[]"] * len(ask)), most) for ask in wanted]
    tokens = [[tokens.number(term) for tokens in making for term in terms] for ask in wanted for terms in ask]
    return "{} LIMIT {:d}".format(" UNION ALL ".join([*ways, NOBODY]), 2 * most), tokens


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
