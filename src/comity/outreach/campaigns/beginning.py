"""What the rooms below must know of campaigns when the application starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from comity.staff.approvals import Kind, add_kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.utils.functional import _StrPromise

    from comity.staff.models import Approval


def begin() -> None:
    """Let campaigns be composed, and those to many take a second person."""
    from comity.outreach.campaigns.actions import APPROVED
    from comity.outreach.campaigns.writing import KIND, Writer, letterhead
    from comity.post.letterheads import register_letterheads
    from comity.post.letters import register_composer

    register_composer(KIND, Writer())
    register_letterheads(letterhead)
    add_kind(APPROVED, Kind(says=_("Write to many people"), ask="campaign.send", shows=_in_words))


def _in_words(approval: Approval) -> Iterable[tuple[_StrPromise, object]]:
    from comity.outreach.campaigns.views import in_words

    return in_words(approval)
