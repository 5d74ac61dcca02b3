"""What is done for forms without anybody waiting: what nobody confirmed in time is erased, key and all."""

from __future__ import annotations

from collections import Counter
from typing import Final
from uuid import UUID

from django.utils import timezone
from procrastinate.contrib.django import app

from comity.ledger.actions import record
from comity.outreach.forms.confirming import erase
from comity.outreach.forms.models import Submission
from comity.outreach.forms.queries import walls_of_forms
from comity.staff.walls import behind_wall

AT_ONCE: Final = 200


@app.periodic(cron="23 * * * *")
@app.task(name="outreach.erase_lapsed", queue="outreach")
def erase_lapsed(timestamp: int) -> None:
    """Erase what lapsed; done twice, it finds nothing left to do."""
    del timestamp
    while erase_some() == AT_ONCE:
        pass


def erase_some(many: int = AT_ONCE) -> int:
    """Erase so many submissions that nobody confirmed in time, in one transaction; return how many there were.

    A message that is being handed over holds its row, and is left for the next time.
    """
    with behind_wall(staff=None, entities=walls_of_forms()):
        rows = Submission.objects.lapsed(timezone.now()).select_for_update(skip_locked=True, of=("self",))
        lapsed = list(rows.select_related("version").order_by("ends_at")[:many])
        for one in lapsed:
            erase(one)
        for form, count in Counter(one.version.form_id for one in lapsed).items():
            record(kind="outreach.form-lapsed", body={"form": UUID(str(form)), "submissions": count})
        return len(lapsed)
