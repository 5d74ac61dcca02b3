"""What is done for notices without anybody waiting: ending yeses to earlier versions."""

from __future__ import annotations

from uuid import UUID

from procrastinate.contrib.django import app

from comity.consent.notices.models import NoticeVersion
from comity.consent.notices.renewal import end_some
from comity.staff.walls import behind_wall


@app.task(name="consent.end_earlier", queue="consent")
def end_earlier(version: str, entity: str) -> None:
    """End all yeses to earlier versions, some in each transaction; done twice, it finds nothing left to do."""
    going = True
    while going:
        with behind_wall(staff=None, entities=[UUID(entity)]):
            known = NoticeVersion.objects.select_related("notice").get(pk=version)
            going = end_some(version=known) > 0
