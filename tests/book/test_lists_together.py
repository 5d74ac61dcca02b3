"""What is done with many people at once: as far as role and law permit it for each, on record, and undone again."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from comity.book.actions import Newcomer, add_persons
from comity.book.lists import actions
from comity.book.lists.actions import NothingToUndo, change_together, undo_together
from comity.book.lists.models import Deed, Together
from comity.book.models import PastFacts, Person, Tag, Tagging
from comity.book.opening import Look
from comity.ledger.models import Entry
from comity.staff.models import Entity, RoleGrant, Staff
from tests.book.people import newcomer
from tests.staff.people import make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_factor")]
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def people(firm: Entity) -> list[UUID]:
    """Greta and Oliver, about whom the law lets us keep what we need; Aiko, for whose home there is no law."""
    made: list[Newcomer] = [newcomer("Greta", "Grünwald", "DE"), newcomer("Oliver", "O'Brien", "GB"),
                            newcomer("Aiko", "Tanaka", "JP")]  # fmt: skip
    add_persons(newcomers=made, entity=firm, staff=None)
    return [one.ref for one in made]


def client_of(staff: Staff) -> Client:
    client = Client()
    client.force_login(staff, BACKEND)
    return client


def post(staff: Staff, query: str = "", **told: object) -> str:
    answer = client_of(staff).post(f"/people/together/?{query}", told, follow=True)
    assert answer.status_code == 200, answer.content.decode()[:800]
    return answer.content.decode()


def tagged(name: str) -> set[UUID]:
    return set(Tagging.objects.filter(tag__name=name).values_list("person_id", flat=True))


def test_before_it_is_done_the_page_says_for_how_many_and_why_not_for_the_others(
    ada: Staff, people: list[UUID]
) -> None:
    told = post(ada, deed="add-tag", pick=people)
    assert "2 of 3 may be changed" in told
    assert "No law pack covers this for people in Japan" in told
    assert not Tagging.objects.exists()
    assert not Entry.objects.exclude(kind__in=["book.person-added", "vault.epoch-begun"]).filter(
        kind__startswith="book.changed"
    ).exists()  # fmt: skip


def test_a_tag_is_put_on_those_who_may_be_changed_and_taken_off_by_undo(ada: Staff, people: list[UUID]) -> None:
    greta, oliver, _aiko = people
    Tagging.objects.create(tag=Tag.objects.create(name="VIP"), person_id=oliver)
    told = post(ada, deed="add-tag", pick=people, value="vip")
    assert "1 person was changed. 2 were not" in told
    assert tagged("VIP") == {greta, oliver}
    entry = Entry.objects.get(kind="book.changed-together")
    assert (entry.staff, entry.persons) == (ada.ref, [greta])
    done = Together.objects.get()
    client_of(ada).post(f"/people/together/{done.ref}/")
    assert tagged("VIP") == {oliver}  # who had it before keeps it
    assert Entry.objects.get(kind="book.undid-together").persons == [greta]
    told = client_of(ada).post(f"/people/together/{done.ref}/", follow=True).content.decode()
    assert "undone already" in told


def test_everybody_in_a_filtered_list_is_changed_and_nobody_else(ada: Staff, people: list[UUID]) -> None:
    post(ada, "home=DE", deed="add-tag", all="1", pick=[people[1]], value="Berlin")
    assert tagged("Berlin") == {people[0]}


def test_a_language_is_filled_in_while_the_law_asks_and_its_past_is_kept(ada: Staff, people: list[UUID]) -> None:
    told = post(ada, deed="set-language", pick=people, value="de")
    assert "3 people were changed" in told
    assert set(Person.objects.values_list("language", flat=True)) == {"de"}
    assert PastFacts.objects.filter(table="Person").count() == 3
    Person.objects.filter(ref=people[0]).update(language="fr")  # changed since: undo leaves it
    client_of(ada).post(f"/people/together/{Together.objects.get().ref}/")
    assert sorted(Person.objects.values_list("language", flat=True)) == ["", "", "fr"]


def test_a_tag_is_taken_off_and_put_on_again_by_undo(look: Look, people: list[UUID]) -> None:
    change_together(look=look, persons=people[:2], deed=Deed.ADD_TAG, value="VIP")
    done = change_together(look=look, persons=people[:1], deed=Deed.REMOVE_TAG, value="VIP")
    assert tagged("VIP") == {people[1]}
    assert undo_together(done=done, look=look) == 1
    assert tagged("VIP") == set(people[:2])
    with pytest.raises(NothingToUndo):
        undo_together(done=done, look=look)


def test_undo_is_for_the_entity_for_which_it_was_done_whatever_the_address_says(
    look: Look, people: list[UUID], shanghai: Entity
) -> None:
    change_together(look=look, persons=people[:2], deed=Deed.ADD_TAG, value="VIP")
    done = Together.objects.get()
    with pytest.raises(NothingToUndo, match="another of our entities"):
        undo_together(done=done, look=Look(viewer=look.viewer, entity=shanghai, purpose="service"))
    now = timezone.now()
    RoleGrant.objects.create(staff=look.viewer, role="auditor", entity=shanghai, reason="tests", begins_at=now)
    client_of(look.viewer).post(f"/people/together/{done.ref}/?entity={shanghai.ref}")
    assert tagged("VIP") == set()


def test_whoever_has_no_leave_to_edit_changes_nobody(firm: Entity, people: list[UUID], ada: Staff) -> None:
    aud = make_staff("auditor", entity=firm)
    assert client_of(aud).post("/people/together/", {"deed": "add-tag", "pick": people}).status_code == 403
    page = client_of(aud).get("/people/").content.decode()
    assert 'name="deed"' not in page
    with pytest.raises(ValidationError, match="no tag"):
        change_together(
            look=Look(viewer=ada, entity=firm, purpose="service"), persons=people, deed=Deed.REMOVE_TAG, value="VIP"
        )
    done = change_together(
        look=Look(viewer=ada, entity=firm, purpose="legal-duty"), persons=people, deed=Deed.ADD_TAG, value="VIP"
    )
    assert done.many == 0  # sales edits nobody for the sake of a legal duty
    assert not Tagging.objects.exists()


def test_people_of_another_entity_cannot_be_chosen(shanghai: Entity, firm: Entity, people: list[UUID]) -> None:
    lin = make_staff("sales", entity=shanghai)
    told = post(lin, f"entity={firm.ref}", deed="add-tag", pick=people, value="VIP")
    assert "Nobody was chosen" in told
    assert not Tagging.objects.exists()


@pytest.mark.parametrize(
    ("told", "status"),
    [({"deed": "erase", "pick": []}, 400), ({}, 400), ({"deed": "add-tag", "pick": ["x"]}, 400)],
)
def test_what_our_pages_do_not_send_is_refused(
    told: dict[str, object], status: int, ada: Staff, people: list[UUID]
) -> None:
    assert people
    assert client_of(ada).post("/people/together/", told).status_code == status


def test_a_language_that_is_none_is_refused_with_why(ada: Staff, people: list[UUID]) -> None:
    assert "This is no language tag" in post(ada, deed="set-language", pick=people, value="deutsch bitte")
    assert not Together.objects.exists()


def test_many_are_changed_in_parts_with_an_entry_each_and_too_many_not_at_all(
    look: Look, ada: Staff, firm: Entity, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [newcomer(f"G{n}", f"F{n}", "DE", points=[]) for n in range(7)]
    add_persons(newcomers=many, entity=firm, staff=None)
    monkeypatch.setattr(actions, "MOST_PERSONS", 3)
    done = change_together(look=look, persons=[one.ref for one in many], deed=Deed.ADD_TAG, value="VIP")
    assert done.many == 7
    entries = Entry.objects.filter(kind="book.changed-together")
    assert sorted(len(entry.persons) for entry in entries) == [1, 3, 3]
    monkeypatch.setattr(actions, "MOST_TOGETHER", 6)
    told = post(ada, deed="add-tag", all="1", value="All")
    assert "At most 6 people" in told
    assert not re.search("All", " ".join(Tag.objects.values_list("name", flat=True)))


def test_what_goes_wrong_in_one_part_leaves_nothing_of_the_others(
    look: Look, people: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "MOST_PERSONS", 1)
    put = actions.put_tag
    calls: list[int] = []

    def breaks(tag: Tag, persons: list[UUID]) -> list[UUID]:
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("the second part breaks")
        return put(tag, persons)

    monkeypatch.setattr(actions, "put_tag", breaks)
    with pytest.raises(RuntimeError):
        change_together(look=look, persons=people, deed=Deed.ADD_TAG, value="VIP")
    assert not Tagging.objects.exists()
    assert not Entry.objects.filter(kind="book.changed-together").exists()
