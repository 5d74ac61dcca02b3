"""Reading the book. Whoever looks comes first; what they may not see is not in the answer."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db.models import Count, Max, OuterRef, Prefetch, Q, QuerySet, Subquery

from comity.book.models import Activity, ContactPoint, Organisation, Person, Post, Relation, Tag, Tagging
from comity.refs import as_array, new_ref
from comity.staff.guards import entities_of
from comity.staff.once import Once, rows_of
from comity.vault.queries import Among

if TYPE_CHECKING:
    from comity.staff.models import Entity, Staff


def persons_seen_by(viewer: Staff, entity: Entity) -> QuerySet[Person]:
    """Return the persons with whom this entity has a relation, if the viewer acts for it; else nobody."""
    return _persons_of(entity.ref).all() if entity.ref in entities_of(viewer) else Person.objects.none()


@lru_cache(maxsize=512)
def _persons_of(entity: UUID) -> QuerySet[Person]:
    """Return the query, which is put together once; whoever asks it takes one of their own (`all`)."""
    # The second condition follows from the first, and is the one that an index knows: see migration 0005.
    known = Q(entities__0=entity) | Q(entities__1__isnull=False)
    return Person.objects.filter(known, entities__contains=[entity], merged_into=None)


def everybody_of(entity: UUID) -> QuerySet[Person]:
    """Return all persons of an entity, whoever looks; the wall is all that stops them."""
    return _persons_of(entity).all()


def sought_by(viewer: Staff, entity: Entity) -> Among:
    """Return those of `persons_seen_by` as the vault seeks somebody among them."""
    return _among(entity.ref) if entity.ref in entities_of(viewer) else Among()


@lru_cache(maxsize=512)
def _among(entity: UUID) -> Among:
    return Among.of(_persons_of(entity).values_list("ref", flat=True))


def tags_seen_by(viewer: Staff, entity: Entity) -> QuerySet[Tag]:
    """Return the tags on people of this entity, if the viewer acts for it: what another calls its own stays there."""
    return _tags_of(entity.ref) if entity.ref in entities_of(viewer) else Tag.objects.none()


def _tags_of(entity: UUID) -> QuerySet[Tag]:
    """Look up each tag until its first person is found: in the order of the index, or a rare one is long sought."""
    seen = _persons_of(entity)
    one = Tagging.objects.filter(tag=OuterRef("pk"), person__in=seen).order_by("person_id").values("ref")[:1]
    return Tag.objects.alias(somebody=Subquery(one)).filter(somebody__isnull=False)


TAGS: Final = Once(lambda entity: _tags_of(entity).values_list("ref", "name"), new_ref())


def names_of_tags(viewer: Staff, entity: Entity) -> list[tuple[UUID, str]]:
    """Return the refs and names of `tags_seen_by`."""
    return TAGS(entity.ref) if entity.ref in entities_of(viewer) else []


def tag_called(viewer: Staff, entity: Entity, name: str) -> Tag | None:
    """Return the tag of that name, in whatever letters, among those which the viewer sees for this entity."""
    return tags_seen_by(viewer, entity).filter(name__iexact=name).first()


def with_posts(persons: QuerySet[Person]) -> QuerySet[Person]:
    """Fetch along where people work now."""
    now = Post.objects.filter(ends_on=None).select_related("organisation")
    return persons.prefetch_related(Prefetch("posts", queryset=now, to_attr="posts_now"))


def work_at(persons: Collection[UUID]) -> dict[UUID, list[str]]:
    """Return the names of the organisations where these persons work now; who works nowhere is left out."""
    return _named(WORK_AT, persons)


def tags_on(persons: Collection[UUID]) -> dict[UUID, list[str]]:
    """Return the names of the tags on these persons; who has none is left out."""
    return _named(TAGS_ON, persons)


WORK_AT: Final = """
    SELECT person_id, name FROM book_post JOIN book_organisation AS firm ON firm.ref = organisation_id
    WHERE person_id = ANY(%s::uuid[]) AND ends_on IS NULL ORDER BY book_post.ref
"""
TAGS_ON: Final = """
    SELECT person_id, name FROM book_tagging JOIN book_tag ON book_tag.ref = tag_id
    WHERE person_id = ANY(%s::uuid[]) ORDER BY name
"""


def _named(statement: str, persons: Collection[UUID]) -> dict[UUID, list[str]]:
    found: dict[UUID, list[str]] = {}
    for person, name in rows_of(statement, [as_array(persons)]):
        found.setdefault(person, []).append(name)
    return found


def relation_of(person: Person, entity: Entity) -> Relation | None:
    """Return what there is between a person and an entity."""
    return Relation.objects.filter(person=person, entity=entity).first()


def activities_of(person: Person, entities: Iterable[UUID]) -> QuerySet[Activity]:
    """Return what happened between a person and these entities, the latest first."""
    return Activity.objects.filter(person=person, entity__in=list(entities)).select_related("staff")


def organisations_seen_by(viewer: Staff) -> QuerySet[Organisation]:
    """Return the organisations of the entities for which the viewer acts."""
    return Organisation.objects.filter(entities__overlap=entities_of(viewer))


def people_at(viewer: Staff, organisations: Iterable[Organisation]) -> dict[UUID, int]:
    """Return how many people whom the viewer may see work now at each of these organisations."""
    seen = Q(person__merged_into=None, person__entities__overlap=entities_of(viewer))
    posts = Post.objects.filter(seen, organisation__in=list(organisations), ends_on=None).order_by()
    counted = posts.values("organisation").annotate(people=Count("person", distinct=True))
    return dict(counted.values_list("organisation", "people"))


MOST_MERGES: Final = 20
"""Steps from somebody who was merged to the one who stands for them."""


def heir_of(viewer: Staff, entity: Entity, ref: UUID) -> UUID | None:
    """Return who stands for a person who was merged into another, if the viewer may see that one."""
    if entity.ref not in entities_of(viewer):
        return None
    heir = ref
    for _step in range(MOST_MERGES):
        into = Person.objects.filter(ref=heir, entities__contains=[entity.ref]).values_list("merged_into", flat=True)
        if (found := into.first()) is None:
            break
        heir = found
    return heir if heir != ref and persons_seen_by(viewer, entity).filter(ref=heir).exists() else None


def point_of(person: Person, ref: UUID) -> ContactPoint | None:
    """Return one contact point of a person."""
    return ContactPoint.objects.filter(person=person, ref=ref).first()


def own_activity(viewer: Staff, entity: Entity, person: Person, ref: UUID) -> Activity | None:
    """Return an activity that the viewer has put on record."""
    return Activity.objects.filter(ref=ref, person=person, entity=entity, staff=viewer).first()


def latest_activity(viewer: Staff) -> Activity | None:
    """Return what the viewer last had to do with anybody."""
    mine = Activity.objects.filter(staff=viewer, entity__in=entities_of(viewer))
    return mine.select_related("entity").order_by("-at").first()


def last_seen_by(viewer: Staff, entity: Entity, most: int) -> list[tuple[UUID, datetime]]:
    """Return with whom the viewer last had to do for an entity, and when; the latest first."""
    mine = Activity.objects.filter(staff=viewer, entity=entity).order_by()
    latest = mine.values("person").annotate(last=Max("at")).order_by("-last")[:most]
    return [(each["person"], each["last"]) for each in latest]
