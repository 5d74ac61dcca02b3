"""Reading organisations. Whoever looks comes first; a firm is seen by whoever acts for one of its entities."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import F, QuerySet

from comity.book.models import Organisation, Post
from comity.book.queries import organisations_seen_by, persons_seen_by
from comity.staff.guards import entities_with

if TYPE_CHECKING:
    from comity.staff.models import Entity, Staff

DEEPEST = 20
"""Steps from a firm to the one above all; a chain that goes on for longer is shown no further."""


def organisation_seen_by(viewer: Staff, ref: UUID) -> Organisation | None:
    """Return one organisation, if the viewer may see it."""
    return organisations_seen_by(viewer).filter(ref=ref).select_related("parent").first()


def organisations_called(viewer: Staff, words: str, most: int) -> list[Organisation]:
    """Return the first organisations in whose name these letters stand, those whose name begins with them first."""
    said = words.strip().replace("\0", "")
    if not said:
        return []
    seen = organisations_seen_by(viewer)
    first = list(seen.filter(name__istartswith=said).order_by("name", "ref")[:most])
    inside = seen.filter(name__icontains=said).exclude(ref__in=[each.ref for each in first]).order_by("name", "ref")
    return [*first, *inside[: most - len(first)]]


def above(organisation: Organisation) -> list[Organisation]:
    """Return the organisations that it belongs to, the highest first."""
    chain: list[Organisation] = []
    step = parent_of(organisation)
    while step is not None and step not in chain and len(chain) < DEEPEST:
        chain.insert(0, step)
        step = parent_of(step)
    return chain


def parent_of(organisation: Organisation) -> Organisation | None:
    """Return what an organisation belongs to directly; one that the wall of entities hides counts as none."""
    return Organisation.objects.filter(pk=organisation.parent_id).first() if organisation.parent_id else None


def parents_for(viewer: Staff, entities: Iterable[UUID]) -> QuerySet[Organisation]:
    """Return what an organisation of these entities may belong to: what shares one of them, and the viewer may see."""
    return organisations_seen_by(viewer).filter(entities__overlap=list(entities))


def may_change(viewer: Staff, organisation: Organisation) -> bool:
    """Say whether somebody may change an organisation: it is every one of its entities' own."""
    return set(organisation.entities) <= set(entities_with(viewer, "organisation.edit"))


def parts_of(viewer: Staff, organisation: Organisation) -> QuerySet[Organisation]:
    """Return what belongs to an organisation directly."""
    return organisations_seen_by(viewer).filter(parent=organisation).order_by("name", "ref")


def posts_at(viewer: Staff, entity: Entity, organisation: Organisation) -> QuerySet[Post]:
    """Return who works there, whom the viewer may see for this entity: those who still do first, the latest first."""
    seen = persons_seen_by(viewer, entity)
    found = Post.objects.filter(organisation=organisation, person__in=seen).select_related("person")
    return found.order_by(F("ends_on").desc(nulls_first=True), "-ref")


def version_of(organisation: Organisation) -> str:
    """Return what tells one state of an organisation from another: a form carries it, to notice a change meanwhile."""
    parent = str(organisation.parent_id or "")
    told: Sequence[str] = [
        organisation.name,
        organisation.place,
        organisation.domain,
        organisation.trade,
        parent,
    ]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]
