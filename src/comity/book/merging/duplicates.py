"""Finding people who may be in the book twice: by what they share, scored, with the reasons in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from comity.book.merging.models import Judged, Pair
from comity.book.models import ContactPoint, Person, Post
from comity.ledger.actions import record
from comity.ledger.bodies import JSON
from comity.vault.alike import names_alike, sharing_contacts

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from comity.staff.models import Entity, Staff


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why two people may be one, and how much it says, of a hundred."""

    says: _StrPromise
    weight: int


REASONS: Final[Mapping[str, Reason]] = {
    "email": Reason(says=_("They have the same e-mail address."), weight=55),
    "phone": Reason(says=_("They have the same phone number."), weight=40),
    "messenger": Reason(says=_("They have the same messenger name."), weight=40),
    "name": Reason(says=_("Their names are the same, or nearly."), weight=40),
    "name-like": Reason(says=_("Their names are alike."), weight=20),
    "home": Reason(says=_("They live in the same place."), weight=3),
    "organisation": Reason(says=_("They work at the same organisation."), weight=10),
    "home-differs": Reason(says=_("They live in different places."), weight=-10),
    "birth-differs": Reason(says=_("They were born in different years."), weight=-35),
}
SAME_NAME, LIKE_NAME = 0.8, 0.45
"""Shares of a name's tokens from which on two names are nearly the same, or alike."""
WORTH_A_LOOK: Final = 50
AT_ONCE: Final = 2_000

Two = tuple[UUID, UUID]


@transaction.atomic
def find_duplicates(*, entity: Entity, staff: Staff | None) -> int:
    """Look for people of an entity who may be one; return how many pairs wait to be looked at.

    By blind tokens and plain facts: nobody's data is opened. A pair that somebody has judged is not asked about again.
    """
    found = _shared(entity)
    two = list(found)
    for start in range(0, len(two), AT_ONCE):
        _keep(entity, two[start : start + AT_ONCE], found)
    _forget_settled(entity)
    waiting = Pair.objects.filter(entity=entity, judged=Judged.OPEN).count()
    body: dict[str, JSON] = {"entity": entity.ref, "pairs": waiting}
    record(kind="book.duplicates-sought", staff=staff.ref if staff else None, body=body)
    return waiting


def _shared(entity: Entity) -> dict[Two, set[str]]:
    """Return the pairs of this entity's people who share an address or number, with what it is."""
    rows = sharing_contacts()
    ours = set(
        Person.objects.filter(
            ref__in={person for row in rows for person in row[:2]}, entities__contains=[entity.ref], merged_into=None
        ).values_list("ref", flat=True)
    )
    reach = dict(ContactPoint.objects.filter(ref__in={row[2] for row in rows}).values_list("ref", "reach"))
    found: dict[Two, set[str]] = defaultdict(set)
    for one, other, point in rows:
        if one in ours and other in ours and reach.get(point) in REASONS:
            found[one, other].add(reach[point])
    return found


def _keep(entity: Entity, two: list[Two], found: Mapping[Two, set[str]]) -> None:
    persons = {each for pair in two for each in pair}
    facts = Person.objects.in_bulk(persons)
    firms = _firms(persons)
    alike = names_alike(two)
    made = []
    for one, other in two:
        reasons = [*found[one, other], *_by_name(alike[one, other]), *_by_facts(facts[one], facts[other])]
        if firms[one] & firms[other]:
            reasons.append("organisation")
        score = max(0, min(100, sum(REASONS[reason].weight for reason in reasons)))
        if score >= WORTH_A_LOOK:
            made.append(Pair(entity=entity, one=one, other=other, score=score, reasons=sorted(reasons)))
    Pair.objects.bulk_create(
        made, update_conflicts=True, unique_fields=["entity", "one", "other"], update_fields=["score", "reasons"]
    )


def _by_name(share: float) -> list[str]:
    return ["name"] if share >= SAME_NAME else ["name-like"] if share >= LIKE_NAME else []


def _by_facts(one: Person, other: Person) -> list[str]:
    reasons = []
    if one.home and other.home:
        reasons.append("home" if one.home == other.home else "home-differs")
    if one.birth_year and other.birth_year and one.birth_year != other.birth_year:
        reasons.append("birth-differs")
    return reasons


def _firms(persons: Iterable[UUID]) -> dict[UUID, set[UUID]]:
    found: dict[UUID, set[UUID]] = defaultdict(set)
    for person, firm in Post.objects.filter(person__in=list(persons)).values_list("person", "organisation"):
        found[person].add(firm)
    return found


def _forget_settled(entity: Entity) -> None:
    """Drop the pairs of which one is not there any more, and nobody had judged."""
    there = Person.objects.filter(merged_into=None).values("ref")
    waiting = Pair.objects.filter(entity=entity, judged=Judged.OPEN)
    (waiting.exclude(one__in=there) | waiting.exclude(other__in=there)).delete()
