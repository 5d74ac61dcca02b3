"""What a row says of somebody who is in the book already: the law comes first, and every no is kept.

A row is of somebody found when the file was looked over. Since then they may have become one with somebody else, or
have been erased: so who they are now is asked anew, under a lock. More than the no is written only if that was chosen,
and if the law lets us keep both what the row says and whom the book knows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.utils import timezone

from comity.book.editing.history import keep_past
from comity.book.imports.newcomers import Spoken, writers
from comity.book.models import ContactPoint, Person, Reach, Relation
from comity.ledger.bodies import declare_words
from comity.vault.actions import seal
from comity.vault.sealing import FieldClass, Label

if TYPE_CHECKING:
    from comity.book.actions import NewPoint
    from comity.book.imports.looking import Laws
    from comity.book.imports.models import Import
    from comity.book.imports.reading import Told

NOES: Final = ("objected_at", "opt_out_signal_at", "restricted_at", "deceased_at")
"""Facts that forbid: they are kept whatever was chosen, and the earliest counts."""

declare_words(
    *NOES, "home", "home_from", "language", "birth_year", "birth_month", "capacity", "subscriber", "customer_since",
    "contract_running", "address_from_sale", "refusal_offered", "last_purchase_on", "last_inquiry_on",
    "last_mailed_on", "source", "notice", "notice_on", "consents", *Reach.values,
)  # fmt: skip


class Meeting:
    """Does what rows of one import say of people who are in the book; `changed` tells what it did to whom."""

    def __init__(self, one: Import, laws: Laws) -> None:
        """Prepare to write for an import; `laws` are those asked of its newcomers."""
        self.one, self.laws = one, laws
        self.changed: dict[UUID, set[str]] = {}
        self._kept: dict[UUID, bool] = {}

    def begin(self, persons: Iterable[UUID], *, filled: Collection[UUID] = ()) -> None:
        """Begin a batch about these persons: lock them all, in one order, and ask the law at once of whom is filled."""
        self.changed = {}
        now = [one.ref for one in self._locked(persons)]
        self._kept = self.laws.keeps(now) if filled else {}

    def _locked(self, persons: Iterable[UUID]) -> Iterator[Person]:
        """Lock persons as they are called now. Whoever went into somebody else is that one."""
        wanted = set(persons)
        while wanted:
            found = list(Person.objects.select_for_update(of=("self",)).filter(ref__in=wanted).order_by("ref"))
            yield from (one for one in found if one.merged_into_id is None)
            wanted = {one.merged_into_id for one in found if one.merged_into_id is not None}

    def met(self, told: Told, ref: UUID, *, fill: bool) -> bool:
        """Do what a row says of somebody: the no always, the rest if that was chosen and is lawful.

        Return False where nobody is there any more: nothing was written then.
        """
        person = next(self._locked([ref]), None)
        if person is None:
            return False
        fill = fill and self._may_fill(told, person)
        changed = {
            *self._said(person.ref, [*(told.spoken if fill else told.noes), *_objection(told)]),
            *self._facts(person, told.facts, fill=fill),
            *(self._fill(person.ref, told) if fill else ()),
        }
        if changed:
            Person.objects.filter(ref=person.ref).update(changed_at=timezone.now())
            self.changed.setdefault(person.ref, set()).update(changed)
        return True

    def _may_fill(self, told: Told, person: Person) -> bool:
        """Ask of the row, and of whom the book knows. Of somebody whose processing is restricted no more is kept."""
        if person.restricted_at or person.deceased_at or {"restricted_at", "deceased_at"} & told.facts.keys():
            return False
        if person.ref not in self._kept:
            self._kept |= self.laws.keeps([person.ref])
        return self._kept.get(person.ref, False) and self.laws.lets(self.laws.of_keeping(told))

    def _said(self, person: UUID, spoken: Collection[Spoken]) -> Iterator[str]:
        if spoken:
            for writer in writers():
                writer.write(spoken={person: list(spoken)}, entity=self.one.entity, heard_by=None)
            yield "consents"

    def _facts(self, person: Person, told: Mapping[str, Any], *, fill: bool) -> Iterable[str]:
        facts = {name: at for name, at in told.items() if name in NOES and _earlier(at, getattr(person, name))}
        if fill:
            facts |= _only_empty(person, {name: value for name, value in told.items() if name not in NOES})
        if facts:
            keep_past([person])
            Person.objects.filter(ref=person.ref).update(**facts)
        return facts

    def _fill(self, person: UUID, told: Told) -> Iterator[str]:
        relation = Relation.objects.select_for_update().filter(person=person, entity=self.one.entity).first()
        if relation and (facts := _only_empty(relation, told.relation)):
            keep_past([relation])
            Relation.objects.filter(ref=relation.ref).update(**facts)
            yield from facts
        held = set(ContactPoint.objects.filter(person=person).values_list("reach", flat=True))
        for point in told.points:
            if point.reach not in held:
                self._add_point(person, point)
                held.add(point.reach)
                yield point.reach.value

    def _add_point(self, person: UUID, point: NewPoint) -> None:
        row = ContactPoint.objects.create(
            person_id=person, reach=point.reach, mobile=point.mobile, impersonal=point.impersonal
        )
        sealed_as = FieldClass.ADDRESS if point.reach == Reach.POST else FieldClass.CONTACT
        seal(label=Label(person, sealed_as, "point", row.ref), fields={point.reach.value: point.value})


def _objection(told: Told) -> list[Spoken]:
    """Return the objection of a row as something said, unless its words say so.

    Where an earlier one counts, nothing else would tell of it; and that one may turn out to be a mistake.
    """
    at = told.facts.get("objected_at")
    if at is None or any(one.said == "objected" for one in told.spoken):
        return []
    return [Spoken(purpose="marketing", channel="none", said="objected", said_at=at, source="import")]


def _earlier(at: datetime, known: datetime | None) -> bool:
    return known is None or at < known


def _only_empty(row: Person | Relation, told: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of this the row does not say yet."""
    said = {name: value for name, value in told.items() if not _is_empty(value)}
    return {name: value for name, value in said.items() if _is_empty(getattr(row, name))}


def _is_empty(value: object) -> bool:
    return value is None or value is False or value in ("", [], ())
