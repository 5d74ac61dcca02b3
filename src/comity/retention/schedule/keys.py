"""Keys turned over and destroyed by a policy that two people agreed on: the one approval stands for the single ones."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from comity.ledger.actions import record
from comity.ledger.bodies import JSON
from comity.retention.schedule.horizon import key_policy
from comity.retention.schedule.models import Emptied, KeyPolicy
from comity.staff.approvals import Kind, NotApproved, Said, ask_approval
from comity.staff.guards import demand
from comity.vault import rotation
from comity.vault.epochs import key_file
from comity.vault.keyring import current_epoch
from comity.vault.models import Epoch, PersonKey

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from comity.staff.models import Approval, Staff

KIND: Final = "key.schedule"
WORD: Final = "schedule.change"
PARTS: Final = ("turn_every", "backups_kept", "copies_kept")


@transaction.atomic
def ask_key_policy(*, turn_every: int, backups_kept: int, copies_kept: int, reason: str, asked_by: Staff) -> Approval:
    """Ask a second person whether keys may be turned over and destroyed by themselves. Raises NotApproved."""
    request: dict[str, Said] = {"turn_every": turn_every, "backups_kept": backups_kept, "copies_kept": copies_kept}
    policy = KeyPolicy(turn_every=turn_every, backups_kept=backups_kept, copies_kept=copies_kept)
    policy.clean_fields(exclude={field.name for field in KeyPolicy._meta.fields} - set(PARTS))  # noqa: SLF001 - it is documented
    return ask_approval(kind=KIND, request=request, reason=reason, asked_by=asked_by)


def _adopt(approval: Approval) -> None:
    """Let the policy count from now on, in the place of the one before."""
    if approval.settled_by is None:
        raise NotApproved(_("A second person must approve it."))
    _end(None)
    made = KeyPolicy.objects.create(
        **{part: int(approval.request[part]) for part in PARTS}, asked_by=approval.asked_by,
        approved_by=approval.settled_by, approval=approval.ref,
    )  # fmt: skip
    body: dict[str, JSON] = {"policy": made.ref, **{part: int(approval.request[part]) for part in PARTS}}
    record(kind="retention.key-policy-begun", body=body, staff=approval.settled_by.ref)


@transaction.atomic
def end_key_policy(*, ended_by: Staff) -> None:
    """Let nothing be turned over or destroyed by itself any more. That needs no second person."""
    demand(ended_by, WORD)
    _end(ended_by)


def _end(by: Staff | None) -> None:
    if KeyPolicy.objects.filter(ended_at=None).update(ended_at=timezone.now()) and by is not None:
        record(kind="retention.key-policy-ended", body={}, staff=by.ref)


def _in_words(approval: Approval) -> Iterable[tuple[_StrPromise, object]]:
    often, backups, copies = (int(approval.request[part]) for part in PARTS)
    yield _("The keys are turned over"), ngettext("every day", "every %(n)d days", often) % {"n": often}
    for says, n in (
        (_("Backups of the database are kept"), backups),
        (_("Copies of the keys' folder are kept"), copies),
    ):
        yield says, ngettext("%(n)d day", "%(n)d days", n) % {"n": n}
    yield _("Afterwards"), _("an old key is destroyed by itself, and backups of its time can be opened by nobody.")


KIND_OF_OURS: Final = Kind(
    says=_("Turn the keys over and destroy old ones, by themselves"), ask=WORD, effect=_adopt, shows=_in_words
)


# ---------------------------------------------------------------- each night


def keep_to_policy(*, most: int = rotation.AT_ONCE) -> list[str]:
    """Do what falls due by the policy: turn over, bring everybody over, destroy. Return what was done.

    Each step is a transaction of its own and may be done again: killed anywhere, the next night goes on there.
    """
    policy = key_policy()
    if policy is None:
        return []
    done = []
    if _turn_if_due(policy):
        done.append("turned")
    while rotation.rewrap_some(staff=None, most=most):
        done = [*done, "rewrapped"] if "rewrapped" not in done else done
    note_emptied()
    for epoch in [*overdue_epochs(policy), *_half_destroyed()]:
        rotation.destroy_epoch(number=epoch.number, staff=None)
        done.append("destroyed")
    return done


def _half_destroyed() -> list[Epoch]:
    """Return the epochs that the database knows to be destroyed and whose file is still there: somebody was killed."""
    gone = Epoch.objects.exclude(destroyed_at=None)
    return [one for one in gone if key_file(settings.FOLDER, one.number, bytes(one.check_value)).exists()]


@transaction.atomic
def _turn_if_due(policy: KeyPolicy) -> bool:
    current = Epoch.objects.select_for_update().get(number=current_epoch().number)
    if timezone.now() < current.begun_at + timedelta(days=policy.turn_every):
        return False
    rotation.rotate_epoch(staff=None)
    return True


@transaction.atomic
def note_emptied() -> None:
    """Write down of each epoch when it was first seen that nobody's key is wrapped in it any more."""
    used = PersonKey.objects.values("epoch").distinct()
    for epoch in Epoch.objects.exclude(number=current_epoch().number).exclude(number__in=used):
        Emptied.objects.get_or_create(epoch=epoch.number, defaults={"emptied_at": timezone.now()})


def overdue_epochs(policy: KeyPolicy) -> list[Epoch]:
    """Return the epochs whose key may go: emptied, and for so long that no backup of their time is kept any more."""
    before = timezone.now() - timedelta(days=policy.backups_kept)
    old = Emptied.objects.filter(emptied_at__lt=before).values("epoch")
    return list(Epoch.objects.filter(number__in=old, destroyed_at=None).exclude(number=current_epoch().number))
