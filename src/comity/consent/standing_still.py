"""Holding still where persons stand, while something is handed over to them.

INVARIANT: whoever records a withdrawal takes the standing row for itself, and whoever records an objection the row of
the person. So either waits for a hand-over that goes on, and none begins after it has returned.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

from django.db import OperationalError
from psycopg.errors import LockNotAvailable

from comity.book.facts import REACHED_BY
from comity.consent.suppression.actions import share_lock
from comity.consent.suppression.marks import Unclear, mark_of
from comity.consent.suppression.queries import which_are_suppressed
from comity.post import hands
from comity.refs import as_array
from comity.staff.once import rows_of
from comity.staff.walls import behind_wall

if TYPE_CHECKING:
    import psycopg

    from comity.post.letters import Letter
    from comity.post.models import Dispatch, Message

MAKE_ROWS: Final = """
    INSERT INTO consent_standing (ref, person, entity_id, purpose, channel, withdrawn)
    SELECT gen_random_uuid(), ref, %s, %s, %s, false FROM book_person
    WHERE ref = ANY (%s::uuid[]) AND merged_into_id IS NULL ORDER BY ref
    ON CONFLICT DO NOTHING
"""
HOLD_PERSONS: Final = "SELECT 1 FROM book_person WHERE ref = ANY (%s::uuid[]) ORDER BY ref FOR SHARE"
THERE: Final = "SELECT ref FROM book_person WHERE ref = ANY (%s::uuid[]) AND merged_into_id IS NULL"
HOLD_ROWS: Final = """
    SELECT 1 FROM consent_standing
    WHERE person = ANY (%s::uuid[]) AND entity_id = %s AND purpose = %s AND channel = %s ORDER BY person FOR SHARE
"""


class Waiting(Protocol):
    """Who is not in the book yet, and may be written to all the same: they asked for that very message."""

    def __call__(self, locks: psycopg.Connection, dispatch: Dispatch, persons: str, /) -> Collection[UUID]:
        """Return which of these wait to come into the book, and hold their rows still over this connection."""


_waiting: Final[dict[str, Waiting]] = {}


def register_waiting(room: str, waiting: Waiting) -> None:
    """Say who is written to before they are in the book. Everybody else who is not there is gone."""
    _waiting[room] = waiting


def hold(locks: psycopg.Connection, dispatch: Dispatch, persons: Sequence[UUID]) -> None:
    """Take share locks on these persons and on where each stands; who has no such row gets one."""
    those, about = as_array(persons), [dispatch.entity_id, dispatch.purpose, dispatch.channel]
    _make_rows(dispatch, [*about, those])
    locks.execute(HOLD_PERSONS, [those])
    locks.execute(HOLD_ROWS, [those, *about])


def _make_rows(dispatch: Dispatch, about: Sequence[object]) -> None:
    """Give everybody a standing row, committed at once: nobody waits for it. Raises LockNotAvailable."""
    try:
        with behind_wall(staff=dispatch.staff_id, entities=[dispatch.entity_id]):
            rows_of("SELECT set_config('lock_timeout', %s, true)", [hands.WAITING])
            rows_of(MAKE_ROWS, about)
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise error.__cause__ from None
        raise


def keep_from(
    locks: psycopg.Connection, dispatch: Dispatch, letters: Sequence[tuple[Message, Letter]]
) -> dict[UUID, str]:
    """Return the messages whose address is on the suppression list, or whose person became another one's.

    Nobody can put another address on it meanwhile, or merge those who are held still.
    """
    reach, those = REACHED_BY[dispatch.channel], as_array([message.person for message, _letter in letters])
    there = {person for (person,) in locks.execute(THERE, [those]).fetchall()}
    for waiting in _waiting.values():
        there |= set(waiting(locks, dispatch, those))
    kept = {message.ref: "gone" for message, _letter in letters if message.person not in there}
    marks = {}
    for message, letter in letters:
        try:
            marks[message.ref] = mark_of(reach, letter.to)
        except Unclear:  # nobody can tell whether it is on the list
            kept[message.ref] = "no-such-address"
    share_lock(marks.values(), locks=locks)
    with behind_wall(staff=dispatch.staff_id, entities=[dispatch.entity_id]):
        listed = which_are_suppressed(
            entity=dispatch.entity_id, marks=list(marks.values()), purpose=dispatch.purpose, channel=dispatch.channel
        )
    return kept | {message: "suppressed" for message, mark in marks.items() if mark in listed}
