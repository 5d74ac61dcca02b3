"""Registers of those who want no advertising: bringing in a version, and looking for our people's numbers in it.

A register is kept as keyed hashes, and our people's numbers are sealed: so they are compared where they are opened, by
a decision of the law and in the name of whoever may open them, and what remains is one word for each: there, or not. An
index of all our numbers by such hashes would be quicker, and would outlive every key that is destroyed so that backups
forget.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, BinaryIO, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.book.editing.whole import class_of, point_label
from comity.book.models import ContactPoint, Person, Reach
from comity.book.opening import GIVEN_BY_PURPOSE
from comity.consent.suppression.files import Read, marks_in
from comity.consent.suppression.keys import suppression_key
from comity.consent.suppression.marks import Unclear, mark_of
from comity.consent.suppression.models import Listed, Looked, Register
from comity.consent.suppression.queries import listed_among
from comity.counsel.actions import decide
from comity.counsel.questions import Question
from comity.ledger.actions import record
from comity.ledger.bodies import JSON
from comity.staff.guards import demand, may_handle
from comity.staff.walls import behind_wall
from comity.vault.actions import open_fields
from comity.vault.sealing import FieldClass

if TYPE_CHECKING:
    from comity.staff.models import Entity, Staff

WORD: Final = "register.change"
PURPOSE: Final = "legal-duty"
"""For which numbers are opened to be looked for: the law of calls asks us to."""
AT_ONCE: Final = 500
"""Contact points that are opened under one decision."""
REACHES_BY: Final = {
    Reach.PHONE: ("call", "autocall", "sms", "fax"), Reach.EMAIL: ("email",), Reach.POST: ("post",),
    Reach.MESSENGER: ("messenger",),
}  # fmt: skip


class NotImported(ValidationError):
    """The version stays out, and the one before stays in; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What is said of a register."""

    name: str
    place: str
    reach: str
    channels: Sequence[str]
    subscriber: str = ""


@transaction.atomic
def keep_register(*, entity: Entity, kept: Kept, kept_by: Staff) -> Register:
    """Add a register that an entity reads; its first version comes with `import_version`. Raises NotYours."""
    demand(kept_by, WORD, entity)
    row = Register.objects.create(
        entity=entity, name=kept.name, place=kept.place, reach=kept.reach, channels=list(kept.channels),
        subscriber=kept.subscriber,
    )  # fmt: skip
    _note("consent.register-kept", row, kept_by, {})
    return row


@transaction.atomic
def end_register(*, register: Register, ended_by: Staff) -> None:
    """Say that a register is no more, or that we read it no more: it says nothing of anybody from then on."""
    demand(ended_by, WORD, register.entity)
    held = _locked(register)
    held.ended_at = timezone.now()
    held.save(update_fields=["ended_at"])
    Looked.objects.filter(register=held).delete()
    Listed.objects.filter(register=held).delete()
    _note("consent.register-ended", held, ended_by, {})


@transaction.atomic
def import_version(*, register: Register, file: BinaryIO, version_on: date, imported_by: Staff) -> Read:
    """Take in a version of a register in the place of the one before; return what was read of it.

    Nobody's number was looked for in it yet: `check_people` does. Raises NotYours, and NotImported for a version that
    is older than the one that is here, of a day to come, or in which nothing was understood.
    """
    demand(imported_by, WORD, register.entity)
    held = _locked(register)
    _refuse_day(held, version_on)
    read = Read()
    many = _fill(held, file, read)
    if not read.taken or read.unclear > read.taken:
        raise NotImported(
            _("Most of its lines hold no number or address of that kind. Look at the file, and its kind.")
        )
    held.version_on, held.imported_at, held.imported_by = version_on, timezone.now(), imported_by
    held.entries, held.checked_at = many, None
    held.save(update_fields=["version_on", "imported_at", "imported_by", "entries", "checked_at"])
    _note("consent.register-imported", held, imported_by, {"entries": many, "unclear": read.unclear, "on": version_on})
    return read


def _refuse_day(register: Register, version_on: date) -> None:
    if version_on > timezone.localdate():
        raise NotImported(_("This version is of a day to come."))
    if register.version_on and version_on < register.version_on:
        raise NotImported(_("A newer version is here already, of %(day)s.") % {"day": register.version_on.isoformat()})
    if register.ended_at:
        raise NotImported(_("This register has ended. Add it anew if it is read again."))


def _fill(register: Register, file: BinaryIO, read: Read) -> int:
    """Put the entries of a file in the place of those before; return how many there are."""
    Listed.objects.filter(register=register).delete()
    suppression_key()  # nothing can be asked of the database while it takes a copy in
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE register_entries (digest bytea) ON COMMIT DROP")
        with cursor.copy("COPY register_entries (digest) FROM STDIN") as copy:
            for mark in marks_in(file, read, reach=register.reach, places=[register.place]):
                copy.write_row([mark.digest])
        cursor.execute(
            "INSERT INTO consent_listed (register_id, entity_id, digest) "
            "SELECT DISTINCT %s::uuid, %s::uuid, digest FROM register_entries",
            [register.ref, register.entity_id],
        )
        many: int = cursor.rowcount
        cursor.execute("DROP TABLE register_entries")
    return many


def _locked(register: Register) -> Register:
    return Register.objects.select_for_update(of=("self",)).select_related("entity").get(pk=register.pk)


def _note(kind: str, register: Register, staff: Staff, more: dict[str, JSON]) -> None:
    body: dict[str, JSON] = {"register": register.ref, "entity": register.entity_id, "place": register.place, **more}
    record(kind=kind, staff=staff.ref, body=body)


# ---------------------------------------------------------------- looking for our people's numbers


def check_people(*, register: Register, staff: Staff, only: Collection[UUID] | None = None) -> int:
    """Look for the numbers of all who may live where a register counts, or of some; return how many were looked for.

    What was looked for in this version, and is the same number since, is not looked for again. Each batch is a
    transaction of its own, so it may be stopped and begun again. Who may not be opened for it, by law or role, is not
    looked for, and stays unknown. Raises NotYours, KeyTrouble.
    """
    demand(staff, WORD, register.entity)
    looked, begun = 0, timezone.now()
    last: UUID | None = None
    while True:
        with behind_wall(staff=staff.ref, entities=[register.entity_id]):
            held = Register.objects.select_for_update(of=("self",), no_key=True).get(pk=register.pk)
            points = _next(held, last, only) if held.version_on and not held.ended_at else []
            looked += _look(held, points, staff) if points else 0
            if not points:
                _finish(held, staff, looked, begun if only is None else None)
                return looked
            last = points[-1].ref


def _finish(register: Register, staff: Staff, looked: int, begun: datetime | None) -> None:
    """Note that it was done; of everybody, if that `begun` when the version that counts was here."""
    if begun and register.imported_at and register.imported_at <= begun:
        register.checked_at = timezone.now()
        register.save(update_fields=["checked_at"])
    _note("consent.register-checked", register, staff, {"looked_for": looked})


def _next(register: Register, last: UUID | None, only: Collection[UUID] | None) -> list[ContactPoint]:
    here = rf"(^|\|){register.place}(-|\||$)"
    persons = Person.objects.filter(home__regex=here, merged_into=None, entities__contains=[register.entity_id])
    looked = Looked.objects.filter(register=register, version_on=register.version_on or date.min)
    points = ContactPoint.objects.filter(reach=register.reach, person__in=persons).order_by("ref")
    points = points.exclude(Exists(looked.filter(point=OuterRef("ref"))))
    if only is not None:
        points = points.filter(person__in=list(only))
    return list((points.filter(ref__gt=last) if last else points)[:AT_ONCE])


LOOK: Final = """
    INSERT INTO consent_looked (point, register_id, entity_id, person, version_on, found)
    SELECT one.point, %(register)s, %(entity)s, one.person, %(version_on)s, one.found
    FROM unnest(%(points)s::uuid[], %(persons)s::uuid[], %(found)s::boolean[]) AS one(point, person, found)
    ON CONFLICT (point, register_id) DO UPDATE
        SET version_on = excluded.version_on, found = excluded.found, looked_at = now(), person = excluded.person
"""


def _look(register: Register, points: Sequence[ContactPoint], staff: Staff) -> int:
    digests = dict(_digests(register, points, staff))
    found = listed_among(register, set(digests.values()))
    those = [point for point in points if point.ref in digests]
    with connection.cursor() as cursor:
        cursor.execute(LOOK, {
            "register": register.ref, "entity": register.entity_id, "version_on": register.version_on,
            "points": [point.ref for point in those], "persons": [point.person_id for point in those],
            "found": [digests[point.ref] in found for point in those],
        })  # fmt: skip
    return len(those)


def _digests(register: Register, points: Sequence[ContactPoint], staff: Staff) -> Iterator[tuple[UUID, bytes]]:
    """Give the marks of these points' numbers, opened under one decision; none of those that cannot be read."""
    homes = dict(Person.objects.filter(ref__in={point.person_id for point in points}).values_list("ref", "home"))
    for point, value in _opened(register, points, staff):
        try:
            mark = mark_of(register.reach, value, places=homes[point.person_id].split("|"))
        except Unclear:
            continue
        yield point.ref, mark.digest


def _opened(register: Register, points: Sequence[ContactPoint], staff: Staff) -> Iterator[tuple[ContactPoint, str]]:
    persons = list(dict.fromkeys(point.person_id for point in points))
    sort: FieldClass = class_of(register.reach)
    may = may_handle(staff, operation="view", purpose=PURPOSE, field_class=sort, entity=register.entity_id)
    question = Question(
        operation="view", purpose=PURPOSE, entity=register.entity_id, more=GIVEN_BY_PURPOSE.get(PURPOSE, {})
    )
    decided = decide(
        question=question, persons=persons, staff=staff, field_classes=[sort], handled=persons if may else []
    )
    labels = {point_label(point): point for point in points}
    opened = open_fields(warrant=decided.warrant, labels=list(labels), permitted_only=True)
    for label, fields in opened.items():
        yield labels[label], ", ".join(str(part) for part in fields.values())
