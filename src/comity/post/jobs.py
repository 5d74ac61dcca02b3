"""What is sent without anybody waiting: a job for each dispatch, which goes on until nothing is due."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.utils import timezone
from procrastinate.contrib.django import app
from psycopg.errors import LockNotAvailable

from comity.post.actions import end_if_done
from comity.post.handing import hand_over_some, next_due, note_sent
from comity.post.hands import open_hands
from comity.post.models import Dispatch, Message, Stage, State
from comity.staff.models import Entity
from comity.staff.walls import behind_wall

A_BREATH: Final = timedelta(seconds=30)
"""How long a dispatch rests at least before its job comes back: its way may be shut."""


def defer_dispatch(*, dispatch: Dispatch, at: datetime | None = None, unless_doing: bool = False) -> None:
    """Let a worker hand over what is due, once this is committed, or from then on. One job waits at most.

    With `unless_doing` none is added where one is at work.
    """
    with connection.cursor() as cursor:
        cursor.execute(WAITS_ALREADY, [str(dispatch.ref), at, unless_doing])
        if cursor.fetchone():
            return
    send.configure(schedule_at=at).defer(dispatch=str(dispatch.ref), entity=str(dispatch.entity_id))


WAITS_ALREADY: Final = """
    SELECT 1 FROM procrastinate_jobs
    WHERE task_name = 'post.send' AND args ->> 'dispatch' = %s
        AND (status = 'todo' AND coalesce(scheduled_at, '-infinity') <= coalesce(%s, now()) OR %s AND status = 'doing')
"""
"""No lock of the queue's: a job whose worker died is to do again, and could then stand in the way of itself."""


@app.task(name="post.send", queue="post")
def send(dispatch: str, entity: str) -> None:
    """Hand over all that is due, and come back when more is."""
    of = [UUID(entity)]
    with behind_wall(staff=None, entities=of):
        held = Dispatch.objects.select_related("entity", "staff", "gateway").get(pk=dispatch)
    with open_hands() as hands, suppress(LockNotAvailable):  # somebody changes what must be held still: later, then
        while hand_over_some(dispatch=held, hands=hands):
            pass
    note_sent(dispatch=held)
    with behind_wall(staff=None, entities=of):
        if not end_if_done(dispatch=held):
            _come_back(Dispatch.objects.get(pk=held.pk))


def _come_back(dispatch: Dispatch) -> None:
    if dispatch.state == State.RUNNING and (due := next_due(dispatch=dispatch)) is not None:
        defer_dispatch(dispatch=dispatch, at=max(due, timezone.now() + A_BREATH))


@app.periodic(cron="* * * * *")
@app.task(name="post.look", queue="post")
def look(timestamp: int) -> None:
    """Take up dispatches that wait for nobody: whose worker died too often, or whose job was given up."""
    del timestamp
    with behind_wall(staff=None, entities=Entity.objects.values_list("ref", flat=True)):
        due = Message.objects.filter(stage=Stage.INTENDED, due_at__lte=timezone.now())
        to_note = Message.objects.filter(stage=Stage.SENT, noted=False)
        running = Q(state=State.RUNNING, ref__in=due.values("dispatch"))
        for dispatch in Dispatch.objects.filter(running | Q(ref__in=to_note.values("dispatch"))):
            defer_dispatch(dispatch=dispatch, unless_doing=True)
