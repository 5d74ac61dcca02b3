"""Leave to change what we keep about somebody: a role's, then the law's.

To change what is kept is to keep it, as the law says it: the question is of the operation "store", for the purpose that
the viewer chose. What a role does not have is left out of what the decision permits, so that the gate of the vault,
which the actions ask, lets nothing be sealed that either of the two refuses.

Plain facts are what the law must know to decide. So while it asks, they may be filled in: that is what settles it, and
what is kept about somebody must be accurate (GDPR Art. 5(1)(d) and 16). What it denies stays denied.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.utils import timezone

from comity.book.opening import GIVEN_BY_PURPOSE, Look
from comity.counsel.actions import Decided, decide
from comity.counsel.asking import Answer, ask
from comity.counsel.questions import Question
from comity.law import Verdict
from comity.staff.guards import may_handle
from comity.vault.gate import let_through
from comity.vault.sealing import FieldClass

if TYPE_CHECKING:
    from collections.abc import Collection

    from comity.staff.models import Entity, Staff
    from comity.vault.sealing import Label

OPERATION: Final = "store"


class NotPermitted(Exception):
    """Law or role do not let this be changed. Carries the answer."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(f"this may not be changed: the answer is {answer.verdict.value}, or no role of theirs has it")


@dataclass(frozen=True, kw_only=True)
class Leave:
    """What was answered when somebody asked to change what we keep about a person: on record."""

    look: Look
    person: UUID
    decided: Decided
    of_role: bool

    @property
    def answer(self) -> Answer:
        """What the law says."""
        return self.decided.answers[self.person]

    @property
    def staff(self) -> Staff:
        """Who asked."""
        return self.look.viewer

    @property
    def entity(self) -> Entity:
        """For which entity of ours."""
        return self.look.entity

    def covers(self, *, facts: bool) -> bool:
        """Say whether it is leave: for plain facts, or for what is sealed."""
        return self.of_role and permits(self.answer, facts=facts)

    def demand_facts(self) -> None:
        """Raise NotPermitted unless plain facts may be changed."""
        if not self.covers(facts=True):
            raise NotPermitted(self.answer)

    def demand_all(self) -> None:
        """Raise NotPermitted unless everything may be changed, plain facts and what is no fact."""
        if not self.covers(facts=False):
            raise NotPermitted(self.answer)

    def demand(self, labels: Collection[Label]) -> None:
        """Ask the gate of the vault whether these may be sealed anew. Raises its Refused."""
        let_through(self.decided.warrant, labels, permitted_only=False)


def permits(answer: Answer, *, facts: bool) -> bool:
    """Say whether the law lets something be changed: plain facts unless it denies, all else only if it permits."""
    return answer.verdict is Verdict.PERMIT or (facts and answer.verdict is Verdict.ASK)


def may_edit(look: Look, field_class: FieldClass = FieldClass.NAME) -> bool:
    """Say whether a role of the viewer's lets them edit such fields for this purpose."""
    return may_handle(
        look.viewer, operation="edit", purpose=look.purpose, field_class=field_class, entity=look.entity
    )  # fmt: skip


def question(look: Look) -> Question:
    """Return the question to the law that every change is."""
    more = GIVEN_BY_PURPOSE.get(look.purpose, {})
    return Question(operation=OPERATION, purpose=look.purpose, entity=look.entity.ref, more=more)


def would_answer(look: Look, person: UUID) -> Answer:
    """Return what the law would say; nothing is recorded, for nothing is done yet."""
    return ask(question=question(look), persons=[person], day=timezone.localdate())[person]


def ask_leave(look: Look, person: UUID, field_class: FieldClass = FieldClass.NAME) -> Leave:
    """Ask, and put the answer on record."""
    of_role = may_edit(look, field_class)
    decided = decide(
        question=question(look), persons=[person], staff=look.viewer, field_classes=[field_class],
        handled=[person] if of_role else [],
    )  # fmt: skip
    return Leave(look=look, person=person, decided=decided, of_role=of_role)
