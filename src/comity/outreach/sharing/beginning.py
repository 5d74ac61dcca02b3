"""What the rooms below must know of sharing when the application starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from comity.ledger.bodies import declare_words
from comity.staff.approvals import Kind, add_kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.utils.functional import _StrPromise

    from comity.staff.models import Approval


def begin() -> None:
    """Let exports know which of them are sharings; each takes a second person."""
    from comity.book.exports.actions import register_room
    from comity.outreach.sharing.actions import APPROVED
    from comity.outreach.sharing.letting import room_of
    from comity.outreach.sharing.models import Operation, Role

    register_room(room_of)
    declare_words(*Role.values, *Operation.values)
    add_kind(APPROVED, Kind(says=_("Give a list to others"), ask="sharing.make", shows=_in_words))


def _in_words(approval: Approval) -> Iterable[tuple[_StrPromise, object]]:
    from comity.outreach.sharing.views import in_words

    return in_words(approval)
