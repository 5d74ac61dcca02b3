"""Ask the law about some persons: the one place of the application where it is asked.

The law is folded once for a question, entity and day; then each person costs a look-up. What the law leaves to a human
becomes a yes only by a ruling that stands (`rulings`), and then the answer says which.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Final
from uuid import UUID

from comity.counsel.facts import gather
from comity.counsel.models import Ruling
from comity.counsel.rulings import ruling_for, rulings_on
from comity.law import Decision, Lawbook, Plan, Verdict, decide, fold, lawbook
from comity.law.vocabulary import aged
from comity.refs import new_ref
from comity.staff.models import Entity
from comity.staff.once import Once

if TYPE_CHECKING:
    from comity.counsel.questions import Question


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the law says about one person, and the ruling that settled what it left open, if one did."""

    decision: Decision
    ruling: Ruling | None = None

    @cached_property
    def verdict(self) -> Verdict:
        """permit, deny or ask. A ruling settles an ask, and nothing else."""
        return Verdict.PERMIT if self.ruling and self.decision.verdict is Verdict.ASK else self.decision.verdict


def ask(*, question: Question, persons: Sequence[UUID], day: date) -> dict[UUID, Answer]:
    """Ask about each of these persons as of `day`. Raises FactError for a question the vocabulary cannot read."""
    plan = plan_for(question, day)
    rulings = rulings_on(question, day)
    answers = {}
    for person, facts in gather(question, persons, day).items():
        decision = decide(plan, aged(facts, day))
        answers[person] = Answer(decision=decision, ruling=ruling_for(decision, person, rulings))
    return answers


@cache
def book() -> Lawbook:
    """Return the law, read once a process: that takes a second.

    It stays as long as the process, so the collector need not walk its objects again and again: that took more time
    than all else of a decision about a thousand people.
    """
    read = lawbook()
    gc.freeze()
    return read


def suppose(*, question: Question, told: Mapping[str, object], day: date) -> Decision:
    """Ask about somebody who is only described: what is not told is unknown, and nothing is recorded.

    `told` are facts about the person as TOML would write them. Raises FactError.
    """
    facts = aged(book().vocabulary.read(told), day)
    return decide(plan_for(question, day), facts)


def ask_again(*, told: Mapping[str, object], absent: Mapping[str, object], day: date) -> Decision:
    """Ask again what was asked, from the facts that a decision kept and what their absence meant. Raises FactError.

    The law is that of our packs today, as it stood on `day`.
    """
    vocabulary = book().vocabulary
    facts = {name: vocabulary.value(vocabulary.fact(name), _unshown(raw)) for name, raw in told.items()}
    taken = {name: vocabulary.value(vocabulary.fact(name), raw) for name, raw in absent.items()}
    return decide(fold(book(), facts, day, absent=taken), facts)


def _unshown(raw: object) -> object:
    """Return numbers by place as the vocabulary reads them: a decision shows them as pairs."""
    return dict(raw) if isinstance(raw, list) and raw and isinstance(raw[0], list) else raw


def plan_for(question: Question, day: date) -> Plan:
    """Return the law folded for this question, entity and day.

    A fact that is not there means what the vocabulary says; so a room that knows of every opt-out says false itself.
    """
    return folded(told_by(question), day)


ENTITY: Final = Once(lambda ref: Entity.objects.filter(ref=ref).values_list("place", "facts"), new_ref())


def told_by(question: Question) -> str:
    """Return what the law is folded for: the use, and our entity as it is now. Whatever is remembered goes by it."""
    ((place, facts),) = ENTITY(question.entity)
    return json.dumps({"org.place": [place], **facts, **question.facts()}, sort_keys=True)


@lru_cache(maxsize=512)
def folded(told: str, day: date) -> Plan:
    """Return the law folded for facts of the use and of us."""
    facts: Mapping[str, object] = json.loads(told)
    return fold(book(), book().vocabulary.read(facts), day)
