"""Consents as facts of the vocabulary, for the purpose and channel of the question: in Python and as SQL, alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Final
from uuid import UUID

from comity.consent.models import Standing
from comity.counsel.facts import Column, Columns

if TYPE_CHECKING:
    from comity.counsel.questions import Question
    from comity.law.vocabulary import Facts


def facts_of(question: Question, persons: Sequence[UUID], _day: date) -> Mapping[UUID, Facts]:
    """Return where these persons stand. Who has no standing row never said anything; our book is complete for that."""
    standing = Standing.objects.filter(
        person__in=persons, entity_id=question.entity, purpose=question.purpose, channel=question.channel
    ).select_related("given")
    return {row.person: facts_from(row) for row in standing}


def facts_from(row: Standing) -> Facts:
    """Return one standing row as facts."""
    facts: dict[str, object] = {
        "consent.withdrawn": row.withdrawn,
        "consent.opted_out": row.opted_out_on is not None,
        "consent.opted_out_on": row.opted_out_on,
        "consent.last_used_on": row.last_used_on,
    }
    if (given := row.given) is not None:
        facts |= {
            "consent.given": True,
            "consent.given_on": given.said_at.date(),
            "consent.express": given.express,
            "consent.separate": given.separate,
            "consent.written": given.written,
            "consent.parental": given.parental,
            "consent.names_caller": given.names_caller,
            "consent.wording_kept": bool(given.notice),
            "consent.source_kept": bool(given.source),
        }
    return {name: value for name, value in facts.items() if value is not None}  # type: ignore[misc]  # typed as listed


# ---------------------------------------------------------------- the same as SQL

STANDING: Final = """
    LEFT JOIN consent_standing AS standing ON standing.person = person.ref AND standing.entity_id = %(entity)s
        AND standing.purpose = %(purpose)s AND standing.channel = %(channel)s
"""
GIVEN: Final = "LEFT JOIN consent_consent AS given ON given.ref = standing.given_id"


def columns_of(_question: Question, _day: date) -> Columns:
    """Return where persons stand, as SQL."""
    stands = {
        "withdrawn": "standing.withdrawn",
        "opted_out": "CASE WHEN standing.ref IS NOT NULL THEN standing.opted_out_on IS NOT NULL END",
        "opted_out_on": "standing.opted_out_on",
        "last_used_on": "standing.last_used_on",
    }
    said = {
        "given": "CASE WHEN given.ref IS NOT NULL THEN true END",
        "given_on": "(given.said_at AT TIME ZONE 'UTC')::date",
        "wording_kept": "given.notice <> ''",
        "source_kept": "given.source <> ''",
    } | {name: f"given.{name}" for name in ("express", "separate", "written", "parental", "names_caller")}
    facts = {name: Column(sql=sql, joins=("standing",)) for name, sql in stands.items()}
    facts |= {name: Column(sql=sql, joins=("standing", "given")) for name, sql in said.items()}
    return Columns(
        facts={f"consent.{name}": column for name, column in facts.items()},
        joins={"standing": STANDING, "given": GIVEN},
    )
