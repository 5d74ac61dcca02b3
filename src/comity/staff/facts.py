"""What the law asks of an entity of ours: its facts, in the words of the vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache

from comity.law import lawbook
from comity.law.folding import OUR_PLACE
from comity.law.vocabulary import Fact, Facts, Vocabulary
from comity.staff.models import Entity

ASKED_ELSEWHERE = frozenset({OUR_PLACE, "org.lia_on_file", "org.baa_signed"})
"""Facts about us that are not the entity's alone: its place has a column, assessments and contracts belong to uses."""


@cache
def vocabulary() -> Vocabulary:
    """Return the facts the law may ask for."""
    return lawbook().vocabulary


def asked_of_entities() -> list[Fact]:
    """Return what the law asks of an entity, in the order of the vocabulary."""
    facts = vocabulary().facts.values()
    return [fact for fact in facts if fact.namespace == "org" and fact.name not in ASKED_ELSEWHERE]


def facts_of_entity(place: str, given: Mapping[str, object]) -> dict[str, object]:
    """Return facts as an entity keeps them. Raises FactError for what the vocabulary does not have."""
    known = {fact.name for fact in asked_of_entities()}
    vocabulary().read({OUR_PLACE: [place]})
    said = {name: value for name, value in given.items() if value not in {None, ""}}
    for name in said.keys() - known:
        vocabulary().fact(name)  # raises for a name that is nowhere, with the nearest
    return {name: _kept(value) for name, value in vocabulary().read(said).items() if name in known}


def as_the_law_reads(entity: Entity) -> Facts:
    """Return what the law may ask about an entity, its place included."""
    return vocabulary().read({OUR_PLACE: [entity.place], **entity.facts})


def _kept(value: object) -> object:
    """Return a value as JSON has it."""
    if isinstance(value, date):
        return value.isoformat()
    return sorted(value) if isinstance(value, frozenset) else value
