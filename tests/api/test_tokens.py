from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from comity.api.actions import make_token, revoke_token, take_token
from comity.api.models import Token
from comity.api.tokens import FORM, is_token, new_token
from comity.ledger.models import Entry
from comity.staff.guards import NotYours
from comity.staff.models import Entity, RoleGrant, Staff
from tests.api.programs import Program, program_of


def test_a_token_is_known_by_its_form_and_one_wrong_letter_gives_it_away() -> None:
    token = new_token()
    assert FORM.fullmatch(token)
    assert len({new_token() for _ in range(100)}) == 100
    assert is_token(token)
    for place in range(len("comity_"), len(token)):
        wrong = "a" if token[place] != "a" else "b"
        assert not is_token(token[:place] + wrong + token[place + 1 :])
    for other in ("", "comity_", token[:-1], token + "0", token.upper(), token.replace("comity", "comitz")):
        assert not is_token(other)


def test_a_program_that_shows_its_token_is_told_what_it_may(program: Program, ada: Staff, firm: Entity) -> None:
    told = program.get("/whoami")
    assert told.status_code == 200, told.content
    said = told.json()
    assert said["staff"]["name"] == ada.name
    assert said["entity"]["ref"] == str(firm.ref)
    assert "person.view" in said["words"]
    assert {"operation": "export", "purpose": "service", "field_classes": ["name", "contact"]} in said["handles"]
    assert told["Cache-Control"] == "no-store"


def test_nobody_comes_in_without_a_token_of_ours(program: Program) -> None:
    client = Client(raise_request_exception=False)
    for given in (
        {},
        {"Authorization": "Basic YTpi"},
        {"Authorization": f"Bearer {new_token()}"},
        {"Authorization": "Bearer x"},
    ):
        told = client.get("/api/v1/whoami", headers=given)
        assert told.status_code == 401
        assert told["Content-Type"] == "application/problem+json"
        assert told["WWW-Authenticate"].startswith("Bearer ")
    assert client.get("/api/v1/whoami", headers={"Authorization": f"bearer {program.secret}"}).status_code == 200


def test_only_a_hash_of_it_is_kept(program: Program) -> None:
    kept = Token.objects.values().get(pk=program.token.pk)
    assert program.secret not in str(kept)
    assert len(bytes(kept["digest"] or b"")) == 32


def test_a_token_ends_when_it_was_said_to_or_is_revoked(program: Program, adam: Staff) -> None:
    Token.objects.filter(pk=program.token.pk).update(
        made_at=timezone.now() - timedelta(days=2), expires_at=timezone.now() - timedelta(seconds=1)
    )
    assert "expired" in program.get("/whoami").json()["detail"]
    Token.objects.filter(pk=program.token.pk).update(expires_at=timezone.now() + timedelta(days=2))
    assert program.get("/whoami").status_code == 200
    revoke_token(token=program.token, revoked_by=adam)
    refused = program.get("/whoami")
    assert refused.status_code == 401
    assert "revoked" in refused.json()["detail"]
    with pytest.raises(ValidationError):
        revoke_token(token=program.token, revoked_by=adam)


def test_a_program_loses_what_who_answers_for_it_loses(program: Program, ada: Staff) -> None:
    assert "person.edit" in program.get("/whoami").json()["words"]
    RoleGrant.objects.filter(staff=ada).update(role="auditor")
    assert "person.edit" not in program.get("/whoami").json()["words"]
    RoleGrant.objects.filter(staff=ada).update(revoked_at=timezone.now())
    assert program.get("/whoami").status_code == 403
    Staff.objects.filter(pk=ada.pk).update(is_active=False)
    assert program.get("/whoami").status_code == 401


def test_a_program_may_only_what_its_token_has_words_for(ada: Staff, firm: Entity) -> None:
    poor = program_of(ada, firm, words=["person.view"])
    told = poor.get("/whoami")
    assert told.status_code == 403
    assert told.json()["word"] == "self.view"


def test_a_role_that_takes_a_second_factor_takes_it_here_too(olga: Staff, firm: Entity) -> None:
    told = program_of(olga, firm).get("/whoami")
    assert (told.status_code, told.json()["title"]) == (403, "Who answers for the token lacks a second factor")


# ---------------------------------------------------------------- making, taking


def leave(staff: Staff, entity: Entity, adam: Staff, **more: object) -> Token:
    parts: dict[str, object] = {"name": "shop", "words": ["person.view"], "purposes": ["service"]}
    parts |= {"expires_at": timezone.now() + timedelta(days=9)} | more
    return make_token(staff=staff, entity=entity, made_by=adam, **parts)  # type: ignore[arg-type]  # parts of a token


def test_whoever_makes_a_token_for_somebody_else_never_sees_it(ada: Staff, adam: Staff, firm: Entity) -> None:
    token = leave(ada, firm, adam)
    assert token.digest is None
    with pytest.raises(ValidationError, match="Only who answers"):
        take_token(token=token, staff=adam)
    secret = take_token(token=token, staff=ada)
    assert is_token(secret)
    with pytest.raises(ValidationError, match="was taken"):
        take_token(token=token, staff=ada)
    kinds = list(Entry.objects.filter(kind__startswith="api.").order_by("ref").values_list("kind", flat=True))
    assert kinds == ["api.token-made", "api.token-taken"]
    assert not any(secret.encode() in bytes(entry.body) for entry in Entry.objects.all())


def test_a_token_is_made_by_whoever_may_and_with_no_more_than_its_staff_may(
    ada: Staff, adam: Staff, firm: Entity, shanghai: Entity
) -> None:
    with pytest.raises(NotYours):
        leave(ada, firm, ada)
    with pytest.raises(ValidationError, match="may not do this themselves"):
        leave(ada, firm, adam, words=["person.view", "person.erase"])
    with pytest.raises(ValidationError, match="does not act for this entity"):
        leave(ada, shanghai, adam)
    for ends in (timezone.now() - timedelta(seconds=1), timezone.now() + timedelta(days=367)):
        with pytest.raises(ValidationError, match="a year at most"):
            leave(ada, firm, adam, expires_at=ends)
    assert not Token.objects.exists()


def test_who_answers_for_a_token_may_revoke_it_and_no_other_colleague(
    ada: Staff, adam: Staff, firm: Entity, olga: Staff
) -> None:
    token = leave(ada, firm, adam)
    with pytest.raises(NotYours):
        revoke_token(token=token, revoked_by=olga)
    revoke_token(token=token, revoked_by=ada)
    with pytest.raises(ValidationError, match="revoked"):
        take_token(token=token, staff=ada)


# ---------------------------------------------------------------- pace


def test_a_token_may_ask_so_often_a_minute_and_is_told_when_again(program: Program, settings: Settings) -> None:
    settings.API_REQUESTS_A_MINUTE = 3
    left = [program.get("/whoami") for _ in range(4)]
    assert [told.status_code for told in left] == [200, 200, 200, 429]
    assert left[0]["RateLimit-Policy"] == '"minute";q=3;w=60'
    assert [told["RateLimit"].split(";")[1] for told in left] == ["r=2", "r=1", "r=0", "r=0"]
    assert 1 <= int(left[3]["Retry-After"]) <= 20
    assert left[3].json()["title"] == "Too many requests"
