"""What is done about erasures without anybody waiting."""

from __future__ import annotations

from procrastinate.contrib.django import app

from comity.retention.erasing import actions


@app.periodic(cron="* * * * *")
@app.task(name="retention.finish_begun", queue="retention", queueing_lock="retention.finish_begun")
def finish_begun(timestamp: int) -> None:
    """Finish every erasure that began: soon after it did, or when whoever ran it was stopped in the middle."""
    del timestamp
    actions.finish_begun()
    actions.sweep_late()
