"""Who works for us in tests: Ada sells, Tom writes to many, Sana helps, Olga watches, Adam sets up, Aud reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client
from django.utils import timezone

from comity.staff.models import Entity, RoleGrant, Staff
from comity.staff.roles import roles

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = {
    "sales": "Ada Byrne",
    "marketing": "Tom Okafor",
    "support": "Sana Malik",
    "privacy-officer": "Olga Petrova",
    "administrator": "Adam Nagy",
    "auditor": "Aud Lie",
}
PASSWORD = "correct horse battery staple"  # noqa: S105 - of people who do not exist


def client_of(staff: Staff) -> Client:
    """Return a browser in which somebody is signed in."""
    client = Client()
    client.force_login(staff, "allauth.account.auth_backends.AuthenticationBackend")
    return client


def make_staff(role: str = "", *, entity: Entity | None = None, name: str = "", password: str | None = None) -> Staff:
    """Make one of the staff, with a role for one entity or for all, or without; with a password where one is needed."""
    name = name or NAMES.get(role, "Nora Nobody")
    staff = Staff(name=name, email=f"{name.replace(' ', '.').lower()}@comity.example")
    staff.set_password(password)
    staff.save()
    if role:
        assert role in roles().roles
        RoleGrant.objects.create(staff=staff, role=role, entity=entity, reason="tests", begins_at=timezone.now())
    return staff


@pytest.fixture
def dublin(db: None) -> Entity:
    del db
    return Entity.objects.create(name="Comity Dublin Ltd", place="IE")


@pytest.fixture
def shanghai(db: None) -> Entity:
    del db
    return Entity.objects.create(name="康睦（上海）有限公司", place="CN")


@pytest.fixture
def staff_in(db: None) -> Callable[..., Staff]:
    """Give what makes one of the staff in a role, for one entity or for all."""
    del db
    return make_staff


@pytest.fixture
def ada(dublin: Entity) -> Staff:
    """Sells, for Dublin alone."""
    return make_staff("sales", entity=dublin)


@pytest.fixture
def adam(db: None) -> Staff:
    """Administers all our entities."""
    del db
    return make_staff("administrator")


@pytest.fixture
def olga(db: None) -> Staff:
    """Is privacy officer of all our entities."""
    del db
    return make_staff("privacy-officer")
