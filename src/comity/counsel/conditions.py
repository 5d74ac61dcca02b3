"""Conditions that staff write, in the words of the law: read once, and asked about people by the facts rooms keep.

They are the conditions of the packs, without the definitions and parameters of a law, and may ask only for what is
known of a person: `relation.customer and days_since(relation.last_purchase_on) > 30`. What they ask is no question to
the law; whoever lets a machine choose people by them asks it that, too (`chooses_people`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Final
from uuid import UUID

from comity.counsel.asking import book
from comity.counsel.facts import gather
from comity.counsel.questions import Question
from comity.law import ConditionError
from comity.law.conditions import FALSE, TRUE, UNKNOWN, Condition, Parameter, names, parse, tests
from comity.law.folding import World
from comity.law.vocabulary import aged

ASKED_OF: Final = ("person", "relation", "consent")
"""Of what such a condition may ask."""
CHOSEN_BY: Final = ("person", "relation")
"""Facts by which somebody is chosen for what they are or did; where they stand with a consent is no such fact."""

__all__ = ["FALSE", "TRUE", "UNKNOWN", "ConditionError", "chooses_people", "facts_in", "read", "truth_for"]


@lru_cache(maxsize=512)
def read(text: str) -> Condition:
    """Read a condition. Raises ConditionError, which says where it is wrong and what to write instead."""
    condition = parse(text, book().vocabulary)
    if any(names(condition)) or any(isinstance(one.operand, Parameter) for one in tests(condition)):
        raise ConditionError("define.x and param.x belong to a law; write the comparison itself")
    for one in tests(condition):
        if one.fact.partition(".")[0] not in ASKED_OF:
            raise ConditionError(f"{one.fact} is no fact about a person; ask for person.x, relation.x or consent.x")
    return condition


def facts_in(text: str) -> list[str]:
    """Return the facts for which a condition asks."""
    return list(dict.fromkeys(one.fact for one in tests(read(text))))


def chooses_people(text: str) -> bool:
    """Say whether a condition chooses people by what they are or did: to do so is a use of its own, to profile."""
    return any(name.partition(".")[0] in CHOSEN_BY for name in facts_in(text))


def truth_for(text: str, *, question: Question, persons: Sequence[UUID], day: date) -> dict[UUID, int]:
    """Return how far a condition holds of each of these persons: TRUE, FALSE, or UNKNOWN for want of a fact.

    `question` says for which entity, purpose and channel: consents and relations are of one.
    """
    condition, law = read(text), book().laws[0]  # no word of a law is in it: which one makes no difference
    gathered = gather(question, persons, day)
    return {person: World(book(), aged(facts, day), day).truth(law, condition) for person, facts in gathered.items()}
