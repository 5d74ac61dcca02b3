"""What is done for requests without anybody waiting: whoever looks after one is reminded before its day."""

from __future__ import annotations

from django.utils import timezone
from procrastinate.contrib.django import app

from comity.rights.requests.reminding import remind
from comity.staff.models import Entity
from comity.staff.walls import behind_wall


@app.periodic(cron="12 4 * * *")
@app.task(name="rights.remind", queue="rights", queueing_lock="rights.remind")
def remind_all(timestamp: int) -> None:
    """Remind of what is at risk, and tell who decides of what is late: each night, for each entity."""
    del timestamp
    today = timezone.localdate()
    for entity in Entity.objects.all():
        with behind_wall(staff=None, entities=[entity.ref]):
            remind(entity=entity, today=today)
