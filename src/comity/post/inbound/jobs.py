"""Looking into mailboxes and folders every minute, and forgetting what waited too long."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django import app

from comity.post.inbound import mailboxes
from comity.post.inbound.actions import take_in
from comity.post.inbound.models import Arrival, Inbox, Sort
from comity.post.inbound.originals import forget_original, sweep
from comity.post.inbound.understanding import understand
from comity.post.secrets import NoSecret
from comity.staff.models import Entity
from comity.staff.walls import behind_wall

log = logging.getLogger(__name__)

KEPT: Final = timedelta(days=30)
"""How long the original of what nobody could place waits for somebody to read it."""
ONE_AT_A_TIME: Final = "SELECT pg_try_advisory_lock(hashtextextended(%s::text, 7))"
LET_GO: Final = "SELECT pg_advisory_unlock(hashtextextended(%s::text, 7))"


def look_into(inbox: Inbox) -> int:
    """Read what is new in one way in; return how many messages. Two at once would only do the same twice."""
    with connection.cursor() as cursor:
        cursor.execute(ONE_AT_A_TIME, [inbox.ref])
        if not cursor.fetchone()[0]:
            return 0
    try:
        return _read(inbox)
    finally:
        with connection.cursor() as cursor:
            cursor.execute(LET_GO, [inbox.ref])


def _read(inbox: Inbox) -> int:
    def take(raw: bytes) -> None:
        take_in(inbox=inbox, heard=understand(raw), raw=raw)

    trouble, many = "", 0
    try:
        if inbox.sort == Sort.IMAP:
            many = mailboxes.read_mailbox(inbox, take, lambda place: _note(inbox, place=place))
        else:
            many = mailboxes.read_folder(inbox, take)
    except mailboxes.NotRead as error:
        trouble = error.why
        log.warning("Mailbox %s could not be read: %s.", inbox.ref, error.why)
    except NoSecret:
        trouble = "sign-in"
    _note(inbox, looked_at=timezone.now(), trouble=trouble)
    return many


def _note(inbox: Inbox, **columns: object) -> None:
    with behind_wall(staff=None, entities=[inbox.entity_id]):
        Inbox.objects.filter(pk=inbox.pk).update(**columns)


@app.task(name="post.look_into", queue="post")
def look_into_job(inbox: str, entity: str) -> None:
    """Read what is new in one way in."""
    with behind_wall(staff=None, entities=[UUID(entity)]):
        held = Inbox.objects.select_related("entity").filter(pk=inbox, ended_at=None).first()
    if held is not None:
        look_into(held)


@app.periodic(cron="* * * * *")
@app.task(name="post.look_into_all", queue="post", queueing_lock="post.look_into_all")
def look_into_all(timestamp: int) -> None:
    """Have every mailbox and folder read."""
    del timestamp
    with behind_wall(staff=None, entities=Entity.objects.values_list("ref", flat=True)):
        held = list(Inbox.objects.filter(ended_at=None, sort__in=[Sort.IMAP, Sort.FOLDER]))
    for inbox in held:
        look_into_job.defer(inbox=str(inbox.ref), entity=str(inbox.entity_id))


@app.periodic(cron="23 3 * * *")
@app.task(name="post.forget_originals", queue="post", queueing_lock="post.forget_originals")
def forget_originals(timestamp: int) -> None:
    """Forget originals that nobody read in time, and files that no row knows."""
    del timestamp
    with behind_wall(staff=None, entities=Entity.objects.values_list("ref", flat=True)):
        kept = Arrival.objects.exclude(parcel_key=None)
        old = list(kept.filter(arrived_at__lt=timezone.now() - KEPT).values_list("ref", flat=True))
        Arrival.objects.filter(ref__in=old).update(parcel_key=None)
        known = set(kept.values_list("ref", flat=True))
    for ref in old:
        forget_original(ref)
    sweep(known)
