"""What is on file about one reader, looked up before their message goes: the register's day, and the proof of a yes.

INVARIANT: what is not on file, or too old, is not seen to; then nothing is sent to them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from comity.consent.models import Consent, Said
from comity.consent.suppression.facts import facts_of

if TYPE_CHECKING:
    from comity.counsel.questions import Question
    from comity.law.obligations import Merged
    from comity.law.vocabulary import Facts

REGISTER, PROOF = "register-check", "hand-over-consent-proof"
LOOKED_UP: Final = frozenset({REGISTER, PROOF})
AGE_UNSAID: Final = 5
"""Days that a register's version may be old where the rule does not say: the fewest that any rule of the packs says."""


@dataclass(frozen=True, kw_only=True)
class OnFile:
    """What is on file about the readers of one round."""

    registers: Mapping[UUID, Facts]
    proven: Collection[UUID]
    day: date

    def seen(self, person: UUID, obligations: Sequence[Merged]) -> list[str]:
        """Return the kinds that are met for somebody by what is on file."""
        return [one.kind for one in obligations if one.kind in LOOKED_UP and self._is_met(person, one)]

    def _is_met(self, person: UUID, wanted: Merged) -> bool:
        if wanted.kind == PROOF:
            return person in self.proven
        told = self.registers.get(person, {})
        looked_on, most = told.get("person.register_checked_on"), wanted.parameters.get("max_age_days", AGE_UNSAID)
        fresh = isinstance(looked_on, date) and isinstance(most, int) and (self.day - looked_on).days <= most
        return fresh and told.get("person.on_register") is False


def on_file(question: Question, persons: Sequence[UUID], obligations: Iterable[Merged]) -> OnFile:
    """Look up what these obligations want of these people, and nothing that none of them wants."""
    kinds, day = {one.kind for one in obligations}, timezone.localdate()
    return OnFile(
        registers=facts_of(question, persons, day) if REGISTER in kinds else {},
        proven=_proven(question, persons) if PROOF in kinds else (), day=day,
    )  # fmt: skip


def _proven(question: Question, persons: Sequence[UUID]) -> set[UUID]:
    """Return those whose yes is on file with the wording that was shown, or where it was given."""
    rows = Consent.objects.counting().filter(
        ~Q(notice="", source=""), person__in=persons, entity=question.entity, purpose=question.purpose,
        channel=question.channel, said=Said.GIVEN,
    )  # fmt: skip
    return set(rows.values_list("person", flat=True))
