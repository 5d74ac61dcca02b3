"""Finding a person by name, address or number: by blind tokens, then opened under a decision and compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from comity.book.opening import Look, full_name
from comity.book.queries import persons_seen_by, with_posts
from comity.counsel.actions import decide
from comity.vault.actions import Found, open_fields, search
from comity.vault.gate import Warrant
from comity.vault.queries import candidates
from comity.vault.sealing import FieldClass, Label
from comity.vault.tokens import Sort

if TYPE_CHECKING:
    from comity.book.models import Person

SHORTEST = 2
"""Letters that a search takes; one alone finds everybody, unless it is of a script that has many."""
SHOWN = 30
"""Persons that a search shows; who is not among them is found by typing more."""


@dataclass(frozen=True, kw_only=True)
class Hit:
    """Somebody who was found, with the name as it is written."""

    person: Person
    name: str


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
    labels = _visible(look, candidates(sort=sort, query=query))
    return _hits(look, *_matching(look, sort, query, labels)) if labels else []


def _visible(look: Look, labels: list[Label]) -> list[Label]:
    classes = set(look.classes())
    wanted = [label for label in labels if label.field_class in classes]
    seen = persons_seen_by(look.viewer, look.entity).filter(ref__in={label.person for label in wanted})
    refs = set(seen.values_list("ref", flat=True))
    return [label for label in wanted if label.person in refs]


def _matching(look: Look, sort: Sort, query: str, labels: list[Label]) -> tuple[list[Found], Warrant]:
    """Return who truly matches, and the warrant, under which their names may be opened too: one decision for both."""
    persons = list(dict.fromkeys(label.person for label in labels))
    classes = sorted({FieldClass.NAME, *(label.field_class for label in labels)})
    decided = decide(question=look.question, persons=persons, staff=look.viewer, field_classes=classes)
    return search(warrant=decided.warrant, sort=sort, query=query, candidates=labels), decided.warrant


def _hits(look: Look, found: Iterable[Found], warrant: Warrant) -> list[Hit]:
    """Give those who were found their names, the best match first."""
    order = list(dict.fromkeys(each.label.person for each in found))[:SHOWN]
    if not order:
        return []
    known = {each.label.person: full_name(each.fields) for each in found if each.label.field_class is FieldClass.NAME}
    known |= _names(warrant, [person for person in order if person not in known])
    rows = {
        person.ref: person for person in with_posts(persons_seen_by(look.viewer, look.entity).filter(ref__in=order))
    }
    return [Hit(person=rows[person], name=known.get(person, "")) for person in order]


def _names(warrant: Warrant, persons: list[UUID]) -> dict[UUID, str]:
    if not persons:
        return {}
    labels = [Label(person, FieldClass.NAME, "person", person) for person in persons]
    opened = open_fields(warrant=warrant, labels=labels, permitted_only=True)
    return {label.person: full_name(fields) for label, fields in opened.items()}
