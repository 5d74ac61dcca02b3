"""The same facts give the same decision from the closure, DuckDB, PostgreSQL and Spark."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import psycopg
import pytest

from comity.law import Finding, Lawbook, Plan, Verdict, decide, finding_for, fold
from comity.law.sql import Column, signature, signature_words
from tests.law.people import DAY, US, USES, person, row_facts

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from comity.law.vocabulary import Fact, Facts

PEOPLE = 100_000
SOME = 4_000
TYPES = {
    "bool": "boolean",
    "choice": "varchar(40)",
    "number": "bigint",
    "date": "date",
    "age": "smallint",
    "place": "varchar(200)",
}
Rows = Iterable[Sequence[object]]
Ask = Callable[[str], Rows]
Expected = list[tuple[Plan, list[Finding]]]


@pytest.fixture(scope="module")
def crowd(book: Lawbook) -> list[Facts]:
    """100,000 random people of whose facts 30 % are unknown."""
    dice = random.Random(20261121)
    return [person(book, dice) for _ in range(PEOPLE)]


@pytest.fixture(scope="module")
def crowd_file(book: Lawbook, crowd: list[Facts], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The crowd as a CSV file, an empty cell where nothing is recorded."""
    path = tmp_path_factory.mktemp("crowd") / "crowd.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["n", *(name for fact in row_facts(book) for name, _ in fields(fact))])
        for number, facts in enumerate(crowd):
            writer.writerow([number, *(cell for fact in row_facts(book) for cell in cells(fact, facts.get(fact.name)))])
    return path


def fields(fact: Fact) -> list[tuple[str, str]]:
    """Return the names and types of the columns that hold a fact."""
    name = fact.name.replace(".", "_")
    return (
        [(f"{name}_from", "smallint"), (f"{name}_to", "smallint")] if fact.kind == "age" else [(name, TYPES[fact.kind])]
    )


def cells(fact: Fact, value: object) -> list[object]:
    """Return a fact's cells."""
    if fact.kind == "age":
        return list(value) if isinstance(value, tuple) else ["", ""]
    if isinstance(value, frozenset):
        return ["|".join(sorted(value))]
    return ["" if value is None else str(value).lower() if isinstance(value, bool) else str(value)]


def columns(book: Lawbook) -> dict[str, Column]:
    """Return the column of each fact, as `signature_words` wants it."""
    return {fact.name: column(fact) for fact in row_facts(book) if fact.name != "person.home"}


def column(fact: Fact) -> Column:
    """Return the one column that holds a fact, or the two that hold an age."""
    lower, *upper = (name for name, _ in fields(fact))
    return Column(lower, upper=upper[0] if upper else "")


def plans(book: Lawbook) -> list[Plan]:
    """Return the plans of all uses."""
    return [fold(book, book.vocabulary.read({**US, **use}), DAY) for use in USES.values()]


def by_closure(plan: Plan, crowd: Iterable[Facts]) -> list[Finding]:
    """Decide everybody one at a time."""
    return [decide(plan, facts).finding for facts in crowd]


def from_rows(plan: Plan, rows: Rows) -> list[Finding]:
    """Decide everybody from what an engine computed: the homes, then the words of the signature."""
    return [
        finding_for(
            plan, frozenset(str(homes).split("|")) if homes else None, signature([int(str(word)) for word in words])
        )
        for homes, *words in rows
    ]


@pytest.fixture(scope="module")
def expected(book: Lawbook, crowd: list[Facts]) -> Expected:
    """What the closure finds: about everybody for the first use, about some for every other."""
    many = (PEOPLE, *[SOME] * (len(USES) - 1))
    return [(plan, by_closure(plan, crowd[:first])) for plan, first in zip(plans(book), many, strict=True)]


def agree(book: Lawbook, crowd: list[Facts], expected: Expected, ask: Ask, dialect: str) -> None:
    """Check one engine against the closure."""
    verdicts: set[Verdict] = set()
    for plan, findings in expected:
        words = ", ".join(word.sql(dialect=dialect) for word in signature_words(plan, columns(book)))
        found = from_rows(plan, ask(f"select person_home, {words} from crowd where n < {len(findings)} order by n"))
        assert len(found) == len(findings)
        differing = [number for number, pair in enumerate(zip(found, findings, strict=True)) if pair[0] != pair[1]]
        assert not differing, (crowd[differing[0]], found[differing[0]].because, findings[differing[0]].because)
        verdicts |= {finding.verdict for finding in findings}
    assert verdicts == set(Verdict)


def test_duckdb_answers_as_the_closure_does(
    book: Lawbook, crowd: list[Facts], crowd_file: Path, expected: Expected
) -> None:
    types = {"n": "bigint"} | {name: kind for fact in row_facts(book) for name, kind in fields(fact)}
    with duckdb.connect() as connection:
        connection.execute("create table crowd as from read_csv(?, header=true, columns=?)", [str(crowd_file), types])
        agree(book, crowd, expected, lambda query: connection.execute(query).fetchall(), "duckdb")


def test_postgres_answers_as_the_closure_does(
    book: Lawbook, crowd: list[Facts], crowd_file: Path, expected: Expected, postgres_url: str
) -> None:
    layout = ", ".join(f"{name} {kind}" for fact in row_facts(book) for name, kind in fields(fact))
    with psycopg.connect(postgres_url) as connection:
        connection.execute(f"create temp table crowd (n bigint, {layout})")
        with connection.cursor().copy("copy crowd from stdin (format csv, header)") as copy:
            copy.write(crowd_file.read_bytes())
        agree(book, crowd, expected, lambda query: connection.execute(query.encode()).fetchall(), "postgres")


def test_spark_answers_as_the_closure_does(
    book: Lawbook, crowd: list[Facts], crowd_file: Path, expected: Expected, spark: SparkSession
) -> None:
    layout = "n bigint, " + ", ".join(
        f"{name} {kind.replace('varchar(40)', 'string').replace('varchar(200)', 'string')}"
        for fact in row_facts(book)
        for name, kind in fields(fact)
    )
    spark.read.csv(str(crowd_file), header=True, schema=layout).coalesce(1).createOrReplaceTempView("crowd")
    agree(book, crowd, expected, lambda query: [tuple(row) for row in spark.sql(query).collect()], "spark")
