"""What tests of this room may ask for: an account to work as, and a folder of that account."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from comity.server.postgres import PrivatePostgres
from tests.server.legs import LEGS, Household, Leg, ground_of, leg_named


@pytest.fixture(scope="module", params=LEGS)
def leg(request: pytest.FixtureRequest) -> Leg:
    return leg_named(request.param)


@pytest.fixture
def ground(leg: Leg) -> Iterator[Path]:
    with ground_of(leg) as ground:
        yield ground


@pytest.fixture(scope="module")
def settled(leg: Leg) -> Iterator[Path]:
    """Give a folder of the leg's account that has a database, since making one takes a second, and no server."""
    with ground_of(leg) as ground:
        with Household(leg, ground / "comity") as household:
            household.start()
            household.stop()
        yield ground / "comity"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivatePostgres]:
    """Give a server of our own account that does not wait for the disk, for tests that change nothing about it."""
    postgres = PrivatePostgres(tmp_path_factory.mktemp("running") / "comity", durable=False)
    with postgres:
        yield postgres
    postgres.remove()
