"""What the web application does by itself every night."""

from __future__ import annotations

from procrastinate.contrib.django import app

from comity.server.sweeping import forget_old_jobs

KEPT_DAYS = 30
"""Days for which one can look up what became of a job."""


@app.periodic(cron="17 2 * * *")
@app.task(name="web.forget_jobs", queue="web", queueing_lock="web.forget_jobs")
def forget_jobs(timestamp: int) -> None:
    """Delete jobs that ended long ago: their arguments are refs of persons' files and imports."""
    del timestamp
    forget_old_jobs(days=KEPT_DAYS)
