"""What the rooms below must know of exports when the application starts."""

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
    """Let large exports take a second person, custom fields be columns, and names of formats stand in the ledger."""
    from comity.book.exports.columns import register
    from comity.book.exports.custom import columns_of
    from comity.book.exports.models import Format
    from comity.book.exports.queries import KIND

    register("fields", columns_of)
    declare_words(*Format.values)
    add_kind(KIND, Kind(says=_("Take many people out of the book"), ask="person.export", shows=_in_words))


def _in_words(approval: Approval) -> Iterable[tuple[_StrPromise, object]]:
    from comity.book.exports.views import in_words

    return in_words(approval)
