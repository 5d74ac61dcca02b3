"""The plan of an erasure: what goes, what is only emptied of the person, what stays, and by which rule."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Q

from comity.book.models import Person
from comity.retention.erasing.keeping import Keeper
from comity.retention.erasing.running import all_of, counted_by_table, grouped, what_is_kept
from comity.retention.erasing.targets import targets
from comity.retention.holds.models import Hold
from comity.vault.models import Sealed

if TYPE_CHECKING:
    from comity.staff.models import Entity


def plan_of(person: UUID, entity: Entity, on: date) -> dict[str, Any]:
    """Return the plan as JSON. Of somebody whom another entity of ours knows only what is this entity's goes."""
    persons = all_of([person])
    whole = not Person.objects.filter(ref=person).exclude(entities=[entity.ref]).exists()
    counts = counted_by_table(persons, entity=entity, whole=whole)
    kept = what_is_kept(persons, entity=entity, whole=whole, keeper=Keeper(entity, on))
    return {
        "on": on.isoformat(), "whole": whole, "persons": len(persons),
        "tables": [
            {"table": each.label, "rows": counts[each.label], "becomes": each.becomes, "why": each.declared.why}
            for each in targets() if each.label in counts
        ],
        "kept": grouped(kept),
        "holds": [str(hold) for hold in _holds(persons, entity)],
        "blobs": Sealed.objects.filter(person__in=persons).count() if whole else 0,
    }  # fmt: skip


def _holds(persons: list[UUID], entity: Entity) -> list[UUID]:
    standing = Hold.objects.standing().filter(Q(person=None) | Q(person__in=persons), entity=entity)
    return list(standing.values_list("ref", flat=True))
