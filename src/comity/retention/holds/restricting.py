"""Restricting a record and lifting that: stored and not used. The law engine refuses the rest; here is only the fact.

Merging takes the stricter of two, and `Person.restricted_at` stands while any entity's restriction does.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.book.editing.history import keep_past
from comity.book.models import Person
from comity.ledger.actions import record
from comity.ledger.bodies import JSON
from comity.retention.holds.models import Restriction
from comity.staff.guards import demand
from comity.staff.walls import behind_wall

if TYPE_CHECKING:
    from comity.staff.models import Entity, Staff

WORD: Final = "request.work"
"""Of roles.toml: who works on what people ask of us restricts records, and lifts that."""


class NotRestricted(ValidationError):
    """Nothing stands that could be lifted, or it stands already, or something is missing that it takes."""


@transaction.atomic
def restrict_person(*, person: UUID, entity: Entity, reason: str, restricted_by: Staff) -> Restriction:
    """Let somebody's record be stored and not used. Raises NotRestricted where it is restricted already."""
    demand(restricted_by, WORD, entity)
    if not reason.strip():
        raise NotRestricted(_("Say why: they contest the data, the use was unlawful, they need it for a claim."))
    row = _locked(person, entity)
    if Restriction.objects.filter(person=person, entity=entity, lifted_at=None).exists():
        raise NotRestricted(_("This record is restricted already."))
    made = Restriction.objects.create(person=person, entity=entity, reason=reason.strip(), placed_by=restricted_by)
    if row.restricted_at is None:
        keep_past([row])
        Person.objects.filter(ref=person).update(restricted_at=Now(), changed_at=Now())
    body: dict[str, JSON] = {"restriction": made.ref, "entity": entity.ref}
    record(kind="retention.restricted", body=body, staff=restricted_by.ref, persons=[person])
    return made


@transaction.atomic
def lift_restriction(*, person: UUID, entity: Entity, because: str, told_on: date, lifted_by: Staff) -> None:
    """Let a record be used again, after the person was told (GDPR Art. 18(3)). Raises NotRestricted.

    A restriction that came in by an import or by the interface has no row here: it is lifted like any other.
    """
    demand(lifted_by, WORD, entity)
    row = _locked(person, entity)
    standing = Restriction.objects.select_for_update(of=("self",)).filter(
        person=person, entity=entity, lifted_at=None
    ).first()  # fmt: skip
    if row.restricted_at is None:
        raise NotRestricted(_("This record is not restricted."))
    if not because.strip():
        raise NotRestricted(_("Say why it may be used again."))
    if told_on > timezone.localdate():
        raise NotRestricted(_("Tell the person first; then say on which day you did."))
    if standing is None:
        standing = Restriction(
            person=person, entity=entity, reason="", placed_by=lifted_by, placed_at=row.restricted_at
        )
    standing.lifted_at, standing.lifted_by, standing.lifted_because = timezone.now(), lifted_by, because.strip()
    standing.told_on = told_on
    standing.save()
    if not _still_restricted_elsewhere(row, entity):
        keep_past([row])
        Person.objects.filter(ref=person).update(restricted_at=None, changed_at=Now())
    body: dict[str, JSON] = {"restriction": standing.ref, "entity": entity.ref, "told_on": told_on}
    record(kind="retention.restriction-lifted", body=body, staff=lifted_by.ref, persons=[person])


def _still_restricted_elsewhere(row: Person, entity: Entity) -> bool:
    """Say whether another entity of ours restricts them: its rows stand behind a wall of its own."""
    with behind_wall(staff=None, entities=row.entities):
        return Restriction.objects.filter(person=row.ref, lifted_at=None).exclude(entity=entity).exists()


def _locked(person: UUID, entity: Entity) -> Person:
    found = Person.objects.select_for_update().filter(ref=person, entities__contains=[entity.ref]).first()
    if found is None:
        raise NotRestricted(_("There is nobody with this ref."))
    return found
