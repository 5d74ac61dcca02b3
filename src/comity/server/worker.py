"""The worker: runs what was deferred, a few jobs at once, and goes on by itself when the database comes back.

Jobs run in threads, each with Django's connection of that thread; what a job defers is part of the job's transaction.
The worker's own bookkeeping goes over connections of its own.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg
from asgiref.sync import sync_to_async
from django.db import DatabaseError, close_old_connections, connection, connections
from procrastinate.connector import BaseConnector
from procrastinate.contrib.django import app
from procrastinate.contrib.django.utils import connector_params
from procrastinate.exceptions import ConnectorException
from procrastinate.job_context import JobContext
from procrastinate.middleware import AsyncCallNext, SyncCallNext
from procrastinate.psycopg_connector import PsycopgConnector
from procrastinate.worker import Worker
from psycopg import sql

from comity.server.sweeping import Sweeper, forgive_faults, give_up

AT_ONCE = 3
PULSE = 4.0
"""Seconds between two signs of life of a worker."""

GRACE = 6.0
"""Seconds that running jobs have to end after the worker was asked to stop."""

SURELY = 4
"""Pulses that a worker may miss."""

AGAIN = 1.0
"""Seconds until the next attempt while the database is gone."""

LONGEST_WAIT = 5
"""Seconds to wait for a connection."""

GONE = (ConnectorException, DatabaseError, psycopg.Error)

log = logging.getLogger(__name__)


def work(*, at_once: int = AT_ONCE, pulse: float = PULSE, grace: float = GRACE) -> None:
    """Be the worker's process: run jobs until SIGTERM or SIGINT, then let running ones end, for `grace` seconds."""
    forgive_faults()
    asyncio.run(_Life(at_once=at_once, pulse=pulse, grace=grace).work())


class _Ways(PsycopgConnector):
    """The worker's connections. A job that defers another does so over Django's, within its transaction."""

    def __init__(self) -> None:
        super().__init__(
            kwargs=connector_params(), min_size=1, max_size=3, timeout=LONGEST_WAIT, configure=_in_our_role
        )
        self._djangos = app.connector.get_sync_connector()

    def get_sync_connector(self) -> BaseConnector:
        return self._djangos


async def _in_our_role(connection: psycopg.AsyncConnection) -> None:
    if role := connections["default"].settings_dict["OPTIONS"].get("assume_role"):
        await connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        await connection.commit()


@dataclass
class _Life:
    """A worker's process from its start to its end; procrastinate's worker lives once for each time of a database."""

    at_once: int
    pulse: float
    grace: float
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    running: set[int] = field(default_factory=set)

    async def work(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._asked_to_stop)
        well = True
        while not self.stop.is_set():
            try:
                await self._wait_for_the_database()
                if not well:
                    log.warning("The worker works again.")
                well = True
                await self._while_the_database_answers()
            except GONE as error:
                if well:
                    log.warning("The worker lost the database and tries again: %s", str(error).strip())
                well = False
                await self._pause(AGAIN)

    async def _wait_for_the_database(self) -> None:
        """Raise while it does not answer: a pool would wait for it in silence, and long."""
        async with await psycopg.AsyncConnection.connect(**connector_params()):
            return

    async def _while_the_database_answers(self) -> None:
        with app.replace_connector(_Ways()):
            async with app.open_async():
                together = [asyncio.create_task(each) for each in (self._run_jobs(), self._sweep(), self.stop.wait())]
                _, others = await asyncio.wait(together, return_when=asyncio.FIRST_COMPLETED)
                for each in others:
                    each.cancel()
                ended = await asyncio.gather(*together, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):
                raise error

    async def _run_jobs(self) -> None:
        await app.run_worker_async(
            concurrency=self.at_once,
            install_signal_handlers=False,
            fetch_job_polling_interval=self.pulse,  # what is to do again comes without a notification
            update_heartbeat_interval=self.pulse,
            stalled_worker_timeout=10 * SURELY * self.pulse,  # the sweeper buries the dead, after it took their jobs
            task_middleware=[*(app.worker_defaults.get("task_middleware") or []), _told_when_given_up],
            worker_middleware=[self._noted],
        )

    async def _sweep(self) -> None:
        sweeper = Sweeper(dead_after=SURELY * self.pulse)
        while True:
            await sync_to_async(_with_a_sound_connection)(sweeper.look)
            await asyncio.sleep(2 * self.pulse)  # in between, a living worker gives a sign

    async def _noted(self, call_next: AsyncCallNext, context: JobContext, _worker: Worker) -> Any:  # noqa: ANN401 (what the job returns)
        number = context.job.id or 0
        self.running.add(number)
        try:
            return await call_next()
        finally:
            self.running.discard(number)

    # ------------------------------------------------------------ stop

    def _asked_to_stop(self) -> None:
        if not self.stop.is_set():
            self.stop.set()
            asyncio.get_running_loop().call_later(self.grace, self._leave)

    def _leave(self) -> None:
        """Leave jobs that do not end: what they have not committed is taken back, and another worker does them."""
        log.warning("The worker stops, and leaves jobs %s to the next.", sorted(self.running) or "none")
        try:
            with psycopg.connect(**connector_params(), autocommit=True) as postgres:
                postgres.execute(
                    "UPDATE procrastinate_jobs SET worker_id = NULL WHERE id = ANY (%s) AND status = 'doing'",
                    [list(self.running)],
                )
        except psycopg.Error as error:
            log.warning("They will be found when this worker is silent for long enough: %s", str(error).strip())
        os._exit(0)

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self.stop.wait(), seconds)
        except TimeoutError:
            return


def _with_a_sound_connection(act: Callable[[], object]) -> None:
    close_old_connections()
    try:
        act()
    finally:
        close_old_connections()


def _told_when_given_up(call_next: SyncCallNext, context: JobContext, _worker: Worker) -> Any:  # noqa: ANN401 (what the job returns)
    """Tell whoever waits for a job that it failed for good."""
    try:
        return call_next()
    except Exception as error:
        if context.task.get_retry_exception(error, context.job) is None:
            connection.close_if_unusable_or_obsolete()
            give_up(context.job.task_name, context.job.task_kwargs)
        raise
