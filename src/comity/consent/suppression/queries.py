"""Asking the list whether an address may be used, and counting it; it is never shown."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Count

from comity.consent.suppression.marks import Mark
from comity.consent.suppression.models import Cause, Listed, Looked, Register, Suppressed

if TYPE_CHECKING:
    from comity.staff.models import Entity


def is_suppressed(*, entity: Entity | UUID, mark: Mark, purpose: str, channel: str) -> bool:
    """Say whether an address must not be used for this by this entity."""
    return bool(which_are_suppressed(entity=entity, marks=[mark], purpose=purpose, channel=channel))


def which_are_suppressed(*, entity: Entity | UUID, marks: Collection[Mark], purpose: str, channel: str) -> set[Mark]:
    """Return those of these addresses that must not be used for this by this entity."""
    rows = Suppressed.objects.keeping_from(purpose, channel).filter(
        entity=entity, digest__in=[mark.digest for mark in marks]
    )
    found = {Mark(reach, bytes(digest)) for reach, digest in rows.values_list("reach", "digest")}
    return found & set(marks)


def suppressed_as(*, entity: Entity | UUID, mark: Mark) -> list[Suppressed]:
    """Return why an address is on the list of an entity, for whoever tries one."""
    rows = Suppressed.objects.standing().filter(entity=entity, digest=mark.digest, reach=mark.reach)
    return list(rows.order_by("since"))


@dataclass(frozen=True, kw_only=True)
class Counted:
    """How many addresses one of our entities must not use, by why."""

    entity: Entity
    causes: Sequence[tuple[Cause, int]]

    @property
    def rows(self) -> int:
        """All of them."""
        return sum(many for _, many in self.causes)


def counted(entities: Iterable[Entity]) -> list[Counted]:
    """Return the counts of these entities."""
    return [_counted(entity) for entity in entities]


def _counted(entity: Entity) -> Counted:
    rows = Suppressed.objects.standing().filter(entity=entity).values_list("cause").annotate(many=Count("ref"))
    found: dict[str, int] = dict(rows)
    return Counted(entity=entity, causes=[(each, found.get(each.value, 0)) for each in Cause])


# ---------------------------------------------------------------- registers


def registers_of(entities: Collection[UUID]) -> list[Register]:
    """Return the registers that these entities read, those that ended last."""
    rows = Register.objects.filter(entity__in=list(entities)).select_related("entity", "imported_by")
    return sorted(rows, key=lambda row: (row.ended_at is not None, row.place, row.name))


def register_named(entities: Collection[UUID], ref: UUID) -> Register | None:
    """Return one of these entities' registers."""
    return Register.objects.filter(entity__in=list(entities), ref=ref).select_related("entity").first()


def listed_among(register: Register, digests: Collection[bytes]) -> set[bytes]:
    """Return those of these that stand in a register."""
    rows = Listed.objects.filter(register=register, digest__in=list(digests))
    return {bytes(digest) for digest in rows.values_list("digest", flat=True)}


def found_in(register: Register) -> tuple[int, int]:
    """Return how many contact points were looked for in a register's version, and how many stand there."""
    looked = Looked.objects.filter(register=register, version_on=register.version_on or date.min)
    return looked.count(), looked.filter(found=True).count()
