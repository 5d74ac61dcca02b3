"""Registers as facts of the vocabulary: whether a number stands in the one that counts, and how fresh that answer is.

Which registers count follows from where the person may live, what sort of subscriber they are, and the channel. Where
several do, one that has the number suffices for yes, and all must have been asked for no; the oldest answer is the day.
Somebody who may live in two countries was asked about only where a register of both was. All else is unknown: a number
that was never looked for, one that became another since, a country of which we read no register.

One statement says it for some persons, and for a decision about many. It looks at nobody who lives where no register of
ours counts, so that a million people elsewhere cost nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from comity.book.facts import REACHED_BY
from comity.counsel.facts import Column, Columns
from comity.refs import as_array
from comity.staff.once import rows_of

if TYPE_CHECKING:
    from comity.counsel.questions import Question
    from comity.law.vocabulary import Facts

LOOKED: Final = """
    LEFT JOIN LATERAL (
        SELECT CASE WHEN bool_or(needed.found) THEN true
                    WHEN bool_and(needed.found IS NOT NULL) THEN false END AS found,
               CASE WHEN bool_and(needed.version_on IS NOT NULL) THEN min(needed.version_on) END AS version_on
        FROM book_contactpoint AS point
        CROSS JOIN unnest(string_to_array(nullif(person.home, ''), '|')) AS home(place)
        CROSS JOIN unnest(CASE WHEN person.subscriber = '' THEN ARRAY['individual', 'corporate']
                               ELSE ARRAY[person.subscriber] END) AS sort(subscriber)
        LEFT JOIN LATERAL (
            SELECT CASE WHEN bool_or(looked.found) THEN true
                        WHEN bool_and(looked.found IS NOT NULL) THEN false END AS found,
                   CASE WHEN bool_and(looked.version_on IS NOT NULL) THEN min(looked.version_on) END AS version_on
            FROM consent_register AS register
            LEFT JOIN consent_looked AS looked ON looked.register_id = register.ref AND looked.point = point.ref{then}
            WHERE register.entity_id = %(entity)s AND register.ended_at IS NULL
                  AND register.place IN (home.place, split_part(home.place, '-', 1))
                  AND register.subscriber IN ('', sort.subscriber) AND %(channel)s = ANY (register.channels)
        ) AS needed ON true
        WHERE person.home ~ '{places}' AND point.person_id = person.ref AND point.reach = '{reach}' AND point.first
    ) AS register ON true
"""
SINGLY: Final = """
    SELECT person.ref, register.found, register.version_on
    FROM unnest(%(persons)s::uuid[]) AS asked(ref) JOIN book_person AS person ON person.ref = asked.ref
"""
COUNTING: Final = """
    SELECT DISTINCT place FROM consent_register
    WHERE entity_id = %s AND ended_at IS NULL AND %s = ANY (channels) ORDER BY place
"""
PLACE: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
THEN: Final = " AND looked.looked_at <= %(at)s"


def facts_of(question: Question, persons: Sequence[UUID], _day: date) -> Mapping[UUID, Facts]:
    """Return what registers say of these persons' numbers or addresses."""
    return _facts(question, persons)


def facts_as_of(question: Question, persons: Sequence[UUID], _day: date, at: datetime) -> Mapping[UUID, Facts]:
    """Return what had been looked for by then.

    BLIND SPOT: a look is overwritten by the next one, and homes are those of today; what was looked for again since is
    unknown as of then.
    """
    return _facts(question, persons, at)


def _facts(question: Question, persons: Sequence[UUID], at: datetime | None = None) -> Mapping[UUID, Facts]:
    if (join := _join(question, THEN if at else "")) is None:
        return {}
    told = {"persons": as_array(persons), "entity": question.entity, "channel": question.channel}
    rows = rows_of(SINGLY + join, told | ({"at": at} if at else {}))
    return {person: _known(found, version_on) for person, found, version_on in rows}


def _join(question: Question, then: str = "") -> str | None:
    """Return the join that tells of registers; None where no register of ours counts for the question anywhere."""
    reach = REACHED_BY.get(question.channel)
    places = [place for (place,) in rows_of(COUNTING, [question.entity, question.channel])] if reach else []
    if reach is None or not places:
        return None
    if odd := [place for place in places if not PLACE.fullmatch(place)]:
        raise ValueError(f"a register counts in {odd[0]!r}, which is no place: end it, and add it anew")
    return LOOKED.format(reach=reach.value, places=rf"(^|\|)({'|'.join(places)})(-|\||$)", then=then)


def _known(found: bool | None, version_on: date | None) -> Facts:  # noqa: FBT001 - as the row has it
    told = {"person.on_register": found, "person.register_checked_on": version_on}
    return {name: value for name, value in told.items() if value is not None}


def columns_of(question: Question, _day: date) -> Columns:
    """Return the same as SQL, for a decision about many."""
    if (join := _join(question)) is None:
        return Columns(facts={})
    return Columns(
        facts={
            "person.on_register": Column(sql="register.found", joins=("register",)),
            "person.register_checked_on": Column(sql="register.version_on", joins=("register",)),
        },
        joins={"register": join},
    )
