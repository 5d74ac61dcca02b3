"""What is sent without anybody waiting: a job for each dispatch, which goes on until nothing is due."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from datetime import datetime, timedelta
from importlib import import_module
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.utils import timezone
from procrastinate.contrib.django import app
from psycopg.errors import LockNotAvailable

from comity.ledger.journal.lines import JournalTrouble
from comity.post.actions import end_if_done
from comity.post.handing import hand_over_some, next_due, note_sent
from comity.post.hands import open_hands
from comity.post.lists import forget_files
from comity.post.models import Dispatch, Message, Stage, State
from comity.post.pacing.timing import forget_reached
from comity.post.pacing.turns import forget_turns
from comity.staff.models import Entity
from comity.staff.walls import behind_wall

import_module("comity.post.inbound.jobs")  # the jobs of what comes back

A_SLICE: Final = 60.0
"""Seconds after which a job makes room for others and lines up again: a huge audience keeps no small one waiting."""

log = logging.getLogger(__name__)
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
    until = time.monotonic() + A_SLICE
    try:
        with open_hands() as hands, suppress(LockNotAvailable):  # somebody changes what must be held still: later, then
            while (hand_over_some(dispatch=held, hands=hands) or hands.turns.waited()) and time.monotonic() < until:
                pass
    except JournalTrouble as error:
        log.error("Nothing is sent: %s", error)  # noqa: TRY400 - it is no fault of ours
    note_sent(dispatch=held)
    rest = max(timedelta() if time.monotonic() >= until else A_BREATH, timedelta(seconds=hands.turns.wait))
    with behind_wall(staff=None, entities=of):
        if not end_if_done(dispatch=held):
            _come_back(Dispatch.objects.get(pk=held.pk), rest)


def _come_back(dispatch: Dispatch, rest: timedelta) -> None:
    if dispatch.state == State.RUNNING and (due := next_due(dispatch=dispatch)) is not None:
        defer_dispatch(dispatch=dispatch, at=max(due, timezone.now() + rest))


@app.periodic(cron="29 3 * * *")
@app.task(name="post.forget", queue="post")
def forget(timestamp: int) -> None:
    """Forget who was reached beyond every window, and the turns of days gone by."""
    del timestamp
    entities = list(Entity.objects.values_list("ref", flat=True))
    with behind_wall(staff=None, entities=entities):
        forget_reached(entities=entities)
    forget_turns()


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


@app.periodic(cron="17 3 * * *")
@app.task(name="post.forget_files", queue="post")
def forget_old_files(timestamp: int) -> None:
    """Delete files of lists, and rows that nobody closed, past their time."""
    del timestamp
    with behind_wall(staff=None, entities=Entity.objects.values_list("ref", flat=True)):
        forget_files()
