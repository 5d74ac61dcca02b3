"""What is done in other systems without anybody waiting: looking, erasing, and trying again what did not work."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from comity.rights.connectors.keeping import forget, kept_runs
from comity.rights.connectors.models import Leg, Run, State
from comity.rights.connectors.running import carry_out, look
from comity.staff.models import Entity
from comity.staff.walls import behind_wall


def defer_look(run: Run) -> None:
    """Let a worker look, once this transaction is committed."""
    look_there.defer(run=str(run.ref), entity=str(run.entity_id))


def defer_run(run: Run) -> None:
    """Let a worker erase, once this transaction is committed."""
    with suppress(AlreadyEnqueued), transaction.atomic():
        erase_there.configure(queueing_lock=f"rights.erase_there {run.ref}").defer(
            run=str(run.ref), entity=str(run.entity_id)
        )


@app.task(name="rights.look_there", queue="rights")
def look_there(run: str, entity: str) -> None:
    """Seek somebody in every system, unless erasing has begun by now."""
    known = _run(run, entity)
    if known.begun_at is None:
        look(known)


@app.task(name="rights.erase_there", queue="rights", lock="rights.erase_there")
def erase_there(run: str, entity: str) -> None:
    """Erase somebody in every system that has not done it yet."""
    known = _run(run, entity)
    if known.begun_at and not known.done_at:
        carry_out(known)


@app.periodic(cron="*/2 * * * *")
@app.task(name="rights.sweep_systems", queue="rights", queueing_lock="rights.sweep_systems")
def sweep(timestamp: int) -> None:
    """Go on with every run that has begun, as far as a system is due; forget what a worker kept that died."""
    del timestamp
    now, kept = timezone.now(), kept_runs()
    for entity in Entity.objects.all():
        with behind_wall(staff=None, entities=[entity.ref]):
            left = Leg.objects.filter(run=OuterRef("pk"), system__ended_at=None).exclude(state=State.DONE)
            due = Exists(left.filter(Q(due_at=None) | Q(due_at__lte=now))) | ~Exists(left)
            over = list(Run.objects.filter(pk__in=kept, done_at__isnull=False).values_list("pk", flat=True))
            found = list(Run.objects.filter(due, entity=entity, begun_at__isnull=False, done_at=None))
        for ref in over:
            forget(ref)
        for run in found:
            defer_run(run)


def _run(run: str, entity: str) -> Run:
    with behind_wall(staff=None, entities=[UUID(entity)]):
        return Run.objects.select_related("entity", "asked_by").get(pk=run)
