"""Which ruling, if any, settles what the law left open."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from comity.counsel.models import Ruling
from comity.law import Decision, Verdict

if TYPE_CHECKING:
    from comity.counsel.questions import Question


def rulings_on(question: Question, day: date) -> list[Ruling]:
    """Return the rulings on exactly this question that stand on `day`, the latest first."""
    standing = Ruling.objects.filter(begins_on__lte=day, ends_on__gt=day, taken_back_at=None)
    return list(
        standing.filter(
            entity_id=question.entity, operation=question.operation, purpose=question.purpose,
            channel=question.channel, recipient=question.recipient, more=dict(question.more),
        )
    )  # fmt: skip


def ruling_for(decision: Decision, person: UUID | None, rulings: Iterable[Ruling]) -> Ruling | None:
    """Return the ruling that settles this decision: it covers the person (None: anybody), and each rule that asks."""
    if decision.verdict is not Verdict.ASK:
        return None
    return next((ruling for ruling in rulings if _covers(ruling, decision, person)), None)


def _covers(ruling: Ruling, decision: Decision, person: UUID | None) -> bool:
    if not set(decision.because) <= set(ruling.settles):
        return False
    if ruling.person is not None:
        return ruling.person == person
    return bool(decision.homes) and set(decision.homes or ()) <= set(ruling.places)
