"""What the web application does by itself every night."""

from __future__ import annotations

from procrastinate.contrib.django import app

from comity.server.sweeping import forget_old_jobs
from comity.web.uploads import clear_uploads

HOUR = 60 * 60
KEPT_DAYS = 30
"""Days for which one can look up what became of a job."""


@app.periodic(cron="17 2 * * *")
@app.task(name="web.forget_jobs", queue="web", queueing_lock="web.forget_jobs")
def forget_jobs(timestamp: int) -> None:
    """Delete jobs that ended long ago: their arguments are refs of persons' files and imports."""
    del timestamp
    forget_old_jobs(days=KEPT_DAYS)


@app.periodic(cron="11 * * * *")
@app.task(name="web.clear_uploads", queue="web", queueing_lock="web.clear_uploads")
def clear_uploads_job(timestamp: int) -> None:
    """Remove files that a process which was killed was taking in: nobody takes an hour to bring one."""
    clear_uploads(timestamp - HOUR)
