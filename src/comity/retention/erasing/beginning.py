"""What this part tells other rooms when the application starts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from comity.ledger.bodies import declare_words
from comity.ledger.journal.replaying import register_kind
from comity.post.inbound.originals import forget_original
from comity.retention.erasing.actions import KIND
from comity.retention.erasing.files import register
from comity.retention.erasing.models import Erasure, Why
from comity.retention.erasing.replaying import bring_erased
from comity.retention.erasing.running import JOURNAL
from comity.staff.approvals import Kind, add_kind

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from comity.staff.models import Approval


def begin() -> None:
    """Say what a second person may approve, which words the ledger may hold, and what a line of the journal means."""
    add_kind(KIND, Kind(says=_("Erase a person"), ask=KIND, shows=_in_words))
    declare_words(*Why.values)
    register_kind(JOURNAL, bring_erased)
    register("post.Arrival", column="ref", forget=forget_original)


def _in_words(approval: Approval) -> Iterator[tuple[_StrPromise, object]]:
    """Say what goes and what stays, for whoever is to approve it."""
    erasure = Erasure.objects.filter(ref=approval.request["erasure"]).first()
    if erasure is None:
        yield _("Plan"), _("It was made anew since; ask for what it says now.")
        return
    yield _("Why"), erasure.get_why_display()
    yield _("Rows that go"), sum(each["rows"] for each in erasure.plan["tables"] if each["becomes"] == "delete")
    for each in erasure.plan["kept"]:
        yield _("Kept by law"), f"{each['cite']}: {each['rows']} × {each['table']}, {each['until']}"
