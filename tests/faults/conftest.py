"""One book for all tests of faults: to make one takes longer than to harm it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.house import House

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="package")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("faults") / "book") as running:
        yield running
