"""The messages of sequences: composed for each person at the moment of their hand-over, as those of campaigns are."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from uuid import UUID

from comity.outreach.campaigns.writing import Wordings, Writer
from comity.outreach.composing.content import Content, prepare
from comity.outreach.sequences.models import Step

if TYPE_CHECKING:
    from comity.post.models import Dispatch


class StepWriter(Writer):
    """Composes the messages of one step."""

    def wordings(self, dispatch: Dispatch) -> Wordings:
        """Return what the step says."""
        return wordings_of(dispatch.about)


@lru_cache(maxsize=32)
def wordings_of(step: UUID) -> Wordings:
    """Return what a step says, read once: since its version began, it does not change."""
    return Wordings(each=[prepare(Content.from_json(Step.objects.get(ref=step).content))])
