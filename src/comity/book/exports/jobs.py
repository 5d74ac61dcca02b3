"""What is done for exports without anybody waiting: large files, and the end of those that nobody fetched."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from procrastinate.contrib.django import app

from comity.book.exports.actions import delete_old_files, give_up, make_file
from comity.book.exports.models import Export
from comity.server.sweeping import when_given_up
from comity.staff.walls import behind_wall


def defer_file(*, export: Export) -> None:
    """Let a worker make the file, once this transaction is committed."""
    make_export.defer(export=str(export.ref), entity=str(export.entity_id), staff=str(export.asked_by_id))


@app.task(name="book.make_export", queue="book")
def make_export(export: str, entity: str, staff: str) -> None:
    """Make the file of an export, unless that was done before."""
    known = _known(export, entity, staff)
    if known.state == "making":
        make_file(export=known)


@when_given_up("book.make_export")
def say_so(export: str, entity: str, staff: str) -> None:
    """Say of an export that its file could not be made."""
    known = _known(export, entity, staff)
    with behind_wall(staff=None, entities=[known.entity_id]):
        give_up(export=known)


def _known(export: str, entity: str, staff: str) -> Export:
    with behind_wall(staff=UUID(staff), entities=[UUID(entity)]):
        return Export.objects.select_related("entity", "asked_by").get(pk=export)


@app.periodic(cron="7,22,37,52 * * * *")
@app.task(name="book.delete_exports", queue="book", queueing_lock="book.delete_exports")
def delete_exports(timestamp: int) -> None:
    """Delete the files that nobody fetched within a day."""
    delete_old_files(now=datetime.fromtimestamp(timestamp, UTC))
