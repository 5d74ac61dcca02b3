"""Two processes for one import. Nothing here needs Django, so that a new process can read this before it starts it.

Each takes the next batch that is not in yet as soon as it has brought one in, so both are busy until the last.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a process needs to bring in batches of one import."""

    imported: UUID
    staff: UUID
    entity: UUID
    headers: tuple[str, ...]
    table: str


class Bringing(Protocol):
    """Whatever brings in a batch."""

    def bring(self, number: int) -> None:
        """Bring in the batch of this number."""


class ProcessEnded(RuntimeError):
    """A process that brought people in ended in the middle of its work. The message says what stands and what to do."""


_hands: list[Bringing] = []


def bring_by_two(work: Work, numbers: Sequence[int], *, database: Mapping[str, Any], folder: Path) -> None:
    """Bring in these batches by two processes of the same database and folder. Raises what the first fault raised.

    Raises ProcessEnded where one of them was killed; the other is then ended too.
    """
    begin = (work, dict(database), folder)
    spawn = multiprocessing.get_context("spawn")  # forking would copy threads half-way through something
    try:
        with ProcessPoolExecutor(2, mp_context=spawn, initializer=_begin, initargs=begin) as pool:
            for _ in pool.map(_bring, numbers):
                pass
    except BrokenProcessPool as broken:
        raise ProcessEnded(
            "a process that brought people in was killed, or could not start; there may be too little memory. Nothing "
            "is half done: batches that were done stand, what was begun is not there. Go on with the import."
        ) from broken


def _begin(work: Work, database: Mapping[str, Any], folder: Path) -> None:
    end_with_parent()
    import django
    from django.conf import settings

    settings.DATABASES["default"] = dict(database)
    settings.FOLDER = folder
    django.setup()
    from comity.book.imports.running import Hands

    _hands.append(Hands(work))


def end_with_parent() -> None:
    """Let this process end, whatever it does, when the one that started it is gone: nobody would ever tell it to."""
    if parent := multiprocessing.parent_process():
        threading.Thread(target=_end_after, args=[parent], daemon=True).start()


def _end_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def _bring(number: int) -> None:
    _hands[0].bring(number)
