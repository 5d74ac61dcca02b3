"""What this room does by itself: telling webhooks, and forgetting what was kept for a day."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from comity.api.models import Delivery
from comity.api.replays import forget_old
from comity.api.sending import deliver_due

KEPT: Final = timedelta(days=90)
"""For how long one can look up what a webhook was told."""


@app.task(name="api.deliver", queue="api")
def deliver() -> None:
    """Tell webhooks what is due, and come back when the next is. The trigger on the ledger defers it."""
    if (after := deliver_due()) is not None:
        with suppress(AlreadyEnqueued), transaction.atomic():
            deliver.configure(schedule_at=after, queueing_lock="api.deliver again").defer()


@app.periodic(cron="*/5 * * * *")
@app.task(name="api.sweep", queue="api", queueing_lock="api.sweep")
def sweep(timestamp: int) -> None:
    """Tell what nobody came back for, and forget what is old enough."""
    del timestamp
    deliver()
    forget_old()
    Delivery.objects.filter(made_at__lt=timezone.now() - KEPT).delete()
