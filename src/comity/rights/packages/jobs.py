"""What is done for packages without anybody waiting: making them, and the end of those whose time is over."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from procrastinate.contrib.django import app

from comity.rights.packages.making import delete_old, give_up, make_package, sweep_left_behind
from comity.rights.packages.models import Package
from comity.server.sweeping import when_given_up
from comity.staff.models import Entity
from comity.staff.walls import behind_wall


def defer_package(*, package: Package) -> None:
    """Let a worker make the package, once this transaction is committed."""
    make_rights_package.defer(package=str(package.ref), entity=str(package.entity_id))


@app.task(name="rights.make_package", queue="rights")
def make_rights_package(package: str, entity: str) -> None:
    """Make a package, unless that was done before, or it was given up."""
    known = _known(package, entity)
    if known.state == "making":
        make_package(package=known)


@when_given_up("rights.make_package")
def say_so(package: str, entity: str) -> None:
    """Say of a package that it could not be made."""
    known = _known(package, entity)
    with behind_wall(staff=None, entities=[known.entity_id]):
        give_up(package=known)


def _known(package: str, entity: str) -> Package:
    with behind_wall(staff=None, entities=[UUID(entity)]):
        return Package.objects.select_related("entity", "request", "begun_by").get(pk=package)


@app.periodic(cron="11 * * * *")
@app.task(name="rights.delete_packages", queue="rights", queueing_lock="rights.delete_packages")
def delete_packages(timestamp: int) -> None:
    """Delete the packages whose time is over, and what tries that died have left."""
    now = datetime.fromtimestamp(timestamp, UTC)
    entities = list(Entity.objects.values_list("ref", flat=True))
    for entity in entities:
        delete_old(now=now, entity=entity)
    with behind_wall(staff=None, entities=entities):
        named = set(Package.objects.exclude(file_key=None).values_list("file_name", flat=True))
    sweep_left_behind(now=now, named={name for name in named if name})
