"""Placing a hold, looking at it again, lifting it. Reasons stay here: the ledger has refs and days alone."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.ledger.actions import record
from comity.ledger.bodies import JSON
from comity.retention.holds.models import Hold
from comity.retention.holds.queries import CHANGE, VIEW, wait_for_what_goes
from comity.staff.guards import demand, may_do

if TYPE_CHECKING:
    from comity.staff.models import Entity, Staff


class NotHeld(ValidationError):
    """The hold was lifted before."""


class WrongReview(ValidationError):
    """A hold is looked at again on a day to come, by somebody who may see it, for a reason that is given."""


@transaction.atomic
def place_hold(
    *, entity: Entity, person: UUID | None, reason: str, owner: Staff, review_on: date, placed_by: Staff
) -> Hold:
    """Keep one person's data, or everybody's of an entity, from being erased. Raises WrongReview.

    When this has returned, nothing of theirs goes any more: what was just going is waited for.
    """
    demand(placed_by, CHANGE, entity)
    _refuse_wrong(entity, reason, owner, review_on)
    wait_for_what_goes()
    made = Hold.objects.create(
        entity=entity, person=person, reason=reason.strip(), owner=owner, review_on=review_on, placed_by=placed_by
    )
    body: dict[str, JSON] = {"hold": made.ref, "entity": entity.ref, "owner": owner.ref, "review_on": review_on}
    record(kind="retention.hold-placed", body=body, staff=placed_by.ref, persons=[person] if person else [])
    return made


@transaction.atomic
def review_hold(*, hold: Hold, review_on: date, owner: Staff, reviewed_by: Staff) -> None:
    """Say that a hold is still needed, until when it is looked at again, and by whom. Raises NotHeld, WrongReview."""
    standing = _standing(hold, reviewed_by)
    _refuse_wrong(standing.entity, standing.reason, owner, review_on)
    standing.review_on, standing.owner = review_on, owner
    standing.save(update_fields=["review_on", "owner"])
    body: dict[str, JSON] = {"hold": standing.ref, "owner": owner.ref, "review_on": review_on}
    record(kind="retention.hold-reviewed", body=body, staff=reviewed_by.ref, persons=_persons(standing))


@transaction.atomic
def lift_hold(*, hold: Hold, because: str, lifted_by: Staff) -> None:
    """Let a hold end; what was overdue while it stood goes with the next clean-up. Raises NotHeld, WrongReview."""
    standing = _standing(hold, lifted_by)
    if not because.strip():
        raise WrongReview(_("Say why it is not needed any more."))
    standing.lifted_at, standing.lifted_by, standing.lifted_because = timezone.now(), lifted_by, because.strip()
    standing.save(update_fields=["lifted_at", "lifted_by", "lifted_because"])
    record(kind="retention.hold-lifted", body={"hold": standing.ref}, staff=lifted_by.ref, persons=_persons(standing))


def _standing(hold: Hold, by: Staff) -> Hold:
    locked = Hold.objects.select_for_update(of=("self",)).select_related("entity").get(pk=hold.pk)
    demand(by, CHANGE, locked.entity)
    if locked.lifted_at is not None:
        raise NotHeld(_("This hold was lifted before."))
    return locked


def _refuse_wrong(entity: Entity, reason: str, owner: Staff, review_on: date) -> None:
    if not reason.strip():
        raise WrongReview(_("Say why it must be kept: a claim, an inquiry, an order of a court."))
    if review_on <= timezone.localdate():
        raise WrongReview(_("Give a day to come on which somebody looks at it again."))
    if not may_do(owner, VIEW, entity):
        raise WrongReview(_("Its owner must be somebody who may see holds of this entity."))


def _persons(hold: Hold) -> list[UUID]:
    return [hold.person] if hold.person else []
