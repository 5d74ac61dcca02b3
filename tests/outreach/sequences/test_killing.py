"""Whoever takes a step dies by kill -9, at each point of it: each step is taken with everybody once, nobody is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pytest_django import Settings

from comity.outreach.sequences.models import Taken
from comity.post.models import Message
from comity.staff.models import Entity, Staff
from tests.outreach.sequences.making import begun, live, mail, where
from tests.post.relays import relay
from tests.post.writing import germans, says_yes, way_out
from tests.server.test_worker import url

pytestmark = pytest.mark.django_db(transaction=True)
POINTS = ("dispatched", "moved", "committed")

WALKER = """
import os, signal
os.environ["DJANGO_SETTINGS_MODULE"] = "comity.web.settings"
import django
django.setup()
from comity.outreach.sequences import walking
from comity.staff.models import Entity

def die(name, owner, what):
    real = getattr(owner, what)
    def dying(*given, **more):
        came = real(*given, **more)
        if name != "committed" or came:
            os.kill(os.getpid(), signal.SIGKILL)
        return came
    if os.environ["POINT"] == name:
        setattr(owner, what, dying)

die("dispatched", walking, "_send")
die("moved", walking, "_go_on")
die("committed", walking, "_take_some")
walking.walk(entity=Entity.objects.get(pk=os.environ["ENTITY"]))
"""


@pytest.mark.parametrize("point", POINTS)
def test_whoever_dies_here_lets_nobody_get_two_and_loses_nobody(
    point: str, firm: Entity, tom: Staff, settings: Settings
) -> None:
    settings.ADDRESS = urlsplit("https://book.comity.example")
    people = germans(12, firm)
    with relay() as (kept, port):
        begun(firm, tom, way_out(firm, port=port), [mail("Welcome")])
        says_yes(people, firm)
        environ = {
            **os.environ, "DATABASE_URL": url(), "COMITY_SECRET_KEY": "x", "COMITY_FOLDER": str(settings.FOLDER),
            "POINT": point, "ENTITY": str(firm.ref), "PYTHONPATH": f"src:{Path.cwd()}",
        }  # fmt: skip
        victim = subprocess.Popen([sys.executable, "-c", WALKER], env=environ)
        assert victim.wait(120) == -signal.SIGKILL
        committed = point == "committed"
        assert Taken.objects.exists() is committed
        assert Message.objects.exists() is committed
        live(firm, 0, 0.1)
    assert Counter(one.to for one in kept.kept) == {f"person-{number}@kettle.example": 1 for number in range(12)}
    assert {where(person) for person in people} == {("through", "")}
