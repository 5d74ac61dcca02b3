"""Who is held, and the holds and restrictions of the entities for which somebody acts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from comity.retention.holds.models import Hold, Restriction
from comity.staff.guards import entities_with, may_do
from comity.staff.models import Staff
from comity.staff.once import rows_of

VIEW, CHANGE = "hold.view", "hold.change"
LOCK: Final = 0x686F6C64  # "hold": of the advisory lock that lets no hold come while something goes

HELD: Final = """
    SELECT asked.person FROM unnest(%s::uuid[]) AS asked (person) WHERE EXISTS (
        SELECT FROM retention_hold AS hold WHERE hold.lifted_at IS NULL AND (
            hold.person = asked.person OR hold.person IS NULL AND EXISTS (
                SELECT FROM book_person WHERE ref = asked.person AND hold.entity_id = ANY (entities)
            )
        )
    )
"""


def held(persons: Sequence[UUID]) -> set[UUID]:
    """Return those of these persons who are held, themselves or with everybody of an entity of theirs.

    INVARIANT: whoever is held is neither erased nor cleaned. Whoever erases calls `let_no_hold_come` first.
    """
    return {person for (person,) in rows_of(HELD, [list(persons)])} if persons else set()


def let_no_hold_come() -> None:
    """Keep holds from being placed until this transaction ends: what is not held now stays so while it goes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [LOCK])


def wait_for_what_goes() -> None:
    """Wait until nothing is going, and let nothing begin to go until this transaction ends: a hold is placed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


# ---------------------------------------------------------------- for pages


def holds_seen_by(viewer: Staff) -> QuerySet[Hold]:
    """Return the holds of the entities for which somebody may see them, the next to be looked at first."""
    return Hold.objects.filter(entity__in=entities_with(viewer, VIEW)).select_related("entity", "owner", "placed_by")


def holds_to_review(viewer: Staff) -> QuerySet[Hold]:
    """Return the holds whose day has come: one's own, and for who may change them, everybody's."""
    due = Hold.objects.to_review().filter(entity__in=entities_with(viewer, VIEW))
    return due if entities_with(viewer, CHANGE) else due.filter(owner=viewer)


def hold_seen_by(viewer: Staff, ref: UUID) -> Hold | None:
    """Return one hold, if somebody may see it."""
    return holds_seen_by(viewer).filter(ref=ref).first()


def holds_on(viewer: Staff, person: UUID, entity: UUID) -> QuerySet[Hold]:
    """Return the holds that stand on somebody: their own, and those on everybody of the entity."""
    seen = holds_seen_by(viewer).filter(lifted_at=None, entity=entity)
    return seen.filter(person=person) | seen.filter(person=None)


def restriction_of(person: UUID, entity: UUID) -> Restriction | None:
    """Return the restriction of somebody that stands for an entity."""
    return Restriction.objects.filter(person=person, entity=entity, lifted_at=None).select_related("placed_by").first()


def who_may_own() -> list[UUID]:
    """Return the staff who may look after a hold of some entity; the action asks for which."""
    working = Staff.objects.filter(is_active=True, grants__isnull=False).distinct()
    return [one.ref for one in working if may_do(one, VIEW)]
