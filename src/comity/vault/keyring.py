"""The keys of epochs that this process has loaded, each compared once with what the database knows of it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

from django.conf import settings

from comity.staff.once import Once
from comity.vault.epochs import EpochKey, KeyMissing, load_epoch_key
from comity.vault.models import Epoch
from comity.vault.tokens import Tokens


class NoEpoch(KeyMissing):
    """No epoch has been begun yet, so there is no key to seal with."""


def epoch_key(number: int, check_value: bytes | memoryview) -> EpochKey:
    """Return the key of an epoch. Raises KeyTrouble, which names the file and the cure."""
    return _loaded(settings.FOLDER, number, bytes(check_value))


def tokens_of(number: int, check_value: bytes | memoryview) -> Tokens:
    """Return what makes the tokens of an epoch. Raises KeyTrouble."""
    return _making(settings.FOLDER, number, bytes(check_value))


def current_epoch() -> Epoch:
    """Return the epoch in which new keys are wrapped, held until this transaction ends. Raises NoEpoch.

    `rotation.destroy_epoch` waits for whoever holds it: no key can be wrapped in an epoch that is being destroyed.
    """
    held = "SELECT * FROM vault_epoch ORDER BY number DESC LIMIT 1 FOR KEY SHARE"
    for epoch in (*Epoch.objects.raw(held), *Epoch.objects.raw(held)):  # again, if it was destroyed while we waited
        if epoch.destroyed_at is None:
            return epoch
    raise NoEpoch("no epoch of keys has been begun: run `comity setup`, which makes the first one")


LIVE: Final = Once(lambda: Epoch.objects.filter(destroyed_at=None))


def live_epochs() -> list[Epoch]:
    """Return the epochs whose keys still exist, the current one last. Keys that this process held of others go."""
    epochs = LIVE()
    if _loaded.cache_info().currsize > len(epochs):
        forget()
    return epochs


def forget() -> None:
    """Let go of all keys and tokens that this process holds. They are loaded again when they are needed."""
    _loaded.cache_clear()
    _making.cache_clear()


@lru_cache(maxsize=64)
def _loaded(folder: Path, number: int, check_value: bytes) -> EpochKey:
    return load_epoch_key(folder, number, check_value)


@lru_cache(maxsize=64)
def _making(folder: Path, number: int, check_value: bytes) -> Tokens:
    return Tokens(_loaded(folder, number, check_value))
