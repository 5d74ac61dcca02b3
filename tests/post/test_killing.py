"""A sender dies by kill -9, at each point of its way: nobody gets two, nobody who said no gets one, nothing is lost.

COMITY_KILLED_MESSAGES says how many messages; `make soak-killing` makes it 10,000.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.utils import timezone
from pytest_django import Settings

from comity.consent.actions import About, withdraw_consent
from comity.ledger.keys import LEDGER, make_key
from comity.post.models import Dispatch
from comity.staff.models import Entity, Staff
from tests.ledger.book import found, number, told
from tests.post.relays import Keeper, relay
from tests.post.writing import begin, germans, says_yes, send_all, stages, way_out
from tests.server.test_worker import url

pytestmark = pytest.mark.django_db(transaction=True)
MANY = int(os.environ.get("COMITY_KILLED_MESSAGES", "60"))
POINTS = ("claimed", "held", "decided", "composed", "marked", "checked", "arrived", "answered", "written", "noted")
ONCE_A_ROUND = {"claimed", "held", "decided", "composed", "written", "noted"}
SURE = {"claimed", "held", "decided", "composed", "noted"}
"""Points at which nothing is on its way: of a sender that dies there no message is uncertain."""

SENDER = """
import os, signal, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "comity.web.settings"
import django
django.setup()
from comity.post import handing, hands, smtp
from comity.post.models import Dispatch
from comity.staff.walls import behind_wall
import tests.post.writing

left = int(os.environ["NTH"])

def die(name, owner, what):
    real = getattr(owner, what)
    def dying(*given, **more):
        global left
        came = real(*given, **more)
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        return came
    if os.environ["POINT"] == name:
        setattr(owner, what, dying)

die("claimed", hands.Hands, "claim")
die("held", handing, "hold_still")
die("decided", handing, "decide")
die("composed", handing, "_letters")
die("marked", handing, "_mark")
die("checked", hands.Hands, "check")
die("answered", smtp.Relay, "hand_over")
die("written", handing, "_write_down")
die("noted", handing, "note_sent")

with behind_wall(staff=None, entities=[os.environ["ENTITY"]]):
    dispatch = Dispatch.objects.select_related("entity", "staff", "gateway").get(pk=os.environ["DISPATCH"])
tests.post.writing.send_all(dispatch, 10)
"""


class Killer(Keeper):
    """A relay that, told so, kills who sends, after it has taken the message and before it says so."""

    victim: subprocess.Popen[bytes] | None = None
    left = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        answer = await super().handle_DATA(server, session, envelope)
        self.left -= 1
        if self.victim is not None and self.left == 0:
            self.victim.kill()
        return answer


def a_sender(dispatch: Dispatch, folder: str, *, point: str, nth: int) -> subprocess.Popen[bytes]:
    environ = {
        **os.environ, "DATABASE_URL": url(), "COMITY_SECRET_KEY": "x", "COMITY_FOLDER": folder, "POINT": point,
        "NTH": str(nth), "DISPATCH": str(dispatch.ref), "ENTITY": str(dispatch.entity_id),
        "PYTHONPATH": f"src:{Path.cwd()}",
    }  # fmt: skip
    return subprocess.Popen([sys.executable, "-c", SENDER], env=environ)


def withdraw(persons: Sequence[UUID], entity: Entity) -> None:
    for person in persons:
        about = About(person=person, entity=entity, purpose="marketing", channel="email")
        withdraw_consent(about=about, said_at=timezone.now(), source="Link", heard_by=None)


@pytest.mark.parametrize("point", POINTS)
def test_whoever_dies_here_sends_nobody_two_and_nobody_who_said_no_one(
    point: str, firm: Entity, tom: Staff, settings: Settings
) -> None:
    dice, people = random.Random(point), germans(MANY, firm)
    address = {person: f"person-{number}@kettle.example" for number, person in enumerate(people)}
    says_yes(people, firm)
    killer = Killer()
    with relay(killer) as (_kept, port):
        dispatch = begin(people, way_out(firm, port=port), tom)
        nth = dice.randint(2, 5) if point in ONCE_A_ROUND else dice.randint(2, MANY // 2)
        if point == "arrived":
            killer.left = nth
        killer.victim = a_sender(dispatch, str(settings.FOLDER), point=point, nth=nth)
        assert killer.victim.wait(300) == -signal.SIGKILL
        waiting = [person for person, (stage, _why) in stages(dispatch).items() if stage == "intended"]
        got = {one.to for one in killer.kept}
        said_no = [person for person in dice.sample(people, MANY // 4) if address[person] not in got]
        withdraw(said_no, firm)
        send_all(dispatch)
    ends, times = stages(dispatch), Counter(one.to for one in killer.kept)
    assert waiting, "it had nothing left to do when it died"
    assert set(times.values()) == {1}
    assert not {address[person] for person in said_no} & set(times)
    assert {stage for stage, _why in ends.values()} <= {"sent", "refused", "uncertain"}
    for person, (stage, _why) in ends.items():
        assert {"sent": True, "refused": False}.get(stage, address[person] in times) == (address[person] in times)
    uncertain = [person for person, (stage, _why) in ends.items() if stage == "uncertain"]
    assert len(uncertain) == (0 if point in SURE else 1)
    key = make_key(Path(settings.FOLDER) / LEDGER, "example.com/ledger")
    assert number(key)
    assert told(found(key)) == []
