"""A fuzzer reads the OpenAPI document, and asks what it finds there, well formed and not. It finds no 5xx."""

from __future__ import annotations

import importlib.util
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings

from tests.api.test_access import ENDS, End
from tests.api.test_bad_input import everything
from tests.conftest import lack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from tests.api.programs import Program

__all__ = ["everything"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_factor", "one_connection")]


@pytest.fixture
def one_connection() -> Iterator[None]:
    """Keep the test's connection open between requests, as Django's own test client does."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


TRIES = {"same": 3, "soak": 2_000}
"""Requests for each endpoint and way to make them, by the profile that is loaded."""


def tries() -> int:
    return TRIES["same" if settings().max_examples <= 100 else "soak"]


@pytest.mark.parametrize("mode", ["positive", "negative"])
@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.id)
def test_a_fuzzer_that_reads_the_document_finds_no_5xx(end: End, mode: str, everything: Program, greta: UUID) -> None:
    if importlib.util.find_spec("schemathesis") is None:
        lack("schemathesis is not installed (make setup)")
    import schemathesis

    operation = _document()[f"/api/v1{end.path}"][end.method]
    cases = operation.as_strategy(generation_mode=schemathesis.GenerationMode(mode))
    codes: set[int] = set()

    @settings(max_examples=tries(), phases=[Phase.generate], suppress_health_check=list(HealthCheck), deadline=None)
    @given(case=cases)
    def ask(case: Any) -> None:  # noqa: ANN401 - schemathesis's
        if "ref" in (case.path_parameters or {}) and mode == "positive":
            case.path_parameters["ref"] = str(greta)
        told = case.call(headers={"Authorization": f"Bearer {everything.secret}"})
        codes.add(told.status_code)
        assert told.status_code < 500, told.content
        case.validate_response(told, checks=[*_checks()])

    ask()
    assert codes


@cache
def _document() -> Any:  # noqa: ANN401 - schemathesis's
    import schemathesis

    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())


def _checks() -> list[Any]:
    from schemathesis import checks
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

    return [checks.not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
