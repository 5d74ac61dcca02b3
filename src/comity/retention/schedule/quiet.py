"""Prospects of whom nothing was heard for long: who they are, a preview by home, and on its day the erasure.

Quiet is who is no customer with a running contract, said no yes that stands, and of whom we have heard nothing since a
day: no contact, inquiry or purchase, and who came into the book before it. The day is our policy's; where the law of a
home counts from the last contact and says sooner, the law's. Held and restricted people are left out, and whoever a
room above says must wait (`register_waits`).
"""

from __future__ import annotations

import json
from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from comity.counsel.keeping import last_heard_before
from comity.ledger.actions import record
from comity.ledger.bodies import JSON
from comity.retention.erasing.actions import erase_persons
from comity.retention.erasing.models import Why
from comity.retention.holds.queries import held, let_no_hold_come
from comity.retention.schedule.models import QuietPolicy, QuietRound
from comity.retention.schedule.telling import gateway_for, tell_of_preview, who_answers
from comity.staff.guards import demand
from comity.staff.models import Entity
from comity.staff.walls import behind_wall

if TYPE_CHECKING:
    from comity.post.models import Gateway
    from comity.staff.models import Staff

WORD: Final = "schedule.change"
AT_ONCE: Final = 200
"""People who are erased in one transaction."""

HEARD: Final = """
    GREATEST(p.added_at::date, p.last_contact_on, r.customer_since, r.last_purchase_on, r.last_inquiry_on)
"""
QUIET: Final = f"""
    FROM book_person AS p JOIN book_relation AS r ON r.person_id = p.ref AND r.entity_id = %(entity)s
    WHERE p.entities @> ARRAY[%(entity)s]::uuid[] AND p.merged_into_id IS NULL AND p.restricted_at IS NULL
      AND NOT r.contract_running
      AND NOT EXISTS (
          SELECT FROM consent_standing AS s
          WHERE s.person = p.ref AND s.entity_id = %(entity)s AND s.given_id IS NOT NULL
      )
      AND {HEARD} <= %(latest)s
"""
"""Of whom nothing was heard since the latest of all days; which day counts for whom, their home says."""

Waits = Callable[[Sequence[UUID]], set[UUID]]
_waits: Final[dict[str, Waits]] = {}


def register_waits(room: str, waits: Waits) -> None:
    """Let a room above say which of some persons must not be erased yet: who has asked for something, say."""
    _waits[room] = waits


@dataclass(frozen=True, kw_only=True)
class Cutoff:
    """Until which day somebody of a home may have been heard of to be quiet today; and the rule that says so."""

    day: date
    rule: str  # empty: our own policy


# ---------------------------------------------------------------- the policy


@transaction.atomic
def set_quiet_policy(*, entity: Entity, on: bool, months: int, ahead: int, set_by: Staff) -> QuietPolicy:
    """Say after how long an entity's quiet prospects are erased, and how many days before that it is told."""
    demand(set_by, WORD, entity)
    policy = QuietPolicy(entity=entity, on=on, months=months, ahead=ahead, set_by=set_by, set_at=timezone.now())
    policy.clean_fields()
    policy.save()
    if not on:
        _end_rounds(entity, set_by)
    body: dict[str, JSON] = {"entity": entity.ref, "on": on, "months": months, "ahead": ahead}
    record(kind="retention.quiet-policy", body=body, staff=set_by.ref)
    return policy


@transaction.atomic
def stop_round(*, found: QuietRound, stopped_by: Staff) -> None:
    """Let nobody be erased by a round that was previewed; the next preview comes with the next look."""
    demand(stopped_by, WORD, found.entity)
    _end_rounds(found.entity, stopped_by)


def _end_rounds(entity: Entity, by: Staff) -> None:
    for found in QuietRound.objects.select_for_update(of=("self",)).filter(entity=entity, ended_at=None):
        found.stopped_by, found.ended_at = by, timezone.now()
        found.save(update_fields=["stopped_by", "ended_at"])
        record(kind="retention.quiet-stopped", body={"round": found.ref, "entity": entity.ref}, staff=by.ref)


# ---------------------------------------------------------------- who is quiet


def cutoffs(entity: Entity, months: int, today: date) -> Mapping[str, Cutoff]:
    """Return the day that counts for each home of the book of an entity."""
    longest = months_before(today, months)
    return {home: Cutoff(day=day, rule=rule) for home in _homes(entity)
            for day, rule in [last_heard_before(entity, home, longest=longest, today=today)]}  # fmt: skip


def months_before(day: date, months: int) -> date:
    """Return the same day so many months before; the last of its month where that is shorter."""
    years, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(years, month + 1, min(day.day, monthrange(years, month + 1)[1]))


def counts(entity: Entity, months: int, today: date) -> dict[str, int]:
    """Count the people gone quiet by home. Read behind the entity's wall."""
    limits = cutoffs(entity, months, today)
    if not limits:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT p.home, count(*) {QUIET} AND {HEARD} <= (%(days)s::jsonb ->> p.home)::date GROUP BY 1 ORDER BY 1",
            _given(entity, limits),
        )
        return {home: int(many) for home, many in cursor.fetchall()}


def _homes(entity: Entity) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT home FROM book_person WHERE entities @> ARRAY[%s]::uuid[] AND merged_into_id IS NULL",
            [entity.ref],
        )
        return [home for (home,) in cursor.fetchall()]


def _given(entity: Entity, limits: Mapping[str, Cutoff]) -> dict[str, Any]:
    days = json.dumps({home: one.day.isoformat() for home, one in limits.items()})
    return {"entity": entity.ref, "latest": max(one.day for one in limits.values()), "days": days}


# ---------------------------------------------------------------- preview, then the run


def preview(entity: Entity, policy: QuietPolicy) -> QuietRound | None:
    """Count who would go, and keep that; nothing where nobody would, or a round is open. Call it behind the wall."""
    today = timezone.localdate()
    if QuietRound.objects.filter(entity=entity, ended_at=None).exists():
        return None
    found = counts(entity, policy.months, today)
    if not found:
        return None
    limits = cutoffs(entity, policy.months, today)
    made = QuietRound.objects.create(
        entity=entity, counts=found, people=sum(found.values()), goes_on=today + timedelta(days=policy.ahead),
        cutoffs={home: [limits[home].day.isoformat(), limits[home].rule] for home in found},
    )  # fmt: skip
    body: dict[str, JSON] = {"round": made.ref, "entity": entity.ref, "people": made.people, "goes_on": made.goes_on}
    record(kind="retention.quiet-previewed", body=body)
    return made


def erase_quiet(found: QuietRound, *, at_once: int = AT_ONCE) -> int:
    """Erase those whom a round is about and who are still quiet, batch by batch; return how many.

    Each batch is a transaction: who is locked is left for the next, who spoke since is not quiet any more.
    """
    total, passed = 0, UUID(int=0)
    while True:
        with behind_wall(staff=None, entities=[found.entity_id]):
            standing = QuietRound.objects.select_for_update(of=("self",)).select_related("entity").get(pk=found.pk)
            if standing.ended_at is not None:
                return total
            persons = _next(standing, passed, at_once)
            if not persons:
                _end_round(standing)
                return total
            passed = persons[-1]
            total += _erase(standing, persons)


def _next(found: QuietRound, passed: UUID, at_once: int) -> list[UUID]:
    """Return some of those who may go, locked, after the one who was the last of the batch before."""
    days = {home: Cutoff(day=date.fromisoformat(day), rule=rule) for home, (day, rule) in found.cutoffs.items()}
    given = _given(found.entity, days) | {"passed": passed, "most": at_once}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT p.ref {QUIET} AND {HEARD} <= (%(days)s::jsonb ->> p.home)::date AND p.ref > %(passed)s "
            "ORDER BY p.ref LIMIT %(most)s FOR UPDATE OF p SKIP LOCKED",
            given,
        )
        return [ref for (ref,) in cursor.fetchall()]


def _erase(found: QuietRound, persons: Sequence[UUID]) -> int:
    let_no_hold_come()
    stay = held(persons).union(*(waits(persons) for waits in _waits.values()))
    going = [ref for ref in persons if ref not in stay]
    many = erase_persons(persons=going, entity=found.entity, why=Why.QUIET, staff=None) if going else 0
    found.erased += many
    found.save(update_fields=["erased"])
    return many


def _end_round(found: QuietRound) -> None:
    found.ended_at = timezone.now()
    found.save(update_fields=["ended_at"])
    body: dict[str, JSON] = {"round": found.ref, "entity": found.entity_id, "erased": found.erased}
    record(kind="retention.quiet-erased", body=body)


def go_through(today: date | None = None) -> int:
    """Preview what is to be previewed, and erase what is due; return how many people were erased."""
    day, total = today or timezone.localdate(), 0
    for entity in Entity.objects.filter(closed_at=None):
        with behind_wall(staff=None, entities=[entity.ref]):
            policy = QuietPolicy.objects.filter(entity=entity, on=True).first()
            made = preview(entity, policy) if policy is not None else None
            gateway = gateway_for(entity)
            due = list(QuietRound.objects.filter(entity=entity, ended_at=None, goes_on__lte=day)) if policy else []
        if made is not None and gateway is not None:
            _tell(made, gateway)
        total += sum(erase_quiet(each) for each in due)
    return total


def _tell(made: QuietRound, gateway: Gateway) -> None:
    """Mail the preview to those who may stop it, and keep to how many it went. Today shows it besides."""
    mailed = tell_of_preview(made, gateway, who_answers(made.entity))
    with behind_wall(staff=None, entities=[made.entity_id]):
        QuietRound.objects.filter(pk=made.pk).update(mailed=mailed)
