"""What the rooms below must know of sequences when the application starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from comity.staff.approvals import Kind, add_kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.utils.functional import _StrPromise

    from comity.staff.models import Approval


def begin() -> None:
    """Let their messages be composed, their versions take a second person, and people in them move with a merge.

    Where a database was put back, none goes on by itself.
    """
    from comity.book.merging.actions import register as register_mover
    from comity.ledger.journal.replaying import register_put_back
    from comity.outreach.sequences.actions import APPROVED, pause_after_put_back
    from comity.outreach.sequences.merging import Mover
    from comity.outreach.sequences.walking import KIND, WORD
    from comity.outreach.sequences.writing import StepWriter
    from comity.post.letters import register_composer

    register_composer(KIND, StepWriter())
    register_mover("sequences", Mover())
    register_put_back("sequences", pause_after_put_back)
    add_kind(APPROVED, Kind(says=_("Begin a sequence"), ask=WORD, shows=_in_words))


def _in_words(approval: Approval) -> Iterable[tuple[_StrPromise, object]]:
    from comity.outreach.sequences.queries import in_words

    return in_words(approval)
