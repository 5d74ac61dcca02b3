"""Finding people from the search box."""

from __future__ import annotations

from uuid import UUID

import pytest

from comity.book.actions import add_persons
from comity.book.models import Organisation
from comity.book.opening import Look
from comity.book.searching import find
from comity.ledger.models import Entry
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from comity.vault.queries import MOST
from comity.vault.sealing import FieldClass
from comity.vault.tokens import Sort
from tests.book.people import Add, newcomer
from tests.desk.test_pages import client_of, read
from tests.staff.people import make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_factor")]


@pytest.mark.parametrize(
    "query", ["greta", "Grün", "grunwald", "Gruenwald", "Grünwlad", "greta@kettle.example", "GRETA@kettle.example "]
)
def test_somebody_is_found_by_name_beginning_misspelling_or_address(query: str, look: Look, greta: UUID) -> None:
    assert [(hit.person, hit.name) for hit in find(look, query)] == [(greta, "Greta Grünwald")]


@pytest.mark.parametrize("query", ["曾小美", "小美", "zengxiaomei", "zxm", "xiao mei"])
def test_chinese_names_are_found_by_letters_and_by_sound(query: str, look: Look, add: Add) -> None:
    mei = add(newcomer("小美", "曾", "DE"))
    assert [(hit.person, hit.name) for hit in find(look, query)] == [(mei, "曾小美")]


@pytest.mark.parametrize("query", ["", " ", "g", "zzzz", "%", "greta@elsewhere.example"])
def test_nobody_is_found_for_nothing(query: str, look: Look, greta: UUID) -> None:
    assert greta not in [hit.person for hit in find(look, query)]


def test_whom_the_law_keeps_sealed_a_search_does_not_find(look: Look, aiko: UUID) -> None:
    del aiko
    assert find(look, "Tanaka") == []


def test_a_search_stays_within_the_entity(shanghai: Entity, firm: Entity, greta: UUID) -> None:
    del firm, greta
    lin = make_staff("sales", entity=shanghai)
    assert find(Look(viewer=lin, entity=shanghai, purpose="service"), "greta") == []
    assert "Greta" not in read(lin, "/search/?q=greta")


def test_others_of_the_same_name_in_another_entity_take_nobodys_place(
    look: Look, shanghai: Entity, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    same = [newcomer("Greta", "Grünwald", "DE") for _ in range(3)]
    with behind_wall(staff=None, entities=[shanghai.ref]):
        add_persons(newcomers=same, entity=shanghai, staff=None)
    greta = add(newcomer("Greta", "Grünwald", "DE"))
    for sort in Sort:
        monkeypatch.setitem(MOST, sort, 1)
    for query in ("greta@kettle.example", "greta", "grunwlad"):
        assert [hit.person for hit in find(look, query)] == [greta]


def test_who_works_somewhere_is_found_with_the_organisation(look: Look, add: Add) -> None:
    add(newcomer("Paul", "Novák", "DE", organisation="Kettle & Co"))
    assert [(hit.name, hit.organisations) for hit in find(look, "novak")] == [("Paul Novák", ["Kettle & Co"])]
    assert "Kettle &amp; Co" in read(look.viewer, "/search/?q=novak")


def test_whom_roles_do_not_let_them_see_by_name_nobody_finds_by_an_address(
    look: Look, greta: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [hit.person for hit in find(look, "greta@kettle.example")] == [greta]
    monkeypatch.setattr(Look, "classes", lambda _: [FieldClass.CONTACT])
    assert find(look, "greta@kettle.example") == []


def test_one_search_is_one_decision_and_one_opening(look: Look, greta: UUID) -> None:
    assert [hit.person for hit in find(look, "greta@kettle.example", [Sort.EXACT])] == [greta]
    kinds = Entry.objects.filter(persons__contains=[greta]).exclude(kind="book.person-added").order_by("ref")
    assert list(kinds.values_list("kind", flat=True)) == ["counsel.decided", "vault.opened"]


def test_the_page_and_the_palette_show_who_was_found(ada: Staff, greta: UUID) -> None:
    assert f"/people/{greta}/" in read(ada, "/search/?q=gret")
    assert f"/people/{greta}/" in client_of(ada).get("/search/quick/?q=gret").content.decode()


def test_organisations_are_found_by_part_of_their_name(ada: Staff, firm: Entity) -> None:
    kettle = Organisation.objects.create(name="Copper Kettle Works", entities=[firm.ref])
    client = client_of(ada)
    for address in ("/search/?q=kettle", "/search/quick/?q=KETT"):
        assert f"/organisations/{kettle.ref}/" in client.get(address).content.decode()
    assert "/organisations/" not in client.get("/search/quick/?q=").content.decode()


def test_an_organisation_of_another_entity_is_not_found(ada: Staff, shanghai: Entity) -> None:
    Organisation.objects.create(name="Copper Kettle Works", entities=[shanghai.ref])
    assert "Copper" not in client_of(ada).get("/search/quick/?q=kettle").content.decode()
