"""Reminding whoever looks after a request before its day, and telling who decides when it is late or nobody's.

A reminder is a step of the request, once for each day that it is about; Today shows it to whom it is for.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from django.db import transaction

from comity.ledger.actions import record
from comity.rights.requests.models import Request, Step
from comity.rights.requests.queries import AT_RISK, narrowed_to_open, with_day

if TYPE_CHECKING:
    from comity.ledger.bodies import JSON
    from comity.staff.models import Entity

REMINDED: Final = "reminded"
ESCALATED: Final = "escalated"


@transaction.atomic
def remind(*, entity: Entity, today: date) -> int:
    """Remind of each request of an entity that is at risk or late; return how many steps that took."""
    rows = narrowed_to_open(with_day(Request.objects.filter(entity=entity))).filter(day__lte=today + AT_RISK)
    near = rows.select_related("entity", "handler")
    return sum(_once(row, did, row.day) for row in near for did in _meant(row, late=row.day < today))


def _meant(row: Request, *, late: bool) -> list[str]:
    """Return what is to be done: who looks after it is reminded, who decides is told of what is late or nobody's."""
    return [*([REMINDED] if row.handler_id else []), *([ESCALATED] if late or not row.handler_id else [])]


def _once(row: Request, did: str, day: date) -> int:
    if Step.objects.filter(request=row, did=did, facts__day=day.isoformat()).exists():
        return 0
    facts = {"day": day.isoformat(), "to": str(row.handler_id) if did == REMINDED else None}
    Step.objects.create(request=row, entity=row.entity, did=did, facts=facts)
    body: dict[str, JSON] = {"request": row.ref, "entity": row.entity_id, "day": day}
    record(kind=f"rights.request-{did}", staff=None, persons=[row.person or row.ref], body=body)
    return 1
