"""Whoever packs dies by kill -9, at each point of its way: nothing leads to half a package; the next try makes it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from pytest_django import Settings

from comity.ledger.models import Entry
from comity.rights.packages.making import NotMade, begin_package, hand_out, make_package, path_of, tick_chore
from comity.rights.packages.models import Package
from comity.rights.packages.planning import chores_of, plan_package
from comity.rights.requests.models import Request
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from tests.server.test_worker import url

pytestmark = pytest.mark.django_db(transaction=True)
POINTS = ("gathered", "half", "written", "recorded", "finished")

PACKER = """
import os, signal
os.environ["DJANGO_SETTINGS_MODULE"] = "comity.web.settings"
import django
django.setup()
from comity.rights.packages import jobs, making

def die(name, what, *, after=1):
    real, left = getattr(making, what), [after]
    def dying(*given, **more):
        came = real(*given, **more)
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return came
    if os.environ["POINT"] == name:
        setattr(making, what, dying)

def halfway(contents, real=making.packed):
    for number, one in enumerate(real(contents)):
        if number == 3 and os.environ["POINT"] == "half":
            os.kill(os.getpid(), signal.SIGKILL)
        yield one

making.packed = halfway
die("gathered", "_gathered")
die("written", "_write")
die("recorded", "record")
die("finished", "_finish")
jobs.make_rights_package(os.environ["PACKAGE"], os.environ["ENTITY"])
"""


def begun(asked: Request, olga: Staff) -> Package:
    package = plan_package(request=asked, reader=olga)
    for chore in chores_of(package):
        package = tick_chore(package=package, chore=chore.id, done=True, staff=olga)
    return begin_package(package=package, reader=olga)


@pytest.mark.parametrize("point", POINTS)
def test_wherever_it_dies_there_is_a_whole_package_or_none(
    point: str, asked: Request, firm: Entity, olga: Staff, settings: Settings
) -> None:
    with behind_wall(staff=olga.ref, entities=[firm.ref]):
        package = begun(asked, olga)
    environ = {
        **os.environ, "DATABASE_URL": url(), "COMITY_SECRET_KEY": "x", "COMITY_FOLDER": str(settings.FOLDER),
        "POINT": point, "PACKAGE": str(package.ref), "ENTITY": str(firm.ref), "PYTHONPATH": f"src:{Path.cwd()}",
    }  # fmt: skip
    assert subprocess.run([sys.executable, "-c", PACKER], env=environ, check=False).returncode == -signal.SIGKILL
    with behind_wall(staff=olga.ref, entities=[firm.ref]):
        package = Package.objects.select_related("entity", "request", "begun_by").get(pk=package.pk)
        assert package.state == ("made" if point == "finished" else "making")
        if point != "finished":
            with pytest.raises(NotMade):
                hand_out(package=package)
    made = make_package(package=package)
    with behind_wall(staff=olga.ref, entities=[firm.ref]):
        archive = zipfile.ZipFile(BytesIO(b"".join(hand_out(package=made).pieces)))
        assert archive.testzip() is None
        assert "Mira" in archive.read("index.html").decode()
    assert Entry.objects.filter(kind="rights.package-made").count() == 1
    assert made.file_name
    assert path_of(made.file_name).exists()
