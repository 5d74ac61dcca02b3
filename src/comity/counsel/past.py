"""Facts as they were: rooms that keep the history of theirs say what they knew at an instant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from comity.counsel.questions import Question
    from comity.law.vocabulary import Facts


class PastSource(Protocol):
    """What a room knew about persons."""

    def __call__(self, question: Question, persons: Sequence[UUID], day: date, at: datetime, /) -> Mapping[UUID, Facts]:
        """Return the facts of each person, told for `day`, as they were on record at the instant `at`."""


_sources: dict[str, PastSource] = {}


def register_past(room: str, source: PastSource) -> None:
    """Let a room say what it knew. Called once, when the application starts."""
    if room in _sources and _sources[room] is not source:
        raise ValueError(f"{room} has registered its past already")
    _sources[room] = source


def gather_past(question: Question, persons: Sequence[UUID], day: date, at: datetime) -> dict[UUID, Facts]:
    """Ask every room what it knew."""
    gathered: dict[UUID, dict[str, object]] = {person: {} for person in persons}
    for source in _sources.values():
        for person, facts in source(question, persons, day, at).items():
            gathered[person] |= facts
    return gathered  # type: ignore[return-value]  # each source typed its own
