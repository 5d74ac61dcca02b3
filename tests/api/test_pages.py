"""The pages about programs, as staff of several roles find them."""

from __future__ import annotations

import re
from datetime import date, timedelta
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from comity.api.actions import make_token, make_webhook, revoke_token
from comity.api.models import Delivery, Token, Webhook
from comity.api.problems import KINDS
from comity.staff.guards import NotYours
from comity.staff.models import Entity, RoleGrant, Staff
from tests.api.programs import Program, program_of
from tests.api.test_access import ENDS
from tests.staff.people import client_of, make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_factor")]


def leave(staff: Staff, entity: Entity, **more: object) -> dict[str, object]:
    ends = date.today() + timedelta(days=9)  # noqa: DTZ011 - as a form says it
    return {
        "name": "shop", "staff": staff.ref, "entity": entity.ref, "words": ["self.view"], "purposes": ["service"],
        "ends_on": ends.isoformat(), **more,
    }  # fmt: skip


TOKEN = re.compile(r"comity_[0-9A-Za-z]{49}")


def test_a_token_in_ones_own_name_is_shown_once_and_works(adam: Staff, firm: Entity) -> None:
    client = client_of(adam)
    shown = client.post("/programs/tokens/new/", leave(adam, firm)).content.decode()
    [secret] = TOKEN.findall(shown)
    told = Client().get("/api/v1/whoami", headers={"Authorization": f"Bearer {secret}"})
    assert told.json()["token"]["name"] == "shop"
    listed = client.get("/programs/").content.decode()
    assert "shop" in listed
    assert not TOKEN.search(listed)
    ref = Token.objects.get().ref
    client.post(f"/programs/tokens/{ref}/revoke/")
    assert Client().get("/api/v1/whoami", headers={"Authorization": f"Bearer {secret}"}).status_code == 401
    assert "revoked" in client.get("/programs/").content.decode()


def test_a_token_in_somebody_elses_name_is_taken_by_them(adam: Staff, ada: Staff, firm: Entity) -> None:
    made = client_of(adam).post("/programs/tokens/new/", leave(ada, firm), follow=True).content.decode()
    assert "takes it there" in made
    assert not TOKEN.search(made)
    ref = Token.objects.get().ref
    assert client_of(adam).post(f"/own/tokens/{ref}/take/").status_code == 404
    client = client_of(ada)
    assert "Take it" in client.get("/own/tokens/").content.decode()
    assert TOKEN.search(client.post(f"/own/tokens/{ref}/take/").content.decode())
    assert "was taken" in client.post(f"/own/tokens/{ref}/take/", follow=True).content.decode()
    client.post(f"/programs/tokens/{ref}/revoke/")
    assert Token.objects.get().revoked_by == ada


@pytest.mark.parametrize(
    ("wrong", "told"),
    [({"words": ["person.edit"]}, "may not do this themselves"), ({"ends_on": "2020-01-01"}, "after a year at most"),
     ({"ends_on": "2999-01-01"}, "after a year at most"), ({"words": ["person.erase"]}, "Select a valid choice"),
     ({"name": "x\0"}, "Null characters")],
)  # fmt: skip
def test_leave_that_cannot_be_given_is_refused_with_the_reason(
    wrong: dict[str, object], told: str, adam: Staff, firm: Entity
) -> None:
    assert told in client_of(adam).post("/programs/tokens/new/", leave(adam, firm, **wrong)).content.decode()
    assert not Token.objects.exists()


def test_a_webhook_is_made_shown_changed_and_switched(adam: Staff, firm: Entity) -> None:
    client = client_of(adam)
    said = {"name": "shop", "address": "https://shop.example/hook", "entity": firm.ref, "kinds": ["consent.said"]}
    assert "whsec_" in client.post("/programs/webhooks/new/", said).content.decode()
    ref = Webhook.objects.get().ref
    page = f"/programs/webhooks/{ref}/"
    assert "https://shop.example/hook" in client.get(page).content.decode()
    assert "whsec_" not in client.get(page).content.decode()
    client.post(f"{page}change/", said | {"address": "https://shop.example/other"})
    assert Webhook.objects.get().address == "https://shop.example/other"
    assert "public address" in client.post(f"{page}change/", said | {"address": "https://10.0.0.1/"}).content.decode()
    client.post(f"{page}act/", {"act": "off"})
    assert Webhook.objects.get().off_at
    client.post(f"{page}act/", {"act": "on"})
    assert not Webhook.objects.get().off_at
    assert "whsec_" in client.post(f"{page}act/", {"act": "secret"}).content.decode()
    client.post(f"{page}act/", {"act": "try"})
    ping = Delivery.objects.get()
    assert "api.ping" in client.get(page).content.decode()
    Delivery.objects.update(given_up_at=ping.made_at)
    client.post(f"/programs/deliveries/{ping.ref}/again/")
    assert Delivery.objects.get().given_up_at is None
    assert client.post(f"{page}act/", {"act": "nonsense"}).status_code == 302


# ---------------------------------------------------------------- the entities for which somebody has a word


@pytest.fixture
def half(firm: Entity, shanghai: Entity) -> Staff:
    """Set up for Dublin, and sell for Shanghai as well: there they have none of the words of these pages."""
    staff = make_staff("administrator", entity=firm, name="Ola Half")
    RoleGrant.objects.create(staff=staff, role="sales", entity=shanghai, reason="tests", begins_at=timezone.now())
    return staff


def test_tokens_are_made_seen_and_revoked_for_the_entities_whose_word_one_has(
    half: Staff, firm: Entity, shanghai: Entity
) -> None:
    lin = make_staff("sales", entity=shanghai, name="Lin Chen")
    theirs = program_of(lin, shanghai, words=["self.view"]).token
    client = client_of(half)
    form = client.get("/programs/tokens/new/").content.decode()
    assert (f'value="{firm.ref}"' in form, f'value="{shanghai.ref}"' in form) == (True, False)
    refused = client.post("/programs/tokens/new/", leave(lin, shanghai)).content.decode()
    assert "Select a valid choice" in refused
    with pytest.raises(NotYours):
        make_token(
            name="x", staff=lin, entity=shanghai, purposes=[], words=["self.view"], made_by=half,
            expires_at=timezone.now() + timedelta(days=1),
        )  # fmt: skip
    assert "a program of tests" not in client.get("/programs/").content.decode()
    assert client.post(f"/programs/tokens/{theirs.ref}/revoke/").status_code == 404
    with pytest.raises(NotYours):
        revoke_token(token=theirs, revoked_by=half)
    theirs.refresh_from_db()
    assert (Token.objects.count(), theirs.revoked_at) == (1, None)
    assert client.post("/programs/tokens/new/", leave(half, firm)).status_code == 200
    assert Token.objects.filter(entity=firm).count() == 1


def test_webhooks_are_made_seen_and_changed_for_the_entities_whose_word_one_has(
    half: Staff, firm: Entity, shanghai: Entity, adam: Staff
) -> None:
    kinds, address = ["consent.said"], "https://shop.example/hook"
    theirs = make_webhook(name="their shop", entity=shanghai, address=address, kinds=kinds, made_by=adam)
    ping = Delivery.objects.create(webhook=theirs, entry=theirs.ref, kind="api.ping")
    client = client_of(half)
    form = client.get("/programs/webhooks/new/").content.decode()
    assert (f'value="{firm.ref}"' in form, f'value="{shanghai.ref}"' in form) == (True, False)
    assert "their shop" not in client.get("/programs/webhooks/").content.decode()
    page = f"/programs/webhooks/{theirs.ref}/"
    for told in (
        client.get(page), client.get(f"{page}change/"), client.post(f"{page}act/", {"act": "secret"}),
        client.post(f"/programs/deliveries/{ping.ref}/again/"),
    ):  # fmt: skip
        assert told.status_code == 404
        assert b"whsec_" not in told.content
    ours = make_webhook(name="our shop", entity=firm, address=address, kinds=kinds, made_by=half)
    assert "our shop" in client.get("/programs/webhooks/").content.decode()
    assert client.get(f"/programs/webhooks/{ours.ref}/change/").status_code == 200


def test_who_may_only_see_a_webhook_does_not_come_to_its_form(firm: Entity, shanghai: Entity, adam: Staff) -> None:
    seer = make_staff("privacy-officer", entity=shanghai, name="Pia Seer")
    RoleGrant.objects.create(staff=seer, role="administrator", entity=firm, reason="tests", begins_at=timezone.now())
    hook = make_webhook(
        name="their shop", entity=shanghai, address="https://shop.example/", kinds=["consent.said"], made_by=adam
    )
    client = client_of(seer)
    assert client.get(f"/programs/webhooks/{hook.ref}/").status_code == 200
    assert client.get(f"/programs/webhooks/{hook.ref}/change/").status_code == 404
    assert client.post(f"/programs/webhooks/{hook.ref}/act/", {"act": "off"}).status_code == 404


def test_the_interface_is_a_page_with_every_operation_and_every_problem(ada: Staff) -> None:
    told = client_of(ada).get("/programs/interface/")
    text = told.content.decode()
    for end in ENDS:
        assert f"/api/v1{end.path}" in text
        assert f'id="{end.id}"' in text
    for kind in KINDS:
        assert f'<tr id="{kind}">' in text
    assert "<script src" in text
    assert "script-src 'self'" in told["Content-Security-Policy"]


def test_the_document_is_openapi_and_describes_what_is_there(program: Program, greta: UUID) -> None:
    document = Client().get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    described = {
        (method.upper(), path.removeprefix("/api/v1")) for path, all_ in document["paths"].items() for method in all_
    }
    assert described == {(end.method, end.path) for end in ENDS}
    for path in document["paths"].values():
        for operation in path.values():
            assert operation["summary"]
            assert {"400", "401", "403", "422", "429", "500", "503"} <= operation["responses"].keys()
            for code, answer in operation["responses"].items():
                assert code < "400" or "application/problem+json" in answer["content"]
    schema = Client().get("/api/v1/decision.schema.json").json()
    assert schema["$id"] == "urn:comity:decision:1"
    import jsonschema

    read = program.get(f"/persons/{greta}?purpose=service").json()
    whole = {"$ref": "#/components/schemas/WholePerson", "components": document["components"]}
    jsonschema.validate(read, whole)
