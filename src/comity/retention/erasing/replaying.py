"""What a line of the journal about an erasure means in a database that was put back: the rows go again."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from comity.retention.erasing.running import all_of, is_here, remove
from comity.staff.models import Entity
from comity.staff.walls import behind_wall

if TYPE_CHECKING:
    from comity.ledger.journal.lines import Line


def bring_erased(line: Line) -> bool:
    """Take out again whom a line says was erased; return whether any of them was here."""
    entity = Entity.objects.filter(ref=line.said["entity"]).first()
    if entity is None:
        return False
    with behind_wall(staff=None, entities=[entity.ref]):
        persons = all_of({UUID(ref) for ref in line.said["persons"]})
        there = is_here(persons)
        remove(persons, entity=entity, whole=bool(line.said["whole"]), staff=None, keeper=None)
    return there
