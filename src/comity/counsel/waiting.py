"""What waits for a human: noticed whenever a recorded decision says "ask", and here once however often it does.

A list of fifty people must not wait for this. Whatever is known already is only read; a row is written for what is new,
and once a day to say that it was asked again, so that people who look at the same list do not wait for each other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db import connection

from comity.law import Verdict
from comity.refs import new_ref
from comity.staff.once import rows_of

if TYPE_CHECKING:
    from comity.counsel.asking import Answer
    from comity.counsel.questions import Question
    from comity.law import Decision

MOST_PLACES: Final = 12
"""Candidate homes of one person; with more of them nobody knows where that person lives."""

QUESTIONS: Final = """
    WITH asked AS (
        SELECT * FROM jsonb_to_recordset(%(asked)s::jsonb) AS asked (
            ref uuid, digest text, because text[], places varchar(8)[], missing text[])
    ), again AS (
        UPDATE counsel_openquestion AS known SET
            last_asked_on = greatest(known.last_asked_on, %(day)s), ruling_id = NULL,
            missing = ARRAY(SELECT DISTINCT unnest(known.missing || asked.missing) ORDER BY 1)
        FROM asked WHERE known.digest = asked.digest
            AND (known.last_asked_on < %(day)s OR known.ruling_id IS NOT NULL OR NOT known.missing @> asked.missing)
    ), made AS (
        INSERT INTO counsel_openquestion
            (ref, digest, entity_id, question, because, places, missing, last_asked_on, closing_words)
        SELECT ref, digest, %(entity)s, %(question)s::jsonb, because, places, missing, %(day)s, '' FROM asked
        ON CONFLICT (digest) DO NOTHING RETURNING ref, digest
    ), there AS (
        SELECT ref, digest FROM made
        UNION ALL SELECT ref, digest FROM counsel_openquestion WHERE digest IN (SELECT digest FROM asked)
    )
"""
NOTICE: Final = (
    QUESTIONS
    + """
    INSERT INTO counsel_concerned (question_id, person)
    SELECT there.ref, about.person
    FROM unnest(%(digests)s::text[], %(persons)s::uuid[]) AS about (digest, person) JOIN there USING (digest)
    ON CONFLICT DO NOTHING
"""
)
"""One statement for all the people of a decision. What `DO NOTHING` leaves alone it does not lock."""


@dataclass(frozen=True)
class Asked:
    """An answer that asks a human, without the person: for which reasons, about people of which places."""

    because: tuple[str, ...]
    places: tuple[str, ...]
    missing: tuple[str, ...]

    @classmethod
    def by(cls, decision: Decision) -> Asked:
        """Return what a decision asks, about people of its homes if they are few enough to be known."""
        homes = decision.homes or frozenset()
        places = tuple(sorted(homes)) if len(homes) <= MOST_PLACES else ()
        return cls(decision.because, places, decision.missing)

    def digest(self, question: Mapping[str, object]) -> str:
        """Return what tells it from other questions: the question, the reasons and the places."""
        told = json.dumps([question, self.because, self.places], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(told.encode()).hexdigest()


def notice(*, question: Question, answers: Mapping[UUID, Answer], day: date) -> int:
    """Put what these answers leave to a human among what waits; return how many distinct questions that were.

    A question that a ruling had settled is open again: had the ruling covered the answer, it would not ask.
    """
    about = [(asked, person) for person, asked in _asking(answers)]
    if not about:
        return 0
    distinct = list(dict.fromkeys(asked for asked, _ in about))
    parameters, digests = _parameters(question, distinct, day)
    number = {asked: place for place, asked in enumerate(distinct)}
    parameters |= {
        "digests": [digests[number[asked]] for asked, _ in about], "persons": [person for _, person in about]
    }  # fmt: skip
    rows_of(NOTICE, parameters)
    return len(set(digests))


def notice_questions(*, question: Question, asked: Sequence[Asked], day: date) -> list[UUID | None]:
    """Put these among what waits; return their refs in the same order, None for one that somebody else is just writing.

    Whom they concern is for the caller to write.
    """
    parameters, digests = _parameters(question, asked, day)
    with connection.cursor() as cursor:
        cursor.execute(QUESTIONS + "SELECT digest, ref FROM there", parameters)
        refs = dict(cursor.fetchall())
    return [refs.get(digest) for digest in digests]


def _parameters(question: Question, asked: Sequence[Asked], day: date) -> tuple[dict[str, Any], list[str]]:
    told = question.as_json()
    digests = [one.digest(told) for one in asked]
    rows = dict(zip(digests, asked, strict=True))
    parameters: dict[str, Any] = {
        "asked": json.dumps([_row(digest, one) for digest, one in sorted(rows.items())]), "day": day,
        "entity": question.entity, "question": json.dumps(told),
    }  # fmt: skip
    return parameters, digests


def _asking(answers: Mapping[UUID, Answer]) -> Iterator[tuple[UUID, Asked]]:
    for person, answer in answers.items():
        if answer.verdict is Verdict.ASK:
            yield person, Asked.by(answer.decision)


def _row(digest: str, asked: Asked) -> dict[str, object]:
    return {
        "ref": str(new_ref()), "digest": digest, "because": asked.because, "places": asked.places,
        "missing": asked.missing,
    }  # fmt: skip
