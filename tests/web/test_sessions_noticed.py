from __future__ import annotations

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client

from comity.staff.models import Staff
from comity.web import middleware

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_factor")]


def test_a_session_is_noticed_at_once_and_then_once_a_minute(ada: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "NOTICED_FOR", 3600.0)
    client = Client()
    client.force_login(ada, "allauth.account.auth_backends.AuthenticationBackend")
    client.get("/own/")
    first = UserSession.objects.get(user=ada).last_seen_at
    client.get("/own/")
    assert UserSession.objects.get(user=ada).last_seen_at == first
    another = Client()
    another.force_login(ada, "allauth.account.auth_backends.AuthenticationBackend")
    another.get("/own/")
    assert UserSession.objects.filter(user=ada).count() == 2


def test_a_session_in_use_is_noticed_again_when_its_minute_is_over(ada: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "NOTICED_FOR", 0.0)
    client = Client()
    client.force_login(ada, "allauth.account.auth_backends.AuthenticationBackend")
    client.get("/own/")
    first = UserSession.objects.get(user=ada).last_seen_at
    client.get("/own/")
    assert UserSession.objects.get(user=ada).last_seen_at > first
