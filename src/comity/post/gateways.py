"""Ways out into the world: what each kind of gateway must be able to do, and what it says about a hand-over."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from comity.post.letters import Letter
    from comity.post.models import Gateway


class Outcome(StrEnum):
    """What became of a hand-over. Only what certainly did not go out may be tried again."""

    SENT = "sent"
    AGAIN = "again"
    FAILED = "failed"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a gateway says of one hand-over: the outcome, a declared word for its reason, and the code it gave.

    `shut` says that the way itself is closed, for this message as for any other: nothing else need be tried now.
    """

    outcome: Outcome
    why: str = ""
    code: str = ""
    shut: bool = False


class Way(Protocol):
    """An open way out. It belongs to one thread."""

    def hand_over(self, letter: Letter, *, until: float) -> Answer:
        """Hand a letter over, and be back by `until` (`time.monotonic`). Never raises for what the other side does.

        UNCERTAIN is the answer to everything that happens after the first byte of the message was sent and before the
        other side said what became of it.
        """

    def close(self) -> None:
        """Let go of it."""


Opener = Callable[["Gateway"], Way]
Check = Callable[[Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One thing that a gateway of some kind must be told: its name, what it is, and what it may look like."""

    name: str
    says: str | _StrPromise
    help: str | _StrPromise = ""
    cure: str | _StrPromise = ""
    looks: str = r"[^\x00-\x20\x7f-\x9f]{1,200}"
    needed: bool = True

    def holds(self, value: str) -> bool:
        """Say whether a value may be one."""
        return re.fullmatch(self.looks, value) is not None


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of gateway: its channels, how its settings are checked, and how a way is opened.

    `says` is its name for whoever chooses one, `settings` what it is told, `signs_in` whether it needs a secret.
    `lists` are for kinds that write rows, of which files are made later: how (see `lists`).
    """

    channels: frozenset[str]
    check: Check  # returns the settings as they are kept; raises ValidationError
    open: Opener
    says: str | _StrPromise = ""
    settings: tuple[Setting, ...] = ()
    signs_in: bool = False
    lists: bool = False


KINDS: Final[dict[str, Kind]] = {}


def register_gateway(name: str, kind: Kind) -> None:
    """Add a kind of gateway."""
    KINDS[name] = kind
