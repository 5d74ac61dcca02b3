"""Parts of one piece of work, made ahead by a few threads and given in their order: while one waits, another works."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from threading import Barrier, BrokenBarrierError
from typing import Final, TypeVar

from django.db import connection
from django.utils import timezone, translation

Made = TypeVar("Made")

HANDS: Final = 2
"""Threads: one works while PostgreSQL works for the other. More would wait for Python's lock."""
AHEAD: Final = 2 * HANDS
"""Parts that are begun and not given yet, at most; they stand in memory."""
WORTH_IT: Final = 4
"""Parts from which threads are worth their connections."""
LONGEST_END: Final = 10
"""Seconds to wait for the others before a thread leaves its connection to be closed with it."""


def made_ahead(make: Callable[[int], Made], many: int) -> Iterator[Made]:
    """Give `make(0)`, `make(1)` and so on, some of them made beforehand, each in a thread with a connection of its own.

    Threads speak the language of the caller, and reckon days in its time zone. Few parts are made one after the other
    in the caller's own thread; so are all inside a transaction, which other connections do not see into. Raises what
    the first failed part raised, once those that were begun have ended.
    """
    if many < WORTH_IT or connection.in_atomic_block:
        yield from map(make, range(many))
        return
    language, zone = translation.get_language(), timezone.get_current_timezone()

    def made(number: int) -> Made:
        with translation.override(language), timezone.override(zone):
            return make(number)

    with ThreadPoolExecutor(HANDS) as hands:
        begun: deque[Future[Made]] = deque()
        try:
            for number in range(many + AHEAD):
                if number < many:
                    begun.append(hands.submit(copy_context().run, made, number))
                if number >= AHEAD and begun:
                    yield begun.popleft().result()
        finally:
            for each in begun:
                each.cancel()
            together = Barrier(HANDS)
            for _ in range(HANDS):
                hands.submit(_leave, together)


def _leave(together: Barrier) -> None:
    """Close this thread's connection; wait for the other, so that each closes its own."""
    connection.close()
    with suppress(BrokenBarrierError):
        together.wait(LONGEST_END)
