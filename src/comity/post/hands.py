"""What one sender holds: the locks on all that could stop a message, the messages in its hands, and open ways out.

The locks lie on a connection of their own, so that what is decided under them is committed while they are held.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from uuid import UUID

from comity.ledger.connecting import own_connection
from comity.post.gateways import KINDS, Way
from comity.post.models import State
from comity.post.pacing.turns import Turns
from comity.staff.walls import ENTITIES

if TYPE_CHECKING:
    import psycopg

    from comity.post.models import Dispatch, Gateway

WAITING: Final = "5s"
"""How long to wait for somebody who changes what we must hold still; then the messages wait for the next round."""
FROZEN: Final = "15s"
"""After which PostgreSQL takes the locks from a sender that does nothing."""
IN_VIEW: Final = 8
"""How many times as many messages are looked at as are taken, so that several senders find some each."""

BEGIN: Final = """
    SELECT set_config(%s, %s, true), set_config('lock_timeout', %s, true),
        set_config('idle_in_transaction_session_timeout', %s, true)
"""
HOLD: Final = "SELECT pg_advisory_xact_lock_shared(hashtextextended(%s::text, 1))"
HELD: Final = "SELECT state FROM post_dispatch WHERE ref = %s"
CLAIM: Final = """
    SELECT ref, person FROM (
        SELECT ref, person FROM post_message WHERE dispatch_id = %s AND stage = 'intended' AND due_at <= now()
        ORDER BY due_at, ref LIMIT %s
    ) AS due WHERE pg_try_advisory_xact_lock(hashtextextended(ref::text, 0)) LIMIT %s
"""


@dataclass
class Hands:
    """What one sender holds. Use it in one thread."""

    locks: psycopg.Connection
    ways: dict[UUID, Way] = field(default_factory=dict)
    turns: Turns = field(default_factory=Turns)

    @contextmanager
    def holding(self, dispatch: Dispatch) -> Iterator[bool]:
        """Hold a dispatch still, and say whether it is to go on. All locks are gone when this ends."""
        with self.locks.transaction():
            self.locks.execute(BEGIN, [ENTITIES, str(dispatch.entity_id), WAITING, FROZEN])
            self.locks.execute(HOLD, [dispatch.ref])  # no row lock: whoever waits for one may wait for ever behind many
            yield self.locks.execute(HELD, [dispatch.ref]).fetchone() == (State.RUNNING,)

    def claim(self, dispatch: Dispatch, most: int) -> list[tuple[UUID, UUID]]:
        """Take messages that are due and that nobody else has in hand: their refs, and whose they are.

        Another sender may just have settled one of them: read them again.
        """
        return self.locks.execute(CLAIM, [dispatch.ref, most * IN_VIEW, most]).fetchall()

    def check(self) -> None:
        """Raise psycopg.OperationalError if the locks are gone: then nothing may begin."""
        self.locks.execute("SELECT 1")

    def way_of(self, gateway: Gateway) -> Way:
        """Return the way out, opened once."""
        if gateway.ref not in self.ways:
            self.ways[gateway.ref] = KINDS[gateway.kind].open(gateway)
        return self.ways[gateway.ref]


@contextmanager
def open_hands() -> Iterator[Hands]:
    """Open what a sender holds, and let go of it afterwards."""
    with own_connection() as locks:
        hands = Hands(locks)
        try:
            yield hands
        finally:
            for way in hands.ways.values():
                way.close()
