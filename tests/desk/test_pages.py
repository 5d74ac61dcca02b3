"""Lists and pages of people, as staff of several roles find them."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.test import Client

from comity.staff.models import Entity, Staff
from tests.book.people import CALL
from tests.staff.people import make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_factor")]
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def client_of(staff: Staff) -> Client:
    client = Client()
    client.force_login(staff, BACKEND)
    return client


def read(staff: Staff, address: str) -> str:
    answer = client_of(staff).get(address)
    assert answer.status_code == 200, answer.content.decode()[:500]
    return answer.content.decode()


def test_a_list_shows_who_may_be_seen_and_says_of_others_that_they_are_sealed(
    ada: Staff, greta: UUID, aiko: UUID
) -> None:
    told = read(ada, "/people/")
    assert f"/people/{greta}/" in told
    assert "Greta Grünwald" in told
    assert "Tanaka" not in told
    assert "Sealed" in told
    assert f"/people/{aiko}/" in told


def test_a_page_shows_what_the_law_says_about_each_way_to_reach_somebody(ada: Staff, greta: UUID) -> None:
    told = read(ada, f"/people/{greta}/?why=email-marketing")
    assert "Greta Grünwald" in told
    assert "Nordlicht GmbH" in told
    assert "greta@kettle.example" in told
    assert CALL in told
    assert "UWG" in told
    assert "Deny" in told


def test_whoever_may_not_read_notes_does_not_get_them(firm: Entity, greta: UUID) -> None:
    tom = make_staff("marketing", entity=firm)
    told = read(tom, f"/people/{greta}/?purpose=marketing")
    assert "Greta Grünwald" in told
    assert "greta@kettle.example" in told
    assert CALL not in told


def test_people_of_another_entity_are_not_there(shanghai: Entity, greta: UUID, firm: Entity) -> None:
    lin = make_staff("sales", entity=shanghai)
    assert str(greta) not in read(lin, "/people/")
    assert client_of(lin).get(f"/people/{greta}/").status_code == 404
    assert client_of(lin).get(f"/people/{greta}/?entity={firm.ref}").status_code == 404


def test_a_purpose_that_no_role_of_theirs_has_is_not_taken(ada: Staff, greta: UUID) -> None:
    assert str(greta) in read(ada, "/people/?purpose=legal-duty")
    from comity.vault.models import RecordedDecision

    assert set(RecordedDecision.objects.values_list("purpose", flat=True)) == {"service"}


@pytest.mark.parametrize("query", ["?home=DE", "?reach=email", "?sort=-home", "?columns=language", "?entity=nonsense"])
def test_lists_are_filtered_and_sorted(query: str, ada: Staff, greta: UUID, oliver: UUID) -> None:
    assert oliver != greta
    told = read(ada, f"/people/{query}")
    assert f"/people/{greta}/" in told
    assert ("Oliver" in told) == (query != "?home=DE")


def test_organisations_are_listed_with_their_people(ada: Staff, greta: UUID) -> None:
    del greta
    assert "Nordlicht GmbH" in read(ada, "/organisations/")


def test_nobody_sees_a_page_without_signing_in(greta: UUID) -> None:
    assert Client().get(f"/people/{greta}/").status_code == 302
