"""The marks of one message: in its Message-ID, and in the addresses to which servers and mail programs answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from comity.consent.suppression.keys import link_key, link_key_of
from comity.post.inbound.marking import Where, is_of, make_mark, open_mark
from comity.post.inbound.models import Inbox

if TYPE_CHECKING:
    from collections.abc import Iterable

    from comity.staff.models import Entity


@dataclass(frozen=True, kw_only=True)
class Marked:
    """How one message is marked: the left side of its Message-ID, the envelope's sender, the address that refuses."""

    name: str
    sender: str
    refuses: str = ""


def return_address(entity: Entity) -> str:
    """Return the address at which an entity reads what servers report; empty where it reads none."""
    read = Inbox.objects.filter(entity=entity, channel="email", ended_at=None).exclude(address="")
    return read.order_by("made_at").values_list("address", flat=True).first() or ""


def marks_of(message: UUID, *, sender: str, returns_to: str) -> Marked:
    """Return the marks of a message by e-mail. `returns_to` is what `return_address` says, asked once a round.

    Without such an address the sender stays as it is, and the mark stands in the Message-ID alone. Raises KeyTrouble.
    """
    key = link_key()

    def made(where: Where) -> str:
        return make_mark(where, message, key=key.number, secret=key.marking)

    name, _at, domain = returns_to.rpartition("@")
    if not name:
        return Marked(name=made(Where.NAMES), sender=sender)
    return Marked(
        name=made(Where.NAMES), sender=f"{name}+{made(Where.BOUNCES)}@{domain}",
        refuses=f"{name}+{made(Where.REFUSES)}@{domain}",
    )  # fmt: skip


def message_of(marks: Iterable[str], *, refusing: bool = False) -> UUID | None:
    """Return the message of the first mark of ours; with `refusing`, of one that lets refuse. Raises KeyTrouble."""
    for text in marks:
        mark = open_mark(text)
        if mark is None or (refusing and mark.where is not Where.REFUSES):
            continue
        key = link_key_of(mark.key)
        if key is not None and is_of(mark, key.marking):
            return mark.message
    return None
