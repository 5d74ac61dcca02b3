"""The people, staff and forms of these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client

from comity.consent.suppression import keys
from comity.outreach.forms.models import FormVersion
from comity.staff.models import Entity, Staff
from tests.book.people import add, aiko, firm, folder, greta, oliver
from tests.outreach.forms.building import ready_to_send, the_form
from tests.staff.people import dublin, make_staff, shanghai

__all__ = ["add", "aiko", "dublin", "firm", "folder", "greta", "oliver", "shanghai"]


@pytest.fixture(autouse=True)
def no_keys_held() -> None:
    """Let no test use the keys of another."""
    keys.forget()


@pytest.fixture(autouse=True)
def no_jobs_left(db: None) -> Iterator[None]:
    """Leave no job to other tests that run whatever waits."""
    del db
    yield
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")


@pytest.fixture
def tom(firm: Entity) -> Staff:
    """Builds forms and writes to many, for Dublin."""
    return make_staff("marketing", entity=firm)


@pytest.fixture
def vera(firm: Entity) -> Staff:
    """Is privacy officer of Dublin, and publishes."""
    return make_staff("privacy-officer", entity=firm)


@pytest.fixture
def form(firm: Entity, tom: Staff, vera: Staff) -> FormVersion:
    """A published form of Dublin that asks for a newsletter, in English and German."""
    ready_to_send(firm)
    return the_form(firm, tom, vera)


@pytest.fixture
def outside() -> Client:
    """Somebody's browser, which has no cookie of ours."""
    return Client(enforce_csrf_checks=True)
