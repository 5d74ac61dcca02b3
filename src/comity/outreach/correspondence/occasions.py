"""Why somebody writes to one person, as the question that the law is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from comity.counsel.questions import Question
from comity.outreach.correspondence.models import Occasion

USES: Final[Mapping[str, tuple[str, Mapping[str, object]]]] = {
    Occasion.ANSWER: ("service", {"relation.asked_for_it": True}),
    Occasion.ORDER: ("service", {"use.contract_needs_it": True}),
    Occasion.CONSENT: ("ask-consent", {}),
    Occasion.MARKETING: ("marketing", {}),
}
"""The purpose of each occasion, and what it says of the use beyond that. Who writes stands for it by choosing it."""


def purpose_of(occasion: str) -> str:
    """Return the purpose for which a mail on this occasion is written."""
    return USES[occasion][0]


def question_of(occasion: str, entity: UUID, channel: str = "email") -> Question:
    """Return what the law is asked about a mail on this occasion."""
    purpose, more = USES[occasion]
    return Question(operation="contact", purpose=purpose, channel=channel, entity=entity, more=more)
