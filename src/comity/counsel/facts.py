"""Where facts about persons come from: the rooms above register what they know, and counsel imports none of them.

A room says it twice: in Python, for some persons, and as columns of SQL, for a decision about many inside the database.
Whoever is asked about one at a time is asked about with the same facts, so `gather` refuses a fact that a room gives in
Python and has no column for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Final, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from comity.counsel.questions import Question
    from comity.law.vocabulary import Facts

PERSON: Final = "person"
"""What SQL calls the row of a person, from which all joins begin; its key is `person.ref`."""


class Source(Protocol):
    """A room's knowledge about persons, as facts of the vocabulary, typed as the vocabulary types them."""

    def __call__(self, question: Question, persons: Sequence[UUID], day: date, /) -> Mapping[UUID, Facts]:
        """Return the facts of each person as of `day`; a person, or a fact, that is left out was never recorded."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A fact as SQL: an expression that is NULL where the source leaves the fact out.

    An age has a second one for its upper bound, NULL in the same rows. A place is text, its candidates joined by "|".
    `joins` are the tables that it reads beside the person's own, in their order.
    """

    sql: str
    upper: str = ""
    joins: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Columns:
    """What a room knows as SQL, for one question: facts, and the joins they need, each with one row a person at most.

    Joins may use %(entity)s, %(operation)s, %(purpose)s and %(channel)s of the question. `only_singly` are facts that
    the source has and SQL cannot give: where the law asks for one of them, no decision about many is made. `quick` are
    the same joins by the copy that the room keeps of its persons (`register_copy`).
    """

    facts: Mapping[str, Column]
    joins: Mapping[str, str] = field(default_factory=dict)
    only_singly: frozenset[str] = frozenset()
    quick: Mapping[str, str] = field(default_factory=dict)


class ColumnSource(Protocol):
    """A room's knowledge about persons as SQL."""

    def __call__(self, question: Question, day: date, /) -> Columns:
        """Return the columns of every fact that the room can have for this question."""


class Contradiction(ValueError):
    """What rooms say about persons does not fit together: a fault of ours, and nothing is decided by it."""


AT_HOME: Final = ("store", "view")
"""Operations that reach nobody. An opt-out that somebody may have told others does not keep us from these: else nobody
from a list that tells no opt-outs could be in the book at all, and no later no be kept."""


def tells_opt_outs(question: Question, complete_for: Collection[str] | None) -> bool:
    """Say whether records that are complete for the opt-outs of these channels and operations tell all that count.

    None are records that are complete for all opt-outs. To keep people and look at them, what was said to us counts.
    """
    if complete_for is None or question.operation in AT_HOME:
        return True
    return question.channel in complete_for or question.operation in complete_for


def opt_out_fact(*, said: bool, known: bool) -> bool | None:
    """Return an opt-out as a fact: one that is not on record is false where all are `known`, and unknown elsewhere."""
    return said or (False if known else None)


_sources: dict[str, tuple[Source, ColumnSource | None]] = {}


def register(room: str, source: Source, columns: ColumnSource | None = None) -> None:
    """Let a room say what it knows. Called once, when the application starts."""
    if room in _sources and _sources[room] != (source, columns):
        raise ValueError(f"{room} has registered its facts already")
    _sources[room] = source, columns


@dataclass(frozen=True, kw_only=True)
class Copy:
    """What a room keeps side by side of all persons of an entity, always as its own tables say, to count them quickly.

    `persons` is SQL for rows with all columns that facts read of `person`, by %(entity)s. `everybody` returns who is
    meant by all persons of an entity.
    """

    persons: str
    everybody: Callable[[UUID], QuerySet[Any]]


_copies: list[Copy] = []


def register_copy(copy: Copy) -> None:
    """Let the room that has the persons say by which copy they are counted: once, when the application starts."""
    _copies[:] = [copy]


def the_copy() -> Copy | None:
    """Return the copy by which persons are counted, if there is one."""
    return _copies[0] if _copies else None


def gather(question: Question, persons: Sequence[UUID], day: date) -> dict[UUID, Facts]:
    """Ask every room. Raises Contradiction where two rooms speak about one fact: a fact has one home."""
    gathered: dict[UUID, dict[str, object]] = {person: {} for person in persons}
    for room, (source, columns) in _sources.items():
        said = source(question, persons, day)
        for person, facts in said.items():
            known = gathered[person]
            if twice := known.keys() & facts.keys():
                raise Contradiction(f"{room} says again what another room said: {', '.join(sorted(twice))}")
            known |= facts
        if columns is not None:
            _check_columns(room, columns(question, day), said)
    return gathered  # type: ignore[return-value]  # each source typed its own


def _check_columns(room: str, columns: Columns, said: Mapping[UUID, Facts]) -> None:
    without = {name for facts in said.values() for name in facts} - columns.facts.keys() - columns.only_singly
    if without:
        raise Contradiction(f"{room} has no column for {', '.join(sorted(without))}: give one, or name it only_singly")


def columns_for(question: Question, day: date) -> dict[str, Columns]:
    """Return what every room knows as SQL. Raises Contradiction where one has no SQL, or two speak about one fact."""
    found: dict[str, Columns] = {}
    told: set[str] = set()
    for room, (_, columns) in _sources.items():
        if columns is None:
            raise Contradiction(
                f"{room} gives its facts in Python alone: people can be decided about one at a time only"
            )
        found[room] = columns(question, day)
        if twice := told & found[room].facts.keys():
            raise Contradiction(f"{room} has a column for what another room has one for: {', '.join(sorted(twice))}")
        told |= found[room].facts.keys()
    return found
