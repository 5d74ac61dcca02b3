"""To which address each message goes, kept at its hand-over; and the addresses that are held until a human has read.

It is asked among the guards of a hand-over: the marks of the addresses are held still by then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

from comity.book.facts import REACHED_BY
from comity.consent.suppression.marks import Mark, Unclear, mark_of
from comity.counsel.questions import ADVERTISING
from comity.post.inbound.models import Addressed, Arrival
from comity.post.inbound.understanding import Came
from comity.staff.walls import behind_wall

if TYPE_CHECKING:
    import psycopg

    from comity.post.letters import Letter
    from comity.post.models import Dispatch, Message

HELD: Final = "held"
"""Why a message does not go: whoever gets it may have said no, and nobody has read it yet."""


def remember(
    locks: psycopg.Connection, dispatch: Dispatch, letters: Sequence[tuple[Message, Letter]]
) -> Mapping[UUID, str]:
    """Keep to which address each of these goes; return those that are held."""
    del locks
    marks = {message.ref: (message, mark) for message, letter in letters if (mark := _mark(dispatch, letter.to))}
    rows = [
        Addressed(
            message=ref, entity_id=dispatch.entity_id, person=message.person, purpose=dispatch.purpose,
            channel=dispatch.channel, reach=mark.reach, digest=mark.digest,
        )
        for ref, (message, mark) in marks.items()
    ]  # fmt: skip
    with behind_wall(staff=dispatch.staff_id, entities=[dispatch.entity_id]):
        Addressed.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["message"], update_fields=["reach", "digest", "at"]
        )
        held = _held(dispatch, [mark for _message, mark in marks.values()])
    return {ref: HELD for ref, (_message, mark) in marks.items() if mark.digest in held}


def _mark(dispatch: Dispatch, to: str) -> Mark | None:
    try:
        return mark_of(REACHED_BY[dispatch.channel], to)
    except Unclear:
        return None


def _held(dispatch: Dispatch, marks: Sequence[Mark]) -> set[bytes]:
    if dispatch.purpose not in ADVERTISING:
        return set()
    open_ = Arrival.objects.filter(entity=dispatch.entity_id, waits=True, came=Came.MAYBE)
    found = open_.filter(digest__in=[mark.digest for mark in marks]).values_list("digest", flat=True)
    return {bytes(digest) for digest in found if digest}
