"""What is done every night: people who may be in the book twice are found, and old merges become final."""

from __future__ import annotations

from datetime import UTC, datetime

from procrastinate.contrib.django import app

from comity.book.merging.actions import make_final
from comity.book.merging.duplicates import find_duplicates
from comity.staff.models import Entity
from comity.staff.walls import behind_wall


@app.periodic(cron="41 2 * * *")
@app.task(name="book.find_duplicates", queue="book", queueing_lock="book.find_duplicates")
def find_all_duplicates(timestamp: int) -> None:
    """Look for duplicates in the book of each entity."""
    del timestamp
    for entity in Entity.objects.filter(closed_at=None):
        with behind_wall(staff=None, entities=[entity.ref]):
            find_duplicates(entity=entity, staff=None)


@app.periodic(cron="11 3 * * *")
@app.task(name="book.make_merges_final", queue="book", queueing_lock="book.make_merges_final")
def make_merges_final(timestamp: int) -> None:
    """Destroy the keys of those who went into others thirty days ago."""
    with behind_wall(staff=None, entities=list(Entity.objects.values_list("ref", flat=True))):
        make_final(now=datetime.fromtimestamp(timestamp, UTC))
