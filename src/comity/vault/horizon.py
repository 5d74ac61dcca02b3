"""How the keys stand: which epochs there are, whether each one's file is in order, and which backups nobody opens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db.models import Count
from django.utils.translation import gettext_lazy as _
from procrastinate.contrib.django.models import ProcrastinateJob

from comity.vault.epochs import KeyMissing, KeyTooOpen, KeyTrouble, WrongKey, load_epoch_key
from comity.vault.models import Epoch, PersonKey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.utils.functional import _StrPromise

REWRAP: Final = "vault.rewrap"
"""The job that brings all keys into the current epoch."""
TROUBLES: Final[dict[type[KeyTrouble], _StrPromise]] = {
    KeyMissing: _("the file is missing"),
    KeyTooOpen: _("others may reach the file"),
    WrongKey: _("the file holds another key"),
}


@dataclass(frozen=True, kw_only=True)
class Kept:
    """An epoch, how many people's keys are wrapped in it, and what is wrong with its file, with the cure."""

    epoch: Epoch
    persons: int
    current: bool
    trouble: _StrPromise | str = ""
    cure: str = ""

    @property
    def can_go(self) -> bool:
        """Whether nothing needs its key any more."""
        return not self.current and not self.persons and self.epoch.destroyed_at is None


@dataclass(frozen=True, kw_only=True)
class Keys:
    """All epochs, the newest first."""

    kept: Sequence[Kept]
    rewrapping: str  # "under-way", "failed", or nothing

    @property
    def current(self) -> Kept | None:
        """The epoch in which new keys are wrapped."""
        return next((each for each in self.kept if each.current), None)

    @property
    def persons(self) -> int:
        """How many people have a key."""
        return sum(each.persons for each in self.kept)

    @property
    def left(self) -> int:
        """How many people's keys are still wrapped in earlier epochs."""
        return sum(each.persons for each in self.kept if not each.current)

    @property
    def troubled(self) -> list[Kept]:
        """The epochs whose file is not in order."""
        return [each for each in self.kept if each.trouble]

    @property
    def unopenable_before(self) -> datetime | None:
        """The instant before which every backup holds keys of destroyed epochs alone; none where there is no such.

        A backup of a time knows the epochs that had begun by then. So it stays shut once all of them are destroyed.
        """
        first = next((each.epoch for each in reversed(self.kept) if each.epoch.destroyed_at is None), None)
        return first.begun_at if first and first.number > self.kept[-1].epoch.number else None


def keys() -> Keys:
    """Return how the keys stand now: each file is read anew, whatever this process remembers of it."""
    counts = dict(PersonKey.objects.values_list("epoch").annotate(Count("person")))
    epochs = list(Epoch.objects.order_by("-number"))
    current = next((epoch.number for epoch in epochs if epoch.destroyed_at is None), None)
    kept = [_kept(epoch, counts.get(epoch.number, 0), current=epoch.number == current) for epoch in epochs]
    return Keys(kept=kept, rewrapping=_rewrapping())


def _kept(epoch: Epoch, persons: int, *, current: bool) -> Kept:
    trouble: _StrPromise | str = ""
    cure = ""
    if epoch.destroyed_at is None:
        try:
            load_epoch_key(settings.FOLDER, epoch.number, bytes(epoch.check_value))
        except KeyTrouble as error:
            trouble, cure = TROUBLES.get(type(error), _("the file cannot be read")), str(error)
    return Kept(epoch=epoch, persons=persons, current=current, trouble=trouble, cure=cure)


def _rewrapping() -> str:
    """Say how the last job that rewraps stands."""
    last = ProcrastinateJob.objects.filter(task_name=REWRAP).order_by("-id").first()
    if last is None:
        return ""
    return {"todo": "under-way", "doing": "under-way", "failed": "failed"}.get(last.status, "")
