"""What is done for people's own pages without anybody waiting: typed addresses go, and what was to stop is stopped."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone
from procrastinate.contrib.django import app

from comity.ledger.actions import record
from comity.rights.portal.models import Code, Stop, Visit
from comity.rights.portal.stopping import do_stop
from comity.staff.models import Entity
from comity.staff.walls import behind_wall
from comity.vault.actions import destroy_person_key

COUNTED: Final = timedelta(hours=24)
"""How long rows of codes and visits stay, to count by: the address itself goes as soon as the code is over."""
AT_ONCE: Final = 200


@app.periodic(cron="*/5 * * * *")
@app.task(name="rights.forget_codes", queue="rights")
def forget_codes(timestamp: int) -> None:
    """Erase the addresses of codes that are over, and rows that nobody counts any more."""
    del timestamp
    while erase_some() == AT_ONCE:
        pass
    forget_rows()


def erase_some(many: int = AT_ONCE) -> int:
    """Erase so many rows of codes that are over, keys first; return how many there were."""
    now = timezone.now()
    with behind_wall(staff=None, entities=_everywhere()):
        rows = Code.objects.filter(ends_at__lte=now).select_for_update(skip_locked=True, of=("self",))
        over = list(rows.filter(used_at=None).order_by("ends_at")[:many])
        for code in over:
            destroy_person_key(person=code.ref, staff=None)
        Code.objects.filter(ref__in=[code.ref for code in over]).update(used_at=now)
        if over:
            record(kind="rights.codes-lapsed", body={"codes": len(over)})
        return len(over)


def forget_rows() -> None:
    """Delete what was kept to count by, once it is a day old."""
    before = timezone.now() - COUNTED
    with behind_wall(staff=None, entities=_everywhere()):
        Code.objects.filter(asked_at__lt=before, used_at__isnull=False).delete()
        Visit.objects.filter(ends_at__lt=before).delete()
        Stop.objects.filter(said_at__lt=before, done_at__isnull=False).delete()


@app.task(name="rights.stop", queue="rights")
def stop(ref: str, entity: str) -> None:
    """Stop what somebody without a code typed, for whoever has that address."""
    with behind_wall(staff=None, entities=[UUID(entity)]):
        do_stop(ref=UUID(ref))


@app.periodic(cron="* * * * *")
@app.task(name="rights.stop_the_rest", queue="rights")
def stop_the_rest(timestamp: int) -> None:
    """Take up what no worker finished."""
    del timestamp
    with behind_wall(staff=None, entities=_everywhere()):
        for ref in Stop.objects.filter(done_at=None).order_by("said_at").values_list("ref", flat=True)[:AT_ONCE]:
            do_stop(ref=ref)


def _everywhere() -> list[UUID]:
    return list(Entity.objects.values_list("ref", flat=True))
