"""A program: makes one of the staff in the book here; prints a token for programs, and the cookie of a session."""

from __future__ import annotations

import os
import sys
from datetime import timedelta

import django


def furnish() -> str:
    """Let somebody who sells answer for a program that adds people, and sign in."""
    from django.test import Client
    from django.utils import timezone

    from comity.api.actions import make_token, take_token
    from comity.desk.demo import ENTITIES, ORDINARY
    from comity.staff.models import Entity, RoleGrant, Staff

    name, place, facts = ENTITIES[0]
    entity = Entity.objects.create(name=name, place=place, facts={**ORDINARY, **facts})
    made = {}
    for role in ("sales", "marketing", "administrator"):
        made[role] = Staff.objects.create(name=role, email=f"{role}@comity.example")
        RoleGrant.objects.create(staff=made[role], role=role, entity=entity, reason="tests", begins_at=timezone.now())
    token = make_token(
        name="clients", staff=made["sales"], entity=entity, purposes=["service"], words=["person.edit", "person.view"],
        expires_at=timezone.now() + timedelta(days=2), made_by=made["administrator"],
    )  # fmt: skip
    browser = Client()
    browser.force_login(made["sales"], "allauth.account.auth_backends.AuthenticationBackend")
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in browser.cookies.items())
    return f"{take_token(token=token, staff=made['sales'])}\n{cookie}\n"


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "comity.web.settings"
    django.setup()
    sys.stdout.write(furnish())
