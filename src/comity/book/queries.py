"""Reading the book. Whoever looks comes first; what they may not see is not in the answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from comity.book.models import Activity, Organisation, Person, Post, Relation
from comity.staff.guards import entities_of

if TYPE_CHECKING:
    from comity.staff.models import Entity, Staff


def persons_seen_by(viewer: Staff, entity: Entity) -> QuerySet[Person]:
    """Return the persons with whom this entity has a relation, if the viewer acts for it; else nobody."""
    if entity.ref not in entities_of(viewer):
        return Person.objects.none()
    return Person.objects.filter(entities__contains=[entity.ref], merged_into=None)


def with_posts(persons: QuerySet[Person]) -> QuerySet[Person]:
    """Fetch along where people work now."""
    now = Post.objects.filter(ends_on=None).select_related("organisation")
    return persons.prefetch_related(Prefetch("posts", queryset=now, to_attr="posts_now"))


def relation_of(person: Person, entity: Entity) -> Relation | None:
    """Return what there is between a person and an entity."""
    return Relation.objects.filter(person=person, entity=entity).first()


def activities_of(person: Person, entities: Iterable[UUID]) -> QuerySet[Activity]:
    """Return what happened between a person and these entities, the latest first."""
    return Activity.objects.filter(person=person, entity__in=list(entities)).select_related("staff")


def organisations_seen_by(viewer: Staff) -> QuerySet[Organisation]:
    """Return the organisations of the entities for which the viewer acts."""
    return Organisation.objects.filter(entities__overlap=entities_of(viewer))
