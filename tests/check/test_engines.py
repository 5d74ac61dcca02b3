"""The same rows get the same answer from DuckDB over a file, PostgreSQL over a table and Spark over either."""

from __future__ import annotations

import csv
import json
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from psycopg import sql

from comity.check.engines import EngineError, PostgresEngine, is_local
from comity.check.sample import PATH as SAMPLE
from comity.cli import main
from tests.check.test_values import NO_OPT_OUTS, OPT_OUTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

ROWS = 700
USES = (("email", "IE"), ("sms", "US"), ("email", None))
TOLD_APART = ("file", "seconds")


def check(*arguments: object, channel: str = "email", we_are: str | None = None) -> Result:
    who = ("--we-are", we_are) if we_are else ()
    words = ["check", *map(str, arguments), "--purpose", "marketing", "--channel", channel, *who]
    return CliRunner().invoke(main, words)


def answer(*arguments: object, channel: str = "email", we_are: str | None = None) -> dict[str, Any]:
    """Return the JSON without what rightly differs: the file's name and how long it took."""
    told = check(*arguments, "--json", channel=channel, we_are=we_are)
    assert told.exit_code == 0, told.output
    return {key: value for key, value in json.loads(told.stdout).items() if key not in TOLD_APART}


@cache
def table() -> tuple[list[str], list[list[str]]]:
    """Return a part of the sample, each row whole, with notes of every language in it."""
    with SAMPLE.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    rows = [row for row in rows if len(row) == len(header)][:ROWS]
    notes = header.index("Notes")
    texts = [*OPT_OUTS, *NO_OPT_OUTS, "НЕ ЗВОНИТЬ", "Μην στέλνετε", "it's fine", "back\\slash"]
    for row, text in zip(rows, texts, strict=False):
        row[notes] = text
    return header, rows


@pytest.fixture(scope="module", name="part")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("part") / "part.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([table()[0], *table()[1]])
    return path


@pytest.fixture(scope="module", name="listed")
def on_a_list(tmp_path_factory: pytest.TempPathFactory) -> Path:
    header, rows = table()
    phone, email = header.index("Phone Number"), header.index("Email")
    entries = [row[column] for row in rows[300:400] for column in (phone, email) if len(row[column]) > 6]
    path = tmp_path_factory.mktemp("listed") / "gone.txt"
    path.write_text("\n".join(entries), "utf-8")
    return path


# ---------------------------------------------------------------- PostgreSQL


@pytest.fixture(name="contacts")
def in_postgres(postgres_url: str) -> Iterator[str]:
    """Keep the part as a table of its own schema, with a view on it; yield the server's URL."""
    header, rows = table()
    columns = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(name)) for name in header)
    with psycopg.connect(postgres_url) as connection:
        connection.execute("DROP SCHEMA IF EXISTS crm CASCADE")
        connection.execute("CREATE SCHEMA crm")
        connection.execute(sql.SQL("CREATE TABLE crm.contacts ({})").format(columns))
        with connection.cursor().copy("COPY crm.contacts FROM STDIN") as copy:
            for row in rows:
                copy.write_row([cell or None for cell in row])
        connection.execute("CREATE VIEW crm.everybody AS SELECT * FROM crm.contacts")
    yield postgres_url
    with psycopg.connect(postgres_url) as connection:
        connection.execute("DROP SCHEMA crm CASCADE")


@pytest.mark.parametrize(("channel", "we_are"), USES)
def test_postgresql_gives_the_answer_that_duckdb_gives(
    channel: str, we_are: str | None, part: Path, contacts: str
) -> None:
    ours = answer(part, channel=channel, we_are=we_are)
    theirs = answer("crm.contacts", "--engine", contacts, channel=channel, we_are=we_are)
    assert theirs == ours
    assert min(ours["counts"][verdict] for verdict in ("deny", "ask")) > 0


def test_postgresql_finds_the_same_people_on_a_list(part: Path, listed: Path, contacts: str) -> None:
    ours = answer(part, "--suppress", listed)
    assert answer("crm.contacts", "--engine", contacts, "--suppress", listed) == ours
    assert ours != answer(part)


def test_postgresql_answers_for_one_row_and_for_a_view(part: Path, contacts: str) -> None:
    for row in (1, 17, ROWS):
        assert answer("crm.contacts", "--engine", contacts, "--row", row) == answer(part, "--row", row)
    assert answer("crm.everybody", "--engine", contacts) == answer(part)


def test_postgresql_is_left_as_it_was(contacts: str) -> None:
    inside = "SELECT relname FROM pg_class WHERE relname !~ '^pg_' ORDER BY 1"
    with psycopg.connect(contacts) as connection:
        before = connection.execute(inside).fetchall()
    answer("crm.contacts", "--engine", contacts)
    with psycopg.connect(contacts) as connection:
        assert connection.execute(inside).fetchall() == before


def test_days_are_read_the_same_however_the_server_writes_them(contacts: str) -> None:
    with psycopg.connect(contacts) as connection:
        connection.execute("CREATE TABLE crm.dated (email text, country text, consent_date date)")
        connection.execute("INSERT INTO crm.dated VALUES ('a@b.de', 'DE', '2026-03-04')")
    engine = PostgresEngine(contacts + "&options=-c%20datestyle%3DGerman", "crm.dated")
    with closing(engine.connection):
        assert list(engine.rows("SELECT row, c2 FROM RELATION")) == [(1, "2026-03-04")]


@pytest.mark.parametrize("name", ["nosuch", "crm.nosuch", 'x"; DROP TABLE crm.contacts; --', "a.b.c.d"])
def test_a_table_that_is_not_there_is_named(name: str, contacts: str) -> None:
    told = check(name, "--engine", contacts)
    assert (told.exit_code, told.stderr.count("\n")) == (2, 1)
    assert "cannot be read" in told.stderr
    assert answer("crm.contacts", "--engine", contacts)["counts"]["rows"] == ROWS


def test_a_table_has_no_files_to_write(contacts: str, tmp_path: Path) -> None:
    told = check("crm.contacts", "--engine", contacts, "--out", tmp_path / "answer")
    assert told.exit_code == 2
    assert "--out works with files" in told.stderr


def test_what_the_server_refuses_is_one_line(contacts: str) -> None:
    """A statement that takes longer than the server allows, as on a warehouse with a guard."""
    told = check("crm.contacts", "--engine", contacts + "&options=-c%20statement_timeout%3D1")
    assert told.exit_code == 2
    assert told.stderr.startswith("Error: ")
    assert "Traceback" not in told.output


@pytest.mark.parametrize("statement", ["SET datestyle", "SELECT * FROM", "relkind FROM pg_class"])
def test_a_connection_is_closed_whatever_goes_wrong_on_opening(
    statement: str, contacts: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A guard on the server may cut off any statement, the first one too; what is left open would fail this run."""
    opened: list[psycopg.Connection] = []
    connect, execute = psycopg.connect, psycopg.Connection.execute

    def kept(url: str) -> psycopg.Connection:
        opened.append(connect(url))
        return opened[-1]

    def cut_off(self: psycopg.Connection, query: str | sql.Composed, words: list[str] | None = None) -> psycopg.Cursor:
        text = query if isinstance(query, str) else query.as_string(self)
        if statement in text:
            raise psycopg.errors.QueryCanceled("canceling statement due to statement timeout")
        return execute(self, query, words)

    monkeypatch.setattr(psycopg, "connect", kept)
    monkeypatch.setattr(psycopg.Connection, "execute", cut_off)
    with pytest.raises(EngineError, match="statement timeout"):
        PostgresEngine(contacts, "crm.contacts")
    assert opened[0].closed


def test_a_server_that_is_not_there_is_one_line() -> None:
    with pytest.raises(EngineError, match="PostgreSQL cannot be reached"):
        PostgresEngine("postgresql://nobody@127.0.0.1:1/nothing", "people")


# ---------------------------------------------------------------- Spark


def test_only_processes_of_this_machine_are_local() -> None:
    assert all(map(is_local, ("local", "local[*]", "local[2]")))
    assert not any(map(is_local, ("spark://host:7077", "sc://host")))


def test_spark_gives_the_answer_that_duckdb_gives_and_counts_what_cannot_be_read(
    part: Path, spark: SparkSession, tmp_path: Path
) -> None:
    del spark  # the session that the command then finds
    broken = tmp_path / "broken.csv"
    broken.write_text(part.read_text("utf-8") + 'x,"y\n', "utf-8")
    ours = answer(broken, we_are="IE")
    assert answer(broken, "--engine", "spark", we_are="IE") == ours
    assert ours["counts"]["not_read"] == 1


def test_spark_reads_parquet_and_its_own_tables_in_place(part: Path, spark: SparkSession, tmp_path: Path) -> None:
    frame = spark.createDataFrame([(*row[:-1], row[-1] or None) for row in table()[1]], table()[0])
    frame.coalesce(1).write.parquet(str(tmp_path / "part.parquet"))
    frame.createOrReplaceTempView("customers")
    ours = answer(part)
    assert answer(tmp_path / "part.parquet", "--engine", "spark") == ours
    assert answer("customers", "--engine", "spark") == ours


def test_a_table_that_spark_does_not_know_is_one_line(spark: SparkSession) -> None:
    del spark
    told = check("nosuch", "--engine", "spark")
    assert told.exit_code == 2
    assert "nosuch" in told.stderr.strip().splitlines()[-1]
