from __future__ import annotations

import os
import signal
from contextlib import closing
from pathlib import Path

import psycopg

from comity.server.watcher import LOG_LIMIT, Log
from tests.server.legs import Household, Leg, going, premises_of, server_pid, watcher_pid


def test_the_log_cannot_grow_without_end_and_is_closed_to_others(tmp_path: Path) -> None:
    line = b"x" * 999 + b"\n"
    with closing(Log(tmp_path / "log")) as log:
        for _ in range(3 * LOG_LIMIT // len(line)):
            log.write(line)
        log.say("the last words")
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {"log": 0o600, "log.1": 0o600}
    assert all(path.stat().st_size <= LOG_LIMIT for path in tmp_path.iterdir())
    assert (tmp_path / "log").read_text().endswith("comity: the last words\n")


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    log = Log(tmp_path / "log")
    log.close()
    with Path("/dev/full").open("wb", buffering=0) as log._file:
        log.write(b"lost\n")
    assert log.last[-1] == "lost"


def test_the_next_server_waits_for_what_a_killed_one_left_working(settled: Path, leg: Leg) -> None:
    """A query that looks up from its work for nobody outlives its server, and must have ended before another starts."""
    with Household(leg, settled) as household:
        urls = household.start()
        with closing(psycopg.connect(urls["app"])) as busy:
            backend = busy.info.backend_pid
            busy.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 8000000) AS n WHERE n % 7 = 3")
            with going(backend):
                os.kill(backend, signal.SIGSTOP)
                for pid in (watcher_pid(settled), server_pid(settled)):
                    os.kill(pid, signal.SIGKILL)
                household.kill()
                with Household(leg, settled) as second:
                    second.tell("start")
                    while "still in use" not in (log := premises_of(settled).log.read_text()):
                        assert second._process.poll() is None, log
                    os.kill(backend, signal.SIGCONT)
                    assert "app" in second.hear()
                    second.stop()
