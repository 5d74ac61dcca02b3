"""Where facts about persons come from: the rooms above register what they know, and counsel imports none of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from comity.counsel.questions import Question
    from comity.law.vocabulary import Facts


class Source(Protocol):
    """A room's knowledge about persons, as facts of the vocabulary, typed as the vocabulary types them."""

    def __call__(self, question: Question, persons: Sequence[UUID], /) -> Mapping[UUID, Facts]:
        """Return the facts of each person; a person, or a fact, that is left out was never recorded."""


_sources: dict[str, Source] = {}


def register(room: str, source: Source) -> None:
    """Let a room say what it knows. Called once, when the application starts."""
    if room in _sources and _sources[room] is not source:
        raise ValueError(f"{room} has registered its facts already")
    _sources[room] = source


def gather(question: Question, persons: Sequence[UUID]) -> dict[UUID, Facts]:
    """Ask every room. Raises ValueError where two rooms speak about one fact: a fact has one home."""
    gathered: dict[UUID, dict[str, object]] = {person: {} for person in persons}
    for room, source in _sources.items():
        for person, facts in source(question, persons).items():
            known = gathered[person]
            if twice := known.keys() & facts.keys():
                raise ValueError(f"{room} says again what another room said: {', '.join(sorted(twice))}")
            known |= facts
    return gathered  # type: ignore[return-value]  # each source typed its own
