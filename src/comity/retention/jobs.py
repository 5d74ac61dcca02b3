"""What this room does by itself: erasures that began, rows whose time is over, prospects gone quiet, keys by policy."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from procrastinate.contrib.django import app

from comity.retention.erasing import actions as erasing
from comity.retention.schedule.cleaning import clean_all, count_what_stays
from comity.retention.schedule.keys import keep_to_policy
from comity.retention.schedule.quiet import go_through


@app.periodic(cron="* * * * *")
@app.task(name="retention.finish_begun", queue="retention", queueing_lock="retention.finish_begun")
def finish_begun(timestamp: int) -> None:
    """Finish every erasure that began: soon after it did, or when whoever ran it was stopped in the middle."""
    del timestamp
    erasing.finish_begun()
    erasing.sweep_late()


@app.task(name="retention.run_erasure", queue="retention")
def run_erasure(erasure: str) -> None:
    """Run one erasure that began."""
    with suppress(erasing.HeldFast):  # a hold came in between: it waits until that is lifted
        erasing.run(UUID(erasure))


@app.periodic(cron="5 2 * * *")
@app.task(name="retention.clean", queue="retention", lock="retention.clean", queueing_lock="retention.clean")
def clean(timestamp: int) -> None:
    """Let rows go whose time is over. Killed anywhere, the next run goes on there."""
    del timestamp
    clean_all()
    count_what_stays()


@app.periodic(cron="35 2 * * *")
@app.task(name="retention.quiet", queue="retention", lock="retention.quiet", queueing_lock="retention.quiet")
def clean_quiet(timestamp: int) -> None:
    """Preview who has gone quiet; erase those whose preview has had its days."""
    del timestamp
    go_through()


@app.periodic(cron="5 4 * * *")
@app.task(name="retention.keys", queue="retention", lock="retention.keys", queueing_lock="retention.keys")
def keep_keys(timestamp: int) -> None:
    """Turn the keys over, bring everybody over, destroy what no backup needs any more, as the policy says."""
    del timestamp
    keep_to_policy()
