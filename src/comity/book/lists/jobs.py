"""What is done every night: values that somebody typed and no list uses any more are let go of."""

from __future__ import annotations

from datetime import UTC, datetime

from procrastinate.contrib.django import app

from comity.book.lists.typed import sweep
from comity.staff.models import Entity
from comity.staff.walls import behind_wall


@app.periodic(cron="53 2 * * *")
@app.task(name="book.sweep_exact_values", queue="book", queueing_lock="book.sweep_exact_values")
def sweep_exact_values(timestamp: int) -> None:
    """Sweep the values of each entity."""
    for entity in Entity.objects.all():
        with behind_wall(staff=None, entities=[entity.ref]):
            sweep(entity=entity, now=datetime.fromtimestamp(timestamp, UTC))
