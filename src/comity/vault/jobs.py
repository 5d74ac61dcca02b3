"""What is done with keys without anybody waiting: everybody into the current epoch, and the end of a key."""

from __future__ import annotations

from uuid import UUID

from procrastinate.contrib.django import app

from comity.vault import rotation
from comity.vault.horizon import REWRAP
from comity.vault.models import Epoch


@app.task(name=REWRAP, queue="vault", lock=REWRAP, queueing_lock=REWRAP)
def rewrap_keys(staff: str) -> None:
    """Bring all keys into the current epoch, a thousand at a time. Stopped anywhere, it goes on there."""
    rotation.rewrap(staff=UUID(staff))


@app.task(name="vault.destroy_key", queue="vault", lock="vault.destroy_key")
def destroy_key(number: int, check_value: str, staff: str) -> None:
    """Destroy the key that a second person approved to destroy, and no other."""
    if bytes(Epoch.objects.get(number=number).check_value).hex() == check_value:
        rotation.destroy_epoch(number=number, staff=UUID(staff))
