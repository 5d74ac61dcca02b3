"""What rooms above write of newcomers: they register here, and the book imports none of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from comity.staff.models import Entity, Staff


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """One thing that somebody said about a purpose and channel before they came into this book, as far as it is told.

    `said` is given, refused, withdrawn or expired; `source` is where it was said, `notice` the wording it was said to.
    """

    said: str
    said_at: datetime
    purpose: str = "marketing"
    channel: str = "email"
    source: str = ""
    notice: str = ""
    express: bool | None = None
    separate: bool = False
    written: bool = False
    parental: bool = False
    names_caller: bool = False
    double_opt_in: bool = False


class SpokenWrongly(ValueError):
    """A cell does not say what a person said and when; the message says what is wrong with it."""


class Writer(Protocol):
    """A room's hand: it writes what newcomers said, reads it from a file of ours, and takes it out again."""

    def write(
        self, *, spoken: Mapping[UUID, Sequence[Spoken]], entity: Entity, heard_by: Staff | None,
        newcomers: bool = False,
    ) -> None:  # fmt: skip
        """Put on record what each of these persons said; they may have said other things before.

        What `newcomers` said has no entries in the ledger of its own: the commitment of their batch is over it.
        """

    def read(self, *, about: str, cell: str) -> list[Spoken]:
        """Read a cell of our own export; `about` stands behind "Consent " in its header. Raises SpokenWrongly."""

    def touched(self, *, persons: Collection[UUID], since: datetime) -> set[UUID]:
        """Return those of whom something was recorded after that moment."""

    def remove(self, *, persons: Collection[UUID]) -> None:
        """Take out everything about these persons, who are being taken out of the book."""


_writers: dict[str, Writer] = {}


def register(room: str, writer: Writer) -> None:
    """Let a room write what newcomers bring. Called once, when the application starts."""
    if room in _writers and type(_writers[room]) is not type(writer):
        raise ValueError(f"{room} has registered its writer already")
    _writers[room] = writer


def writers() -> Collection[Writer]:
    """Return the hands of all rooms."""
    return _writers.values()
