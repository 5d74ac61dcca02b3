"""What is done for campaigns without anybody waiting: deciding about the people of a long list, and beginning."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from procrastinate.contrib.django import app

from comity.outreach.campaigns.dispatching import begin_asked
from comity.staff.walls import behind_wall

if TYPE_CHECKING:
    from comity.outreach.campaigns.models import Campaign


def defer_beginning(*, campaign: Campaign) -> None:
    """Let a worker begin a campaign that somebody wishes to send, once this is committed."""
    begin.defer(campaign=str(campaign.ref), staff=str(campaign.asked_by_id), entity=str(campaign.entity_id))


@app.task(name="outreach.begin", queue="outreach")
def begin(campaign: str, staff: str, entity: str) -> None:
    """Decide about everybody on its list, and begin to send."""
    from comity.outreach.campaigns.models import Campaign

    with behind_wall(staff=UUID(staff), entities=[UUID(entity)]):
        begin_asked(campaign=Campaign.objects.select_related("asked_by", "entity").get(pk=campaign))
