"""One bulk check in a process of its own: how long it takes, how much memory it needs. Also DuckDB's own floor."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import duckdb

from bench.contacts import COLUMNS
from comity.law.cache import collector_paused

DAY = date(2026, 11, 21)
READ = COLUMNS[:10]


def in_process(what: str, path: Path, *more: str) -> dict[str, float]:
    """Run `what` in a new process; return its seconds, peak megabytes and what it counted."""
    command = [sys.executable, "-m", "bench.bulk", what, str(path), *more]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 (our own module)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def check(path: Path, packs: str = "") -> dict[str, float]:
    """Marketing by e-mail, all packs, from the raw columns: verdict and masks of every row written to Parquet."""
    from comity.check import dialects
    from comity.check.checking import Check, Intent, answer
    from comity.check.coding import parts_of
    from comity.check.engines import WORKING_MEMORY, DuckEngine
    from comity.check.entity import established_in
    from comity.check.sources import open_source
    from comity.check.writing import keep_verdicts, write_decisions
    from comity.law import lawbook, read_packs

    started = time.perf_counter()
    book = read_packs(Path(packs)) if packs else lawbook()
    with tempfile.TemporaryDirectory() as folder:
        connection = duckdb.connect(str(Path(folder) / "check.duckdb"))
        connection.execute(f"SET memory_limit = '{WORKING_MEMORY}'; SET temp_directory = '{folder}'")
        with open_source(path, connection) as source:
            dialect = dialects.recognise(source.columns)
            use = book.vocabulary.read({"use.operation": "contact", "use.purpose": "marketing", "use.channel": "email"})
            intent = Intent(use=use, entity=established_in("US", book), day=DAY, says="", complete_for_opt_outs=True)
            understood = dialect.understand(source.columns, "marketing", "email")
            engine = DuckEngine(connection, source)
            checked = Check(book, intent, engine, parts_of(understood, DAY))
            checked.code(lambda *_: None)
            checked.decide(lambda *_: None)
            found = answer(checked, file="", dialect=dialect.name, columns=(), rejects=source.rejects, started=0.0)
            keep_verdicts(checked, engine)
            write_decisions(checked, found, engine, Path(folder) / "decisions.parquet")
        counted = {verdict.value: people for verdict, people in found.by_verdict.items()}
    return {"seconds": time.perf_counter() - started, "kinds": len(checked.groups), **counted}


def floor(path: Path, _packs: str = "") -> dict[str, float]:
    """DuckDB reads the same columns and writes as many columns as decisions.parquet has, in the same memory."""
    from comity.check.engines import WORKING_MEMORY

    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        connection = duckdb.connect()
        connection.execute(f"SET memory_limit = '{WORKING_MEMORY}'; SET temp_directory = '{folder}'")
        source = (
            f"read_parquet('{path}', file_row_number = true)"
            if path.suffix == ".parquet"
            else f"read_csv('{path}', all_varchar = true, header = true)"
        )
        row = "file_row_number" if path.suffix == ".parquet" else "0"
        country, state, phone, email, *others = (f'"{name}"' for name in READ)
        lengths = [f"length({phone}) + length({email})", *(f"coalesce(length({one}), 0)" for one in others[:1])]
        rest = " + ".join(f"coalesce(length({one}), 0)" for one in others[1:])
        connection.execute(
            f"COPY (SELECT {row} AS a, {country} AS b, {state} AS c, {lengths[0]} AS d, {lengths[1]} AS e, {rest} AS f "
            f"FROM {source}) TO '{folder}/floor.parquet' (FORMAT parquet, COMPRESSION zstd)"
        )
    return {"seconds": time.perf_counter() - started}


def read_csv(path: Path, _packs: str = "") -> dict[str, float]:
    """DuckDB reads the whole CSV file."""
    started = time.perf_counter()
    columns = ", ".join(f'max("{name}")' for name in COLUMNS)
    duckdb.connect().execute(f"SELECT {columns} FROM read_csv('{path}', all_varchar = true, header = true)").fetchall()
    return {"seconds": time.perf_counter() - started}


def load_csv(path: Path, _packs: str = "") -> dict[str, float]:
    """DuckDB reads the whole CSV file and keeps its rows, in the memory that a check has."""
    from comity.check.engines import WORKING_MEMORY

    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        connection = duckdb.connect(str(Path(folder) / "load.duckdb"))
        connection.execute(f"SET memory_limit = '{WORKING_MEMORY}'; SET temp_directory = '{folder}'")
        source = f"read_csv('{path}', all_varchar = true, header = true)"
        connection.execute(f"CREATE TEMP TABLE loaded AS SELECT * FROM {source}")
    return {"seconds": time.perf_counter() - started}


def _peak_megabytes() -> float:
    """Return this process's own peak; what getrusage counts begins with the peak of the process that started it."""
    status = Path("/proc/self/status")
    lines = status.read_text("utf-8").splitlines() if status.is_file() else []
    peaks = [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
    return (peaks[0] if peaks else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024


if __name__ == "__main__":
    what, path, *more = sys.argv[1:]
    with collector_paused():  # as in the command
        result = {"check": check, "floor": floor, "read_csv": read_csv, "load_csv": load_csv}[what](Path(path), *more)
    result["megabytes"] = _peak_megabytes()
    print(json.dumps(result))
