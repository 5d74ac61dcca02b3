"""Reading pairs and merges, and putting two people side by side. Whoever looks comes first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from comity.book.merging.actions import CHOSEN, NAMES
from comity.book.merging.duplicates import REASONS
from comity.book.merging.models import Judged, Merge, Pair
from comity.book.models import Capacity, ContactPoint, Person, Reach
from comity.book.opening import Look, Seen, everything_of, full_name, names_of, purposes_of
from comity.book.places import said_of
from comity.book.queries import persons_seen_by
from comity.staff.guards import NotYours, entities_of, may_do
from comity.staff.models import Staff
from comity.staff.queries import entities_seen_by
from comity.vault.sealing import FieldClass, Label

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


def merging_look(viewer: Staff, wanted: str = "") -> Look:
    """Return the look of somebody who may merge: for the entity wanted, else the first. Raises NotYours."""
    entities = entities_seen_by(viewer).order_by("name")
    for entity in sorted(entities, key=lambda each: str(each.ref) != wanted):
        purposes = purposes_of(viewer, entity, "merge") if may_do(viewer, "person.merge", entity) else []
        if purposes:
            return Look(viewer=viewer, entity=entity, purpose=purposes[0])
    raise NotYours("person.merge")


def pairs_seen_by(viewer: Staff) -> QuerySet[Pair]:
    """Return the pairs of the viewer's entities."""
    return Pair.objects.filter(entity__in=entities_of(viewer))


def one_pair(viewer: Staff, ref: UUID) -> Pair:
    """Return one pair. Raises Http404."""
    return _one(pairs_seen_by(viewer).filter(pk=ref).first())


def merges_seen_by(viewer: Staff) -> QuerySet[Merge]:
    """Return the merges of the viewer's entities, the latest first."""
    return Merge.objects.filter(entity__in=entities_of(viewer)).select_related("made_by", "undone_by", "entity")


def one_merge(viewer: Staff, ref: UUID) -> Merge:
    """Return one merge. Raises Http404."""
    found = merges_seen_by(viewer).filter(pk=ref).first()
    if found is None:
        raise Http404
    return found


def _one(found: Pair | None) -> Pair:
    if found is None:
        raise Http404
    return found


# ---------------------------------------------------------------- pairs as a page shows them


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A pair with both names, as far as law and roles open them, and the reasons in words."""

    pair: Pair
    names: tuple[str, str]
    reasons: Sequence[_StrPromise | str]


def shown_pairs(look: Look, pairs: Sequence[Pair]) -> list[Shown]:
    """Open the names of all of them together: one decision."""
    persons = list(dict.fromkeys(ref for pair in pairs for ref in (pair.one, pair.other)))
    seen = names_of(look, persons) if persons else None
    return [
        Shown(
            pair=pair, names=(_name(seen, pair.one), _name(seen, pair.other)),
            reasons=[REASONS[each].says for each in pair.reasons if each in REASONS],
        )
        for pair in pairs
    ]  # fmt: skip


def waiting_pairs(look: Look) -> QuerySet[Pair]:
    """Return the pairs of an entity that nobody has judged, the likeliest first."""
    return pairs_seen_by(look.viewer).filter(entity=look.entity, judged=Judged.OPEN)


def _name(seen: Seen | None, person: UUID) -> str:
    return full_name(seen.of(person, FieldClass.NAME)) if seen else ""


# ---------------------------------------------------------------- two people side by side


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of two people who are compared, as far as law and roles open them."""

    person: Person
    name: str
    parts: Mapping[str, str]
    opens: bool
    points: Sequence[tuple[ContactPoint, str]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One field of both."""

    id: str
    title: str
    values: tuple[str, str]

    @property
    def differs(self) -> bool:
        """Whether there is something to choose."""
        return self.values[0] != self.values[1] and all(self.values)


def two_sides(look: Look, refs: Sequence[UUID]) -> tuple[Side, Side]:
    """Return two people to compare. Raises Http404 where one is not there for this viewer."""
    found = persons_seen_by(look.viewer, look.entity).in_bulk(list(refs))
    if len(found) != 2:  # noqa: PLR2004 - the two
        raise Http404
    one, other = (_side(look, found[ref]) for ref in refs)
    return one, other


def _side(look: Look, person: Person) -> Side:
    points = list(ContactPoint.objects.filter(person=person).order_by("reach", "-first", "added_at"))
    labels = {point.ref: Label(person.ref, _class(point), "point", point.ref) for point in points}
    seen = everything_of(look, person.ref, labels.values())
    name = seen.of(person.ref, FieldClass.NAME)
    values = {label.record: next(iter(fields.values()), "") for label, fields in seen.opened.items()}
    return Side(
        person=person, name=full_name(name), opens=name is not None,
        parts={part: str((name or {}).get(part) or "") for part in NAMES},
        points=[(point, str(values.get(point.ref, ""))) for point in points],
    )  # fmt: skip


def _class(point: ContactPoint) -> FieldClass:
    return FieldClass.ADDRESS if point.reach == Reach.POST else FieldClass.CONTACT


def rows_of(one: Side, other: Side) -> list[Row]:
    """Return what is compared field by field: the name's parts, then the facts of which one is chosen."""
    titles = {
        "given": _("Given name"), "family": _("Family name"), "full": _("Full name"), "post": _("Post"),
        "home": _("Home"), "language": _("Language"), "birth_year": _("Birth year"), "capacity": _("Met as"),
        "subscriber": _("Subscriber"),
    }  # fmt: skip
    names = [Row(id=f"name.{part}", title=titles[part], values=(one.parts[part], other.parts[part])) for part in NAMES]
    facts = [
        Row(id=f"fact.{name}", title=titles[name], values=(_said(one.person, name), _said(other.person, name)))
        for name in CHOSEN
    ]
    return [row for row in (*names, *facts) if any(row.values)]


def _said(person: Person, name: str) -> str:
    value: Any = getattr(person, name)
    if name == "home":
        return said_of(value)
    if name == "capacity" and value:
        return str(Capacity(value).label)
    return "" if value is None else str(value)
