from __future__ import annotations

import logging
import sys

import psycopg
import pytest
from django.db import IntegrityError, OperationalError
from django.test import RequestFactory

from comity.web.logs import Terse, no_probes

SAID = """duplicate key value violates unique constraint "one_address"
DETAIL:  Key (value)=(greta@example.com) already exists.
CONTEXT:  COPY book_person, line 1:
  "greta@example.com"
"""


def logged(error: Exception) -> str:
    try:
        try:
            raise psycopg.errors.UniqueViolation(str(error))
        except psycopg.Error as cause:
            raise error from cause
    except type(error):
        return Terse().formatException(sys.exc_info())


def test_an_error_of_the_database_is_logged_without_the_values_it_quotes() -> None:
    told = logged(IntegrityError(SAID))
    assert "greta" not in told
    assert 'violates unique constraint "one_address"' in told
    assert "test_logs.py" in told


def test_a_database_that_is_away_is_one_line() -> None:
    assert logged(OperationalError("connection refused\nIs it running?")) == "  OperationalError: connection refused"


@pytest.mark.parametrize(("path", "kept"), [("/healthz", False), ("/healthz/alive", False), ("/people/", True)])
def test_a_probe_fills_no_log(path: str, kept: bool) -> None:
    record = logging.makeLogRecord({"request": RequestFactory().get(path)})
    assert no_probes(record) is kept


def test_a_line_that_no_request_caused_is_kept() -> None:
    assert no_probes(logging.makeLogRecord({}))
