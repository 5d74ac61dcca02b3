"""What every endpoint does with requests as such: read strictly, done once, answered with problems."""

from __future__ import annotations

import json
import threading
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from ninja import Router

from comity.api.document import document
from comity.api.door import endpoint
from comity.api.models import Reply, Token
from comity.api.problems import KINDS
from comity.api.replays import forget_old
from comity.api.search import Found
from comity.book.models import Organisation, Person
from comity.staff.models import Entity, Staff
from comity.vault.actions import destroy_person_key
from tests.api.programs import Program, program_of
from tests.api.test_access import ENDS
from tests.api.test_persons import GRETA
from tests.staff.people import make_staff

FIRM = {"name": "Nordlicht GmbH"}


def problem(told: object) -> str:
    """Return which problem an answer is; fail if it is none."""
    assert told["Content-Type"] == "application/problem+json", told.content  # type: ignore[index, attr-defined]  # an answer
    said = told.json()  # type: ignore[attr-defined]  # as above
    kind = str(said["type"]).rpartition("#")[2]
    assert (said["status"], said["title"]) == (told.status_code, KINDS[kind][1])  # type: ignore[attr-defined]  # as above
    assert said["detail"]
    return kind


# ---------------------------------------------------------------- once


def test_what_is_sent_twice_under_one_key_is_done_once(program: Program) -> None:
    first = program.post("/persons?purpose=service", GRETA, Idempotency_Key="a1")
    again = program.post("/persons?purpose=service", GRETA, Idempotency_Key="a1")
    assert (again.status_code, again.content, again["Location"]) == (201, first.content, first["Location"])
    assert again["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first
    assert Person.objects.count() == 1
    assert program.post("/persons?purpose=service", GRETA, Idempotency_Key="a2").status_code == 201
    assert Person.objects.count() == 2


def test_a_key_belongs_to_one_request_and_one_token(program: Program, firm: Entity) -> None:
    program.post("/organisations", FIRM, Idempotency_Key="k")
    assert problem(program.post("/organisations", {"name": "Other"}, Idempotency_Key="k")) == "other-request"
    assert problem(program.post("/search", FIRM, Idempotency_Key="k")) == "unfit"
    other = program_of(make_staff("support", entity=firm), firm)
    assert other.post("/organisations", FIRM, Idempotency_Key="k").status_code == 201
    assert Organisation.objects.count() == 2


@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "Schlüssel"])
def test_a_key_that_is_none_is_refused(key: str, program: Program) -> None:
    told = program.post("/organisations", FIRM, Idempotency_Key=key)
    assert problem(told) == "unfit"
    assert told.json()["errors"][0]["in"] == "header"


def test_a_refusal_is_not_kept_and_can_be_mended(program: Program) -> None:
    assert program.post("/organisations", {"name": "X", "place": "XX"}, Idempotency_Key="k").status_code == 422
    assert program.post("/organisations", FIRM, Idempotency_Key="k").status_code == 201


def test_what_is_kept_of_an_answer_says_nothing_without_the_token(program: Program) -> None:
    made = program.post("/persons?purpose=service", GRETA, Idempotency_Key="k").json()
    kept = Reply.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("SELECT answer::text || asked::text || key FROM api_reply")
        dump = bytes.fromhex(cursor.fetchone()[0].replace("\\x", "").removesuffix("k"))
    for told in ("Hanna", "Öz", "kettle", made["ref"], made["letters"]):
        assert told.encode() not in dump
    Reply.objects.filter(pk=kept.pk).update(answered_at="2020-01-01T00:00:00Z")
    assert forget_old() == 1


@pytest.mark.parametrize("meanwhile", ["erased", "restricted", "no longer in the program's leave"])
def test_a_search_that_is_sent_twice_asks_the_law_twice(meanwhile: str, program: Program, greta: UUID) -> None:
    asked = {"query": "Greta", "purpose": "service"}
    assert "Grünwald" in program.post("/search", asked, Idempotency_Key="k").content.decode()
    if meanwhile == "erased":
        destroy_person_key(person=greta, staff=None)
    elif meanwhile == "restricted":
        Person.objects.filter(ref=greta).update(restricted_at=timezone.now())
    else:
        Token.objects.update(purposes=["marketing"])
    again = program.post("/search", asked, Idempotency_Key="k")
    assert "Idempotent-Replayed" not in again
    assert "Grünwald" not in again.content.decode()
    assert not Reply.objects.exists()


def test_what_changes_nothing_is_asked_anew_whatever_key_it_has(program: Program, greta: UUID) -> None:
    asked = {"use": {"operation": "view", "purpose": "service"}}
    for path, body in (("/decisions", {"person": str(greta)}), ("/decisions/bulk", {"persons": [str(greta)]})):
        first, again = (program.post(path, asked | body, Idempotency_Key="k") for _ in range(2))
        assert (first.status_code, again.status_code) == (200, 200)
        assert first.json()["recorded"] != again.json()["recorded"]
    assert program.post("/decisions", asked | {"person": str(greta)}, Idempotency_Key="a b").status_code == 200
    assert not Reply.objects.exists()


def test_what_is_kept_to_be_answered_again_has_refs_and_nothing_else() -> None:
    doing = [end for end in ENDS if end.method in {"POST", "PATCH"} and end.replays]
    assert {end.id for end in doing} == {
        "create_person", "change_one_person", "add_contact_point", "create_organisation", "change_one_organisation",
    }  # fmt: skip
    paths = document()["paths"]
    for end in ENDS:
        told = paths[f"/api/v1{end.path}"][end.method.lower()]
        keys = [each["name"] for each in told["parameters"] if each["in"] == "header"]
        assert ("Idempotency-Key" in keys) == (end in doing), end.id
        if end in doing:
            code = "201" if "201" in told["responses"] else "200"
            shape = told["responses"][code]["content"]["application/json"]["schema"]["$ref"]
            assert shape == "#/components/schemas/Made"
    assert document()["components"]["schemas"]["Made"]["properties"].keys() == {"ref", "letters"}


def test_an_endpoint_that_would_keep_more_than_refs_cannot_be_declared() -> None:
    with pytest.raises(TypeError, match="replays=False"):
        endpoint(Router(), "POST", "/x", may="person.view", answers=Found)


@pytest.mark.django_db(transaction=True)
def test_of_two_at_the_same_moment_one_is_asked_to_come_again(program: Program) -> None:
    with connection.cursor() as cursor:  # the other request holds the key until its transaction ends
        connection.set_autocommit(False)
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{program.token.ref} k"])
        told: list[object] = []
        asking = threading.Thread(target=lambda: told.append(_ask_and_close(program)))
        asking.start()
        asking.join()
        connection.rollback()
        connection.set_autocommit(True)
    assert problem(told[0]) == "busy-key"
    assert program.post("/organisations", FIRM, Idempotency_Key="k").status_code == 201


def _ask_and_close(program: Program) -> object:
    try:
        return program.post("/organisations", FIRM, Idempotency_Key="k")
    finally:
        connection.close()


# ---------------------------------------------------------------- read strictly


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "media-type"),
        (b"{", "not-json"),
        (b"null", "unfit"),
        (b"[]", "unfit"),
        (b'"name"', "unfit"),
        (b'{"name": NaN}', "not-json"),
        (b'{"name": 1e999}', "not-json"),
        (b'{"name": -Infinity}', "not-json"),
        (b'{"name": "a", "name": "b"}', "not-json"),
        (b'{"name": "\\u0000"}', "bad-request"),
        (b'{"name": "\\ud800"}', "bad-request"),
        (b'{"na\\u0000me": "x"}', "bad-request"),
        (b'{"name": "\xff"}', "not-json"),
        (b"\xef\xbb\xbf{}", "not-json"),
        (b'{"name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not-json"),
        (b'{"name": ' + b"[" * 20 + b"]" * 20 + b"}", "not-json"),
        (b'{"name": ' + b"9" * 10_000 + b"}", "not-json"),
        (b'{"name": 5}', "unfit"),
        (b'{"name": "x", "colour": "blue"}', "unfit"),
        (b'{"name": ""}', "unfit"),
        (b'{"name": "' + b"x" * 1_000_001 + b'"}', "too-big"),
        (b'{"name": "' + b"x" * 5_000_000 + b'"}', "too-big"),
    ],
)  # fmt: skip
def test_a_body_that_means_nothing_or_two_things_is_refused(body: bytes, kind: str, program: Program) -> None:
    assert problem(program.ask("POST", "/organisations", body)) == kind
    assert not Organisation.objects.exists()


@pytest.mark.parametrize(
    "media_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1"]
)
def test_a_body_of_another_type_is_refused(media_type: str, program: Program) -> None:
    client = Client(raise_request_exception=False)
    headers = {"Authorization": f"Bearer {program.secret}"}
    told = client.post("/api/v1/organisations", json.dumps(FIRM), content_type=media_type, headers=headers)
    assert problem(told) == "media-type"


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("colour=blue", "bad-request"), ("limit=1&limit=2", "bad-request"), ("home=%00", "bad-request"),
        ("%00=1", "bad-request"), ("limit=x", "unfit"), ("limit=101", "unfit"), ("order=name", "unfit"),
        ("home=%ff%fe", ""), ("added_since=2026-11-22", "unfit"), ("added_since=9999-12-31T23:59:59-14:00", "unfit"),
        ("cursor=%00", "bad-request"), ("cursor=W10", "bad-request"), ("cursor=WyJ4IiwieSJd", "bad-request"),
        ("organisation=x", "unfit"), ("purpose=", "unfit"),
    ],
)  # fmt: skip
def test_an_address_that_means_nothing_is_refused(query: str, kind: str, program: Program) -> None:
    told = program.get(f"/persons?{query}")
    assert told.status_code == 200 if not kind else problem(told) == kind


# ---------------------------------------------------------------- problems


def test_what_is_not_there_or_takes_another_method_is_a_problem_too(program: Program) -> None:
    for path in ("/nothing", "/persons/", "/", "/../v2/persons"):
        assert problem(program.get(path)) == "not-found"
        assert problem(program.post(path, {})) == "not-found"
    told = program.ask("DELETE", "/persons")
    assert problem(told) == "method"
    assert told["Allow"] == "GET, POST"
    assert problem(Client().get("/api")) == "not-found"
    assert problem(Client().post("/api/v2/persons")) == "not-found"


def test_what_nobody_expected_is_a_problem_that_says_nothing_of_itself(
    program: Program, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(**_: object) -> None:
        raise RuntimeError("the colour of the kettle")

    monkeypatch.setattr("comity.api.organisations.add_organisation", broken)
    told = program.post("/organisations", FIRM)
    assert problem(told) == "failed"
    assert "kettle" not in told.content.decode()
    assert "the colour of the kettle" in caplog.text
    assert not Organisation.objects.exists()


def test_a_database_that_went_away_is_a_problem_that_mends_itself(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    def gone(**_: object) -> None:
        raise OperationalError("server closed the connection")

    with monkeypatch.context() as patch:
        patch.setattr("comity.api.organisations.add_organisation", gone)
        patch.setattr("comity.api.problems.connection", type("Closed", (), {"close": staticmethod(lambda: None)}))
        told = program.post("/organisations", FIRM)
    assert problem(told) == "database-gone"
    assert told["Retry-After"] == "5"
    assert program.post("/organisations", FIRM).status_code == 201


def test_no_cookie_opens_anything(ada: Staff, program: Program) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(ada, "allauth.account.auth_backends.AuthenticationBackend")
    assert problem(client.get("/api/v1/persons")) == "no-token"
    assert program.get("/persons").cookies == {}
