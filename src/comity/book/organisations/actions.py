"""Changing organisations: each verb is one transaction, and leaves its mark in the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from comity.book.models import Organisation
from comity.book.organisations.queries import DEEPEST, may_change, parent_of, version_of
from comity.ledger.actions import record
from comity.ledger.bodies import declare_words
from comity.staff.guards import NotYours, demand

if TYPE_CHECKING:
    from comity.ledger.bodies import JSON
    from comity.staff.models import Entity, Staff

CHANGEABLE: Final = ("name", "place", "domain", "trade", "parent")
"""What somebody may change of an organisation; the ledger names them by these words."""
declare_words(*CHANGEABLE)


class ChangedMeanwhile(ValidationError):
    """Somebody else changed it since the form was shown."""


@transaction.atomic
def add_organisation(*, told: Mapping[str, object], entity: Entity, added_by: Staff) -> Organisation:
    """Bring an organisation into the book of an entity. Raises NotYours, and ValidationError for a wrong parent."""
    demand(added_by, "organisation.edit", entity)
    made = Organisation(entities=[entity.ref], **told)
    _check_parent(made)
    made.save(force_insert=True)
    _record("added", made, added_by, entity=str(entity.ref))
    return made


@transaction.atomic
def change_organisation(
    *, organisation: Organisation, told: Mapping[str, object], version: str, changed_by: Staff
) -> list[str]:
    """Change what is kept of an organisation; return the names of what changed.

    Raises ChangedMeanwhile where `version` is not that of the row now, ValidationError for a parent that is a part, and
    NotYours. A parent that is hidden from them stays, unless they name another.
    """
    locked = Organisation.objects.select_for_update(of=("self",)).get(pk=organisation.pk)
    demand_change(locked, changed_by)
    if version_of(locked) != version:
        raise ChangedMeanwhile(_("Somebody else changed this meanwhile. Below is what you typed; look at it again."))
    before = {name: parent_of(locked) if name == "parent" else getattr(locked, name) for name in CHANGEABLE}
    changed = [name for name in CHANGEABLE if name in told and before[name] != told[name]]
    for name in changed:
        setattr(locked, name, told[name])
    if "parent" in changed:
        _check_parent(locked)
    if changed:
        locked.save(update_fields=changed)
        _record("changed", locked, changed_by, changed=sorted(changed))
    return changed


@transaction.atomic
def remove_organisation(*, organisation: Organisation, removed_by: Staff) -> None:
    """Take an organisation out of the book. Raises NotYours, and ValidationError while it has people or parts."""
    locked = Organisation.objects.select_for_update(of=("self",)).get(pk=organisation.pk)
    demand_change(locked, removed_by)
    if locked.posts.exists():
        raise ValidationError(_("People work there. Take them out of it first."))
    if locked.parts.exists():
        raise ValidationError(_("Other organisations are part of it. Move them first."))
    _record("removed", locked, removed_by)
    locked.delete()


def demand_change(organisation: Organisation, staff: Staff) -> None:
    """Raise NotYours for whoever lacks the word for one of the organisation's entities."""
    if not may_change(staff, organisation):
        raise NotYours("organisation.edit")


def _check_parent(organisation: Organisation) -> None:
    step, steps = parent_of(organisation), 0
    if step is not None and not set(step.entities) & set(organisation.entities):
        raise ValidationError({"parent": _("It is of another of our entities; only what shares one belongs together.")})
    while step is not None:
        if step.pk == organisation.pk:
            raise ValidationError({"parent": _("It would be a part of itself.")})
        step, steps = parent_of(step), steps + 1
        if steps > DEEPEST:
            raise ValidationError({"parent": _("So many steps of ownership cannot be kept; twenty is the most.")})


def _record(verb: str, organisation: Organisation, staff: Staff, **more: JSON) -> None:
    body: dict[str, JSON] = {"organisation": organisation.ref, **more}
    record(kind=f"book.organisation-{verb}", staff=staff.ref, body=body)
