"""What is done for sharing without anybody waiting: looking for noes, and telling recipients of them."""

from __future__ import annotations

from procrastinate.contrib.django import app

from comity.outreach.sharing.passing_on import go_round
from comity.staff.models import Entity


@app.periodic(cron="41 * * * *")
@app.task(name="outreach.pass_on", queue="post", queueing_lock="outreach.pass_on")
def pass_on(timestamp: int) -> None:
    """Tell recipients of what people said since: each hour, for each entity. What no relay takes waits for the next."""
    del timestamp
    for entity in Entity.objects.all():
        go_round(entity=entity)
