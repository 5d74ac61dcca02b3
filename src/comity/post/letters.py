"""What a message becomes at the moment of its hand-over, and who makes it: rooms above register their composers.

A composer says what the law is asked, and makes letters of those whom it permits. What it cannot make is not sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias
from uuid import UUID

if TYPE_CHECKING:
    import psycopg

    from comity.counsel.actions import Decided
    from comity.counsel.questions import Question
    from comity.post.models import Dispatch, Message
    from comity.vault.sealing import FieldClass


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What is handed over: to which address, in whose name, and the bytes. It is in memory and nowhere else."""

    to: str = field(repr=False)
    sender: str
    data: bytes = field(repr=False)
    point: UUID | None = None  # the contact point that `to` was opened from
    ref: UUID | None = None  # that of the message
    attempt: int = 1

    @property
    def key(self) -> str:
        """What names this attempt, and no other, to whoever can tell by it that they had it before."""
        return f"{self.ref}-{self.attempt}" if self.ref else ""


@dataclass(frozen=True, kw_only=True)
class Later:
    """Not now, but from then on: at night, on a day of rest, beyond a limit."""

    at: datetime
    why: str


@dataclass(frozen=True, kw_only=True)
class Unsendable:
    """Not at all: there is no address, or something that the law wants in the message cannot be had."""

    why: str


Composed: TypeAlias = Letter | Later | Unsendable


class Composer(Protocol):
    """Makes the messages of one kind of dispatch."""

    def question(self, dispatch: Dispatch, /) -> Question:
        """Return what the law is asked about each of its messages."""

    def classes(self, dispatch: Dispatch, /) -> Sequence[FieldClass]:
        """Return the classes of fields that its messages are made from; the role of whoever sends must have them."""

    def compose(self, dispatch: Dispatch, messages: Sequence[Message], decided: Decided, /) -> Mapping[UUID, Composed]:
        """Return what becomes of each of these permitted messages, by its ref; within the hand-over's transaction."""


class Lock(Protocol):
    """Something that stops a hand-over, held still until it is over."""

    def __call__(self, locks: psycopg.Connection, dispatch: Dispatch, persons: Sequence[UUID], /) -> None:
        """Take share locks over this connection on the rows of these persons, in the order of their refs.

        Whoever changes them waits. So no such row may be changed by whoever sends until the locks are gone.
        """


class Guard(Protocol):
    """Something that keeps an address from being used, whoever it belongs to."""

    def __call__(
        self, locks: psycopg.Connection, dispatch: Dispatch, letters: Sequence[tuple[Message, Letter]], /
    ) -> Mapping[UUID, str]:
        """Hold the addresses still over this connection; return the messages that must not go, each with a word why."""


class Aftermath(Protocol):
    """What a room keeps of a message that was handed over."""

    def __call__(self, dispatch: Dispatch, messages: Sequence[Message], at: datetime, /) -> None:
        """Write it down, in a transaction after the hand-over. It is called once for each message."""


_composers: Final[dict[str, Composer]] = {}
_locks: Final[dict[str, Lock]] = {}
_guards: Final[dict[str, Guard]] = {}
_aftermaths: Final[dict[str, Aftermath]] = {}


def register_composer(kind: str, composer: Composer) -> None:
    """Say who makes the messages of dispatches of this kind."""
    _composers[kind] = composer


def register_lock(room: str, lock: Lock) -> None:
    """Say what must be held still while a message is handed over; rooms are asked in the order in which they came."""
    _locks[room] = lock


def register_guard(room: str, guard: Guard) -> None:
    """Say what may keep an address from being used."""
    _guards[room] = guard


def register_aftermath(room: str, keep: Aftermath) -> None:
    """Say what is to be kept of messages that were handed over."""
    _aftermaths[room] = keep


def composer_of(dispatch: Dispatch) -> Composer:
    """Return who makes the messages of a dispatch. Raises KeyError for a kind that nobody registered."""
    return _composers[dispatch.kind]


def hold_still(locks: psycopg.Connection, dispatch: Dispatch, persons: Sequence[UUID]) -> None:
    """Take every lock that rooms registered, over the connection that holds them."""
    for lock in _locks.values():
        lock(locks, dispatch, persons)


def kept_from(
    locks: psycopg.Connection, dispatch: Dispatch, letters: Sequence[tuple[Message, Letter]]
) -> dict[UUID, str]:
    """Return which of these messages must not go, and why; their addresses are held still from now on."""
    return {message: why for guard in _guards.values() for message, why in guard(locks, dispatch, letters).items()}


def keep_aftermath(dispatch: Dispatch, messages: Sequence[Message], at: datetime) -> None:
    """Let every room keep what it must of messages that were handed over."""
    for keep in _aftermaths.values():
        keep(dispatch, messages, at)
