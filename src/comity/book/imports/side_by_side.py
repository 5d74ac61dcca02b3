"""Two processes for one import. Nothing here needs Django, so that a new process can read this before it starts it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
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


_hands: list[Bringing] = []


def bring_by_two(work: Work, numbers: Sequence[int], *, database: Mapping[str, Any], folder: Path) -> None:
    """Bring in these batches by two processes of the same database and folder. Raises what the first fault raised."""
    begin = (work, dict(database), folder)
    spawn = multiprocessing.get_context("spawn")  # forking would copy threads half-way through something
    with ProcessPoolExecutor(2, mp_context=spawn, initializer=_begin, initargs=begin) as pool:
        for _ in pool.map(_bring, numbers):
            pass


def _begin(work: Work, database: Mapping[str, Any], folder: Path) -> None:
    import django
    from django.conf import settings

    settings.DATABASES["default"] = dict(database)
    settings.FOLDER = folder
    django.setup()
    from comity.book.imports.running import Hands

    _hands.append(Hands(work))


def _bring(number: int) -> None:
    _hands[0].bring(number)
