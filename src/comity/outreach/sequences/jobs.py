"""Sequences go on by themselves: a look each minute, one entity after the other."""

from __future__ import annotations

import logging

from django.db import DatabaseError
from procrastinate.contrib.django import app

from comity.outreach.sequences.walking import walk
from comity.staff.models import Entity

log = logging.getLogger(__name__)


@app.periodic(cron="* * * * *")
@app.task(name="outreach.walk", queue="outreach", queueing_lock="outreach.walk")
def walk_job(timestamp: int) -> None:
    """Take every step that is due. What fails for one entity stops no other, and is tried again in a minute."""
    del timestamp
    for entity in Entity.objects.filter(closed_at=None):
        try:
            walk(entity=entity)
        except DatabaseError:
            raise
        except Exception:
            log.exception("The sequences of entity %s could not go on; it is tried again.", entity.ref)
