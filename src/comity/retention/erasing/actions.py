"""Erasing: a plan that one can read, a beginning that another one approves, a run that is whole or not at all.

INVARIANT: an erasure that began completes by itself: what a kill interrupts, the next worker finishes (`finish_begun`).
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.book.models import Person
from comity.consent.models import Standing
from comity.consent.outlasting import marks_of
from comity.consent.suppression.actions import suppress
from comity.consent.suppression.models import Cause
from comity.ledger.actions import record
from comity.ledger.comity_verify import commitment
from comity.refs import new_ref
from comity.retention.erasing.keeping import Keeper
from comity.retention.erasing.models import Erasure, Kept, Why
from comity.retention.erasing.planning import plan_of
from comity.retention.erasing.running import Record, Went, all_of, grouped, known_elsewhere, remove, strays
from comity.retention.holds.models import Hold
from comity.retention.holds.queries import held, let_no_hold_come
from comity.staff.approvals import Said, ask_approval, use_approval
from comity.staff.guards import demand
from comity.staff.models import Entity
from comity.staff.walls import behind_wall

if TYPE_CHECKING:
    from comity.ledger.bodies import JSON
    from comity.ledger.models import Entry
    from comity.staff.models import Approval, Staff

KIND: Final = "person.erase"
"""Of the approval that an erasure takes which one of the staff begins."""
MOST_AT_ONCE: Final = 500
"""Persons who go in one transaction."""
NAMED: Final = 200
"""Erasures that one entry of the ledger commits to: more would not fit into it."""
SOURCE: Final = "erasure"


class HeldFast(ValidationError):
    """A hold stands: nothing of this person goes until it is lifted."""


class NotThere(ValidationError):
    """There is nobody of this ref in the book, or not for this entity of ours."""


class BegunAlready(ValidationError):
    """This erasure began, and cannot be changed any more."""


# ---------------------------------------------------------------- planning


@transaction.atomic
def plan_erasure(
    *, person: UUID, entity: Entity, why: Why, planned_by: Staff | None, request: UUID | None = None
) -> Erasure:
    """Write down what would go and what must stay. Nothing is changed; a plan that was not begun is made anew.

    Raises NotThere, BegunAlready.
    """
    if planned_by is not None:
        demand(planned_by, KIND, entity)
    if not Person.objects.filter(ref=person, entities__contains=[entity.ref]).exists():
        raise NotThere(_("There is nobody here to erase."))
    if Erasure.objects.filter(person=person, entity=entity, done_at=None).exclude(begun_at=None).exists():
        raise BegunAlready(_("This erasure has begun already."))
    Erasure.objects.filter(person=person, entity=entity, done_at=None).delete()
    plan = plan_of(person, entity, timezone.localdate())
    made = Erasure.objects.create(
        person=person, entity=entity, why=why, request=request, planned_by=planned_by, plan=plan, whole=plan["whole"]
    )
    body: dict[str, JSON] = {"erasure": made.ref, "entity": entity.ref, "why": str(why)}
    record(kind="retention.planned", staff=planned_by.ref if planned_by else None, persons=[person], body=body)
    return made


def what_goes(erasure: Erasure) -> dict[str, Said]:
    """Return the exact request that a second person approves: this plan of this person, and no other."""
    planned = hashlib.sha256(json.dumps(erasure.plan, sort_keys=True).encode()).hexdigest()
    return {"erasure": erasure.ref, "person": erasure.person, "entity": erasure.entity_id, "plan": planned}


def ask_to_erase(*, erasure: Erasure, reason: str, asked_by: Staff) -> Approval:
    """Lay a plan before a second person."""
    return ask_approval(kind=KIND, request=what_goes(erasure), reason=reason, asked_by=asked_by, entity=erasure.entity)


# ---------------------------------------------------------------- beginning


@transaction.atomic
def begin_approved(*, erasure: Erasure, begun_by: Staff) -> Erasure:
    """Begin what a second person approved; from here on it completes by itself. Raises NotApproved, HeldFast."""
    use_approval(kind=KIND, request=what_goes(erasure), asked_by=begun_by)
    return _begin(erasure)


def _begin(erasure: Erasure) -> Erasure:
    locked = Erasure.objects.select_for_update(of=("self",)).select_related("entity").get(pk=erasure.pk)
    refuse_held([locked.person], locked.entity)
    if locked.begun_at is None:
        locked.begun_at = timezone.now()
        locked.save(update_fields=["begun_at"])
    return locked


def refuse_held(persons: Collection[UUID], entity: Entity) -> None:
    """Raise HeldFast where somebody of these is held; from here on no hold comes until this transaction ends."""
    let_no_hold_come()
    if not held(list(persons)):
        return
    standing = Hold.objects.standing().filter(Q(person=None) | Q(person__in=list(persons)), entity=entity).first()
    if standing is None:
        raise HeldFast(_("Another entity of ours holds this person."))
    raise HeldFast(
        _("A hold stands until somebody lifts it, and is looked at again on %(day)s.") % {"day": standing.review_on}
    )


# ---------------------------------------------------------------- running


def run(erasure: UUID) -> Erasure:
    """Do what began, whole or not at all; what is done already is left. Raises HeldFast: a hold came in between."""
    entity = Erasure.objects.select_related("entity").get(pk=erasure).entity
    with behind_wall(staff=None, entities=[entity.ref]):
        locked = Erasure.objects.select_for_update(of=("self",)).select_related("entity", "planned_by").get(pk=erasure)
        if locked.begun_at is None:
            raise BegunAlready(_("Nobody began this erasure."))
        if locked.done_at is None:
            _run_some([locked], entity, locked.planned_by)
        locked.refresh_from_db()
    return locked


def run_soon(erasure: Erasure) -> None:
    """Let a worker run what began, as soon as this transaction is committed."""
    from comity.retention.jobs import run_erasure

    run_erasure.defer(erasure=str(erasure.ref))


def _run_some(erasures: Sequence[Erasure], entity: Entity, staff: Staff | None) -> None:
    """Erase these persons in the transaction that is open; one entry in the ledger names them all."""
    of = {one.person: one for one in erasures}
    refuse_held(list(of), entity)
    persons = all_of(of)
    elsewhere = known_elsewhere([ref for ref in persons if ref in of], entity.ref)
    keeper = Keeper(entity, timezone.localdate())
    _remember_noes(persons, entity, asked={one.person for one in erasures if one.why == Why.ASKED})
    for group, whole in (([ref for ref in persons if ref not in elsewhere], True), (sorted(elsewhere), False)):
        if group:
            went = remove(group, entity=entity, whole=whole, staff=staff.ref if staff else None, keeper=keeper)
            _write_down([of[ref] for ref in group if ref in of], group, went, entity, staff, whole=whole)


def _remember_noes(persons: Sequence[UUID], entity: Entity, *, asked: set[UUID]) -> None:
    """Put the addresses of those who said no, or asked to be erased, onto the list: as keyed hashes that name nobody.

    Else whoever brings them in again would write to them again.
    """
    withdrawn = Standing.objects.filter(person__in=persons, entity=entity, withdrawn=True)
    stopped = Person.objects.filter(ref__in=persons).exclude(objected_at=None, opt_out_signal_at=None)
    noes = {*asked, *withdrawn.values_list("person", flat=True), *stopped.values_list("ref", flat=True)}
    marks = [mark for person in sorted(noes & set(persons)) for mark in marks_of(person)]
    if marks:
        now = timezone.now()
        suppress(entity=entity, marks=marks, cause=Cause.OPTED_OUT, source=SOURCE, since=now)


def _write_down(
    erasures: Sequence[Erasure], persons: Sequence[UUID], went: Went, entity: Entity, staff: Staff | None, *,
    whole: bool,
) -> None:  # fmt: skip
    kept = {one.person: [record for record in went.kept if record.person == one.person] for one in erasures}
    if len(erasures) == 1:
        kept[erasures[0].person] = went.kept  # of those who were merged into them too
    now = timezone.now()
    for one in erasures:
        one.whole, one.done_at = whole, now
        one.done = _done(one, went, kept[one.person], alone=len(erasures) == 1)
        one.stays_until = max((each.until for each in kept[one.person]), default=None)
    for start in range(0, len(erasures), NAMED):
        some = erasures[start : start + NAMED]
        named = persons if len(erasures) <= NAMED else [one.person for one in some]
        entry = _record(some, named, entity, staff, whole=whole)
        for one in some:
            one.entry = entry
    Erasure.objects.bulk_update(erasures, ["whole", "done_at", "done", "stays_until", "entry"])
    Kept.objects.bulk_create(_kept(one, each) for one in erasures for each in kept[one.person])


def _kept(erasure: Erasure, each: Record) -> Kept:
    term = each.term
    return Kept(
        erasure=erasure, entity_id=erasure.entity_id, table=each.table, records=term.records, rule=term.rule,
        certain=term.certain, missing=list(term.missing), until=each.until, facts=dict(each.facts),
    )  # fmt: skip


def _done(erasure: Erasure, went: Went, kept: Sequence[Record], *, alone: bool) -> dict[str, Any]:
    """Return what the certificate claims. Of many who went together, what went is counted together."""
    counts: Mapping[str, Any] = {"rows": dict(sorted(went.rows.items())), "blobs": went.blobs, "keys": went.keys}
    return {
        "erasure": str(erasure.ref), "person": str(erasure.person), "entity": str(erasure.entity_id),
        "why": str(erasure.why), "whole": erasure.whole, "done_at": _at(erasure),
        "together": not alone, "went": counts, "kept": grouped(kept), "salt": secrets.token_hex(16),
    }  # fmt: skip


def _at(erasure: Erasure) -> str:
    assert erasure.done_at is not None  # noqa: S101 - it is being written down
    return erasure.done_at.isoformat()


def _record(
    erasures: Sequence[Erasure], persons: Sequence[UUID], entity: Entity, staff: Staff | None, *, whole: bool
) -> Entry:  # fmt: skip
    body: dict[str, JSON] = {
        "entity": entity.ref, "whole": whole,
        "erasures": [{"erasure": one.ref, "why": str(one.why), "claims": commitment(one.done)} for one in erasures],
    }  # fmt: skip
    return record(kind="retention.erased", staff=staff.ref if staff else None, persons=persons, body=body)


def finish_begun() -> int:
    """Finish whatever began and was interrupted; return how many. One that a hold stopped waits."""
    done = 0
    for entity in Entity.objects.all():
        with behind_wall(staff=None, entities=[entity.ref]):
            waiting = Erasure.objects.filter(entity=entity, done_at=None).exclude(begun_at=None)
            refs = list(waiting.order_by("begun_at").values_list("ref", flat=True))
        for ref in refs:
            try:
                done += run(ref).done_at is not None
            except HeldFast:
                continue
    return done


LATE: Final = timedelta(days=2)
"""So long after an erasure it is looked whether something about the person was written beside it."""


def sweep_late() -> int:
    """Take out what was written about the erased by whoever had begun before, in tables without a key; return how much.

    A consent that came in beside the erasure is such: nobody is there any more whom it could be about.
    """
    swept = 0
    for entity in Entity.objects.all():
        with behind_wall(staff=None, entities=[entity.ref]):
            since = timezone.now() - LATE
            late = Erasure.objects.filter(entity=entity, whole=True, done_at__gt=since).exclude(done_at=None)
            gone = set(late.values_list("person", flat=True))
            gone -= set(Person.objects.filter(ref__in=gone).values_list("ref", flat=True))
            swept += strays(sorted(gone), entity=entity) if gone else 0
    return swept


# ---------------------------------------------------------------- at once


def erase_person(
    *, person: UUID, entity: Entity, why: Why, staff: Staff | None, request: UUID | None = None
) -> Erasure:
    """Plan, begin and run in one go, where nobody need look at the plan. Raises NotThere, HeldFast."""
    with transaction.atomic():
        planned = plan_erasure(person=person, entity=entity, why=why, planned_by=staff, request=request)
        begun = _begin(planned)
    return run(begun.ref)


@transaction.atomic
def erase_persons(*, persons: Sequence[UUID], entity: Entity, why: Why, staff: Staff | None) -> int:
    """Erase at most 500 persons in one transaction; return how many were there. Whoever is held is left out."""
    if len(persons) > MOST_AT_ONCE:
        raise ValueError(f"at most {MOST_AT_ONCE} persons go at once")
    there = list(
        Person.objects.select_for_update(of=("self",))
        .filter(ref__in=list(persons), entities__contains=[entity.ref], merged_into=None)
        .order_by("ref")
        .values_list("ref", flat=True)
    )
    let_no_hold_come()
    there = sorted(set(there) - held(there))
    if not there:
        return 0
    now = timezone.now()
    Erasure.objects.filter(person__in=there, entity=entity, done_at=None).delete()
    made = Erasure.objects.bulk_create(
        Erasure(
            ref=new_ref(), person=ref, entity=entity, why=why, plan={}, whole=True, planned_by=staff, begun_at=now
        )
        for ref in there
    )  # fmt: skip
    _run_some(made, entity, staff)
    return len(there)
