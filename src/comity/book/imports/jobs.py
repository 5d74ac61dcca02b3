"""What is done for imports without anybody waiting: looking large files over, bringing them in, undoing, forgetting."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from procrastinate.contrib.django import app

from comity.book.imports.actions import (
    drop_old_imports,
    look_over_import,
    run_import,
    stop_import,
    undo_import,
)
from comity.book.imports.models import Import
from comity.server.sweeping import when_given_up
from comity.staff.models import Entity
from comity.staff.walls import behind_wall


@app.task(name="book.look_over_import", queue="book")
def look_over_job(ref: str, entity: str) -> None:
    """Look a file over."""
    look_over_import(one=_known(ref, entity))


@app.task(name="book.run_import", queue="book")
def run_job(ref: str, entity: str) -> None:
    """Bring in what is not in yet."""
    run_import(one=_known(ref, entity))


@app.task(name="book.undo_import", queue="book")
def undo_job(ref: str, entity: str, *, changed_too: bool) -> None:
    """Take out whom an import brought."""
    undo_import(one=_known(ref, entity), changed_too=changed_too)


@when_given_up("book.look_over_import")
@when_given_up("book.run_import")
def say_so(ref: str, entity: str) -> None:
    """Say of an import that it stopped."""
    stop_import(one=_known(ref, entity), fault="job")


@when_given_up("book.undo_import")
def say_so_of_undoing(ref: str, entity: str, *, changed_too: bool) -> None:
    """Say of an import that its undoing stopped."""
    del changed_too
    stop_import(one=_known(ref, entity), fault="job")


@app.periodic(cron="23 3 * * *")
@app.task(name="book.drop_old_imports", queue="book", queueing_lock="book.drop_old_imports")
def forget_job(timestamp: int) -> None:
    """Throw away files that nobody brought in within a week."""
    drop_old_imports(now=datetime.fromtimestamp(timestamp, UTC), entities=Entity.objects.values_list("ref", flat=True))


def _known(ref: str, entity: str) -> Import:
    with behind_wall(staff=None, entities=[UUID(entity)]):
        return Import.objects.select_related("entity", "begun_by").get(pk=ref)
