"""Consents as facts of the vocabulary, for the purpose and channel of the question: in Python and as SQL, alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Final
from uuid import UUID

from comity.book.facts import RELATION, RELATIONS, SOME, knows_opt_outs, no_column, these
from comity.book.models import Relation
from comity.consent.models import Consent, Standing
from comity.counsel.facts import AT_HOME, Column, Columns, opt_out_fact
from comity.refs import as_array, new_ref
from comity.staff.once import Once

if TYPE_CHECKING:
    from comity.counsel.questions import Question
    from comity.law.vocabulary import Facts


NOTHING_SAID: Final = Standing()
"""Where somebody stands who never said anything to us."""


def facts_of(question: Question, persons: Sequence[UUID], _day: date) -> Mapping[UUID, Facts]:
    """Return where these persons stand. Who has no standing row never said anything to us.

    That is a false opt-out where our book knows of all opt-outs, and an unknown one where they came from a list that
    tells fewer (`Relation.opt_outs_known`).
    """
    those = as_array(persons)
    standing = STANDINGS(those, question.entity, question.purpose, question.channel)
    given = [row.given_id for row in standing if row.given_id]
    consents = {one.ref: one for one in CONSENTS(as_array(given))} if given else {}
    for row in standing:
        row.given = consents.get(row.given_id) if row.given_id else None
    relations = RELATIONS(those, question.entity) if question.operation not in AT_HOME else ()
    return all_facts(question, persons, {row.person: row for row in standing}, relations)


STANDINGS: Final = Once(
    lambda persons, entity, purpose, channel: Standing.objects.filter(
        person__in=these(persons), entity_id=entity, purpose=purpose, channel=channel
    ),
    SOME, new_ref(), "a purpose", "a channel",
)  # fmt: skip
CONSENTS: Final = Once(lambda consents: Consent.objects.filter(ref__in=these(consents)), SOME)


def all_facts(
    question: Question, persons: Iterable[UUID], standing: Mapping[UUID, Standing], relations: Iterable[Relation]
) -> dict[UUID, Facts]:
    """Return standing rows as facts, those of whoever has none, too."""
    unknown = {one.person_id for one in relations if not knows_opt_outs(question, one)}
    return {person: facts_from(standing.get(person, NOTHING_SAID), known=person not in unknown) for person in persons}


def facts_from(row: Standing, *, known: bool) -> Facts:
    """Return one standing row as facts; `known` says whether we know of every opt-out of this person."""
    facts: dict[str, object] = {
        "consent.withdrawn": opt_out_fact(said=row.withdrawn, known=known),
        "consent.opted_out": opt_out_fact(said=row.opted_out_on is not None, known=known),
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


def columns_of(_question: Question, _day: date) -> Columns:
    """Return where persons stand, as SQL."""
    noes = {"withdrawn": "standing.withdrawn", "opted_out": "standing.opted_out_on IS NOT NULL"}
    stands = {
        name: f"standing.{name}"
        for name in ("opted_out_on", "last_used_on", "given_on", "express", "separate", "written", "parental",
                     "names_caller", "wording_kept", "source_kept")
    } | {"given": "CASE WHEN standing.given_id IS NOT NULL THEN true END"}  # fmt: skip
    facts = {name: no_column(sql, "standing") for name, sql in noes.items()}
    facts |= {name: Column(sql=sql, joins=("standing",)) for name, sql in stands.items()}
    return Columns(
        facts={f"consent.{name}": column for name, column in facts.items()},
        joins={"relation": RELATION, "standing": STANDING},
    )
