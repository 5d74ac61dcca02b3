"""The people, staff and portal of these tests."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from comity.consent.suppression import keys
from comity.post.pacing import timing
from comity.rights.portal.models import Portal
from comity.staff.models import Entity, Staff
from tests.book.people import add, aiko, firm, folder, greta, oliver
from tests.rights.portal.visitors import opened
from tests.staff.people import dublin, make_staff, shanghai

__all__ = ["add", "aiko", "dublin", "firm", "folder", "greta", "oliver", "shanghai"]


@pytest.fixture(autouse=True)
def no_keys_held() -> None:
    """Let no test use the keys of another."""
    keys.forget()


@pytest.fixture(autouse=True)
def here(settings: Settings) -> None:
    """Let it be a machine of one's own, without TLS, and staff without second factors."""
    settings.ADDRESS = urlsplit("http://localhost:8000")
    settings.SECOND_FACTOR = "optional"


@pytest.fixture(autouse=True)
def at_an_hour_that_suits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be an hour that suits everybody, whenever the tests run: `tests.post.pacing` shows the others."""
    monkeypatch.setattr(timing, "_shut", lambda *_asked: {})


@pytest.fixture(autouse=True)
def no_jobs_left(db: None) -> Iterator[None]:
    """Leave no job to other tests that run whatever waits."""
    del db
    yield
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")


@pytest.fixture
def vera(firm: Entity) -> Staff:
    """Is privacy officer of Dublin, in whose name codes go out."""
    return make_staff("privacy-officer", entity=firm)


@pytest.fixture
def portal(firm: Entity, vera: Staff) -> Portal:
    """People can sign in at Dublin; their codes wait to go out."""
    return opened(firm, vera)


@pytest.fixture
def outside() -> Client:
    """Somebody's browser, which has no cookie of ours."""
    return Client(enforce_csrf_checks=True)
