"""Finding a person by name, address or number: by blind tokens, then opened under a decision and compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from comity.book.opening import Look, full_name, name_label
from comity.book.queries import sought_by, work_at
from comity.counsel.actions import decide
from comity.vault.actions import search
from comity.vault.queries import candidates
from comity.vault.sealing import FieldClass, Label
from comity.vault.tokens import Sort

SHORTEST = 2
"""Letters that a search takes; one alone finds everybody, unless it is of a script that has many."""
SHOWN = 30
"""Persons that a search shows; who is not among them is found by typing more."""


@dataclass(frozen=True, kw_only=True)
class Hit:
    """Somebody who was found, with the name as it is written, and where they work now."""

    person: UUID
    name: str
    organisations: Sequence[str]


def find(look: Look, query: str, sorts: Sequence[Sort] | None = None) -> list[Hit]:
    """Return the people who match and whom the viewer may see: identifiers first, then names, then misspelt names.

    `sorts` are the ways to look, if not all of these.
    """
    for sort in _sorts(query) if sorts is None else sorts:
        if hits := _find(look, query, sort):
            return hits
    return []


def _sorts(query: str) -> list[Sort]:
    """Return the ways to look, each tried only if those before it found nobody."""
    said = query.strip()
    if len(said) < SHORTEST and said.isascii():
        return []
    exact = any(letter.isdigit() or letter == "@" for letter in said)
    return [Sort.EXACT, Sort.PREFIX, Sort.FUZZY] if exact else [Sort.PREFIX, Sort.FUZZY]


def _find(look: Look, query: str, sort: Sort) -> list[Hit]:
    classes = look.classes()
    if FieldClass.NAME not in classes:  # whoever is found is shown by name
        return []
    labels = candidates(sort=sort, query=query, among=sought_by(look.viewer, look.entity))
    labels = [label for label in labels if label.field_class in classes]
    return _hits(_matching(look, sort, query, labels)) if labels else []


def _matching(look: Look, sort: Sort, query: str, labels: list[Label]) -> dict[UUID, str]:
    """Return who truly matches and how they are called, the best first: one decision and one opening for all."""
    persons = list(dict.fromkeys(label.person for label in labels))
    classes = sorted({FieldClass.NAME, *(label.field_class for label in labels)})
    decided = decide(question=look.question, persons=persons, staff=look.viewer, field_classes=classes, listed=True)
    found = search(warrant=decided.warrant, sort=sort, query=query, candidates=labels, beside=name_label)
    return {each.label.person: full_name(each.beside) for each in found}


def _hits(names: dict[UUID, str]) -> list[Hit]:
    shown = list(names)[:SHOWN]
    working = work_at(shown)
    return [Hit(person=person, name=names[person], organisations=working.get(person, ())) for person in shown]
