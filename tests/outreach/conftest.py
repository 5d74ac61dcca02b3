"""What holds for all tests of outreach."""

from __future__ import annotations

import pytest

from comity.post.pacing import timing


@pytest.fixture(autouse=True)
def at_an_hour_that_suits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be an hour that suits everybody, whenever the tests run: no instant does at so many places.

    What becomes of hours that do not suit is shown in `tests.post.pacing`.
    """
    monkeypatch.setattr(timing, "_shut", lambda *_asked: {})
