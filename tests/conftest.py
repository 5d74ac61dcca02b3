"""What tests may ask for: the two engines that are not libraries, and how hard the property tests look."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from typing import TYPE_CHECKING, ClassVar, NoReturn

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler.loadscope import LoadScopeScheduling

from tests.private_postgres import binaries, private_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession
    from xdist.remote import Producer

# A run that lands or not must not depend on luck: the same examples every time. `make soak` looks elsewhere, longer.
settings.register_profile("same", derandomize=True, database=None, deadline=None, max_examples=100)
settings.register_profile(
    "soak", database=None, deadline=None, max_examples=5_000, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("same")

pytest_plugins = ["tests.browser"]


@pytest.fixture(autouse=True, scope="session")
def settings_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Sign sessions with a key of the tests, and serve the files of this checkout, not those of a book served before.

    What a test writes into Comity's folder without having made one is kept out of the one of this machine.

    Settings are read before a conftest could say so in the environment.
    """
    from django.conf import settings

    settings.SECRET_KEY = "of the tests alone"  # noqa: S105 - it guards nothing
    settings.FOLDER = tmp_path_factory.mktemp("nobodys") / "comity"
    settings.STATIC_ROOT = tmp_path_factory.getbasetemp() / "nothing was gathered"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(postgres_url: str, django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Let Django make its database on the private server."""
    del django_db_modify_db_settings_parallel_suffix
    from django.conf import settings

    from comity.web.settings import database

    named = database(postgres_url)
    for key in ("HOST", "PORT", "USER", "PASSWORD"):
        settings.DATABASES["default"][key] = named[key]


class FileByFile(LoadScopeScheduling):  # type: ignore[misc]  # it comes without types
    """Give a file of tests to one process, which makes what they share once, and some files to the same one.

    xdist's own groups (`loadgroup`) group nothing under pytest 9.2: pytest-xdist issue 1386.
    """

    TOGETHER: ClassVar = {
        "tests/check/test_engines.py": "Spark, which starts slowly",
        "tests/law/test_engines_agree.py": "Spark, which starts slowly",
        "tests/test_engines.py": "Spark, which starts slowly",
    }

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        return "faults" if file.startswith("tests/faults/") else self.TOGETHER.get(file, file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FileByFile:
    """Share the tests out file by file, in the order of the files."""
    config.option.loadscopereorder = False
    return FileByFile(config, log)


def lack(what: str) -> NoReturn:
    """Skip, saying what this machine lacks; where everything is required (COMITY_REQUIRE_ALL=1), fail."""
    if os.environ.get("COMITY_REQUIRE_ALL") == "1":
        pytest.fail(f"{what}, and COMITY_REQUIRE_ALL=1 forbids to skip", pytrace=False)
    pytest.skip(what)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Give the URL of a PostgreSQL whose database the tests may fill: COMITY_TEST_POSTGRES, else a private server."""
    if given := os.environ.get("COMITY_TEST_POSTGRES"):
        yield given
        return
    folder = binaries()
    if folder is None:
        lack("No PostgreSQL server here (initdb and pg_ctl), and COMITY_TEST_POSTGRES names none")
    with private_postgres(folder) as url:
        yield url


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """Give a local Spark of two threads that listens to this machine only and writes only to a folder of the tests."""
    if importlib.util.find_spec("pyspark") is None:
        lack("PySpark is not installed (make setup LOCKS='dev spark')")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        lack("No Java here for Spark")
    from pyspark.sql import SparkSession

    scratch = tmp_path_factory.mktemp("spark")
    os.environ |= {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_DIRS": str(scratch)}
    builder = SparkSession.builder.master("local[2]").appName("comity tests")
    for key, value in {
        "spark.driver.host": "127.0.0.1",
        "spark.jars.ivy": str(scratch / "ivy"),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": str(scratch / "warehouse"),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()
