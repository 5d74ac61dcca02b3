"""The pages of merging: pairs, two side by side, and back."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.test import Client
from pytest_django import Settings

from comity.book.merging.models import Merge, Pair
from comity.book.models import Person
from comity.staff.models import Entity, Staff
from tests.book.people import Add, newcomer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def without_second_factor(settings: Settings) -> None:
    settings.SECOND_FACTOR = "optional"


@pytest.fixture
def client(ada: Staff) -> Client:
    client = Client()
    client.force_login(ada, "allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def twin(add: Add, greta: UUID) -> UUID:
    del greta  # is there before
    return add(newcomer("Greta", "Gruenwald", "AT"))


def test_a_pair_is_sought_shown_with_its_reasons_and_put_aside(client: Client, twin: UUID) -> None:
    page = client.post("/people/duplicates/seek/", follow=True).content.decode()
    assert "Greta Grünwald" in page
    assert "They have the same e-mail address." in page
    assert "They live in different places." in page
    client.post(f"/people/duplicates/{Pair.objects.get().ref}/not-the-same/")
    assert "No pair to look at" in client.get("/people/duplicates/").content.decode()
    assert Person.objects.get(pk=twin).merged_into is None


def test_two_are_compared_made_one_and_two_again(client: Client, greta: UUID, twin: UUID) -> None:
    where = f"/people/merge/{greta}/{twin}/"
    page = client.get(where).content.decode()
    assert "Austria" in page
    assert "greta@kettle.example" in page
    chosen = {"keep": str(greta), "fact.home": str(twin), "name.family": str(twin), "point": []}
    done = client.post(where, chosen, follow=True).content.decode()
    assert "They are one person now" in done
    assert "Greta Gruenwald" in done
    assert Person.objects.get(pk=greta).home == "AT"
    assert client.get(where).status_code == 404
    undone = client.post(f"/people/merges/{Merge.objects.get().ref}/undo/", follow=True).content.decode()
    assert "They are two people again" in undone
    assert Person.objects.get(pk=greta).home == "DE"


def test_who_stays_may_be_the_other(client: Client, greta: UUID, twin: UUID) -> None:
    client.post(f"/people/merge/{greta}/{twin}/", {"keep": str(twin)})
    assert Person.objects.get(pk=greta).merged_into_id == twin


def test_somebody_of_another_entity_is_not_there(client: Client, greta: UUID, twin: UUID, shanghai: Entity) -> None:
    Person.objects.filter(pk=twin).update(entities=[shanghai.ref])
    assert client.get(f"/people/merge/{greta}/{twin}/").status_code == 404
