"""The engines that the tests start for themselves do start, and are the ones we think."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def test_the_private_postgres_answers_and_is_reached_by_its_socket_alone(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
        if "comity-pg-" in postgres_url:
            assert connection.execute("show listen_addresses").fetchone() == ("",)


def test_the_local_spark_answers(spark: SparkSession) -> None:
    assert [tuple(row) for row in spark.sql("select sum(id) from range(10)").collect()] == [(45,)]
