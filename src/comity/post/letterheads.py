"""How an entity of ours is named on what it sends: the room that keeps it registers here, and any that writes asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from comity.staff.models import Entity


@dataclass(frozen=True, kw_only=True)
class Letterhead:
    """Who writes, true and plain: the name, the address it comes from, where answers go, and where it is at home."""

    name: str
    address: str
    reply_to: str
    postal_address: tuple[str, ...]
    contacts: tuple[str, ...]  # how else it is reached: e-mail, phone, website


Finder = Callable[["Entity"], Letterhead | None]
_finders: list[Finder] = []


def register_letterheads(find: Finder) -> None:
    """Let the room that keeps them say how entities sign. Called once, when the application starts."""
    _finders[:] = [find]


def letterhead_of(entity: Entity) -> Letterhead | None:
    """Return how an entity signs; nothing where nobody said so yet."""
    return _finders[0](entity) if _finders else None
