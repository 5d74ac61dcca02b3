"""Consents as facts of the vocabulary, for the purpose and channel of the question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from comity.consent.models import Standing

if TYPE_CHECKING:
    from comity.counsel.questions import Question
    from comity.law.vocabulary import Facts


def facts_of(question: Question, persons: Sequence[UUID]) -> Mapping[UUID, Facts]:
    """Return where these persons stand. Who has no standing row never said anything; our book is complete for that."""
    standing = Standing.objects.filter(
        person__in=persons, entity_id=question.entity, purpose=question.purpose, channel=question.channel
    ).select_related("given")
    return {row.person: _facts(row) for row in standing}


def _facts(row: Standing) -> Facts:
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
