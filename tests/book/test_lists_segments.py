"""Segments: lists by what happened with people, by further facts, by fields of one's own, and what they mean."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from html import unescape
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from django.utils import timezone

from comity.book.actions import NewActivity, add_persons
from comity.book.fields.actions import make_field, retire_field
from comity.book.fields.models import CustomField, FieldValue, Sort
from comity.book.lists.models import SavedView
from comity.book.models import Activity, Person, Relation
from tests.book.people import newcomer
from tests.staff.people import client_of, make_staff

if TYPE_CHECKING:
    from collections.abc import Callable

    from comity.staff.models import Entity, Staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_factor")]
MARCH = "2026-03-01"


def read(staff: Staff, query: str, status: int = 200) -> str:
    answer = client_of(staff).get(f"/people/?{query}")
    assert answer.status_code == status, answer.content.decode()[:800]
    return answer.content.decode()


def happened(doing: str, day: int, month: int = 3) -> NewActivity:
    return NewActivity(doing=doing, at=datetime(2026, month, day, 9, tzinfo=UTC), text="Words.")


@pytest.fixture
def people(firm: Entity) -> dict[str, UUID]:
    """Return Greta, called in February and mailed in March; Oliver, called in March; Aiko, of whom there is a note."""
    made = [
        newcomer("Greta", "Grünwald", "DE", activities=[happened("call", 27, 2), happened("mail", 9)]),
        newcomer("Oliver", "O'Brien", "GB", activities=[happened("call", 1), happened("order", 2)]),
        newcomer("Aiko", "Tanaka", "JP", activities=[happened("note", 20)], relation={}),
    ]
    add_persons(newcomers=made, entity=firm, staff=None)
    return {str(one.name["given"]): one.ref for one in made}


@pytest.fixture
def found(ada: Staff, people: dict[str, UUID]) -> Callable[[str], set[str]]:
    """Give what returns who is in a list."""

    def listed(query: str) -> set[str]:
        told = read(ada, query)
        return {who for who, ref in people.items() if f"/people/{ref}/" in told}

    return listed


# ---------------------------------------------------------------- what happened


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("activity=call", {"Greta", "Oliver"}),
        ("activity=call&activity=note", {"Greta", "Oliver", "Aiko"}),
        (f"activity_after={MARCH}", {"Greta", "Oliver", "Aiko"}),
        (f"activity=call&activity_after={MARCH}", {"Oliver"}),
        (f"activity=call&activity_before={MARCH}", {"Greta"}),
        ("activity=call&activity_before=2026-02-27", set()),
        ("activity=mail&activity_after=2026-03-09&activity_before=2026-03-10", {"Greta"}),
        (f"silent={MARCH}", {"Aiko"}),
        ("silent=2026-03-02", {"Oliver", "Aiko"}),
        ("silent=2026-03-10", {"Greta", "Oliver", "Aiko"}),
    ],
)
def test_a_call_after_a_day_is_one_call_and_not_a_call_ever_and_a_mail_after_that_day(
    query: str, kept: set[str], found: Callable[[str], set[str]]
) -> None:
    assert found(query) == kept


def test_a_day_begins_when_it_does_for_whoever_looks(
    found: Callable[[str], set[str]], ada: Staff, people: dict[str, UUID]
) -> None:
    Activity.objects.filter(person=people["Oliver"], doing="call").update(at=datetime(2026, 2, 28, 20, tzinfo=UTC))
    assert found(f"activity=call&activity_after={MARCH}") == set()
    ada.time_zone = "Asia/Shanghai"
    ada.save()
    assert found(f"activity=call&activity_after={MARCH}") == {"Oliver"}


def test_what_happened_with_a_colleague_and_with_another_entity_is_told_apart(
    found: Callable[[str], set[str]], ada: Staff, people: dict[str, UUID], shanghai: Entity
) -> None:
    Activity.objects.filter(person=people["Greta"], doing="mail").update(staff=ada)
    assert found(f"activity_by={ada.ref}") == {"Greta"}
    assert found(f"activity=call&activity_by={ada.ref}") == set()
    lin = make_staff("sales", entity=shanghai, name="Lin Xiao")
    told = read(ada, f"activity_by={lin.ref}")
    assert "Ada Byrne" in told
    assert "Lin Xiao" not in told
    Activity.objects.filter(person=people["Oliver"]).update(entity=shanghai)
    assert found("activity=call") == {"Greta"}


WRONG = (
    "activity=owl", "activity_after=soon", "activity_by=Ada", "silent=x", "born_from=now", "born_from=99999",
    "contract=maybe", "field-x=1",
)  # fmt: skip


@pytest.mark.parametrize("query", WRONG)
def test_a_value_that_a_filter_does_not_have_shows_nobody(query: str, ada: Staff, people: dict[str, UUID]) -> None:
    told = read(ada, query, 400)
    assert not any(str(ref) in told for ref in people.values())


# ---------------------------------------------------------------- further facts


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("since_after=2024-03-18", {"Greta", "Oliver"}),
        ("since_before=2024-03-18", set()),
        ("purchase_after=2026-05-01", {"Greta"}),
        ("purchase_before=2026-05-01", set()),
        ("inquiry_before=2026-05-01", {"Oliver"}),
        ("mailed_after=2026-05-01", set()),
        ("contract=yes", {"Greta", "Oliver"}),
        ("contract=no", {"Aiko"}),
        ("sale=yes", {"Greta"}),
        ("refusal=yes", {"Greta"}),
        ("refusal=no", {"Oliver", "Aiko"}),
        ("subscriber=corporate", {"Aiko"}),
        ("subscriber=unknown", {"Greta", "Oliver"}),
        ("born_from=1990", {"Greta"}),
        ("born_to=1990", {"Greta", "Oliver"}),
        ("born_from=1980&born_to=1989", {"Oliver"}),
        ("objected=yes", {"Oliver"}),
        ("objected=no", {"Greta", "Aiko"}),
        ("signal=yes", {"Aiko"}),
        ("restricted=yes", {"Greta"}),
        ("failing=email", {"Oliver"}),
        ("failing=phone", set()),
    ],
)
def test_each_fact_keeps_whom_it_says(
    query: str, kept: set[str], found: Callable[[str], set[str]], people: dict[str, UUID]
) -> None:
    now = timezone.now()
    greta, oliver, aiko = (Person.objects.filter(ref=people[who]) for who in ("Greta", "Oliver", "Aiko"))
    greta.update(birth_year=1990, restricted_at=now)
    oliver.update(birth_year=1985, objected_at=now)
    aiko.update(subscriber="corporate", opt_out_signal_at=now)
    oliver.get().contact_points.filter(reach="email").update(failed_at=now)
    Relation.objects.filter(person=people["Greta"]).update(
        last_purchase_on=date(2026, 5, 1), address_from_sale=True, refusal_offered=True
    )
    Relation.objects.filter(person=people["Oliver"]).update(last_inquiry_on=date(2026, 4, 30))
    assert found(query) == kept


def test_whoever_was_added_on_a_day_is_found_by_it(found: Callable[[str], set[str]], people: dict[str, UUID]) -> None:
    Person.objects.filter(ref=people["Aiko"]).update(added_at=datetime(2026, 2, 1, tzinfo=UTC))
    assert found(f"added_before={MARCH}") == {"Aiko"}
    assert found(f"added_after={MARCH}") == {"Greta", "Oliver"}


# ---------------------------------------------------------------- fields of one's own


@pytest.fixture
def own(firm: Entity, ada: Staff) -> Callable[..., CustomField]:
    def make(name: str, sort: Sort, **more: object) -> CustomField:
        told = {"name": name, "sort": sort, "sensitivity": "plain", "why": "To find them.", **more}
        return make_field(told=told, entity=firm, made_by=ada)

    return make


def put(field: CustomField, person: UUID, value: object) -> None:
    FieldValue.objects.create(person_id=person, entity=field.entity, field=field, plain=value)


def test_plain_fields_of_every_sort_narrow_the_list(
    found: Callable[[str], set[str]], own: Callable[..., CustomField], people: dict[str, UUID]
) -> None:
    wheels, size = own("Wheels", Sort.NUMBER), own("Size", Sort.CHOICE, choices=["Small", "Large"])
    visited, member = own("Visited", Sort.DAY), own("Member", Sort.TRUTH)
    greta, oliver = people["Greta"], people["Oliver"]
    for field, ours, theirs in (
        (wheels, "9", "10.5"), (size, "Small", "Large"), (visited, "2026-02-01", "2026-03-01"), (member, True, False),
    ):  # fmt: skip
        put(field, greta, ours)
        put(field, oliver, theirs)
    for query, kept in {
        f"field-{wheels.ref}-from=9.5": {"Oliver"},
        f"field-{wheels.ref}-to=9.5": {"Greta"},
        f"field-{wheels.ref}-from=9&field-{wheels.ref}-to=10.50": {"Greta", "Oliver"},
        f"field-{size.ref}=Small": {"Greta"},
        f"field-{size.ref}=Small&field-{size.ref}=unknown": {"Greta", "Aiko"},
        f"field-{visited.ref}-from={MARCH}": {"Oliver"},
        f"field-{visited.ref}-before={MARCH}": {"Greta"},
        f"field-{member.ref}=yes": {"Greta"},
        f"field-{member.ref}=no": {"Oliver"},
        f"field-{member.ref}=unknown": {"Aiko"},
    }.items():
        assert found(query) == kept, query


def test_a_field_that_is_filled_in_no_more_counts_and_is_not_offered(
    found: Callable[[str], set[str]], own: Callable[..., CustomField], people: dict[str, UUID], ada: Staff
) -> None:
    member = own("Member", Sort.TRUTH)
    put(member, people["Greta"], True)
    assert "Fields of our own" in read(ada, "")
    retire_field(field=member, retired=True, retired_by=ada)
    assert "Fields of our own" not in read(ada, "")
    assert found(f"field-{member.ref}=yes") == {"Greta"}


def test_the_fields_of_another_entity_are_no_filters_and_show_nobody(
    ada: Staff, people: dict[str, UUID], shanghai: Entity
) -> None:
    told = {"name": "Member", "sort": "truth", "sensitivity": "plain", "why": "To find them."}
    theirs = make_field(told=told, entity=shanghai, made_by=ada)
    page = read(ada, f"field-{theirs.ref}=unknown", 400)
    assert not any(str(ref) in page for ref in people.values())


# ---------------------------------------------------------------- in words


def test_a_kept_list_says_in_words_who_is_in_it(ada: Staff, people: dict[str, UUID]) -> None:
    del people
    query = f"home=DE&home=GB&activity=call&activity=mail&activity_after={MARCH}&contract=yes"
    client = client_of(ada)
    page = client.get(f"/people/views/keep/?{query}").content.decode()
    lines = [unescape(line) for line in re.findall(r"<li>([^<]+: [^<]+)</li>", page)]
    assert lines == [
        "Home: Germany or United Kingdom",
        "One activity that is all of this: Call or E-mail, from 1 Mar 2026",
        "Running contract: Yes",
    ]
    kept = client.post(f"/people/views/keep/?{query}", {"name": "Called", "shared": "on"})
    view = re.search(r"view=([0-9a-f-]+)", kept["Location"])
    assert view
    again = client.get(f"/people/views/{view[1]}/").content.decode()
    assert all(line.replace("'", "&#x27;") in again for line in lines)


def test_a_kept_list_whose_filter_is_there_no_more_can_be_renamed_and_says_so(ada: Staff, firm: Entity) -> None:
    view = SavedView.objects.create(owner=ada, entity=firm, name="Old", query=f"entity={firm.ref}&field-gone=yes")
    page = client_of(ada).get(f"/people/views/{view.ref}/")
    assert page.status_code == 200
    assert "is there no more" in page.content.decode()
