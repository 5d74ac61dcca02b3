"""Looking for our people's numbers in registers, without anybody waiting: when a version came, and each night.

At night it is done in the name of whoever brought the version in, as long as they may: numbers that came by day, or
became others, are known by morning.
"""

from __future__ import annotations

from uuid import UUID

from procrastinate.contrib.django import app

from comity.consent.suppression.models import Register
from comity.consent.suppression.queries import registers_of
from comity.consent.suppression.registers import WORD, check_people
from comity.staff.guards import may_do
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall


def defer_check(*, register: Register, staff: Staff) -> None:
    """Let a worker look for everybody's number, once this transaction is committed."""
    check_job.defer(register=str(register.ref), entity=str(register.entity_id), staff=str(staff.ref))


@app.task(name="consent.check_register", queue="consent")
def check_job(register: str, entity: str, staff: str) -> None:
    """Look for the numbers of all who may live where a register counts."""
    with behind_wall(staff=UUID(staff), entities=[UUID(entity)]):
        held = Register.objects.select_related("entity").get(pk=register)
    check_people(register=held, staff=Staff.objects.get(pk=staff))


@app.periodic(cron="41 2 * * *")
@app.task(name="consent.check_registers", queue="consent", queueing_lock="consent.check_registers")
def check_all_job(timestamp: int) -> None:
    """Look for whoever was not looked for yet, in every register."""
    del timestamp
    for entity in Entity.objects.filter(closed_at=None):
        with behind_wall(staff=None, entities=[entity.ref]):
            registers = [row for row in registers_of([entity.ref]) if row.version_on and not row.ended_at]
        for row in registers:
            if row.imported_by and row.imported_by.is_active and may_do(row.imported_by, WORD, entity):
                check_people(register=row, staff=row.imported_by)
