"""Systems beyond Comity that may hold the same person: who can find them there registers here.

register(lambda entity, person, dry: [Beyond(system="Shop", rows=3, files=[...])])
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

if TYPE_CHECKING:
    from comity.staff.models import Entity


@dataclass(frozen=True, kw_only=True)
class Beyond:
    """What one other system has of somebody. `trouble` says in words why it could not be asked, or not wholly."""

    system: str
    rows: int = 0
    files: Sequence[tuple[str, bytes]] = ()  # their names, and what they hold
    trouble: str = ""


Find = Callable[["Entity", UUID, bool], Iterable[Beyond]]
"""Ask the systems of an entity about a person; `dry` counts and brings no files."""

_found_by: Final[list[Find]] = []


def register(find: Find) -> None:
    """Let other systems be asked. Called once, when the application starts."""
    if find not in _found_by:
        _found_by.append(find)


def found_beyond(entity: Entity, person: UUID, *, dry: bool) -> Iterator[Beyond]:
    """Give what other systems have of somebody, system by system."""
    for find in _found_by:
        yield from find(entity, person, dry)
