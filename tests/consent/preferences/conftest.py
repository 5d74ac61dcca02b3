"""Links of Greta's, as messages carry them, and a browser that nobody signed in with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.test import Client

from comity.book.models import Reach
from comity.consent.preferences.links import May, make_link
from comity.consent.suppression import keys
from comity.consent.suppression.marks import Mark, mark_of
from comity.staff.models import Entity

ADDRESS = "greta@kettle.example"
Make = Callable[..., str]


@pytest.fixture(autouse=True)
def no_keys_held() -> None:
    """Let no test use the keys of another."""
    keys.forget()


@pytest.fixture
def mark(firm: Entity) -> Mark:
    """Greta's e-mail address, as the list knows it."""
    del firm
    return mark_of(Reach.EMAIL, ADDRESS)


@pytest.fixture
def link(greta: UUID, firm: Entity, mark: Mark) -> Make:
    """Give a function that makes a link of Greta's."""

    def make(may: May = May.CHOOSE, at: datetime | None = None, **more: object) -> str:
        parts: dict[str, object] = {"person": greta, "entity": firm.ref, "mark": mark} | more
        return make_link(may=may, at=at or datetime.now(UTC), **parts)  # type: ignore[arg-type]  # parts of a link

    return make


@pytest.fixture
def outside() -> Client:
    """Somebody's browser, which has no cookie of ours."""
    return Client(enforce_csrf_checks=True)
