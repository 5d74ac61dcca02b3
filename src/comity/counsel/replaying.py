"""Asking again what was decided, from the facts as they were, for the day it was about: the same must come out.

Of a decision about one person the facts lie sealed under that person's key. Who looks at them uses the person's data,
so the law is asked first, for the purpose legal-duty, and that look is on record as any other. Of a decision about
many, or about the one hit of a search, they are told again from the history of plain facts (`past`); nothing is opened,
and nobody sees them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from comity.counsel.actions import Decided, decide, told_of
from comity.counsel.asking import Answer, ask_again, book, plan_for
from comity.counsel.past import gather_past
from comity.counsel.questions import Question
from comity.law import Decision, FactError
from comity.law import decide as law_decides
from comity.law.vocabulary import aged
from comity.staff.guards import may_handle
from comity.vault.actions import open_fields
from comity.vault.sealing import FieldClass, Label

if TYPE_CHECKING:
    from comity.counsel.models import AskedDecision
    from comity.staff.models import Staff

PURPOSE: Final = "legal-duty"
COMPARED: Final = ("verdict", "because", "missing", "obligations", "cures", "laws")
"""What must come out again. The words of the law may have been written better since; they are not compared."""


@dataclass(frozen=True, kw_only=True)
class Replay:
    """What asking again brought; or, in words, why it could not be asked again."""

    refused: str = ""
    answer: Answer | None = None  # why the facts stay sealed, where the law says so
    decision: Decision | None = None  # what comes out now
    facts: Mapping[str, Any] | None = None
    differs: tuple[str, ...] = ()
    other_packs: tuple[str, ...] = ()  # whose text is another than it was then

    @property
    def same(self) -> bool:
        """Whether the same came out."""
        return self.decision is not None and not self.differs


@transaction.atomic
def replay(*, asked: AskedDecision, person: UUID, viewer: Staff) -> Replay:
    """Open the facts of a decision about one person, as far as law and role permit, and ask again."""
    if not _role_permits(viewer, asked, person):
        return Replay(refused=_("No role of yours may look at such facts for a legal duty; the privacy officer's may."))
    decided = _decide(viewer, asked, person)
    if person not in decided.permitted:
        return Replay(refused=_("The law does not permit opening these facts now."), answer=decided.answers[person])
    label = Label(person, FieldClass.NOTE, "decision", asked.ref)
    opened = open_fields(warrant=decided.warrant, labels=[label], permitted_only=True)
    if label not in opened:
        return Replay(refused=_("The facts are gone: they were erased with the person's key, or never kept."))
    return _asked_again(json.loads(str(opened[label]["decision"])))


def _role_permits(viewer: Staff, asked: AskedDecision, person: UUID) -> bool:
    return may_handle(
        viewer, operation="view", purpose=PURPOSE, field_class=str(FieldClass.NOTE),
        entity=UUID(asked.question["entity"]), person=person,
    )  # fmt: skip


def _decide(viewer: Staff, asked: AskedDecision, person: UUID) -> Decided:
    entity = UUID(asked.question["entity"])
    look = Question(operation="view", purpose=PURPOSE, entity=entity, more={"use.legal_duty": True})
    return decide(question=look, persons=[person], staff=viewer, field_classes=[FieldClass.NOTE])


def _asked_again(told: Mapping[str, Any]) -> Replay:
    absent = {each["fact"]: each["taken_as"] for each in told["absent"]}
    try:
        decision = ask_again(told=told["facts"], absent=absent, day=date.fromisoformat(told["day"]))
    except FactError as error:
        return Replay(refused=_("It cannot be asked again with the vocabulary of today: %(why)s") % {"why": error})
    now = decision.as_json()
    hashes = {pack.id: pack.sha256 for pack in book().packs}
    return Replay(
        decision=decision, facts=told["facts"], differs=tuple(key for key in COMPARED if told[key] != now[key]),
        other_packs=tuple(pack["pack"] for pack in told["packs"] if hashes.get(pack["pack"]) != pack["sha256"]),
    )  # fmt: skip


# ---------------------------------------------------------------- about many


@dataclass(frozen=True, kw_only=True)
class ReplayOfMany:
    """What asking about many again brought: of how many the same came out, and of whom something else."""

    same: int
    differing: tuple[UUID, ...]
    other_packs: tuple[str, ...]  # whose text is another than it was then


SETTLED_SINCE: Final = frozenset({"verdict", "ruling"})
"""What a ruling made of the law's answer: rulings come and go; it is the law's own answer that must come out again."""


def replay_many(*, asked: AskedDecision, persons: Sequence[UUID], day: date) -> ReplayOfMany:
    """Ask again about all of these persons, in the order of the decision, from what was on record when it was made.

    BLIND SPOT: what the law asks about our entity has no history: it is asked as it is today.
    """
    question = Question.from_json(asked.question)
    plan = plan_for(question, day)
    then = [_of_the_law(finding) for finding in asked.findings]
    facts = gather_past(question, persons, day, asked.recorded_at)
    now = {person: told_of(Answer(decision=law_decides(plan, aged(facts[person], day)))) for person in persons}
    differing = tuple(
        person for person, number in zip(persons, asked.of, strict=True) if _of_the_law(now[person]) != then[number]
    )
    hashes = {pack.id: pack.sha256 for pack in book().packs}
    changed = tuple(pack["pack"] for pack in asked.packs if hashes.get(pack["pack"]) != pack["sha256"])
    return ReplayOfMany(same=len(persons) - len(differing), differing=differing, other_packs=changed)


def _of_the_law(told: Mapping[str, Any]) -> str:
    return json.dumps({name: value for name, value in told.items() if name not in SETTLED_SINCE}, sort_keys=True)
