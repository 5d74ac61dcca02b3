"""Sealed fields narrow a list by exact match alone; what was typed lies sealed, and finds nobody one may not see."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from html import unescape
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from django.db import connection
from django.http import QueryDict
from django.utils import timezone
from playwright.sync_api import expect

from comity.book.actions import Newcomer, NewPoint, add_persons
from comity.book.fields.actions import make_field
from comity.book.fields.models import CustomField
from comity.book.lists import exactly, typed
from comity.book.lists.filters import chosen
from comity.book.lists.jobs import sweep_exact_values
from comity.book.lists.models import ExactValue, SavedView
from comity.book.models import Person, Reach
from comity.book.opening import Look
from comity.counsel.actions import decide
from comity.ledger.models import Entry
from comity.outreach.campaigns.actions import make_campaign
from comity.outreach.campaigns.queries import people_of
from comity.staff.walls import behind_wall
from comity.vault import rotation
from comity.vault.actions import destroy_person_key
from comity.vault.exactly import matching
from comity.vault.models import Epoch, PersonKey, Sealed
from comity.vault.recognising import Recogniser
from comity.vault.sealing import Label
from tests.as_application import READ, application_role
from tests.book.people import newcomer
from tests.browser import PHONE, found_by_axe, wider_than_screen
from tests.staff.people import client_of, make_staff

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page
    from pytest_django.live_server_helper import LiveServer

    from comity.staff.models import Entity, Staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_factor")]


@pytest.fixture(autouse=True)
def nothing_found() -> None:
    exactly.forget_found()


@pytest.fixture
def people(firm: Entity) -> dict[str, UUID]:
    """Return people whose names and numbers are nearly alike; of Aiko the law permits no look."""
    made = [
        newcomer("Greta", "Müller", "DE"),
        newcomer("Otto", "Mueller", "DE", points=[NewPoint(reach=Reach.PHONE, value="030 5550199")]),
        newcomer("Mona", "Muller-Lang", "GB", points=[NewPoint(reach=Reach.EMAIL, value="Mona@Kettle.example")]),
        newcomer("Muller", "Miller", "FR", points=[NewPoint(reach=Reach.PHONE, value="+49 40 5550199")]),
        Newcomer(name={"given": "伟", "family": "曾"}, facts={"home": "DE"}),
        newcomer("Aiko", "Müller", "JP"),
    ]
    add_persons(newcomers=made, entity=firm, staff=None)
    return {str(one.name["given"]): one.ref for one in made}


def type_in(staff: Staff, part: str, value: str, query: str = "") -> str:
    """Type a value as one of the staff; return the address of the list to which that leads."""
    answer = client_of(staff).post(f"/people/exactly/?{query}", {"part": part, "value": value})
    assert answer.status_code == 302, re.findall(r'class="errorlist[^>]*>(.*?)</ul', answer.content.decode())
    return str(answer["Location"])


def read(staff: Staff, address: str, status: int = 200) -> str:
    answer = client_of(staff).get(address)
    assert answer.status_code == status, answer.content.decode()[:400]
    return answer.content.decode()


def chips(page: str) -> list[str]:
    return [unescape(said) for said in re.findall(r'class="chip" href="[^"]+"><span>([^<]+)</span>', page)]


@pytest.fixture
def found(ada: Staff, people: dict[str, UUID]) -> Callable[..., set[str]]:
    """Give what returns who is found by a value."""

    def listed(part: str, value: str, staff: Staff = ada) -> set[str]:
        page = read(staff, type_in(staff, part, value))
        return {who for who, ref in people.items() if f"/people/{ref}/" in page}

    return listed


# ---------------------------------------------------------------- who is found


@pytest.mark.parametrize(
    ("part", "value", "who"),
    [
        ("email", "greta@kettle.example", {"Greta"}),
        ("email", " GRETA@kettle.EXAMPLE ", {"Greta"}),
        ("email", "mona@kettle.example", {"Mona"}),
        ("email", "reta@kettle.example", set()),
        ("phone", "+49 30 5550199", {"Greta", "Otto"}),
        ("phone", "0049 (0)30 555-0199", {"Greta", "Otto"}),
        ("phone", "+49 40 5550199", {"Muller"}),
        ("phone", "5550199", set()),
        ("family", "Müller", {"Greta", "Otto"}),
        ("family", "mueller", {"Greta", "Otto"}),
        ("family", "Muller", {"Greta"}),
        ("family", "Mülle", set()),
        ("family", "Lang", set()),
        ("family", "Muller-Lang", {"Mona"}),
        ("given", "muller", {"Muller"}),
        ("family", "曾", {"伟"}),
        ("given", "曾", set()),
    ],
)
def test_only_who_has_exactly_it_is_found(part: str, value: str, who: set[str], found: Callable[..., set[str]]) -> None:
    assert found(part, value) == who


def test_values_of_one_field_are_any_of_them_and_of_several_fields_all(ada: Staff, people: dict[str, UUID]) -> None:
    one = type_in(ada, "family", "Müller")
    both = type_in(ada, "family", "Miller", one.partition("?")[2])
    page = read(ada, both)
    assert [who for who, ref in people.items() if f"/people/{ref}/" in page] == ["Greta", "Otto", "Muller"]
    page = read(ada, type_in(ada, "given", "Otto", both.partition("?")[2]))
    assert [who for who, ref in people.items() if f"/people/{ref}/" in page] == ["Otto"]
    assert chips(page) == ["Family name: exactly Müller", "Family name: exactly Miller", "Given name: exactly Otto"]


def test_whom_the_law_does_not_let_one_see_is_not_found_by_a_value_either(
    found: Callable[..., set[str]], look: Look, people: dict[str, UUID]
) -> None:
    aiko = people["Aiko"]
    assert decide(question=look.question, persons=[aiko], staff=look.viewer, field_classes=[]).permitted == []
    assert found("family", "Müller") == {"Greta", "Otto"}
    assert found("email", "aiko@kettle.example") == set()


@pytest.fixture
def own(firm: Entity, ada: Staff) -> Callable[..., CustomField]:
    def make(name: str, sensitivity: str, sort: str = "text") -> CustomField:
        told = {"name": name, "sort": sort, "sensitivity": sensitivity, "why": "To find the contract."}
        return make_field(told=told, entity=firm, made_by=ada)

    return make


def test_a_sealed_field_of_ones_own_is_sought_if_it_has_tokens_and_never_a_special_category(
    own: Callable[..., CustomField], people: dict[str, UUID], firm: Entity
) -> None:
    number, other = own("Contract", "identifier"), own("Old contract", "identifier")
    belief, plain = own("Belief", "special"), own("Size", "plain", "number")
    sana = make_staff("support", entity=firm)
    for field, person, value in ((number, "Greta", "AB-4711"), (other, "Otto", "ab 4711"), (number, "Otto", "AB-47")):
        client_of(sana).post(f"/people/{people[person]}/fields/{field.ref}/", {"value": value})
    page = read(sana, "/people/exactly/")
    offered = {name for name in ("Contract", "Old contract", "Belief", "Size") if f">{name}</option>" in page}
    assert offered == {"Contract", "Old contract"}
    page = read(sana, type_in(sana, str(number.ref), "ab4711"))
    assert chips(page) == ["Contract: exactly AB-4711"]
    assert [who for who, ref in people.items() if f"/people/{ref}/" in page] == ["Greta"]
    for field in (belief, plain):
        answer = client_of(sana).post("/people/exactly/", {"part": str(field.ref), "value": "1"})
        assert answer.status_code == 200
    assert ExactValue.objects.count() == 1


# ---------------------------------------------------------------- who may


def test_whoever_may_not_read_a_class_of_fields_does_not_probe_by_it(
    people: dict[str, UUID], ada: Staff, adam: Staff
) -> None:
    """An administrator sees names and nothing else, also by a colleague's address or a list that was shared."""
    page = read(adam, "/people/exactly/")
    assert ("Family name" in page, "E-mail address" in page) == (True, False)
    refused = client_of(adam).post("/people/exactly/", {"part": "email", "value": "greta@kettle.example"})
    assert refused.status_code == 200
    assert not ExactValue.objects.exists()
    address = type_in(ada, "email", "greta@kettle.example")
    page = read(adam, address)
    assert str(people["Greta"]) not in page
    assert "your roles do not read it" in chips(page)[0]
    assert "kettle.example" not in page


def test_a_value_belongs_to_one_entity(ada: Staff, people: dict[str, UUID], firm: Entity, shanghai: Entity) -> None:
    """Neither the wall nor the list lets another have it, also if the viewer acts for both."""
    del people
    ref = type_in(ada, "family", "Müller").rpartition("=")[2]
    lin, both = make_staff("sales", entity=shanghai, name="Lin"), make_staff("sales", name="Bo Both")
    read(lin, f"/people/?exact={ref}", 400)
    read(both, f"/people/?exact={ref}&entity={shanghai.ref}", 400)
    read(both, f"/people/?exact={ref}&entity={firm.ref}")
    for nothing in ("exact=Greta", f"exact={lin.ref}"):
        read(ada, f"/people/?{nothing}", 400)
    refused = client_of(ada).post("/people/views/keep/?" + f"exact={lin.ref}", {"name": "Nobody"})
    assert refused.status_code == 400
    with application_role(READ), behind_wall(staff=None, entities=[shanghai.ref]):
        assert not ExactValue.objects.exists()
    assert ExactValue.objects.exists()


def test_values_are_typed_a_hundred_times_a_day_and_no_more(
    ada: Staff, people: dict[str, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    del people
    monkeypatch.setattr(typed, "MOST_A_DAY", 2)
    for name in ("Müller", "Miller"):
        type_in(ada, "family", name)
    refused = client_of(ada).post("/people/exactly/", {"part": "family", "value": "Lang"})
    assert "To find one person, search." in refused.content.decode()
    ExactValue.objects.update(made_at=timezone.now() - timedelta(days=1, minutes=1))
    type_in(ada, "family", "Lang")


@pytest.mark.parametrize(("part", "value"), [("email", "greta"), ("phone", "none"), ("family", "--"), ("family", " ")])
def test_what_can_be_nobodys_is_refused(part: str, value: str, ada: Staff, people: dict[str, UUID]) -> None:
    del people
    refused = client_of(ada).post("/people/exactly/", {"part": part, "value": value})
    assert refused.status_code == 200
    assert not ExactValue.objects.exists()


# ---------------------------------------------------------------- where it stands


def test_what_was_typed_is_in_no_address_no_log_no_plain_column_and_not_in_the_ledger(
    ada: Staff, people: dict[str, UUID], caplog: pytest.LogCaptureFixture
) -> None:
    del people
    typed_in = "nobody.of.ours@elsewhere.example"
    with caplog.at_level(logging.DEBUG):
        address = type_in(ada, "email", typed_in)
        kept = client_of(ada).post(f"/people/views/keep/{address[8:]}", {"name": "One"})
        page = read(ada, kept["Location"])
    assert "elsewhere" not in address + kept["Location"] + page
    assert not [record for record in caplog.records if "elsewhere" in record.getMessage()]
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{table}" AS held WHERE held::text ILIKE %s', ["%elsewhere.example%"])
            assert cursor.fetchone() == (0,), table
    value = ExactValue.objects.get()
    (said,) = Entry.objects.filter(kind="book.exact-value-typed").values_list("body", flat=True)
    assert str(value.ref) in str(bytes(said) if isinstance(said, memoryview) else said)
    assert f"exact={value.ref}" in SavedView.objects.get().query
    (blob,) = Sealed.objects.filter(person=value.ref)
    assert blob.tokens is None


def test_what_was_typed_is_nobodys_contact_point(ada: Staff, people: dict[str, UUID]) -> None:
    type_in(ada, "email", "greta@kettle.example")
    recogniser = Recogniser()
    marks = recogniser.marks(["greta@kettle.example"], [])
    held = recogniser.holders(marks.emails)
    assert {person for some in held.values() for person in some} == {people["Greta"]}


def test_who_looks_again_reads_it_only_as_somebodys_own_and_that_is_on_record(
    ada: Staff, people: dict[str, UUID]
) -> None:
    """The chip shows what was opened of somebody found; of nobody found it says who typed something, and when."""
    address = type_in(ada, "email", "GRETA@kettle.example")
    before = Entry.objects.filter(kind="vault.opened").count()
    assert chips(read(ada, address)) == ["E-mail address: exactly greta@kettle.example"]
    assert Entry.objects.filter(kind="vault.opened").count() > before
    Person.objects.filter(ref=people["Greta"]).update(
        restricted_at=timezone.now(), home="JP", changed_at=timezone.now()
    )
    page = read(ada, address)
    assert str(people["Greta"]) not in page
    assert re.fullmatch(r"E-mail address: exactly a value that Ada Byrne typed on .+", chips(page)[0])


def test_a_page_that_is_looked_at_again_opens_nobody_anew_until_somebody_changes(
    ada: Staff, people: dict[str, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = type_in(ada, "family", "Müller")
    compared: list[int] = []

    def counted(**told: Any) -> list[Label]:  # noqa: ANN401 - as it is called
        compared.append(1)
        return matching(**told)

    monkeypatch.setattr(exactly, "matching", counted)
    for times in (1, 1, 2):
        if times == 2:
            Person.objects.filter(ref=people["Otto"]).update(changed_at=timezone.now())
        read(ada, address)
        assert len(compared) == times


def test_of_too_many_who_may_have_it_nobody_is_opened_and_the_list_says_so(
    ada: Staff, people: dict[str, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exactly, "MOST", 2)
    address = type_in(ada, "family", "Müller")
    page = read(ada, address)
    assert "choose by other filters first" in chips(page)[0]
    assert str(people["Greta"]) not in page
    page = read(ada, f"{address}&reach=email&home=DE")
    assert str(people["Greta"]) in page


# ---------------------------------------------------------------- keys and days


def test_a_kept_list_finds_them_before_while_and_after_the_keys_are_turned_over(
    ada: Staff, people: dict[str, UUID]
) -> None:
    address = type_in(ada, "family", "Müller")
    rotation.rotate_epoch(staff=None)
    while rotation.rewrap_some(staff=None, most=1):
        exactly.forget_found()
        page = read(ada, address)
        assert [who for who, ref in people.items() if f"/people/{ref}/" in page] == ["Greta", "Otto"]
    assert not PersonKey.objects.exclude(epoch=2).exists()
    Epoch.objects.filter(number=1).update(destroyed_at=timezone.now())
    exactly.forget_found()
    assert str(people["Greta"]) in read(ada, address)


def sweep(days: int = 0) -> None:
    ExactValue.objects.update(made_at=timezone.now() - timedelta(days=days))
    sweep_exact_values(int(timezone.now().timestamp()))


def test_after_a_day_a_value_goes_that_no_kept_list_names(ada: Staff, people: dict[str, UUID], firm: Entity) -> None:
    del people
    left, kept = type_in(ada, "family", "Müller"), type_in(ada, "given", "Otto")
    meant = type_in(ada, "email", "greta@kettle.example")
    client_of(ada).post(f"/people/views/keep/{kept[8:]}", {"name": "Ottos"})
    make_campaign(entity=firm, made_by=ada, name="To Greta", purpose="service", channel="email", template=None,
                  query=meant.partition("?")[2])  # fmt: skip
    sweep(days=0)
    assert ExactValue.objects.count() == 3
    sweep(days=2)
    assert {one.part for one in ExactValue.objects.all()} == {"given", "email"}
    ref = UUID(left.rpartition("=")[2])
    assert not PersonKey.objects.filter(person=ref).exists()
    assert not Sealed.objects.filter(person=ref).exists()
    read(ada, left, 400)


def test_a_value_that_nobody_has_any_more_goes_even_if_a_list_is_kept(ada: Staff, people: dict[str, UUID]) -> None:
    """So who is erased does not live on in somebody's list."""
    address = type_in(ada, "email", "greta@kettle.example")
    kept = client_of(ada).post(f"/people/views/keep/{address[8:]}", {"name": "Greta"})["Location"]
    sweep(days=2)
    assert str(people["Greta"]) in read(ada, kept)
    destroy_person_key(person=people["Greta"], staff=None)
    sweep(days=2)
    (value,) = ExactValue.objects.all()
    assert value.forgotten_at is not None
    assert not Sealed.objects.filter(person=value.ref).exists()
    assert "it is gone, since nobody had it" in chips(read(ada, kept))[0]


# ---------------------------------------------------------------- campaigns and colleagues


def test_a_shared_list_and_a_campaign_mean_the_same_people(ada: Staff, people: dict[str, UUID], firm: Entity) -> None:
    address = type_in(ada, "family", "Müller")
    query = address.partition("?")[2]
    kept = client_of(ada).post(f"/people/views/keep/?{query}", {"name": "M", "shared": "on"})["Location"]
    bea = make_staff("sales", entity=firm, name="Bea")
    assert str(people["Otto"]) in read(bea, kept)
    campaign = make_campaign(
        entity=firm, made_by=ada, name="To them", purpose="service", channel="email", template=None, query=query
    )
    look = Look(viewer=ada, entity=firm, purpose="service")
    assert set(people_of(campaign, look).values_list("ref", flat=True)) == {people["Greta"], people["Otto"]}
    for staff, says in ((ada, "exactly Müller"), (bea, "exactly a value that Ada Byrne typed on ")):
        with behind_wall(staff=staff.ref, entities=[firm.ref]):  # whoever reads it, Ada's list it is
            (line,) = chosen(look, QueryDict(query)).explained()
        assert line.startswith(f"Family name: {says}")


# ---------------------------------------------------------------- in a browser


def test_in_a_browser_a_value_is_typed_kept_and_explained(
    signed_in: Callable[[Staff], Page], people: dict[str, UUID], ada: Staff, live_server: LiveServer
) -> None:
    del people, live_server
    page = signed_in(ada)
    page.emulate_media(reduced_motion="reduce")
    page.goto("/people/?home=DE")
    wrong = []
    page.get_by_text("More filters").click()
    page.get_by_text("What happened").click()
    expect(page.get_by_label("Activity from")).to_be_visible()
    wrong += found_by_axe(page)
    page.get_by_role("link", name="By a sealed field").click()
    wrong += found_by_axe(page)
    page.get_by_label("Which field").select_option("Family name")
    page.get_by_label("Is exactly").fill("Müller")
    page.get_by_role("button", name="Show who has it").click()
    expect(page.get_by_text("Family name: exactly Müller")).to_be_visible()
    expect(page.locator("[data-row-link]")).to_have_count(2)
    assert "ller" not in page.url
    wrong += found_by_axe(page)
    page.get_by_text("View", exact=True).click()
    page.get_by_role("link", name="Keep this list").click()
    expect(page.get_by_text("Home: Germany")).to_be_visible()
    wrong += found_by_axe(page)
    for address in ("/people/exactly/?home=DE", "/people/?home=DE"):
        page.goto(address)
        page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        assert wider_than_screen(page) == 0
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.get_by_text("More filters").click()
    wrong += found_by_axe(page, rules=["color-contrast", "target-size"])
    assert wrong == []


def test_a_wrong_word_is_said_where_it_was_typed(ada: Staff, people: dict[str, UUID]) -> None:
    del people
    told: Any = client_of(ada).post("/people/exactly/", {"part": "email", "value": "greta"})
    assert "an e-mail address has an @" in told.content.decode()
