"""Turning over the keys, as staff do it: the next epoch, everybody into it, and with four eyes an old key's end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from procrastinate.exceptions import AlreadyEnqueued

from comity.staff.approvals import Said, ask_approval, use_approval
from comity.staff.guards import demand
from comity.vault import rotation
from comity.vault.jobs import destroy_key, rewrap_keys
from comity.vault.keyring import current_epoch
from comity.vault.models import Epoch, PersonKey

if TYPE_CHECKING:
    from comity.staff.models import Approval, Staff

KIND = "key.destroy"
"""Of the approval that the end of a key takes."""


class StillNeeded(ValidationError):
    """The key cannot go: it is the current one, keys of people are wrapped in it, or it is gone already."""


@transaction.atomic
def turn_over(*, turned_by: Staff) -> Epoch:
    """Begin the next epoch, and let a job bring everybody's keys into it. Raises KeyTrouble."""
    demand(turned_by, "key.rotate")
    epoch = rotation.rotate_epoch(staff=turned_by.ref)
    rewrap_the_rest(wanted_by=turned_by)
    return epoch


@transaction.atomic
def rewrap_the_rest(*, wanted_by: Staff) -> None:
    """Let a job bring all keys that are in earlier epochs into the current one. One that waits already is enough."""
    demand(wanted_by, "key.rotate")
    try:
        with transaction.atomic():
            rewrap_keys.defer(staff=str(wanted_by.ref))
    except AlreadyEnqueued:
        return


def what_goes(epoch: Epoch) -> dict[str, Said]:
    """Return the exact request that a second person approves: this epoch, with this very key."""
    return {"epoch": epoch.number, "check_value": bytes(epoch.check_value).hex()}


@transaction.atomic
def ask_to_destroy(*, epoch: Epoch, reason: str, asked_by: Staff) -> Approval:
    """Ask a second person whether an emptied epoch's key may go for ever. Raises StillNeeded."""
    _refuse_needed(epoch)
    return ask_approval(kind=KIND, request=what_goes(epoch), reason=reason, asked_by=asked_by)


@transaction.atomic
def destroy_as_approved(*, epoch: Epoch, destroyed_by: Staff) -> None:
    """Use the approval, and let a job destroy the key: the file goes after this is committed, never before.

    Raises StillNeeded, and NotApproved unless a second person approved just this.
    """
    _refuse_needed(epoch)
    use_approval(kind=KIND, request=what_goes(epoch), asked_by=destroyed_by)
    destroy_key.defer(number=epoch.number, check_value=bytes(epoch.check_value).hex(), staff=str(destroyed_by.ref))


def _refuse_needed(epoch: Epoch) -> None:
    if epoch.destroyed_at is not None:
        raise StillNeeded(_("This key was destroyed already."))
    if epoch.number == current_epoch().number:
        raise StillNeeded(_("This is the current key: turn the keys over first."))
    if PersonKey.objects.filter(epoch=epoch.number).exists():
        raise StillNeeded(_("Keys of people are still wrapped in it: bring them into the current epoch first."))
