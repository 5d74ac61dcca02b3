"""The engines a check can run on: DuckDB over a file, PostgreSQL over a table in place, Spark over either.

A check needs little of an engine: read the distinct values of a column, keep a small table of codes, join and count.
All of it is plain SQL, written once in DuckDB's dialect and translated by SQLGlot.
"""

from __future__ import annotations

import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

    from comity.check.coding import Key
    from comity.check.sources import Source

Row = tuple[Any, ...]

WORKING_MEMORY = "256MB"
LOOKED_AT = 200_000
"""Rows that show whether a column repeats itself."""


class EngineError(ValueError):
    """An engine cannot be reached or does not have the table; the message says which, and the cure."""


class Engine(ABC):
    """Where the rows lie: `relation` has the columns `row`, c0, c1, … of text; in queries RELATION stands for it."""

    dialect: str
    few: int = 0  # columns with no more codes are looked up in the query itself, where that is quicker than a join

    @property
    @abstractmethod
    def relation(self) -> str:
        """SQL for FROM: the rows as they are, in the engine's own dialect."""

    def translated(self, query: str) -> str:
        """Return a query in the engine's own dialect."""
        import sqlglot

        return sqlglot.transpile(query, read="duckdb", write=self.dialect)[0]

    def has_many(self, cell: str) -> bool:  # noqa: ARG002 (an engine that looks wants to know where)
        """Tell whether a column of notes is so varied that a pattern should pass over most; DuckDB alone looks."""
        return False

    def cells(self, keys: Sequence[str], key: Key | None = None) -> str:  # noqa: ARG002 (here nothing was learned)
        """Return SQL for FROM that gives every row its place, and the keys as x0, x1 and so on.

        With the key of what was learned, only of the rows to which it gives no number.
        """
        named = "".join(f", {key} AS x{number}" for number, key in enumerate(keys))
        return f"(SELECT row{named} FROM RELATION) AS cells"

    def glimpse(self, keys: Sequence[str]) -> str:  # noqa: ARG002 (an engine that looks wants to know where)
        """Return SQL for FROM of the first rows of a long file that is read only once, as `cells`; '' elsewhere."""
        return ""

    def keep_numbers(self, query: str) -> None:
        """Make `numbered`: the place and the number of every row. The query gives those of the rows of `cells`."""
        self.keep_query("numbered", query)

    @abstractmethod
    def rows(self, query: str) -> Iterator[Row]:
        """Yield the rows of a query written in DuckDB's dialect."""

    def in_turn(self, queries: Sequence[str]) -> Iterator[list[Row]]:
        """Yield the rows of each query; the next one runs while the caller is busy with the last."""
        with ThreadPoolExecutor(max_workers=1) as reader:
            running = None
            for query in queries:
                following = reader.submit(self._listed, query)
                if running is not None:
                    yield running.result()
                running = following
            if running is not None:
                yield running.result()

    def _listed(self, query: str) -> list[Row]:
        return list(self.rows(query))

    @abstractmethod
    def keep(self, name: str, columns: Sequence[tuple[str, str]], rows: Iterable[Row]) -> None:
        """Make a small table of (name, type) columns."""

    @abstractmethod
    def keep_query(self, name: str, query: str) -> None:
        """Make a table of what a query returns."""


def _lacks(what: str, extra: str) -> EngineError:
    return EngineError(f"{what} needs an extra that is not installed: pip install 'comity[{extra}]'")


def _named(keys: Sequence[str]) -> list[str]:
    """Return SQL for the keys by their names."""
    return [f"{key} AS x{number}" for number, key in enumerate(keys)]


class DuckEngine(Engine):
    """DuckDB, in this process, spilling to a private temporary folder."""

    dialect = "duckdb"
    few = 16

    def __init__(self, connection: duckdb.DuckDBPyConnection, source: Source) -> None:
        self.connection = connection
        self.source = source
        self.numbered = ""  # SQL for the rows that have got their number while they were read

    @property
    def relation(self) -> str:
        """The file's rows, read exactly."""
        return f"{self.source.relation} AS people"

    def has_many(self, cell: str) -> bool:
        """Look at the first rows of a file that can be read again for nothing."""
        if self.source.kind != "Parquet":
            return True
        query = f"SELECT COUNT(DISTINCT x) FROM (SELECT {cell} AS x FROM RELATION LIMIT {LOOKED_AT})"
        return int(next(self.rows(query))[0]) > LOOKED_AT // 10

    def glimpse(self, keys: Sequence[str]) -> str:
        """Look at the first rows of a long text file, if it is well formed so far."""
        return "glimpsed" if self.source.glimpse("glimpsed", _named(keys)) else ""

    def cells(self, keys: Sequence[str], key: Key | None = None) -> str:
        """Read a text file once, and keep the number of each row, or else its keys.

        A Parquet file is quicker to read again.
        """
        self.numbered = ""
        if self.source.kind == "Parquet":
            return super().cells(keys)
        if key is None:
            self.source.load("cells", _named(keys))
            return "cells"
        self._load_numbers(keys, key)
        return "cells"

    def _load_numbers(self, keys: Sequence[str], key: Key) -> None:
        """Keep a number, which is short, of every row whose cells are all known, and the cells of the others."""
        words, cells = [f"k{number}" for number in range(len(key.words))], [f"x{number}" for number in range(len(keys))]
        odd = " OR ".join(f"{word} IS NULL" for word in words)
        kept = ", ".join(["row", *words, f"CASE WHEN {odd} THEN [{', '.join(cells)}] END AS odd"])
        # DuckDB takes a text file for tiny, and would hold all of it in memory to look up the codes in it
        self.connection.execute("SET disabled_optimizers = 'build_side_probe_side,join_order'")
        try:
            self.connection.execute("DROP TABLE IF EXISTS glimpsed")
            self.source.load("read", _named(keys), lambda rows: f"SELECT {kept} FROM ({key.query(rows, *cells)})")
        finally:
            self.connection.execute("RESET disabled_optimizers")
        picked = ", ".join(f"odd[{number}] AS x{number - 1}" for number in range(1, len(keys) + 1))
        self.keep_query("cells", f"SELECT row, {picked} FROM read WHERE odd IS NOT NULL")
        self.numbered = f"SELECT {', '.join(['row', *words])} FROM read WHERE odd IS NULL"

    def keep_numbers(self, query: str) -> None:
        """Put the numbers that were given while reading beside those of the other rows."""
        if not self.numbered:
            super().keep_numbers(query)
            return
        self.keep_query("numbered_later", query)
        self.connection.execute(
            f"CREATE OR REPLACE TEMP VIEW numbered AS {self.numbered} UNION ALL SELECT * FROM numbered_later"
        )

    def rows(self, query: str) -> Iterator[Row]:
        """Yield the rows of a query, a few thousand at a time."""
        cursor = self.connection.execute(self.own(query))
        while batch := cursor.fetchmany(20_000):
            yield from batch

    def keep(self, name: str, columns: Sequence[tuple[str, str]], rows: Iterable[Row]) -> None:
        """Make a small table; the values travel as one list a column."""
        listed = list(rows)
        lists = [[row[number] for row in listed] for number in range(len(columns))]
        picked = ", ".join(f"unnest(?::{kind}[]) AS {column}" for column, kind in columns)
        self.connection.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT {picked}", lists)

    def keep_query(self, name: str, query: str) -> None:
        """Make a table of what a query returns, in its order."""
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {self.own(query)}")

    def set_down(self, path: Path) -> None:
        """Write the rows that can be read as Parquet, with their numbers, for another engine."""
        to = str(path).replace("'", "''")
        self.connection.execute(f"COPY (SELECT * FROM {self.relation}) TO '{to}' (FORMAT parquet)")

    def own(self, query: str) -> str:
        """Put the file in the place of RELATION."""
        return query.replace("RELATION", self.relation) if "RELATION" in query else query


class PostgresEngine(Engine):
    """PostgreSQL, the table in place: only distinct values and counts leave the server, where nothing is changed."""

    dialect = "postgres"

    def __init__(self, url: str, table: str) -> None:
        try:
            import psycopg
        except ImportError:
            raise _lacks("PostgreSQL", "postgres") from None
        try:
            self.connection = psycopg.connect(url)
        except psycopg.Error as error:
            raise EngineError(f"PostgreSQL cannot be reached: {str(error).splitlines()[0]}") from None
        try:
            self.columns, self._relation = self._opened(table)
        except BaseException as error:
            self.connection.close()
            if isinstance(error, psycopg.Error):
                told = str(error).splitlines()[0]
                raise EngineError(f"the table {table!r} cannot be read: {told}") from None
            raise

    def _opened(self, table: str) -> tuple[tuple[str, ...], str]:
        """Return the table's columns, and SQL for them as text behind the number of their row."""
        import psycopg
        from psycopg import sql

        self.connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ  # all queries see the same rows
        self.connection.execute("SET datestyle = 'ISO'")
        named = sql.Identifier(*table.split("."))
        found = self.connection.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(named))
        columns = tuple(column.name for column in found.description or ())
        texts = [
            sql.SQL("{}::text AS {}").format(sql.Identifier(name), sql.Identifier(f"c{n}"))
            for n, name in enumerate(columns)
        ]
        order = sql.SQL("ORDER BY tableoid, ctid" if self._is_stored(named.as_string(self.connection)) else "")
        query = sql.SQL("SELECT row_number() OVER ({}) AS row, {} FROM {}").format(
            order, sql.SQL(", ").join(texts), named
        )
        return columns, f"({query.as_string(self.connection)}) AS people"

    def _is_stored(self, name: str) -> bool:
        """Tell a table, whose rows have a place, from a view, whose rows have none."""
        found = self.connection.execute("SELECT relkind FROM pg_class WHERE oid = to_regclass(%s)", [name]).fetchone()
        return found is not None and found[0] in {"r", "p", "m"}

    @property
    def relation(self) -> str:
        """The table in place."""
        return self._relation

    def rows(self, query: str) -> Iterator[Row]:
        """Yield the rows of a query from a cursor on the server."""
        with self.connection.cursor(name="comity_rows") as cursor:
            cursor.itersize = 20_000
            cursor.execute(self.own(query))
            yield from cursor

    def own(self, query: str) -> str:
        """Translate a query, the relation in it left alone: it is in our dialect already."""
        return self.translated(query.replace("RELATION", "the_relation")).replace("the_relation", self.relation)

    def keep(self, name: str, columns: Sequence[tuple[str, str]], rows: Iterable[Row]) -> None:
        """Make a temporary table."""
        layout = ", ".join(f"{column} {kind}" for column, kind in columns)
        self.connection.execute(f"DROP TABLE IF EXISTS pg_temp.{name}")
        self.connection.execute(f"CREATE TEMP TABLE {name} ({layout})")
        with self.connection.cursor().copy(f"COPY {name} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        self.connection.execute(f"ANALYZE {name}")

    def keep_query(self, name: str, query: str) -> None:
        """Make a temporary table of what a query returns."""
        self.connection.execute(f"CREATE TEMP TABLE {name} AS {self.own(query)}")


class SparkEngine(Engine):
    """Spark, local or a cluster's, over a file or a table it knows, or over the rows that our own readers set down.

    `columns` says that the file is such a one: Parquet with the columns `row`, c0, c1, …, whose headers these are.
    """

    dialect = "spark"

    def __init__(self, master: str, name: str, columns: tuple[str, ...] | None = None) -> None:
        try:
            from pyspark.sql import SparkSession
        except ImportError:
            raise _lacks("Spark", "spark") from None
        builder = SparkSession.builder.appName("comity check").config("spark.ui.enabled", "false")
        builder = builder.config("spark.sql.shuffle.partitions", "4").config("spark.ui.showConsoleProgress", "false")
        builder = builder.config("spark.sql.session.timeZone", "UTC").config("spark.log.level", "ERROR")
        if is_local(master):
            os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")  # nobody else is to reach it
            builder = builder.config("spark.driver.host", "127.0.0.1")
        builder = builder.remote(master) if master.startswith("sc://") else builder.master(master)
        self.session = builder.getOrCreate()
        frame = self._frame(name)
        self.columns = columns or tuple(frame.columns)
        frame.createOrReplaceTempView("comity_source")
        self._relation = f"(SELECT {'*' if columns else self._numbered()} FROM comity_source) AS people"

    def _numbered(self) -> str:
        """Return SQL for the columns as text, behind the number of their row."""
        named = [name.replace("`", "``") for name in self.columns]
        texts = (f"CAST(`{name}` AS STRING) AS c{number}" for number, name in enumerate(named))
        return ", ".join(["row_number() OVER (ORDER BY monotonically_increasing_id()) AS row", *texts])

    @property
    def relation(self) -> str:
        """The file or the table."""
        return self._relation

    def _frame(self, name: str) -> Any:  # noqa: ANN401 (PySpark's frames have two types, of which it returns either)
        if Path(name).suffix.lower() == ".parquet":
            return self.session.read.parquet(name)
        if Path(name).suffix.lower() in {".csv", ".tsv"}:
            delimiter = "\t" if name.lower().endswith("tsv") else ","
            how = {"header": True, "multiLine": True, "escape": '"', "sep": delimiter}
            return self.session.read.csv(name, mode="FAILFAST", **how)  # a row of another width is not guessed at
        return self.session.table(name)

    def rows(self, query: str) -> Iterator[Row]:
        """Yield the rows of a query, partition by partition."""
        yield from (tuple(row) for row in self.session.sql(self.own(query)).toLocalIterator())

    def own(self, query: str) -> str:
        """Translate a query, the relation in it left alone: it is in Spark's dialect already."""
        return self.translated(query.replace("RELATION", "the_relation")).replace("the_relation", self.relation)

    def keep(self, name: str, columns: Sequence[tuple[str, str]], rows: Iterable[Row]) -> None:
        """Make a small view over the driver's own rows."""
        kinds = {"VARCHAR": "string", "INTEGER": "int", "BIGINT": "bigint", "SMALLINT": "smallint"}
        layout = ", ".join(f"{column} {kinds[kind]}" for column, kind in columns)
        self.session.createDataFrame(list(rows), layout).createOrReplaceTempView(name)

    def keep_query(self, name: str, query: str) -> None:
        """Make a cached view of what a query returns."""
        self.session.sql(self.own(query)).cache().createOrReplaceTempView(name)


def is_local(master: str) -> bool:
    """Tell a Spark in processes of this machine from a cluster."""
    return master.startswith("local")


def working_folder() -> tempfile.TemporaryDirectory[str]:
    """Return a private folder for what does not fit into memory; it goes with the check."""
    return tempfile.TemporaryDirectory(prefix="comity-")
