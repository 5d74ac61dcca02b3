"""Finding people from the search box."""

from __future__ import annotations

from uuid import UUID

import pytest

from comity.book.opening import Look
from comity.book.searching import find
from comity.staff.models import Entity, Staff
from tests.book.people import Add, newcomer
from tests.desk.test_pages import client_of, read
from tests.staff.people import make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_factor")]


@pytest.mark.parametrize(
    "query", ["greta", "Grün", "grunwald", "Gruenwald", "Grünwlad", "greta@kettle.example", "GRETA@kettle.example "]
)
def test_somebody_is_found_by_name_beginning_misspelling_or_address(query: str, look: Look, greta: UUID) -> None:
    assert [(hit.person.ref, hit.name) for hit in find(look, query)] == [(greta, "Greta Grünwald")]


@pytest.mark.parametrize("query", ["曾小美", "小美", "zengxiaomei", "zxm", "xiao mei"])
def test_chinese_names_are_found_by_letters_and_by_sound(query: str, look: Look, add: Add) -> None:
    mei = add(newcomer("小美", "曾", "DE"))
    assert [(hit.person.ref, hit.name) for hit in find(look, query)] == [(mei, "曾小美")]


@pytest.mark.parametrize("query", ["", " ", "g", "zzzz", "%", "greta@elsewhere.example"])
def test_nobody_is_found_for_nothing(query: str, look: Look, greta: UUID) -> None:
    assert greta not in [hit.person.ref for hit in find(look, query)]


def test_whom_the_law_keeps_sealed_a_search_does_not_find(look: Look, aiko: UUID) -> None:
    del aiko
    assert find(look, "Tanaka") == []


def test_a_search_stays_within_the_entity(shanghai: Entity, firm: Entity, greta: UUID) -> None:
    del firm, greta
    lin = make_staff("sales", entity=shanghai)
    assert find(Look(viewer=lin, entity=shanghai, purpose="service"), "greta") == []
    assert "Greta" not in read(lin, "/search/?q=greta")


def test_the_page_and_the_palette_show_who_was_found(ada: Staff, greta: UUID) -> None:
    assert f"/people/{greta}/" in read(ada, "/search/?q=gret")
    assert f"/people/{greta}/" in client_of(ada).get("/search/quick/?q=gret").content.decode()
