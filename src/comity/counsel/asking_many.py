"""Ask the law about several persons at a time: kinds of people are decided, not each of them.

The database makes a number of each person's facts (`bulk_codes`); whoever has the same number and home is the same to
the law. Unlike `bulk`, which decides about any number inside the database, this gives the answers back, one for each.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from random import randrange
from typing import Any, Final
from uuid import UUID

from django.db import connection

from comity.counsel.asking import Answer, ask, folded, told_by
from comity.counsel.bulk_codes import Coding, NotInSql, coding_of, parameters
from comity.counsel.facts import PERSON, Contradiction
from comity.counsel.models import Ruling
from comity.counsel.questions import Question
from comity.counsel.rulings import ruling_for, rulings_on
from comity.law import Decision, finding_for
from comity.refs import as_array
from comity.staff.once import rows_of

SELDOM: Final = 10
"""Of how many such askings, in the mean, one compares an answer with that to the person asked about singly."""

Kind = tuple[Any, ...]
"""Homes and numbers: whoever has the same, the law cannot tell apart."""

_tables: list[str] = []


def people_are_in(table: str) -> None:
    """Let the room that keeps persons say in which table they are. Called once, when the application starts."""
    _tables[:] = [table]


def ask_many(*, question: Question, persons: Sequence[UUID], day: date) -> dict[UUID, Answer]:
    """Ask about these persons: the same answers as `ask` gives, but that their decisions do not hold the facts.

    Now and then one is asked about singly, too. Raises Contradiction where that answer is another, and what `ask`
    raises.
    """
    try:
        coding, statement = _coding(told_by(question), json.dumps(question.as_json()), day)
    except NotInSql:
        return ask(question=question, persons=persons, day=day)
    rulings = rulings_on(question, day)
    kinds = _kinds(statement, persons)
    known = {kind: _answer(coding, kind, rulings) for kind in set(kinds) if kind is not None}
    answers = {person: known[kind] for person, kind in zip(persons, kinds, strict=True) if kind is not None}
    named = {ruling.person for ruling in rulings if ruling.person}
    singly = [person for person, kind in zip(persons, kinds, strict=True) if kind is None]
    singly += [person for person in named if person in answers]
    checked = next((person for person in answers if person not in named), None) if not randrange(SELDOM) else None
    alone = [*singly, *([checked] if checked else [])]
    asked = ask(question=question, persons=alone, day=day) if alone else {}
    if checked:
        _check_same(answers[checked], asked[checked], checked)
    found = answers | asked
    return {person: found[person] for person in persons} if singly else found


@lru_cache(maxsize=512)
def _coding(told: str, question: str, day: date) -> tuple[Coding, str]:
    """Return how people are numbered for a question, our entity as it is told there, and the law of that day.

    And the statement that numbers some of them, as `rows_of` takes it.
    """
    coding = coding_of(folded(told, day), Question.from_json(json.loads(question)), day)
    words = "".join(f", {sql}" for sql in coding.sql())
    joins = connection.ops.compose_sql(" ".join(coding.joins), parameters(coding.question))  # type: ignore[attr-defined]  # PostgreSQL's
    read = f"SELECT place, {coding.home}{words}".replace("%", "%%")
    people = f"JOIN {_tables[0]} AS {PERSON} ON {PERSON}.ref = wanted.ref {joins}".replace("%", "%%")
    return coding, f"{read} FROM unnest(%s::uuid[]) WITH ORDINALITY AS wanted (ref, place) {people}"


def _kinds(statement: str, persons: Sequence[UUID]) -> list[Kind | None]:
    """Return the kind of each person; None for one whom the database does not know."""
    found: list[Kind | None] = [None] * len(persons)
    for row in rows_of(statement, [as_array(persons)], binary=True):
        found[row[0] - 1] = row[1:]
    return found


def _answer(coding: Coding, kind: Kind, rulings: Sequence[Ruling]) -> Answer:
    home, *numbers = kind
    homes = frozenset(home.split("|")) if home else None
    decision = Decision(coding.plan, finding_for(coding.plan, homes, coding.signature(numbers)), {}, homes)
    return Answer(decision=decision, ruling=ruling_for(decision, None, rulings))


def _check_same(found: Answer, singly: Answer, person: UUID) -> None:
    if (found.decision.finding, found.ruling) != (singly.decision.finding, singly.ruling):
        raise Contradiction(f"the database decides otherwise about person {person} than the law does")
