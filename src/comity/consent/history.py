"""Where persons stood at an instant: what they had said until then, in the order in which it was recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import TYPE_CHECKING
from uuid import UUID

from comity.book.editing.history import as_of
from comity.book.models import Relation
from comity.consent.facts import all_facts
from comity.consent.models import Consent, Said, Standing

if TYPE_CHECKING:
    from comity.counsel.questions import Question
    from comity.law.vocabulary import Facts


def facts_as_of(question: Question, persons: Sequence[UUID], _day: date, at: datetime) -> Mapping[UUID, Facts]:
    """Return what they had said by then about the purpose and channel of the question.

    BLIND SPOT: on which day a consent was last used has no history of its own, and is left out.
    """
    said = Consent.objects.counted_at(at).filter(
        person__in=persons, entity_id=question.entity, purpose=question.purpose, channel=question.channel
    ).order_by("person", "recorded_at", "ref")  # fmt: skip
    standing = {person: stood(rows) for person, rows in groupby(said, key=lambda row: row.person)}
    relations = (row for row in as_of(Relation, persons, at) if row.entity_id == question.entity)
    return all_facts(question, persons, standing, relations)


def stood(said: Iterable[Consent]) -> Standing:
    """Return where somebody stood who had said this, in this order: what was recorded late overrules nothing later.

    Of what was said at one instant, the no counts.
    """
    standing, latest = Standing(), None
    for consent in said:
        here = consent.said_at, consent.said != Said.GIVEN
        if latest is not None and here < latest:
            continue
        latest = here
        if consent.said == Said.GIVEN:
            standing.given, standing.withdrawn, standing.opted_out_on = consent, False, None
        elif consent.said == Said.EXPIRED:
            standing.given = None  # nobody said no
        else:
            standing.withdrawn = standing.withdrawn or standing.given is not None
            standing.given, standing.opted_out_on = None, consent.said_at.date()
    return standing
