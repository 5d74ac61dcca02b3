"""Who acts on what came: rooms above know persons and what they agreed to, and register here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from comity.post.inbound.models import Arrival, Inbox
    from comity.post.inbound.understanding import Heard


class Hearer(Protocol):
    """Acts on what came."""

    def __call__(self, inbox: Inbox, heard: Heard, arrival: Arrival, /) -> None:
        """Act, within the transaction that keeps the arrival, and write into it whose it is and what was done."""


_hearers: Final[list[Hearer]] = []


def register_hearer(hearer: Hearer) -> None:
    """Say who acts on what came."""
    if hearer not in _hearers:
        _hearers.append(hearer)


def act_on(inbox: Inbox, heard: Heard, arrival: Arrival) -> None:
    """Let whoever registered act."""
    for hearer in _hearers:
        hearer(inbox, heard, arrival)
