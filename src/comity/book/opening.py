"""Looking at people: the question to the law that every look is, and the fields that its answer opens.

A look has a purpose. What a member of the staff sees of whom follows from it, from their roles, and from the law of
each person's home; the vault opens nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final
from uuid import UUID

from comity.counsel.actions import Decided, decide
from comity.counsel.questions import Question
from comity.staff.guards import may_handle
from comity.staff.roles import roles
from comity.vault.actions import Opened, open_fields
from comity.vault.sealing import FieldClass, Label, labels

if TYPE_CHECKING:
    from comity.staff.models import Entity, Staff

PREFERRED: Final = ("service", "marketing", "legal-duty", "security", "analytics", "ask-consent")
"""The purposes in the order in which one is taken where nobody says."""

GIVEN_BY_PURPOSE: Final[Mapping[str, Mapping[str, object]]] = {
    "service": {"use.contract_needs_it": True},
    "legal-duty": {"use.legal_duty": True},
}
"""What a purpose says of the use by its own meaning in the vocabulary."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """Somebody looks at people of an entity, for a purpose."""

    viewer: Staff
    entity: Entity
    purpose: str

    @property
    def question(self) -> Question:
        """The question that this look is."""
        return Question(
            operation="view", purpose=self.purpose, entity=self.entity.ref, more=GIVEN_BY_PURPOSE.get(self.purpose, {})
        )

    def classes(self, person: UUID | None = None) -> list[FieldClass]:
        """The field classes that the viewer's roles let them see for this purpose."""
        return [
            each
            for each in FieldClass
            if may_handle(
                self.viewer, operation="view", purpose=self.purpose, field_class=each, entity=self.entity, person=person
            )
        ]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a look brought: the decision, and what was opened."""

    decided: Decided
    opened: Mapping[Label, Opened] = field(default_factory=dict)

    def of(self, person: UUID, field_class: FieldClass, record: UUID | None = None) -> Opened | None:
        """Return the fields of one blob, or nothing: not sealed, or not for these eyes."""
        return self._found.get((person.int, field_class, (record or person).int))

    @cached_property
    def _found(self) -> dict[tuple[int, str, int], Opened]:
        return {(label.person.int, label.field_class, label.record.int): held for label, held in self.opened.items()}


def purposes_of(viewer: Staff, entity: Entity, operation: str = "view") -> list[str]:
    """Return the purposes for which the viewer may do this with names, the likeliest first."""
    known = roles().purposes
    order = [*(each for each in PREFERRED if each in known), *(each for each in known if each not in PREFERRED)]
    return [
        purpose
        for purpose in order
        if may_handle(viewer, operation=operation, purpose=purpose, field_class="name", entity=entity)
    ]


def names_of(look: Look, persons: Sequence[UUID]) -> Seen:
    """Open the names of these people, as far as law and roles permit: one decision, one opening, for all of them."""
    return _open(look, persons, name_labels(persons), [FieldClass.NAME])


def name_label(person: UUID) -> Label:
    """Return where a person's name is sealed."""
    return Label(person, FieldClass.NAME, "person", person)


def name_labels(persons: Sequence[UUID]) -> list[Label]:
    """Return where the names of these people are sealed."""
    return labels(persons, FieldClass.NAME, "person", persons)


def everything_of(look: Look, person: UUID, records: Iterable[Label]) -> Seen:
    """Open what one person's page shows: the name and these records, in the classes the viewer's roles have."""
    classes = look.classes(person)
    labels = [label for label in (name_label(person), *records) if label.field_class in classes]
    return _open(look, [person], labels, classes)


def _open(look: Look, persons: Sequence[UUID], labels: Sequence[Label], classes: Sequence[FieldClass]) -> Seen:
    handled = persons if set(classes) & set(look.classes()) else []
    decided = decide(question=look.question, persons=persons, staff=look.viewer, field_classes=classes, handled=handled)
    return Seen(decided=decided, opened=open_fields(warrant=decided.warrant, labels=labels, permitted_only=True))


def full_name(fields: Opened | None) -> str:
    """Return a name as it is written where its owner lives; empty if nothing was opened."""
    if not fields:
        return ""
    if full := fields.get("full"):
        return str(full)
    given, family = str(fields.get("given", "")), str(fields.get("family", ""))
    han = bool(family) and all("一" <= letter <= "鿿" for letter in family + given)
    return f"{family}{given}" if han else f"{given} {family}".strip()
