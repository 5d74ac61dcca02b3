"""From which day on no backup opens what was erased, as the keys stand and as the key policy will turn them over."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from django.utils import timezone

from comity.retention.schedule.models import Emptied, KeyPolicy
from comity.vault.models import Epoch
from comity.vault.queries import forgotten_from

A_NIGHT: Final = timedelta(days=1)
"""The job runs once a night: what falls due on a day is done by the end of the next."""


def key_policy() -> KeyPolicy | None:
    """Return the policy that counts; none where nothing is turned over by itself."""
    return KeyPolicy.objects.filter(ended_at=None).select_related("asked_by", "approved_by").first()


def forgotten_on(day: date) -> date | None:
    """Return the day from which on no backup opens what was erased on `day`; none where no policy stands.

    Where all keys of that time are destroyed, it is certain (`vault.queries.forgotten_from`). Else it is what the key
    policy comes to: each epoch is turned over, emptied, and destroyed when backups of its time are no longer kept.
    """
    if (policy := key_policy()) is None:
        return None
    erased_at = datetime.combine(day, time.max, tzinfo=UTC)
    copies = timedelta(days=policy.copies_kept)
    sure = forgotten_from(erased_at=erased_at, copies_kept=copies)
    if sure.day is not None:
        return sure.day
    begun = list(Epoch.objects.filter(number__in=sure.waiting_for))
    ends = [destroyed_on(epoch, policy) for epoch in begun]
    return max(ends) + copies + A_NIGHT if ends else None


def destroyed_on(epoch: Epoch, policy: KeyPolicy) -> date:
    """Return the day on which the policy has an epoch's key destroyed, today at the earliest."""
    return max(emptied_on(epoch, policy) + timedelta(days=policy.backups_kept) + A_NIGHT, timezone.now().date())


def emptied_on(epoch: Epoch, policy: KeyPolicy) -> date:
    """Return the day on which nobody's key is wrapped in an epoch any more, or will be."""
    if (found := Emptied.objects.filter(epoch=epoch.number).first()) is not None:
        return found.emptied_at.date()
    after = Epoch.objects.filter(number=epoch.number + 1).first()
    turned = after.begun_at.date() if after else epoch.begun_at.date() + timedelta(days=policy.turn_every)
    return max(turned + A_NIGHT, timezone.now().date())
