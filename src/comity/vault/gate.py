"""The gate: whether a recorded decision lets this member of the staff open these fields of these persons, now.

Or lets somebody open what is kept about themself, in a visit to their own pages: such a decision names that one person,
and opens only where nobody of the staff acts. Every condition is checked by itself and has a refusal of its own. The
row in the database is asked, never an object that somebody carries; what the caller means to do must be what was
decided.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from comity.staff.once import rows_of
from comity.staff.walls import acting
from comity.vault.models import ONESELF, Verdict
from comity.vault.sealing import Label


class Refused(Exception):
    """The vault does not open, and nothing was opened. The subclass says why."""


class NoDecision(Refused):
    """No decision with that ref was recorded."""


class NotPermitted(Refused):
    """The decision says deny or ask, for everybody or for some of the persons."""


class OtherPersons(Refused):
    """The decision is about other persons."""


class OtherStaff(Refused):
    """The decision was made for somebody else."""


class OtherVisit(Refused):
    """The decision was made in another visit of a person, or one of the staff would act on it."""


class OtherUse(Refused):
    """The decision is about another operation, purpose or channel."""


class OtherFieldClass(Refused):
    """The decision does not name this class of fields."""


class Stale(Refused):
    """The decision is too old to act on."""


@dataclass(frozen=True, kw_only=True)
class Oneself:
    """Somebody who proved who they are, and looks at what is kept about themself.

    INVARIANT: made only by what checked that proof in this very visit: the pages people have of their own
    (`rights.portal`), and a job that goes on with what a visit asked for (`rights.packages`).
    """

    person: UUID
    visit: UUID


@dataclass(frozen=True, kw_only=True)
class Warrant:
    """What somebody opens with: the recorded decision, who they are, and what they are about to do.

    It is one of the staff, or a visit in which a person looks at their own.
    """

    decision: UUID
    staff: UUID | None
    operation: str
    purpose: str
    channel: str = "none"
    visit: UUID | None = None


@dataclass(frozen=True)
class Recorded:
    """The recorded decision, as far as the gate looks at it."""

    staff: UUID | None
    visit: UUID | None
    operation: str
    purpose: str
    channel: str
    field_classes: frozenset[str]
    verdict: str
    persons: frozenset[int]  # the numbers of their refs: Python hashes those, and not the refs, by itself
    permitted: frozenset[int]
    fresh: bool


FIND: Final = """
    SELECT staff, visit, operation, purpose, channel, field_classes, verdict, persons, permitted,
           recorded_at <= clock_timestamp() AND clock_timestamp() < fresh_until
    FROM vault_recordeddecision WHERE ref = %s
"""
"""The clock is the database's, and runs on while a transaction is open."""


def let_through(warrant: Warrant, labels: Collection[Label], *, permitted_only: bool) -> list[Label]:
    """Return the labels that may be opened: all of them, or those of permitted persons. Raises Refused."""
    recorded = _recorded(warrant)
    _check_whose(warrant, recorded)
    persons = {label.person.int for label in labels}
    _check_what(labels, persons, recorded)
    all_of_them = persons <= recorded.permitted
    named = list(labels) if all_of_them else [label for label in labels if label.person.int in recorded.permitted]
    if permitted_only:
        return named
    if recorded.verdict != Verdict.PERMIT or len(named) < len(labels):
        without = len(persons - recorded.permitted)
        raise NotPermitted(
            f"decision {warrant.decision} says {recorded.verdict}: {without} of these persons may not be opened. "
            "Show its reasons, or ask for the permitted ones only."
        )
    return named


def _recorded(warrant: Warrant) -> Recorded:
    row = next(iter(rows_of(FIND, [warrant.decision], binary=True)), None)
    if row is None:
        raise NoDecision(f"there is no recorded decision {warrant.decision}: ask counsel first, which records it")
    staff, visit, operation, purpose, channel, classes, verdict, persons, permitted, fresh = row
    about, permits = (frozenset([person.int for person in each]) for each in (persons, permitted))
    return Recorded(staff, visit, operation, purpose, channel, frozenset(classes), verdict, about, permits, fresh)


def _check_whose(warrant: Warrant, recorded: Recorded) -> None:
    if recorded.staff != warrant.staff:
        raise OtherStaff(f"decision {warrant.decision} was made for other staff than {warrant.staff}: ask anew")
    if recorded.visit != warrant.visit:
        raise OtherVisit(f"decision {warrant.decision} was made in another visit than {warrant.visit}: ask anew")
    if recorded.staff is None:
        _check_oneself(warrant, recorded)
    decided = (recorded.operation, recorded.purpose, recorded.channel)
    meant = (warrant.operation, warrant.purpose, warrant.channel)
    if decided != meant:
        raise OtherUse(
            f"decision {warrant.decision} is about {'/'.join(decided)}, not about {'/'.join(meant)}: ask counsel anew"
        )
    if not recorded.fresh:
        raise Stale(f"decision {warrant.decision} is no longer fresh: facts or law may have changed, ask counsel anew")


def _check_oneself(warrant: Warrant, recorded: Recorded) -> None:
    """Raise OtherVisit unless it is one person who looks at their own, and nobody of the staff who acts."""
    if recorded.visit is None or len(recorded.persons) != 1:
        raise OtherVisit(f"decision {warrant.decision} is nobody's: a visit is about the one person who visits")
    if (recorded.operation, recorded.purpose, recorded.channel) != ONESELF:
        raise OtherVisit(f"decision {warrant.decision} does more than a visit may: it views, as the law demands")
    if acting():
        raise OtherVisit(f"decision {warrant.decision} was made for a visit, and one of the staff acts: ask for them")


def _check_what(labels: Collection[Label], persons: set[int], recorded: Recorded) -> None:
    if others := persons - recorded.persons:
        one = UUID(int=min(others))
        raise OtherPersons(f"the decision does not name {len(others)} of these persons, such as {one}: ask anew")
    if more := set(classes_of(labels)) - recorded.field_classes:
        raise OtherFieldClass(
            f"the decision covers {', '.join(sorted(recorded.field_classes))}, not {', '.join(sorted(more))}: ask "
            "for those too"
        )


def classes_of(labels: Collection[Label]) -> list[str]:
    """Return the field classes of labels, each once."""
    return sorted(map(str, {label.field_class for label in labels}))
