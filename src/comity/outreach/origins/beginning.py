"""What the rooms below must know of origins when the application starts."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from comity.counsel.models import OwedDuty


def begin() -> None:
    """Let lists be narrowed by how people came, keep who was told, and lead from the duty to tell to the notice."""
    from comity.book.lists.filters import register_filter
    from comity.book.merging.actions import register as register_mover
    from comity.counsel.duties_reading import register_way
    from comity.outreach.merging import Mover
    from comity.outreach.origins.actions import keep_told
    from comity.outreach.origins.filters import FILTERS
    from comity.post.letters import register_aftermath

    for one in FILTERS:
        register_filter(one)
    register_aftermath("outreach.origins", keep_told)
    register_mover("outreach", Mover())
    register_way("outreach.origins", way_to_notice)


def way_to_notice(duty: OwedDuty) -> tuple[str, str] | None:
    """Return the way from the duty to tell people of an import where they came from to the notice that does."""
    from comity.book.imports.models import Import
    from comity.outreach.origins.queries import NOT_THEIRS

    facts = duty.event.facts
    if (duty.act, duty.to) != ("inform", "person") or facts.get("relation.source") not in NOT_THEIRS or duty.settled:
        return None
    about: UUID = duty.event.about
    if not Import.objects.filter(ref=about, entity=duty.entity_id).exists():
        return None
    return _("Tell them"), reverse("outreach:notice-new", args=[about])
