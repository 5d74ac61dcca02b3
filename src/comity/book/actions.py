"""Changing the book: each verb is one transaction, and leaves its mark in the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import transaction

from comity.book.models import Activity, ContactPoint, Organisation, Person, Post, Reach, Relation
from comity.ledger.actions import Draft, record_many
from comity.refs import new_ref
from comity.vault.actions import seal_many
from comity.vault.sealing import FieldClass, Fields, Label

if TYPE_CHECKING:
    from comity.staff.models import Entity, Staff

AT_ONCE: Final = 2_000
"""Persons that are written in one go."""


@dataclass(frozen=True, kw_only=True)
class NewPoint:
    """A contact point of a newcomer, with the address or number itself."""

    reach: Reach
    value: str
    mobile: bool | None = None
    impersonal: bool = False
    verified_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class NewActivity:
    """Something that happened with a newcomer before they came into this book."""

    doing: str
    at: datetime
    text: str
    minutes: int | None = None
    staff: Staff | None = None


@dataclass(frozen=True, kw_only=True)
class Newcomer:
    """Somebody who comes into the book: what is sealed, and the plain facts.

    `name` has "given", "family" or "full", and "post". `facts` are columns of Person, `relation` of Relation.
    """

    name: Fields
    points: Sequence[NewPoint] = ()
    facts: Mapping[str, object] = field(default_factory=dict)
    relation: Mapping[str, object] = field(default_factory=dict)
    organisation: str = ""
    activities: Sequence[NewActivity] = ()
    ref: UUID = field(default_factory=new_ref)


@transaction.atomic
def add_persons(*, newcomers: Iterable[Newcomer], entity: Entity, staff: Staff | None) -> int:
    """Bring persons into the book of an entity; return how many. All of them, or, where something is wrong, nobody."""
    many = 0
    firms = _Firms(entity)
    for batch in _batches(newcomers):
        many += len(batch)
        _add(batch, entity, firms)
        drafts = (
            Draft(
                kind="book.person-added", staff=staff.ref if staff else None, persons=[one.ref],
                body={"entity": str(entity.ref), "points": len(one.points)},
            )
            for one in batch
        )  # fmt: skip
        record_many(drafts=drafts)
    return many


def _batches(newcomers: Iterable[Newcomer]) -> Iterator[list[Newcomer]]:
    batch: list[Newcomer] = []
    for one in newcomers:
        batch.append(one)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


class _Firms:
    """The organisations that newcomers name, each made once."""

    def __init__(self, entity: Entity) -> None:
        self.entity = entity
        self.known = {firm.name: firm for firm in Organisation.objects.filter(entities__contains=[entity.ref])}

    def named(self, name: str) -> Organisation:
        if name not in self.known:
            self.known[name] = Organisation.objects.create(name=name, entities=[self.entity.ref])
        return self.known[name]


def _add(batch: Sequence[Newcomer], entity: Entity, firms: _Firms) -> None:
    points = {one.ref: [(_point(one.ref, new), new) for new in one.points] for one in batch}
    activities = {one.ref: [(_activity(one.ref, entity, new), new) for new in one.activities] for one in batch}
    Person.objects.bulk_create(_person(one, entity) for one in batch)
    Relation.objects.bulk_create(Relation(person_id=one.ref, entity=entity, **one.relation) for one in batch)
    ContactPoint.objects.bulk_create(row for rows in points.values() for row, _ in rows)
    Activity.objects.bulk_create(row for rows in activities.values() for row, _ in rows)
    Post.objects.bulk_create(
        Post(person_id=one.ref, organisation=firms.named(one.organisation)) for one in batch if one.organisation
    )
    seal_many(blobs=(blob for one in batch for blob in _blobs(one, points[one.ref], activities[one.ref])))


def _person(one: Newcomer, entity: Entity) -> Person:
    latest = max((each.at for each in one.activities), default=None)
    return Person(
        ref=one.ref, entities=[entity.ref], last_contact_on=latest.date() if latest else None,
        **one.facts,
    )  # fmt: skip


def _point(person: UUID, new: NewPoint) -> ContactPoint:
    return ContactPoint(
        person_id=person, reach=new.reach, mobile=new.mobile, impersonal=new.impersonal, verified_at=new.verified_at
    )


def _activity(person: UUID, entity: Entity, new: NewActivity) -> Activity:
    return Activity(person_id=person, entity=entity, doing=new.doing, at=new.at, minutes=new.minutes, staff=new.staff)


def _blobs(
    one: Newcomer, points: Iterable[tuple[ContactPoint, NewPoint]], activities: Iterable[tuple[Activity, NewActivity]]
) -> Iterator[tuple[Label, Fields]]:
    yield Label(one.ref, FieldClass.NAME, "person", one.ref), one.name
    for row, new in points:
        sealed_as = FieldClass.ADDRESS if new.reach == Reach.POST else FieldClass.CONTACT
        yield Label(one.ref, sealed_as, "point", row.ref), {new.reach.value: new.value}
    for each, happened in activities:
        yield Label(one.ref, FieldClass.NOTE, "activity", each.ref), {"text": happened.text}
