"""Two of the staff at the same moment: one of them does it, the other is told that it is done."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from django.db import connection

from comity.counsel.models import DutyStep
from comity.rights.requests.actions import Over, answer, take_back
from comity.rights.requests.models import Request, State
from comity.staff.models import Staff
from tests.rights.requests.conftest import Asks

pytestmark = pytest.mark.django_db(transaction=True)


def together(*deeds: Callable[[], object]) -> list[object]:
    """Do all of these at the same moment, each on a connection of its own; return what came of each."""
    begin, came = Barrier(len(deeds)), list[object]()

    def do(deed: Callable[[], object]) -> None:
        try:
            begin.wait()
            came.append(deed())
        except Over as error:
            came.append(error)
        finally:
            connection.close()

    threads = [Thread(target=do, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return came


def test_a_request_that_two_end_at_once_ends_once(asks: Asks, olga: Staff, sana: Staff) -> None:
    request = asks()
    came = together(
        lambda: answer(request=request, words="Mail of today.", by=sana),
        lambda: take_back(request=request, words="She phoned.", by=olga),
    )
    assert sorted(isinstance(one, Over) for one in came) == [False, True]
    request = Request.objects.get(pk=request.pk)
    ended = request.steps.filter(did__in=["answered", "taken-back"])
    assert [step.did for step in ended] == ["answered" if request.state == State.ANSWERED else "taken-back"]
    settled = DutyStep.objects.filter(duty__event__about=request.ref, did__in=["done", "not-owed"])
    assert settled.count() == len({step.duty_id for step in settled})
