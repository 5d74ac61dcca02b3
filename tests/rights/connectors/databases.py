"""Databases of the tests: empty ones on the server of the run, and files of SQLite."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from comity.rights.connectors.datasets import read_datasets
from comity.rights.connectors.finding import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


@contextmanager
def postgres_database(url: str, statements: str) -> Iterator[str]:
    """Make a database with these tables; give its URL; drop it."""
    name = f"elsewhere_{uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    here = make_conninfo(url, dbname=name)
    try:
        with psycopg.connect(here) as made:
            made.execute(statements)
        yield here
    finally:
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def sqlite_database(path: Path, statements: str) -> Path:
    with sqlite3.connect(path) as made:
        made.executescript(statements)
    made.close()
    return path


def postgres_source(system: str, conninfo: str, text: str, *others: str) -> Source:
    """Return a system as the book would have it: the address without the password, which is apart."""
    told = conninfo_to_dict(conninfo)
    host, port = quote(str(told.get("host", "")), safe=""), told.get("port", 5432)
    address = f"postgresql://{told.get('user', '')}@/{told['dbname']}?host={host}&port={port}"
    return source(system, "sql", address, text, *others, password=str(told.get("password", "")))


def sqlite_source(system: str, path: Path, text: str, *others: str) -> Source:
    return source(system, "sql", f"sqlite:///{path}", text, *others)


def source(system: str, kind: str, address: str, text: str, *others: str, password: str = "") -> Source:
    """Return a system; `others` are the descriptions that its references lead to."""
    texts = {f"{system}.yml": text} | {f"other{number}.yml": each for number, each in enumerate(others)}
    ours = tuple(each for each in read_datasets(texts) if each.place.file == f"{system}.yml")
    return Source(system=system, kind=kind, address=address, password=password, datasets=ours)


def fetched(conninfo: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401 - of any kind
    with psycopg.connect(conninfo) as line:
        return line.execute(statement, values).fetchall()


def fetched_from(path: Path, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    line = sqlite3.connect(path)
    try:
        return line.execute(statement, values).fetchall()
    finally:
        line.close()
