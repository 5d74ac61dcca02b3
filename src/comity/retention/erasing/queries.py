"""Erasures as pages show them: who may see which, what a plan says in the words of the schedule, what stays and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from comity.book.queries import persons_seen_by
from comity.ledger.models import Checkpoint
from comity.retention.erasing.actions import KIND, what_goes
from comity.retention.erasing.models import Erasure
from comity.retention.schedule.categories import schedule
from comity.staff.approvals import digest
from comity.staff.guards import entities_with
from comity.staff.queries import usable_approval

if TYPE_CHECKING:
    from comity.book.models import Person
    from comity.staff.models import Approval, Entity, Staff

SEES: Final = "erasure.view"
GOES, STAYS = "delete", "stay"


@dataclass(frozen=True, kw_only=True)
class Line:
    """What becomes of one category of what we hold about somebody."""

    name: str
    rows: int
    why: str = ""  # of what stays


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A plan, or what was done, in the words of the schedule."""

    goes: list[Line]
    stays: list[Line]
    kept: list[dict[str, Any]]


def erasures_seen_by(viewer: Staff) -> QuerySet[Erasure]:
    """Return the erasures of the entities for which somebody may see them, the latest first."""
    return Erasure.objects.filter(entity__in=entities_with(viewer, SEES)).select_related(
        "entity", "planned_by", "entry"
    )


def one_erasure(viewer: Staff, ref: UUID) -> Erasure:
    """Return one erasure. Raises Http404."""
    found = erasures_seen_by(viewer).filter(ref=ref).first()
    if found is None:
        raise Http404
    return found


def erasable(viewer: Staff, ref: UUID, entity: Entity) -> Person:
    """Return somebody whom the viewer may erase from an entity of ours. Raises Http404."""
    found = persons_seen_by(viewer, entity).filter(ref=ref, merged_into=None).first()
    if found is None:
        raise Http404
    return found


def plan_on_the_table(person: UUID, entity: Entity) -> Erasure | None:
    """Return the plan that was made for somebody and has not run yet."""
    return Erasure.objects.filter(person=person, entity=entity, done_at=None).select_related("entity").first()


def approval_of(viewer: Staff, erasure: Erasure) -> Approval | None:
    """Return what the viewer asked for just this plan, if it waits or was approved and can still be used."""
    return usable_approval(viewer, KIND, digest(KIND, what_goes(erasure)))


def shown(told: dict[str, Any]) -> Shown:
    """Return a plan (or what was done) by category: people think of "what we wrote to you", not of tables."""
    if "tables" in told:
        rows = [(each["table"], each["rows"], each["becomes"], each["why"]) for each in told["tables"]]
    else:
        rows = [(table, many, GOES, "") for table, many in told.get("went", {}).get("rows", {}).items() if many]
    goes: Counter[str] = Counter()
    for table, many, becomes, _why in rows:
        if becomes != STAYS:
            goes[_category(table)] += many
    stays = [
        Line(name=_category(table), rows=many, why=_(why)) for table, many, becomes, why in rows if becomes == STAYS
    ]
    kept = [
        {**each, "name": _category(each["table"]), "until": date.fromisoformat(each["until"])} for each in told["kept"]
    ]
    return Shown(goes=[Line(name=name, rows=many) for name, many in goes.items()], stays=stays, kept=kept)


def _category(table: str) -> str:
    found = schedule().of_table(*table.split("."))
    return _(found.name) if found else table


def is_covered(erasure: Erasure) -> bool:
    """Say whether a checkpoint covers an erasure, so that its certificate can be had."""
    if erasure.entry is None or erasure.entry.leaf_index is None:
        return False
    return Checkpoint.objects.filter(size__gt=erasure.entry.leaf_index).exists()
