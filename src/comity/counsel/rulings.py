"""Which ruling, if any, settles what the law left open."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Final
from uuid import UUID

from comity.counsel.models import Ruling
from comity.law import Decision, Verdict
from comity.refs import new_ref
from comity.staff.once import Once

if TYPE_CHECKING:
    from comity.counsel.questions import Question


STANDING: Final = Once(
    lambda day, entity, operation, purpose, channel, recipient: Ruling.objects.filter(
        begins_on__lte=day, ends_on__gt=day, taken_back_at=None, entity_id=entity, operation=operation,
        purpose=purpose, channel=channel, recipient=recipient,
    ),
    date.max, new_ref(), "operation", "purpose", "channel", "recipient",
)  # fmt: skip


def rulings_on(question: Question, day: date) -> list[Ruling]:
    """Return the rulings on exactly this question that stand on `day`, the latest first."""
    asked = question.entity, question.operation, question.purpose, question.channel, question.recipient
    return [ruling for ruling in STANDING(day, *asked) if ruling.more == dict(question.more)]


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
