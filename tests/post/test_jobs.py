"""The job of a dispatch: it goes on until nothing is due, comes back when something is, and is never forgotten."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from comity.post.gateways import Answer, Outcome
from comity.post.jobs import defer_dispatch, look, send
from comity.post.models import Dispatch, Message, State
from comity.staff.models import Entity, Staff
from tests.post.writing import Begun, begin, says_yes, stages, way_out

pytestmark = pytest.mark.django_db(transaction=True)


WAITING = """
    SELECT scheduled_at FROM procrastinate_jobs
    WHERE task_name = 'post.send' AND status = 'todo' AND args ->> 'dispatch' = %s ORDER BY id
"""


def waiting(dispatch: Dispatch) -> list[object]:
    """Return when each job of a dispatch is to begin; None is at once."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING, [str(dispatch.ref)])
        return [row[0] for row in cursor.fetchall()]


def work(dispatch: Dispatch) -> None:
    send.func(dispatch=str(dispatch.ref), entity=str(dispatch.entity_id))


def test_it_ends_the_dispatch_when_all_is_done(greta: UUID, firm: Entity, tom: Staff) -> None:
    says_yes([greta], firm)
    dispatch = begin([greta], way_out(firm, Begun()), tom)
    work(dispatch)
    assert stages(dispatch) == {greta: ("sent", "")}
    assert Dispatch.objects.get().state == State.ENDED
    assert waiting(dispatch) == []


def test_it_comes_back_when_something_is_due_again(greta: UUID, firm: Entity, tom: Staff) -> None:
    says_yes([greta], firm)
    busy = Begun(lambda _letter: Answer(outcome=Outcome.AGAIN, why="busy"))
    dispatch = begin([greta], way_out(firm, busy), tom)
    work(dispatch)
    (at,) = waiting(dispatch)
    assert at == Message.objects.get().due_at > timezone.now() + timedelta(seconds=40)


def test_one_job_of_a_dispatch_waits_at_most(greta: UUID, firm: Entity, tom: Staff) -> None:
    dispatch = begin([greta], way_out(firm, Begun()), tom)
    defer_dispatch(dispatch=dispatch)
    defer_dispatch(dispatch=dispatch)
    assert waiting(dispatch) == [None]


def test_a_dispatch_whose_job_was_lost_is_taken_up_again(greta: UUID, firm: Entity, tom: Staff) -> None:
    dispatch = begin([greta], way_out(firm, Begun()), tom)
    look.func(timestamp=0)
    assert waiting(dispatch) == [None]
    Dispatch.objects.filter(pk=dispatch.pk).update(state=State.PAUSED)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
    look.func(timestamp=0)
    assert waiting(dispatch) == []
