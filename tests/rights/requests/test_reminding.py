"""Whoever looks after a request is reminded before its day, and who decides is told when it is late or nobody's."""

from __future__ import annotations

from datetime import timedelta

import pytest

from comity.ledger.models import Entry
from comity.rights.requests.actions import answer, hand_over
from comity.rights.requests.jobs import remind_all
from comity.rights.requests.models import Request
from comity.rights.requests.queries import near_their_day
from comity.rights.requests.reminding import ESCALATED, REMINDED, remind
from comity.staff.models import Entity, Staff
from tests.rights.requests.conftest import Asks, today
from tests.staff.people import make_staff

pytestmark = pytest.mark.django_db


def dids(request: Request) -> list[str]:
    return [step.did for step in request.steps.all() if step.did in {REMINDED, ESCALATED}]


def test_who_looks_after_it_is_reminded_once_for_each_day(asks: Asks, firm: Entity, sana: Staff) -> None:
    far, near = asks(), asks(days=27)
    assert remind(entity=firm, today=today()) == 1
    assert remind(entity=firm, today=today() + timedelta(days=1)) == 0
    assert (dids(far), dids(near)) == ([], [REMINDED])
    step = near.steps.get(did=REMINDED)
    assert step.facts["to"] == str(sana.ref)
    assert Entry.objects.filter(kind="rights.request-reminded", persons=[near.person]).count() == 1


def test_what_is_late_is_told_to_who_decides(asks: Asks, firm: Entity) -> None:
    late = asks(days=60)
    remind(entity=firm, today=today())
    assert sorted(dids(late)) == [ESCALATED, REMINDED]


def test_what_is_nobodys_is_told_to_who_decides_before_it_is_late(asks: Asks, firm: Entity, sana: Staff) -> None:
    request = asks(days=27)
    hand_over(request=request, to=None, by=sana)
    remind(entity=firm, today=today())
    assert dids(request) == [ESCALATED]


def test_what_is_over_is_not_reminded_of(asks: Asks, firm: Entity, sana: Staff) -> None:
    request = asks(days=27)
    answer(request=request, words="Mail of today.", by=sana)
    assert remind(entity=firm, today=today()) == 0


def test_the_nightly_job_goes_through_all_entities(asks: Asks, shanghai: Entity) -> None:
    request = asks(days=27)
    remind_all(timestamp=0)
    assert dids(request) == [REMINDED]
    assert shanghai.ref != request.entity_id


def test_today_shows_ones_own_and_to_who_decides_everybodys(
    asks: Asks, firm: Entity, olga: Staff, sana: Staff, shanghai: Entity
) -> None:
    request = asks(days=27)
    other = make_staff("support", entity=firm, name="Ola Berg")
    stranger = make_staff("privacy-officer", entity=shanghai, name="Li Na")
    seen = {staff.name: list(near_their_day(staff, today())) for staff in (olga, sana, other, stranger)}
    assert seen == {"Olga Petrova": [request], "Sana Malik": [request], "Ola Berg": [], "Li Na": []}
