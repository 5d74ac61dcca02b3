"""The filter by a sealed field: whoever has exactly what somebody typed, as far as role and law let the viewer see it.

The address names the row of what was typed (`?exact=…`), never the value. It finds people as search does: those who may
have it are told by blind tokens, the law is asked about looking at each, and of whom it permits the field is opened and
compared. So nobody is found by a field that the viewer could not open, and each time is on record. Several values of
one field are any of them; of several fields somebody must have all.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from comity.book.fields.models import CustomField, FieldValue, Sort
from comity.book.fields.queries import class_of, fields_of
from comity.book.lists.filters import Filter, Group, refs_of, register_filter
from comity.book.lists.models import Exactly, ExactValue
from comity.book.opening import Look
from comity.book.queries import persons_seen_by, sought_by
from comity.counsel.actions import FRESH, decide
from comity.staff.walls import acting
from comity.vault.actions import open_fields
from comity.vault.exactly import Known, Part, matching, may_hold
from comity.vault.models import MOST_PERSONS
from comity.vault.sealing import FieldClass, Label
from comity.vault.tokens import INDEXED

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from comity.book.models import Person
    from comity.vault.gate import Warrant
    from comity.vault.queries import Among

ID: Final = "exact"
MOST: Final = 2_000
"""People whose field is opened to compare it; of more, some are chosen by other filters first."""
MOST_ALIKE: Final = 20_000
"""People of the whole book who may have it; a name that more have is looked for among fewer, by search."""
FRESH_FOR: Final = FRESH.total_seconds() * 0.9
KEPT: Final = 64
"""Answers that are kept at a time; the oldest goes."""
SOUGHT_AS_TEXT: Final = (Sort.TEXT, Sort.CHOICE, Sort.DAY, Sort.NUMBER)


@dataclass(frozen=True, kw_only=True)
class Found:
    """Who has it, in the eyes of one viewer: where it lies, and by which decision it was opened."""

    asked: str
    until: float
    held: Sequence[tuple[Label, Warrant]] = field(default=(), repr=False)
    too_many: bool = False

    @property
    def persons(self) -> set[UUID]:
        return {label.person for label, _warrant in self.held}


_found: dict[tuple[UUID, UUID, str, UUID], Found] = {}
_keeping = Lock()


def forget_found() -> None:
    """Forget every answer, as a new process would."""
    with _keeping:
        _found.clear()


# ---------------------------------------------------------------- what may be sought


def parts_for(look: Look) -> list[tuple[str, str]]:
    """Return what the viewer may seek by: the sealed parts that their roles read for this purpose, and fields alike."""
    classes = look.classes()
    known = [(one.value, str(one.label)) for one in Exactly if one != Exactly.FIELD and _known(one)[0] in classes]
    own = [(str(one.ref), one.name) for one in fields_of(look.entity) if is_sought(one) and class_of(one) in classes]
    return [*known, *own]


def is_sought(one: CustomField) -> bool:
    """Say whether a custom field has tokens: a sealed identifier, address or number that is kept as text."""
    return class_of(one) in INDEXED and one.sort in SOUGHT_AS_TEXT


def part_of(value: ExactValue) -> Part:
    """Return what a row is compared with."""
    if value.field is not None:
        return Part(class_of(value.field) or FieldClass.IDENTIFIER, "field", "value")
    return _known(Exactly(value.part))


def _known(part: Exactly) -> Part:
    return Known[part.name].value


def value_at(look: Look, ref: str) -> ExactValue | None:
    """Return a row of what was typed, if it is of the entity whose people are listed."""
    rows = ExactValue.objects.select_related("field", "made_by")
    return rows.filter(ref__in=refs_of([ref]), entity=look.entity).first()


# ---------------------------------------------------------------- who has it


def _seek(look: Look, refs: Sequence[str], persons: QuerySet[Person]) -> QuerySet[Person]:
    """Keep who has one of the values of each part that was typed."""
    by_part: dict[tuple[str, UUID | None], set[UUID]] = {}
    for value in filter(None, (value_at(look, ref) for ref in refs)):
        found = _holders(look, value, persons)
        by_part.setdefault((value.part, value.field_id), set()).update(found.persons)
    for having in by_part.values():
        persons = persons.filter(ref__in=sorted(having))
    return persons


def _holders(look: Look, value: ExactValue, persons: QuerySet[Person]) -> Found:
    part = part_of(value)
    if value.forgotten_at is not None or part.field_class not in look.classes():
        return Found(asked="", until=0)
    key = (look.viewer.ref, look.entity.ref, look.purpose, value.ref)
    labels, people = _who_may(look, value, persons)
    if len(people) > MOST or len(labels) >= MOST_ALIKE:
        return _keep(key, Found(asked="", until=time.monotonic() + FRESH_FOR, too_many=True))
    asked = _name(labels, people)
    known = _found.get(key)
    if known is not None and known.asked == asked and known.until > time.monotonic():
        return known
    held = _compared(look, value, part, [label for label in labels if label.person in people])
    return _keep(key, Found(asked=asked, until=time.monotonic() + FRESH_FOR, held=held))


def may_have(value: ExactValue, among: Among) -> list[Label]:
    """Return blobs of these people that may hold what was typed, in the part it was typed for."""
    labels = may_hold(ref=value.ref, part=part_of(value), among=among, most=MOST_ALIKE)
    if value.field is None:
        return labels
    records = FieldValue.objects.filter(field=value.field, ref__in=[label.record for label in labels])
    ours = set(records.values_list("ref", flat=True))
    return [label for label in labels if label.record in ours]


def _who_may(look: Look, value: ExactValue, persons: QuerySet[Person]) -> tuple[list[Label], dict[UUID, str]]:
    """Return the blobs that may hold it, and those of the listed whose they are, with when each changed last."""
    labels = may_have(value, sought_by(look.viewer, look.entity))
    listed = persons.filter(ref__in=list({label.person for label in labels})).order_by()
    rows = listed.values_list("ref", "changed_at")[: MOST + 1]
    return labels, {ref: changed.isoformat() for ref, changed in rows}


def _name(labels: Iterable[Label], people: dict[UUID, str]) -> str:
    """Return what tells one answer from another: which blobs were looked at, of people as they are."""
    told = sorted(f"{label.record} {people[label.person]}" for label in labels if label.person in people)
    return sha256(repr(told).encode()).hexdigest()


def _compared(look: Look, value: ExactValue, part: Part, labels: Sequence[Label]) -> list[tuple[Label, Warrant]]:
    """Ask about those who may have it, and open and compare what they have, a thousand people at a time."""
    persons = sorted({label.person for label in labels})
    held: list[tuple[Label, Warrant]] = []
    for begin in range(0, len(persons), MOST_PERSONS):
        some = set(persons[begin : begin + MOST_PERSONS])
        decided = decide(
            question=look.question, persons=sorted(some), staff=look.viewer, field_classes=[part.field_class],
            handled=sorted(some), listed=True,
        )  # fmt: skip
        theirs = [label for label in labels if label.person in some]
        same = matching(warrant=decided.warrant, ref=value.ref, part=part, labels=theirs)
        held.extend((label, decided.warrant) for label in same)
    return held


def _keep(key: tuple[UUID, UUID, str, UUID], found: Found) -> Found:
    with _keeping:
        _found.pop(key, None)
        while len(_found) >= KEPT:
            _found.pop(next(iter(_found)))
        _found[key] = found
    return found


# ---------------------------------------------------------------- how it is told


def _titled(look: Look, ref: str) -> str:
    value = value_at(look, ref)
    if value is None:
        return str(_("Exactly"))
    return value.field.name if value.field else str(Exactly(value.part).label)


def _told(look: Look, ref: str) -> str:
    """Say what was typed if the list has just found somebody with it, opened as theirs; else who typed something."""
    value = value_at(look, ref)
    if value is None:
        return say("a value that somebody typed")
    typed = say("a value that %(name)s typed on %(day)s") % {
        "name": value.made_by.name, "day": date_format(timezone.localtime(value.made_at), "DATE_FORMAT")
    }  # fmt: skip
    found = _found.get((look.viewer.ref, look.entity.ref, look.purpose, value.ref))
    return say("exactly %(value)s") % {"value": _shown(look, value, found) or f"{typed}{_but(look, value, found)}"}


def _but(look: Look, value: ExactValue, found: Found | None) -> str:
    """Say why it finds nobody, where it cannot find anybody."""
    if value.forgotten_at is not None:
        return say("; it is gone, since nobody had it")
    if part_of(value).field_class not in look.classes():
        return say("; your roles do not read it for this purpose, so it finds nobody")
    if found is not None and found.too_many and found.until > time.monotonic():
        return say("; too many may have it, so choose by other filters first")
    return ""


def _shown(look: Look, value: ExactValue, found: Found | None) -> str:
    """Return what somebody has who was found, opened under the decision by which they were."""
    part = part_of(value)
    if found is None or not found.held or found.until < time.monotonic() or part.field_class not in look.classes():
        return ""
    if acting() != str(look.viewer.ref):  # a list goes on in somebody's name, and another one reads what it says
        return ""
    label, warrant = found.held[0]
    if not persons_seen_by(look.viewer, look.entity).filter(ref=label.person).exists():
        return ""
    opened = open_fields(warrant=warrant, labels=[label], permitted_only=True)
    return str(opened.get(label, {}).get(part.key) or "")


def begin() -> None:
    """Offer it to the list of people; a value is typed on a page of its own."""
    register_filter(
        Filter(
            id=ID, title=_("Exactly"), titled=_titled, told=_told, choices=lambda _look: (), seeks=_seek,
            knows=lambda look, ref: value_at(look, ref) is not None, group=Group.WHO,
        )
    )  # fmt: skip
