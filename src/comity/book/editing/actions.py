"""Changing one person: each verb is one transaction and leaves one entry, which names what changed and never to what.

Every verb takes the leave that was asked for it. Sealed fields are let through by the vault's own gate; plain facts
keep their past.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Now

from comity.book.editing.history import keep_past
from comity.book.editing.whole import point_label
from comity.book.models import Activity, ContactPoint, Doing, Organisation, Person, Post, Reach, Relation, Tag, Tagging
from comity.book.opening import name_label
from comity.book.queries import tag_called
from comity.ledger.actions import record
from comity.ledger.bodies import JSON, declare_words
from comity.refs import new_ref
from comity.vault.actions import discard, seal
from comity.vault.sealing import FieldClass, Fields, Label

if TYPE_CHECKING:
    from comity.book.editing.leave import Leave

FACTS: Final = ("home", "language", "birth_year", "birth_month", "capacity", "subscriber")
"""Columns of Person that staff fill in."""
RELATION: Final = (
    "customer_since", "contract_running", "address_from_sale", "refusal_offered", "last_purchase_on", "last_inquiry_on",
    "source", "notice", "notice_on",
)  # fmt: skip
"""Columns of Relation that staff fill in."""
POINT: Final = ("mobile", "impersonal", "verified_at")
TALKED: Final = (Doing.CALL, Doing.MAIL, Doing.MEETING)
"""What counts as having been in contact; a note is nobody's but ours."""

declare_words(
    *FACTS, *RELATION, *POINT, *Reach.values, *Doing.values,
    "first", "value", "begins_on", "ends_on", "organisation", "name", "at", "minutes", "text", "doing",
)  # fmt: skip


def lock(person: UUID) -> Person:
    """Return a person whom nobody else changes until this transaction ends."""
    return Person.objects.select_for_update(of=("self",)).get(ref=person)


def _note(leave: Leave, kind: str, body: Mapping[str, JSON]) -> None:
    """Put a change on record, and the person among those who changed last."""
    told = {"entity": leave.entity.ref, "decision": leave.decided.ref, **body}
    record(kind=kind, staff=leave.staff.ref, persons=[leave.person], body=told)
    Person.objects.filter(ref=leave.person).update(changed_at=Now())


# ---------------------------------------------------------------- the person


@transaction.atomic
def change_name(*, leave: Leave, name: Fields) -> None:
    """Seal another name, with what the post is called, in the place of the one before."""
    label = name_label(leave.person)
    leave.demand([label])
    lock(leave.person)
    seal(label=label, fields={key: value for key, value in name.items() if value})
    _note(leave, "book.person-changed", {"changed": ["name"]})


@transaction.atomic
def change_facts(*, leave: Leave, facts: Mapping[str, object]) -> list[str]:
    """Change plain facts of a person; return the columns that changed. The facts before are kept."""
    leave.demand_facts()
    changed = _change(lock(leave.person), facts, FACTS)
    if "home" in changed:
        Person.objects.filter(ref=leave.person).update(home_from=["staff"])
    if changed:
        _note(leave, "book.person-changed", {"changed": changed})
    return changed


@transaction.atomic
def change_relation(*, leave: Leave, facts: Mapping[str, object]) -> list[str]:
    """Change what there is between a person and the entity; return the columns that changed."""
    leave.demand_facts()
    lock(leave.person)
    held = Relation.objects.filter(person=leave.person, entity=leave.entity).first()
    changed = _change(held or Relation(person_id=leave.person, entity=leave.entity), facts, RELATION)
    if changed:
        _note(leave, "book.relation-changed", {"changed": changed})
    return changed


def _change(
    row: Person | Relation | ContactPoint | Post, facts: Mapping[str, object], known: Collection[str]
) -> list[str]:
    if unknown := facts.keys() - set(known):
        raise ValueError(f"{', '.join(sorted(unknown))} cannot be changed here: {', '.join(known)} can")
    changed = sorted(name for name, value in facts.items() if getattr(row, name) != value)
    if not changed:
        return []
    keep_past([row])
    for name in changed:
        setattr(row, name, facts[name])
    row.save(update_fields=None if row._state.adding else changed)  # noqa: SLF001 - Django's documented name for it
    return changed


# ---------------------------------------------------------------- contact points


@transaction.atomic
def add_point(*, leave: Leave, reach: Reach, value: str, facts: Mapping[str, object]) -> ContactPoint:
    """Add a way to reach a person. The first of its kind is the one to use."""
    lock(leave.person)
    first = not ContactPoint.objects.filter(person=leave.person, reach=reach, first=True).exists()
    point = ContactPoint(person_id=leave.person, reach=reach, first=first, **facts)
    leave.demand([point_label(point)])
    keep_past([point])
    point.save(force_insert=True)
    seal(label=point_label(point), fields={reach.value: value})
    _note(leave, "book.point-added", {"point": point.ref, "reach": reach.value})
    return point


@transaction.atomic
def change_point(*, leave: Leave, point: ContactPoint, value: str | None, facts: Mapping[str, object]) -> list[str]:
    """Change a contact point; a `value` that is not None is sealed in the place of the one before.

    Another value is not confirmed, and has not failed, unless `facts` say so.
    """
    leave.demand([point_label(point)])
    lock(leave.person)
    new = (
        {**facts, "verified_at": None} if value is not None and facts.get("verified_at") == point.verified_at else facts
    )
    changed = _change(point, new, POINT)
    if value is not None:
        seal(label=point_label(point), fields={Reach(point.reach).value: value})
        ContactPoint.objects.filter(ref=point.ref).update(failed_at=None)
        changed = ["value", *changed]
    if changed:
        _note(leave, "book.point-changed", {"point": point.ref, "changed": changed})
    return changed


@transaction.atomic
def put_first(*, leave: Leave, point: ContactPoint) -> None:
    """Let this contact point be the one to use among those of its kind."""
    leave.demand([point_label(point)])
    lock(leave.person)
    alike = ContactPoint.objects.filter(person=leave.person, reach=point.reach)
    _mark_first(point, alike.filter(first=True).exclude(ref=point.ref))
    _note(leave, "book.point-changed", {"point": point.ref, "changed": ["first"]})


def _mark_first(point: ContactPoint, before: Iterable[ContactPoint]) -> None:
    others = list(before)
    keep_past([point, *others])
    ContactPoint.objects.filter(ref__in=[other.ref for other in others]).update(first=False)
    ContactPoint.objects.filter(ref=point.ref).update(first=True)


@transaction.atomic
def remove_point(*, leave: Leave, point: ContactPoint) -> None:
    """Take a contact point away, with what is sealed under it; the next of its kind takes its place."""
    label = point_label(point)
    leave.demand([label])
    lock(leave.person)
    keep_past([point])
    discard(labels=[label])
    ref, alike = point.ref, ContactPoint.objects.filter(person=leave.person, reach=point.reach).exclude(ref=point.ref)
    point.delete()
    if not alike.filter(first=True).exists() and (heir := alike.order_by("added_at", "ref").first()):
        _mark_first(heir, [])
    _note(leave, "book.point-removed", {"point": ref})


# ---------------------------------------------------------------- posts and tags


@transaction.atomic
def take_up_post(*, leave: Leave, organisation: str, begins_on: date | None, ends_on: date | None) -> Post:
    """Put a person into an organisation, which is made if there is none of that name."""
    leave.demand_all()
    lock(leave.person)
    post = Post(
        person_id=leave.person, organisation=_organisation(leave, organisation), begins_on=begins_on, ends_on=ends_on
    )
    keep_past([post])
    post.save(force_insert=True)
    _note(leave, "book.post-taken", {"post": post.ref})
    return post


@transaction.atomic
def change_post(
    *, leave: Leave, post: Post, organisation: str, begins_on: date | None, ends_on: date | None
) -> list[str]:
    """Change where or how long a person works; return what changed."""
    leave.demand_all()
    lock(leave.person)
    facts = {"organisation": _organisation(leave, organisation), "begins_on": begins_on, "ends_on": ends_on}
    changed = _change(post, facts, facts)
    if changed:
        _note(leave, "book.post-changed", {"post": post.ref, "changed": changed})
    return changed


def _organisation(leave: Leave, name: str) -> Organisation:
    known = Organisation.objects.filter(entities__contains=[leave.entity.ref])
    found = known.filter(name=name).first() or known.filter(name__iexact=name).first()
    return found or Organisation.objects.create(name=name, entities=[leave.entity.ref])


@transaction.atomic
def remove_post(*, leave: Leave, post: Post) -> None:
    """Take away a post that never was. Who left has an end instead."""
    leave.demand_all()
    lock(leave.person)
    keep_past([post])
    ref = post.ref
    post.delete()
    _note(leave, "book.post-removed", {"post": ref})


@transaction.atomic
def put_tag(*, leave: Leave, name: str) -> Tag:
    """Put a tag on a person; it is made if there is none of that name."""
    leave.demand_all()
    lock(leave.person)
    tag = tag_called(leave.staff, leave.entity, name) or Tag.objects.get_or_create(name=name)[0]
    tagging = Tagging(person_id=leave.person, tag=tag)
    if not Tagging.objects.filter(person=leave.person, tag=tag).exists():
        keep_past([tagging])
        tagging.save(force_insert=True)
        _note(leave, "book.tagged", {"tag": tag.ref})
    return tag


@transaction.atomic
def take_tag_off(*, leave: Leave, tag: UUID) -> None:
    """Take a tag off a person; it stays for others."""
    leave.demand_all()
    lock(leave.person)
    if (tagging := Tagging.objects.filter(person=leave.person, tag=tag).first()) is not None:
        keep_past([tagging])
        tagging.delete()
        _note(leave, "book.untagged", {"tag": tag})


# ---------------------------------------------------------------- activities


def activity_label(row: Activity) -> Label:
    """Return where the text of an activity is sealed."""
    return Label(row.person_id, FieldClass.NOTE, "activity", row.ref)


@transaction.atomic
def log_activity(*, leave: Leave, doing: Doing, at: datetime, minutes: int | None, text: str) -> Activity:
    """Put on record that something happened between a person and us, and seal what was said."""
    person = lock(leave.person)
    row = Activity(
        ref=new_ref(), person=person, entity=leave.entity, doing=doing, at=at, minutes=minutes, staff=leave.staff
    )
    leave.demand([activity_label(row)])
    row.save(force_insert=True)
    seal(label=activity_label(row), fields={"text": text})
    _count_contact(person)
    _note(leave, "book.activity-logged", {"activity": row.ref, "doing": doing.value})
    return row


@transaction.atomic
def change_activity(
    *, leave: Leave, activity: Activity, doing: Doing, at: datetime, minutes: int | None, text: str
) -> None:
    """Change what one has put on record oneself."""
    _demand_own(leave, activity)
    person = lock(leave.person)
    activity.doing, activity.at, activity.minutes = doing, at, minutes
    activity.save(update_fields=["doing", "at", "minutes"])
    seal(label=activity_label(activity), fields={"text": text})
    _count_contact(person)
    _note(leave, "book.activity-changed", {"activity": activity.ref})


@transaction.atomic
def delete_activity(*, leave: Leave, activity: Activity) -> None:
    """Take away what one has put on record oneself, with its text."""
    _demand_own(leave, activity)
    person = lock(leave.person)
    ref = activity.ref
    discard(labels=[activity_label(activity)])
    activity.delete()
    _count_contact(person)
    _note(leave, "book.activity-deleted", {"activity": ref})


class NotOwn(PermissionError):
    """Somebody would change what another has put on record."""


def _demand_own(leave: Leave, activity: Activity) -> None:
    leave.demand([activity_label(activity)])
    if activity.staff_id != leave.staff.ref:
        raise NotOwn(f"activity {activity.ref} was put on record by somebody else: add a note of your own")


def _count_contact(person: Person) -> None:
    """Keep the day of the last contact as the activities say it.

    With several entities of ours we may not see all activities: then that day only moves on.
    """
    latest = Activity.objects.filter(person=person, doing__in=TALKED).aggregate(latest=Max("at"))["latest"]
    day = latest.date() if latest else None
    moves_on = day is not None and (person.last_contact_on is None or day > person.last_contact_on)
    if moves_on or (day != person.last_contact_on and len(person.entities) == 1):
        keep_past([person])
        Person.objects.filter(ref=person.ref).update(last_contact_on=day)
