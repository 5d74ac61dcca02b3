"""Reading origins: who was told from whom we have their data, who is still to be told, and in which words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db.models import Exists, OuterRef

from comity.book.imports.models import Import
from comity.book.models import ContactPoint, Person, Source
from comity.outreach.composing.parties import Origin as Words
from comity.outreach.composing.passages import Passages
from comity.outreach.origins.models import Came, Origin
from comity.staff.once import rows_of

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from comity.counsel.models import SegmentDecision
    from comity.staff.models import Entity

NOT_THEIRS: Final = (Source.PUBLISHED, Source.THIRD_PARTY)
"""Sources of data that people did not give themselves."""


def told_where_from(persons: Collection[UUID], entity: UUID) -> set[UUID]:
    """Return who of these was told from whom we have their data: of every origin that we know of."""
    rows = Came.objects.filter(person__in=list(persons), entity=entity).values_list("person", "told_at")
    told: dict[UUID, bool] = {}
    for person, told_at in rows:
        told[person] = told.get(person, True) and told_at is not None
    return {person for person, all_ in told.items() if all_}


def origin_of_import(entity: Entity, about: UUID) -> Origin | None:
    """Return from whom the people of an import came, if somebody said so."""
    return Origin.objects.filter(entity=entity, about=about).first()


def words_for(
    persons: Mapping[UUID, Person], entity: UUID, languages: Mapping[UUID, str], ours: str
) -> dict[UUID, Words]:
    """Return from whom we have these people's data, what we hold and what for: each in words that this person reads.

    Whoever was told of every origin, or came from none that we know, is left out.
    """
    came: dict[UUID, list[Origin]] = defaultdict(list)
    rows = Came.objects.filter(person__in=list(persons), entity=entity, told_at=None).select_related("origin")
    for row in rows.order_by("ref"):
        came[row.person].append(row.origin)
    reaches = _reaches(list(came))
    return {
        person: _words(persons[person], origins, reaches[person], Passages(languages[person], ours))
        for person, origins in came.items()
    }


def _reaches(persons: Sequence[UUID]) -> dict[UUID, set[str]]:
    found: dict[UUID, set[str]] = defaultdict(set)
    for person, reach in ContactPoint.objects.filter(person__in=persons).values_list("person_id", "reach"):
        found[person].add(reach)
    return found


def _words(person: Person, origins: Sequence[Origin], reaches: Collection[str], passages: Passages) -> Words:
    known = {"home": person.home, "language": person.language, "birth": person.birth_year}
    kinds = ["name", *sorted(reaches), *(kind for kind, value in known.items() if value)]
    purposes = dict.fromkeys(one.used_for for one in origins)
    return Words(
        source="; ".join(dict.fromkeys(one.source for one in origins)),
        kinds=tuple(passages.label(f"kind-{kind}") for kind in kinds),
        purpose=", ".join(passages.label(f"purpose-{one}") for one in purposes),
    )


def without_origin(persons: QuerySet[Person], entity: UUID) -> int:
    """Return of how many of these people nobody knows from whom we have their data."""
    known = Came.objects.filter(person=OuterRef("ref"), entity=entity)
    return persons.filter(~Exists(known)).count()


UNTOLD: Final = """
    SELECT count(*) FROM counsel_segmentrow AS row
    JOIN counsel_segmentfinding AS finding ON finding.segment_id = row.segment_id AND finding.number = row.finding
    WHERE row.segment_id = %s AND row.verdict = 'permit'
      AND finding.told -> 'obligations' @> '[{"kind": "origin-notice"}]'
      AND NOT EXISTS (SELECT FROM outreach_came AS came
                      WHERE came.person = row.person AND came.entity_id = %s AND came.told_at IS NOT NULL)
"""


def untold(segment: SegmentDecision) -> int:
    """Return how many of those whom the law permits must be told from whom we have their data, and were not."""
    ((many,),) = rows_of(UNTOLD, [segment.ref, segment.entity_id])
    return int(many)


COUNTED: Final = """
    SELECT count(*), count(*) FILTER (WHERE came.untold IS FALSE), count(*) FILTER (WHERE relation.source = 'person')
    FROM (SELECT DISTINCT unnest(persons) FROM book_importbatch
          WHERE imported_id = %s AND undone_at IS NULL) AS brought (person)
    JOIN book_relation AS relation ON relation.person_id = brought.person AND relation.entity_id = %s
    LEFT JOIN (
        SELECT person, bool_or(told_at IS NULL) AS untold FROM outreach_came WHERE entity_id = %s GROUP BY person
    ) AS came ON came.person = brought.person
"""


@dataclass(frozen=True, kw_only=True)
class Counted:
    """How many people an import brought, and how many of them were told from whom we have their data."""

    people: int
    told: int
    themselves: int  # gave their data themselves

    @property
    def owed(self) -> int:
        """How many are still to be told."""
        return max(0, self.people - self.told - self.themselves)


def counted(imported: Import) -> Counted:
    """Return how many people of an import were told."""
    entity = imported.entity_id
    ((people, told, themselves),) = rows_of(COUNTED, [imported.ref, entity, entity])
    return Counted(people=people, told=told, themselves=themselves)


def imports_of(entities: Collection[UUID]) -> QuerySet[Import]:
    """Return the imports of these entities that brought people."""
    return Import.objects.filter(entity__in=list(entities), done_at__isnull=False, undone_at=None).select_related(
        "entity"
    )


def came_of(person: UUID, entity: Entity) -> list[Came]:
    """Return from whom one person's data came, as far as somebody said so."""
    return list(Came.objects.filter(person=person, entity=entity).select_related("origin").order_by("-ref"))
