"""Parquet, which DuckDB reads where it lies: in parallel, and only the columns that are asked for."""

from __future__ import annotations

from pathlib import Path

import duckdb

from comity.check.sources.badfile import BadFile, header_only, shown
from comity.check.sources.staging import Reading, Scratch, Table, header, quoted

_NUMBER = "file_row_number"  # DuckDB's name for a row's place in the file
_EXACT = 10**15  # whole numbers up to here are exact in a DOUBLE


def read_parquet(path: Path, connection: duckdb.DuckDBPyConnection, *, scratch: Scratch) -> Table:
    """Open a Parquet file; every column is given as text."""
    target = _plain_name(path, scratch)
    try:
        rows = connection.execute(f"SELECT num_rows FROM parquet_file_metadata({target})").fetchone()
        described = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({target})").fetchall()
        top = connection.execute(f"SELECT * FROM read_parquet({target}) LIMIT 1").fetchone()
    except duckdb.Error as fault:
        raise _damaged(path, fault) from fault
    if not rows or not rows[0] or top is None:
        raise header_only(path)
    columns = header([name for name, *_ in described], path)
    reading = Reading(
        connection=connection, path=path, relation=_relation(target, [row[:2] for row in described]), scratch=scratch
    )
    return Table(columns=columns, kind="Parquet", encoding="", reading=reading)


def _relation(target: str, described: list[tuple[str, str]]) -> str:
    names = {name.lower() for name, _ in described}
    cells = ", ".join(f"{_text(name, kind)} AS c{number}" for number, (name, kind) in enumerate(described))
    if _NUMBER in names:  # the file has such a column itself, so rows are numbered as they come
        return f"(SELECT row_number() OVER () AS row, {cells} FROM read_parquet({target}))"
    return f"(SELECT {_NUMBER} + 1 AS row, {cells} FROM read_parquet({target}, {_NUMBER}=true))"


def _text(name: str, kind: str) -> str:
    """Return the cell as text. A whole number that was stored as a fraction, such as a phone number, loses its '.0'."""
    column = '"' + name.replace('"', '""') + '"'
    if kind == "VARCHAR":
        return column
    text = f"CAST({column} AS VARCHAR)"
    if kind not in {"DOUBLE", "FLOAT"}:
        return text
    whole = f"{column} = trunc({column}) AND abs({column}) < {_EXACT}"
    return f"CASE WHEN {whole} THEN CAST(CAST({column} AS BIGINT) AS VARCHAR) ELSE {text} END"


def _plain_name(path: Path, scratch: Scratch) -> str:
    """Return the path as SQL; one that DuckDB would expand, or cannot spell, goes by a link."""
    full = str(path.absolute())
    if full.isprintable() and not any(char in full for char in "*?[]{}"):
        return quoted(full)
    link = scratch.path("table.parquet")
    link.unlink()
    link.symlink_to(path.absolute())
    return quoted(str(link))


def _damaged(path: Path, fault: duckdb.Error) -> BadFile:
    why = (str(fault).strip().splitlines() or ["no reason given"])[0][:200]
    return BadFile(f"the Parquet file is damaged ({why})", where=shown(path), cure="Export or download it again")
