"""Programs of these tests: each has a token, in the name of one of the staff, and asks through Django's test client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.utils import timezone

from comity.api.actions import make_token, take_token
from comity.api.models import Token
from comity.api.shapes import PURPOSES
from comity.staff.guards import may_do
from comity.staff.models import Entity, Staff
from comity.staff.roles import roles

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer


@dataclass(frozen=True, kw_only=True)
class Program:
    """Somebody's program, with the token that it holds."""

    token: Token
    secret: str

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Ask /api/v1… and return the answer, whatever it is."""
        client = Client(raise_request_exception=False)
        given: dict[str, Any] = {"headers": {"Authorization": f"Bearer {self.secret}", **_spelt(headers)}}
        if body is not None:
            given |= {"data": body, "content_type": "application/json"}
        elif method in {"POST", "PATCH"}:
            given |= {"content_type": "application/json"}
        return client.generic(method, f"/api/v1{path}", **_as_generic(given))

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: object, **headers: str) -> Answer:
        return self.ask("POST", path, body, **headers)

    def patch(self, path: str, body: object, **headers: str) -> Answer:
        return self.ask("PATCH", path, body, **headers)


def _spelt(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def _as_generic(given: dict[str, Any]) -> dict[str, Any]:
    import json

    from django.core.serializers.json import DjangoJSONEncoder

    data = given.pop("data", b"")
    told = data if isinstance(data, bytes) else json.dumps(data, cls=DjangoJSONEncoder).encode()
    return {"data": told, **given}


def program_of(staff: Staff, entity: Entity, **more: Any) -> Program:  # noqa: ANN401 - parts of a token
    """Give somebody a program that may all they may."""
    words = [word for word in roles().words if may_do(staff, word, entity)]
    parts: dict[str, Any] = {"words": words, "purposes": PURPOSES, "expires_at": timezone.now() + timedelta(days=30)}
    parts |= more
    token = Token(name="a program of tests", staff=staff, entity=entity, made_by=staff, made_at=timezone.now(), **parts)
    token.save()
    return Program(token=token, secret=take_token(token=token, staff=staff))


@pytest.fixture
def program(ada: Staff, firm: Entity) -> Program:
    """Ada's program, which may all she may."""
    return program_of(ada, firm)


ProgramOf = Callable[..., Program]
__all__ = ["Program", "make_token", "program", "program_of"]
