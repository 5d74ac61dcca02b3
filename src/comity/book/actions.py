"""Changing the book: each verb is one transaction, and leaves its mark in the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID

from django.db import transaction

from comity.book.inserting import copy_rows, insert_rows
from comity.book.known import copied_at_once
from comity.book.models import Activity, ContactPoint, Doing, Organisation, Person, Post, Reach, Relation
from comity.ledger.actions import Draft, record, record_many
from comity.refs import new_ref, new_refs
from comity.vault.actions import discard, seal_many
from comity.vault.resealing import labels_of, reseal
from comity.vault.sealing import FieldClass, Fields, Label

if TYPE_CHECKING:
    from comity.ledger.bodies import JSON
    from comity.staff.models import Entity, Staff

AT_ONCE: Final = 2_000
"""Persons that are written in one go."""


class NewPoint(NamedTuple):
    """A contact point of a newcomer, with the address or number itself."""

    reach: Reach
    value: str
    mobile: bool | None = None
    impersonal: bool = False
    verified_at: datetime | None = None


class NewActivity(NamedTuple):
    """Something that happened with a newcomer before they came into this book."""

    doing: str
    at: datetime
    text: str
    minutes: int | None = None
    staff: Staff | None = None


@dataclass(frozen=True, kw_only=True)
class Newcomer:
    """Somebody who comes into the book: what is sealed, and the plain facts.

    `name` has "given", "family" or "full", and "post". `facts` are columns of Person, `relation` of Relation; `also`
    are further fields that are sealed as the person's own, such as identifiers.
    """

    name: Fields
    points: Sequence[NewPoint] = ()
    facts: Mapping[str, object] = field(default_factory=dict)
    relation: Mapping[str, object] = field(default_factory=dict)
    organisation: str = ""
    activities: Sequence[NewActivity] = ()
    also: Sequence[tuple[FieldClass, Fields]] = ()
    ref: UUID = field(default_factory=new_ref)


@transaction.atomic
def add_persons(*, newcomers: Iterable[Newcomer], entity: Entity, staff: Staff | None) -> int:
    """Bring persons into the book of an entity; return how many. All of them, or, where something is wrong, nobody."""
    many = 0
    firms = Firms(entity)
    for batch in _batches(newcomers):
        many += len(batch)
        write_persons(batch=batch, entity=entity, firms=firms)
        drafts = (
            Draft(
                kind="book.person-added", staff=staff.ref if staff else None, persons=[one.ref],
                body={"entity": str(entity.ref), "points": len(one.points)},
            )
            for one in batch
        )  # fmt: skip
        record_many(drafts=drafts)
    return many


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """Somebody who comes into the book with what they sealed themselves before: nobody sees it on the way.

    `ref` has a key already. `name` and `points` say where name and addresses are sealed now.
    """

    ref: UUID
    facts: Mapping[str, object]
    relation: Mapping[str, object]
    points: Sequence[tuple[Reach, Label, datetime | None]]  # how it reaches them, where it is sealed, since when proven
    name: Label | None = None
    organisation: str = ""


@transaction.atomic
def take_in(*, arrival: Arrival, entity: Entity) -> None:
    """Bring somebody into the book of an entity from what is sealed under their ref; it moves to where it belongs."""
    firms = Firms(entity)
    firms.make([arrival.organisation])
    Person.objects.create(ref=arrival.ref, entities=[entity.ref], **arrival.facts)
    Relation.objects.create(person_id=arrival.ref, entity=entity, **arrival.relation)
    if arrival.organisation:
        Post.objects.create(person_id=arrival.ref, organisation_id=firms.named(arrival.organisation))
    _move(arrival)
    body: dict[str, JSON] = {"entity": entity.ref, "points": len(arrival.points)}
    record(kind="book.person-added", persons=[arrival.ref], body=body)


def _move(arrival: Arrival) -> None:
    copies = []
    if arrival.name:
        copies.append((arrival.name, Label(arrival.ref, FieldClass.NAME, "person", arrival.ref)))
    there = {(one.field_class, one.record) for one in labels_of(person=arrival.ref, records=_records(arrival))}
    for reach, sealed, verified_at in arrival.points:
        if (sealed.field_class, sealed.record) not in there:
            continue  # it was not given
        point = ContactPoint.objects.create(person_id=arrival.ref, reach=reach, verified_at=verified_at)
        sealed_as = FieldClass.ADDRESS if reach == Reach.POST else FieldClass.CONTACT
        copies.append((sealed, Label(arrival.ref, sealed_as, "point", point.ref)))
    reseal(copies=copies)
    discard(labels=[before for before, after in copies if before.record != after.record])


def _records(arrival: Arrival) -> list[UUID]:
    return [sealed.record for _reach, sealed, _at in arrival.points]


def _batches(newcomers: Iterable[Newcomer]) -> Iterator[list[Newcomer]]:
    batch: list[Newcomer] = []
    for one in newcomers:
        batch.append(one)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


class Firms:
    """The organisations that newcomers name, each made once."""

    def __init__(self, entity: Entity) -> None:
        self.entity = entity
        self.known: dict[str, UUID] = {}

    def make(self, names: Iterable[str]) -> None:
        """Find the organisations of these names, and make those that are not there."""
        wanted = sorted({name for name in names if name} - self.known.keys())
        if not wanted:
            return
        theirs = Organisation.objects.filter(entities__contains=[self.entity.ref], name__in=wanted)
        self.known |= dict(theirs.order_by("-ref").values_list("name", "ref"))
        new = [Organisation(name=name, entities=[self.entity.ref]) for name in wanted if name not in self.known]
        Organisation.objects.bulk_create(new)
        self.known |= {firm.name: firm.ref for firm in new}

    def named(self, name: str) -> UUID:
        """Return the ref of an organisation that was made or found."""
        return self.known[name]


def write_persons(*, batch: Sequence[Newcomer], entity: Entity, firms: Firms) -> None:
    """Write newcomers, all that is theirs, and seal it. Whoever calls this writes the ledger entry."""
    refs = iter(new_refs(sum(len(one.points) + len(one.activities) for one in batch)))
    points = {one.ref: [(next(refs), point) for point in one.points] for one in batch}
    activities = {one.ref: [(next(refs), activity) for activity in one.activities] for one in batch}
    firms.make(one.organisation for one in batch)
    with copied_at_once([one.ref for one in batch]):
        _write_facts(batch, entity)
        _write_points(points)
    _write_activities(activities, entity)
    posts = [(new_ref(), one.ref, firms.named(one.organisation)) for one in batch if one.organisation]
    insert_rows(Post, ["ref", "person_id", "organisation_id"], posts, alike={})
    seal_many(blobs=(blob for one in batch for blob in _blobs(one, points[one.ref], activities[one.ref])))


PERSON: Final = ("home", "home_from", "language", "birth_year", "birth_month", "capacity", "subscriber", "objected_at",
                 "opt_out_signal_at", "restricted_at", "deceased_at", "protected_office")  # fmt: skip
RELATION: Final = ("customer_since", "contract_running", "address_from_sale", "refusal_offered", "last_purchase_on",
                   "last_inquiry_on", "last_mailed_on", "source", "notice", "notice_on", "opt_outs_known")  # fmt: skip
BLANK: Final = {
    "home": "", "home_from": (), "language": "", "capacity": "", "subscriber": "", "source": "", "notice": "",
    "contract_running": False, "address_from_sale": False, "refusal_offered": False,
}  # fmt: skip
"""What stands where nothing was said; everywhere else, nothing does."""


def _write_facts(batch: Sequence[Newcomer], entity: Entity) -> None:
    held = _told((one.facts for one in batch), PERSON)
    alike = {name: BLANK.get(name) for name in PERSON if name not in held} | {"entities": [entity.ref]}
    rows = [(one.ref, _latest(one), *(one.facts.get(name, BLANK.get(name)) for name in held)) for one in batch]
    insert_rows(Person, ["ref", "last_contact_on", *held], rows, alike=alike)
    held = _told((one.relation for one in batch), RELATION)
    alike = {name: BLANK.get(name) for name in RELATION if name not in held} | {"entity_id": entity.ref}
    relations = [
        (ref, one.ref, *(one.relation.get(name, BLANK.get(name)) for name in held))
        for ref, one in zip(new_refs(len(batch)), batch, strict=True)
    ]
    insert_rows(Relation, ["ref", "person_id", *held], relations, alike=alike)


def _told(facts: Iterable[Mapping[str, object]], columns: Sequence[str]) -> list[str]:
    """Return which of these columns anybody has. Raises ValueError for a fact that is none of them."""
    told = set[str]().union(*facts)
    if unknown := told - set(columns):
        raise ValueError(f"a newcomer cannot have {', '.join(sorted(unknown))}")
    return [name for name in columns if name in told]


def _latest(one: Newcomer) -> date | None:
    return max((each.at.date() for each in one.activities if each.doing != Doing.NOTE), default=None)


def _write_points(points: Mapping[UUID, Sequence[tuple[UUID, NewPoint]]]) -> None:
    """Write contact points; of each kind the first that was told is the one to use."""
    rows = []
    for person, held in points.items():
        seen: set[Reach] = set()
        for ref, new in held:
            first = new.reach not in seen
            seen.add(new.reach)
            rows.append((ref, person, new.reach, first, new.mobile, new.impersonal, new.verified_at))
    columns = ["ref", "person_id", "reach", "first", "mobile", "impersonal", "verified_at"]
    copy_rows(ContactPoint, columns, rows)


def _write_activities(activities: Mapping[UUID, Sequence[tuple[UUID, NewActivity]]], entity: Entity) -> None:
    rows = [
        (ref, person, new.doing, new.at, new.minutes, new.staff.ref if new.staff else None)
        for person, held in activities.items()
        for ref, new in held
    ]
    columns = ["ref", "person_id", "doing", "at", "minutes", "staff_id"]
    insert_rows(Activity, columns, rows, alike={"entity_id": entity.ref})


def _blobs(
    one: Newcomer, points: Iterable[tuple[UUID, NewPoint]], activities: Iterable[tuple[UUID, NewActivity]]
) -> Iterator[tuple[Label, Fields]]:
    yield Label(one.ref, FieldClass.NAME, "person", one.ref), one.name
    for ref, new in points:
        sealed_as = FieldClass.ADDRESS if new.reach == Reach.POST else FieldClass.CONTACT
        yield Label(one.ref, sealed_as, "point", ref), {new.reach.value: new.value}
    for ref, happened in activities:
        yield Label(one.ref, FieldClass.NOTE, "activity", ref), {"text": happened.text}
    for field_class, fields in one.also:
        yield Label(one.ref, field_class, "person", one.ref), fields
