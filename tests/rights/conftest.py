"""For all tests of what people ask of us."""

from __future__ import annotations

import pytest

from tests.jobs import without_left_overs


@pytest.fixture(autouse=True)
def only_own_jobs(request: pytest.FixtureRequest) -> None:
    """Let each test run the jobs that it deferred, and no others."""
    without_left_overs(request)
