"""A to Z: names are sealed, so a list is sorted by them only by opening them, and only a list of bounded size is.

All of its names are opened once, and recorded as every opening is; what is kept is the order, in the memory of this
process, for as long as the decision is fresh. The pages are cut from it, and each opens its own names again under that
decision. Sorted is by family name, without case and accents; Chinese names by their sound.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING, Final
from uuid import UUID

from comity.book.looking import Sight
from comity.book.opening import Look, full_name, name_label, names_of
from comity.counsel.actions import FRESH
from comity.law import Verdict
from comity.vault.actions import Opened, open_fields
from comity.vault.models import MOST_PERSONS
from comity.vault.spelling import COMPOUND, SURNAME_SOUNDS, fold, is_han, sounds

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from comity.book.models import Person
    from comity.vault.gate import Warrant

MOST: Final = 2_000
"""People whose names are opened to sort them."""
ORDERS: Final = 32
"""Orders that are kept at a time; the oldest goes."""
FRESH_FOR: Final = FRESH.total_seconds() * 0.9
"""Seconds for which an order is used: a little less than what it rests on."""
SEALED: Final = "…"
"""Stands for the letter of those whose names were not opened; they come last."""

Key = tuple[str, ...]


class TooMany(Exception):
    """More people than are opened to be sorted: filter first."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One person's place: under which letter, by which decision, and what the law said."""

    person: UUID
    letter: str
    verdict: Verdict
    warrant: Warrant


@dataclass(frozen=True, kw_only=True)
class Order:
    """The people of a list from A to Z."""

    lines: Sequence[Line]
    until: float

    @property
    def letters(self) -> list[str]:
        """The letters that somebody's name begins with, in order."""
        return list(dict.fromkeys(line.letter for line in self.lines))

    def under(self, letter: str) -> list[Line]:
        """Return those under a letter; everybody without one."""
        return [line for line in self.lines if not letter or line.letter == letter]


@dataclass(frozen=True)
class Short:
    """As much of an answer as an order keeps."""

    verdict: Verdict


_orders: dict[str, Order] = {}
_keeping = Lock()


def forget_orders() -> None:
    """Forget every order, as a new process would."""
    with _keeping:
        _orders.clear()


def by_name(look: Look, persons: QuerySet[Person]) -> Order:
    """Return these people from A to Z, opening their names unless that was done just now. Raises TooMany."""
    found = list(persons.order_by().values_list("ref", "changed_at")[: MOST + 1])
    if len(found) > MOST:
        raise TooMany
    asked = _name(look, sorted((str(ref), changed.isoformat()) for ref, changed in found))
    order = _orders.get(asked)
    if order is None or order.until < time.monotonic():
        order = Order(lines=_sorted(look, [ref for ref, _ in found]), until=time.monotonic() + FRESH_FOR)
        _keep(asked, order)
    return order


def _name(look: Look, people: Sequence[tuple[str, str]]) -> str:
    """Return what tells one order from another: who looks, for what, and at whom as they are."""
    return sha256(repr((look.viewer.ref, look.entity.ref, look.purpose, people)).encode()).hexdigest()


def _keep(asked: str, order: Order) -> None:
    with _keeping:
        while len(_orders) >= ORDERS:
            _orders.pop(next(iter(_orders)))
        _orders[asked] = order


def _sorted(look: Look, persons: Sequence[UUID]) -> list[Line]:
    keyed: list[tuple[Key, Line]] = []
    for begin in range(0, len(persons), MOST_PERSONS):
        part = persons[begin : begin + MOST_PERSONS]
        seen = names_of(look, part)
        opened = {label.person: fields for label, fields in seen.opened.items()}
        for person in part:
            key = key_of(opened[person]) if person in opened else ()
            letter = letter_of(key)
            verdict = seen.decided.answers[person].verdict
            keyed.append((key, Line(person=person, letter=letter, verdict=verdict, warrant=seen.decided.warrant)))
    keyed.sort(key=lambda pair: (pair[1].letter == SEALED, pair[0], pair[1].person))
    return [line for _, line in keyed]


def names_on(lines: Sequence[Line], persons: Iterable[UUID]) -> dict[UUID, Sight]:
    """Open the names of those on one page, under the decisions by which they were sorted."""
    wanted = set(persons)
    by_warrant: dict[Warrant, list[Line]] = {}
    for line in lines:
        if line.person in wanted:
            by_warrant.setdefault(line.warrant, []).append(line)
    shown: dict[UUID, Sight] = {}
    for warrant, some in by_warrant.items():
        labels = [name_label(line.person) for line in some]
        opened = open_fields(warrant=warrant, labels=labels, permitted_only=True)
        names = {label.person: full_name(fields) for label, fields in opened.items()}
        for line in some:
            name = names.get(line.person, "")
            shown[line.person] = Sight(name=name, answer=Short(line.verdict), opens=bool(name))
    return shown


# ---------------------------------------------------------------- what comes before what


def key_of(fields: Opened | Mapping[str, object]) -> Key:
    """Return by what a name is sorted: family name, given name, and how it is written."""
    family, given = str(fields.get("family") or ""), str(fields.get("given") or "")
    full = str(fields.get("full") or "")
    if not family:
        family, given = _apart(full or given)
    return (_sound(family, surname=True), _sound(given, surname=False), f"{family} {given}")


def _apart(full: str) -> tuple[str, str]:
    """Take a name apart that was written as one: a Chinese surname stands first, of others the last word is taken."""
    if is_han(full):
        cut = 2 if full[:2] in COMPOUND else 1
        return full[:cut], full[cut:]
    given, _, family = full.strip().rpartition(" ")
    return family, given


def _sound(part: str, *, surname: bool) -> str:
    if not is_han(part):
        return fold(part).strip()
    if surname and part in SURNAME_SOUNDS:
        return SURNAME_SOUNDS[part][0]
    first = SURNAME_SOUNDS[part[0]][0] if surname and part[0] in SURNAME_SOUNDS else sounds(part[0])[0]
    return " ".join([first, *(sounds(letter)[0] for letter in part[1:])])


def letter_of(key: Key) -> str:
    """Return the letter under which a name stands."""
    if not key:
        return SEALED
    return next((letter.upper()[0] for letter in key[0] + key[1] if letter.isalpha()), "#")
