"""Signing in by a code that is sent to an address: asked for, tried, and the visit that it begins.

INVARIANT: nobody is looked up when a code is asked for. What is done is the same for every address, so neither the
answer nor its time tells whether it is known. Who has the address in the book is asked once its code came back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from comity.book.models import ContactPoint, Person, Reach
from comity.consent.preferences.choices import person_of
from comity.consent.records.gpc import honour_signal
from comity.consent.suppression.marks import Mark
from comity.ledger.actions import record
from comity.post.actions import begin_dispatch
from comity.post.jobs import defer_dispatch
from comity.post.letterheads import letterhead_of
from comity.refs import new_ref
from comity.rights.portal.codes import is_right
from comity.rights.portal.models import Code, Portal, Visit
from comity.rights.portal.writing import KIND, PURPOSE, label_of, law_permits, people_at
from comity.staff.guards import may_handle
from comity.staff.once import rows_of
from comity.vault.actions import destroy_person_key, new_person_key, seal
from comity.vault.sealing import FieldClass

if TYPE_CHECKING:
    from comity.ledger.bodies import JSON
    from comity.staff.models import Entity, Staff

HERE: Final = frozenset({"localhost", "127.0.0.1"})
LIVES: Final = timedelta(minutes=15)
MOST_TRIES: Final = 5
MOST_TO_ONE: Final = 5
"""Codes an hour to one address: whoever types another's cannot fill their mailbox. Beyond it the page says the same."""
MOST_OF_ONE: Final = 30
"""Codes an hour that are asked for from one network address."""
MOST_OF_ALL: Final = 2_000
"""Codes an hour of one entity; with five tries each, a code of eight digits is guessed once in a year."""
IDLE, LONGEST_VISIT = timedelta(minutes=30), timedelta(hours=2)
NOTICED: Final = timedelta(minutes=1)
"""How exactly it is known when a visit was last in use: to write it down with every page costs more than it tells."""
HOUR: Final = timedelta(hours=1)


class TooMany(Exception):
    """So many codes were asked for within the hour, from here or in all, that machines must be at it."""


# ---------------------------------------------------------------- opening the portal


def hindrances(*, entity: Entity, portal: Portal | None) -> list[str]:
    """Return what keeps people from signing in, each by a word."""
    found = []
    if not (settings.ADDRESS.scheme == "https" or settings.ADDRESS.hostname in HERE):
        found.append("address")
    if letterhead_of(entity) is None:
        found.append("imprint")
    if portal is None or portal.closed_at or portal.gateway.ended_at:
        found.append("gateway")
    if portal is None or not may_send(portal.sender, entity.ref):
        found.append("sender")
    if not law_permits(entity, timezone.localdate()):
        found.append("law")
    return found


def may_send(staff: Staff, entity: UUID) -> bool:
    """Tell whether a role of theirs lets codes go out in their name; it is asked again at each of them."""
    return staff.is_active and may_handle(
        staff, operation="contact", purpose=PURPOSE, field_class=FieldClass.CONTACT, entity=entity
    )


# ---------------------------------------------------------------- asking for a code


@transaction.atomic
def ask_code(*, portal: Portal, address: str, mark: Mark, client: bytes, language: str, at: datetime) -> Code:
    """Let a message go out to whatever address somebody typed. Raises TooMany."""
    rows_of("SELECT pg_advisory_xact_lock(%s)::text", [mark.number])  # two at once must not both be the fifth
    _refuse_haste(portal, client, at)
    enough = Code.objects.filter(entity=portal.entity_id, mark=mark.digest, asked_at__gt=at - HOUR).count()
    code = Code.objects.create(
        entity=portal.entity, mark=mark.digest, client=client, language=language, asked_at=at, ends_at=at + LIVES
    )
    if enough < MOST_TO_ONE:
        _let_go_out(code, portal, address)
    body: dict[str, JSON] = {"code": code.ref, "entity": portal.entity_id, "sent": enough < MOST_TO_ONE}
    record(kind="rights.code-asked", body=body)
    return code


def _refuse_haste(portal: Portal, client: bytes, at: datetime) -> None:
    lately = Code.objects.filter(asked_at__gt=at - HOUR)
    if lately.filter(client=client).count() >= MOST_OF_ONE:
        raise TooMany(f"more than {MOST_OF_ONE} an hour from one place")
    if lately.filter(entity=portal.entity_id).count() >= MOST_OF_ALL:
        raise TooMany(f"more than {MOST_OF_ALL} an hour in all")


def _let_go_out(code: Code, portal: Portal, address: str) -> None:
    new_person_key(person=code.ref)
    seal(label=label_of(code.ref), fields={"email": address})
    dispatch = begin_dispatch(
        kind=KIND, about=code.ref, entity=portal.entity, purpose=PURPOSE, gateway=portal.gateway,
        staff=portal.sender, persons=[code.ref],
    )  # fmt: skip
    defer_dispatch(dispatch=dispatch)


# ---------------------------------------------------------------- trying it


class Came(StrEnum):
    """What came of a code that was typed."""

    IN = "in"
    WRONG = "wrong"
    OVER = "over"  # it was used, is too old, or was tried too often


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What came of it, and the visit that it began."""

    came: Came
    visit: Visit | None = None
    left: int = 0  # tries


@transaction.atomic
def try_code(*, ref: UUID, entity: Entity, typed: str, at: datetime, signal: bool) -> Tried:
    """Begin a visit by the code that was sent, once. `signal` if the browser sends Global Privacy Control."""
    code = Code.objects.select_for_update(of=("self",)).filter(ref=ref, entity=entity).first()
    if code is None or code.used_at or code.ends_at <= at or code.tries >= MOST_TRIES:
        return Tried(came=Came.OVER)
    code.tries += 1
    code.used_at = at if is_right(code, typed) else None
    code.save(update_fields=["tries", "used_at"])
    if code.used_at is None:
        left = MOST_TRIES - code.tries
        record(kind="rights.code-wrong", body={"code": code.ref, "entity": entity.ref, "left": left})
        return Tried(came=Came.WRONG if left else Came.OVER, left=left)
    return Tried(came=Came.IN, visit=_visit(code, entity, at, signal=signal))


def _visit(code: Code, entity: Entity, at: datetime, *, signal: bool) -> Visit:
    persons = people_at(label_of(code.ref), entity.ref)
    visit = Visit.objects.create(
        ref=new_ref(), entity=entity, mark=bytes(code.mark), persons=persons, shared=is_shared(persons), begun_at=at,
        seen_at=at, ends_at=at + LONGEST_VISIT,
    )  # fmt: skip
    destroy_person_key(person=code.ref, staff=None)
    body: dict[str, JSON] = {"visit": visit.ref, "code": code.ref, "entity": entity.ref, "shared": visit.shared}
    record(kind="rights.visit-begun", persons=persons, body=body)
    if signal:
        for person in people_of(visit):
            honour_signal(person=person, entity=entity, at=at)
    return visit


def is_shared(persons: list[UUID]) -> bool:
    """Tell whether an address may be that of several: several have it, or whoever has it has one such as info@.

    Then whoever reads its mail need not be the one of whom the book speaks, and nothing of anybody is shown.
    """
    rows = ContactPoint.objects.filter(person__in=persons, reach=Reach.EMAIL, impersonal=True)
    return len(persons) > 1 or rows.exists()


# ---------------------------------------------------------------- the visit


def visit_of(*, ref: UUID, entity: Entity, at: datetime) -> Visit | None:
    """Return a visit that goes on, and note that it is in use."""
    rows = Visit.objects.filter(ref=ref, entity=entity).going_on(at, seen_since=at - IDLE)
    visit = rows.select_related("entity").first()
    if visit is not None and visit.seen_at < at - NOTICED:
        Visit.objects.filter(pk=visit.pk).update(seen_at=at)
    return visit


@transaction.atomic
def end_visit(*, visit: Visit, at: datetime) -> None:
    """End a visit; what its browser carries is worth nothing from now on."""
    if Visit.objects.filter(pk=visit.pk, ended_at=None).update(ended_at=at):
        record(kind="rights.visit-ended", body={"visit": visit.ref, "entity": visit.entity_id})


def people_of(visit: Visit) -> list[Person]:
    """Return who has the address of a visit, as the book is now: under whom they were merged into, without the gone."""
    found = {person.ref: person for ref in visit.persons if (person := person_of(ref))}
    return [person for _ref, person in sorted(found.items())]


def oneself(visit: Visit) -> Person | None:
    """Return whose pages these are; nobody where the address may be that of several, or is nobody's."""
    people = people_of(visit)
    return people[0] if len(people) == 1 and not visit.shared else None
