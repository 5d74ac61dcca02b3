"""Lists of people: filters, orders, A to Z, kept views, and organisations, as staff of several roles find them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from html import unescape
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from comity.book.actions import Newcomer, add_persons
from comity.book.lists import by_name as order_by_name
from comity.book.lists.by_name import Order, TooMany, by_name, key_of, letter_of
from comity.book.lists.counting import AT_MOST, Count, count_of
from comity.book.lists.models import FirstView, SavedView
from comity.book.models import Organisation, Person, Tag, Tagging
from comity.book.opening import Look
from comity.book.queries import persons_seen_by, tags_seen_by
from comity.consent.actions import About, give_consent, withdraw_consent
from comity.ledger.models import Entry
from comity.staff.models import Entity, Staff
from tests.book.people import Add, newcomer
from tests.staff.people import make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_factor")]
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture(autouse=True)
def no_orders() -> None:
    order_by_name.forget_orders()


def client_of(staff: Staff) -> Client:
    client = Client()
    client.force_login(staff, BACKEND)
    return client


def read(staff: Staff, address: str, status: int = 200) -> str:
    answer = client_of(staff).get(address)
    assert answer.status_code == status, answer.content.decode()[:800]
    return answer.content.decode()


def shown(page: str) -> list[str]:
    """Return the names a list shows, from top to bottom; the sealed ones as "Sealed"."""
    return [unescape(re.sub(r"<[^>]+>", "", name)) for name in re.findall(r"data-row-link>(.*?)</a>", page)]


@pytest.fixture
def people(firm: Entity) -> dict[str, UUID]:
    """Six people who differ in everything that lists filter by."""
    made = [
        newcomer("Greta", "Grünwald", "DE", organisation="Nordlicht GmbH",
                 facts={"home": "DE", "language": "de", "capacity": "business"}),
        newcomer("Oliver", "O'Brien", "GB", relation={},
                 facts={"home": "GB", "language": "en", "capacity": "consumer"}),
        newcomer("Zoë", "Ångström", "SE", relation={"source": "third-party"}),
        newcomer("Anna", "von der Au", "DE", points=[]),
        Newcomer(name={"given": "伟", "family": "曾"}, facts={"home": "DE"}),
        newcomer("Aiko", "Tanaka", "JP", facts={"home": "JP"}),
    ]  # fmt: skip
    add_persons(newcomers=made, entity=firm, staff=None)
    return {str(one.name["given"]): one.ref for one in made}


def test_each_sealed_name_leads_to_its_own_page_in_the_language_of_who_looks(ada: Staff, firm: Entity) -> None:
    made = [newcomer("Aiko", "Tanaka", "JP"), newcomer("Ji-woo", "Kim", "KR")]
    add_persons(newcomers=made, entity=firm, staff=None)
    for language, sealed in (("en", "Sealed"), ("zh-hans", "已封存"), ("en", "Sealed")):
        ada.language = language
        ada.save()
        cells = re.findall(r'href="/people/([^/]+)/" data-row-link><[^>]*>(.*?)<', read(ada, "/people/"))
        assert sorted(cells) == sorted((str(one.ref), sealed) for one in made)


# ---------------------------------------------------------------- filters


def put(tag: str, *persons: UUID) -> Tag:
    made = Tag.objects.create(name=tag)
    Tagging.objects.bulk_create(Tagging(tag=made, person_id=person) for person in persons)
    return made


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("home=GB", {"Oliver"}),
        ("home=GB&home=SE", {"Oliver", "Zoë"}),
        ("reach=email", {"Greta", "Oliver", "Zoë", "Aiko"}),
        ("capacity=business", {"Greta"}),
        ("capacity=unknown", {"Zoë", "Anna", "伟", "Aiko"}),
        ("language=de", {"Greta"}),
        ("customer=yes", {"Greta", "Anna", "Aiko"}),
        ("customer=no", {"Oliver", "Zoë", "伟"}),
        ("source=third-party", {"Zoë"}),
        ("home=DE&customer=yes", {"Greta", "Anna"}),
        ("contact_before=2026-06-01", {"Zoë"}),
        ("contact_after=2026-06-01", {"Greta"}),
        ("marketing-email=yes", {"Greta"}),
        ("marketing-email=no", {"Oliver"}),
        ("marketing-email=nothing", {"Zoë", "Anna", "伟", "Aiko"}),
        ("marketing-sms=yes", set()),
    ],
)
def test_each_filter_keeps_whom_it_says(
    query: str, found: set[str], ada: Staff, firm: Entity, people: dict[str, UUID]
) -> None:
    Person.objects.filter(ref=people["Zoë"]).update(last_contact_on=date(2026, 5, 31))
    Person.objects.filter(ref=people["Greta"]).update(last_contact_on=date(2026, 6, 1))
    now = timezone.now()
    about = {who: About(person=people[who], entity=firm, purpose="marketing", channel="email") for who in people}
    give_consent(about=about["Greta"], said_at=now, notice="N1", source="form", heard_by=ada)
    withdraw_consent(about=about["Oliver"], said_at=now, source="call", heard_by=ada)
    told = read(ada, f"/people/?{query}")
    assert {who for who, ref in people.items() if f"/people/{ref}/" in told} == found


def test_tags_and_organisations_filter_by_their_ref(ada: Staff, people: dict[str, UUID]) -> None:
    tag, firm = put("VIP", people["Zoë"]), Organisation.objects.get()
    assert shown(read(ada, f"/people/?tag={tag.ref}")) == ["Zoë Ångström"]
    assert shown(read(ada, f"/people/?organisation={firm.ref}")) == ["Greta Grünwald"]


def test_what_is_filtered_by_stands_above_the_list_and_can_be_taken_away(ada: Staff, people: dict[str, UUID]) -> None:
    del people
    told = read(ada, "/people/?home=DE&home=GB&customer=yes")
    chips = dict(re.findall(r'class="chip" href="([^"]+)"><span>([^<]+)</span>', told))
    assert {unescape(where): said for where, said in chips.items()} == {
        "?home=GB&customer=yes": "Home: Germany",
        "?home=DE&customer=yes": "Home: United Kingdom",
        "?home=DE&home=GB": "Customer: Customers",
    }


@pytest.mark.parametrize(
    "query", ["reach=owl", "customer=maybe", "contact_before=soon", "tag=vip", "organisation=1", "marketing-email=x",
              "source=%00", "&".join(f"home=D{n}" for n in range(21))],
)  # fmt: skip
def test_a_filter_with_a_value_it_does_not_have_shows_nobody_rather_than_everybody(
    query: str, ada: Staff, people: dict[str, UUID]
) -> None:
    told = read(ada, f"/people/?{query}", 400)
    assert not any(str(ref) in told for ref in people.values())


def test_what_another_entity_calls_its_people_is_in_no_choice_no_suggestion_and_no_chip(
    ada: Staff, shanghai: Entity, people: dict[str, UUID]
) -> None:
    theirs = put("Expo Pudong", Person.objects.create(entities=[shanghai.ref]).ref)
    ours = put("VIP", people["Zoë"])
    lin, greta = make_staff("sales", entity=shanghai, name="Lin"), people["Greta"]
    for address in ("/people/", f"/people/?tag={theirs.ref}", f"/people/{greta}/tags/"):
        told = read(ada, address)
        assert "VIP" in told, address
        assert "Expo Pudong" not in told, address
    together = client_of(ada).post("/people/together/", {"deed": "remove-tag", "pick": [greta]}).content.decode()
    assert ("VIP" in together, "Expo Pudong" in together) == (True, False)
    said = {"deed": "remove-tag", "pick": [greta], "value": "Expo Pudong"}
    assert "There is no tag of that name" in client_of(ada).post("/people/together/", said).content.decode()
    assert "Expo Pudong" in read(lin, f"/people/?tag={theirs.ref}")
    assert "VIP" not in read(lin, f"/people/?tag={ours.ref}")
    assert not tags_seen_by(ada, shanghai).exists()


def test_people_of_another_entity_are_in_no_filter_and_no_choice(
    shanghai: Entity, firm: Entity, people: dict[str, UUID]
) -> None:
    lin = make_staff("sales", entity=shanghai)
    told = read(lin, f"/people/?home=DE&entity={firm.ref}")
    assert not any(str(ref) in told for ref in people.values())
    assert '<option value="DE"' not in told


def test_who_belongs_to_several_entities_is_in_the_list_of_each(
    ada: Staff, shanghai: Entity, people: dict[str, UUID]
) -> None:
    Person.objects.filter(ref=people["Greta"]).update(entities=[shanghai.ref, Entity.objects.get(place="IE").ref])
    assert "Greta Grünwald" in shown(read(ada, "/people/"))


@pytest.mark.parametrize("column", ["home", "language", "contact", "added", "changed"])
def test_every_plain_column_sorts_both_ways(column: str, ada: Staff, people: dict[str, UUID]) -> None:
    Person.objects.filter(ref=people["Zoë"]).update(last_contact_on=date(2026, 5, 31))
    forth, back = (shown(read(ada, f"/people/?sort={sort}")) for sort in (column, f"-{column}"))
    assert sorted(forth) == sorted(back)
    assert len(forth) == 6
    if column == "contact":
        assert forth[0] == back[0] == "Zoë Ångström"  # whom nobody contacted comes last either way


# ---------------------------------------------------------------- counting


def test_a_count_stops_where_it_is_said_to(
    monkeypatch: pytest.MonkeyPatch, firm: Entity, people: dict[str, UUID], ada: Staff
) -> None:
    assert str(Count(AT_MOST, more=True)) == "10,000+"
    monkeypatch.setattr("comity.book.lists.counting.AT_MOST", 4)
    assert people
    assert count_of(persons_seen_by(ada, firm)) == Count(4, more=True)
    assert count_of(persons_seen_by(ada, firm).filter(home="DE")) == Count(3)


def test_a_list_says_how_many_there_are(ada: Staff, people: dict[str, UUID]) -> None:
    assert people
    assert "6 people in the book of" in read(ada, "/people/")
    assert "3 people in the book of" in read(ada, "/people/?home=DE")


# ---------------------------------------------------------------- A to Z


@pytest.mark.parametrize(
    ("fields", "letter"),
    [
        ({"given": "Greta", "family": "Grünwald"}, "G"),
        ({"given": "Zoë", "family": "Ångström"}, "A"),
        ({"given": "伟", "family": "曾"}, "Z"),  # as a surname zeng, elsewhere ceng
        ({"full": "欧阳明华"}, "O"),
        ({"full": "Carlos de la Cruz"}, "C"),
        ({"given": "Иван", "family": "Попов"}, "П"),
        ({"given": "Cher"}, "C"),
        ({"full": "!!"}, "#"),
        ({}, "#"),
    ],
)
def test_a_name_stands_under_the_letter_where_its_owner_would_look(fields: dict[str, str], letter: str) -> None:
    assert letter_of(key_of(fields)) == letter


def test_a_list_from_a_to_z_is_by_family_name_and_the_sealed_ones_come_last(
    ada: Staff, people: dict[str, UUID]
) -> None:
    assert people
    told = read(ada, "/people/?sort=name")
    assert shown(told) == [
        "Zoë Ångström", "Greta Grünwald", "Oliver O'Brien", "Anna von der Au", "曾伟", "Sealed"
    ]  # fmt: skip
    assert re.findall(r'<a href="[^"]*letter=[^"]*"[^>]*>(.)</a>', told) == ["A", "G", "O", "V", "Z", "…"]
    assert shown(read(ada, "/people/?sort=name&letter=G")) == ["Greta Grünwald"]


def test_names_are_opened_once_to_sort_them_and_then_a_page_at_a_time(ada: Staff, people: dict[str, UUID]) -> None:
    assert people
    entries = Entry.objects.filter(kind__in=["vault.opened", "counsel.decided"])
    read(ada, "/people/?sort=name")
    kinds = sorted(entries.values_list("kind", flat=True))
    assert kinds == ["counsel.decided", "vault.opened", "vault.opened"]  # the order, then the page
    read(ada, "/people/?sort=name&letter=G")
    assert entries.count() == 4
    assert entries.order_by("-ref")[0].persons == [people["Greta"]]


def test_an_order_is_made_anew_when_somebody_changed_or_another_looks(
    look: Look, olga: Staff, firm: Entity, people: dict[str, UUID]
) -> None:
    def order(whose: Look) -> Order:
        return by_name(whose, persons_seen_by(whose.viewer, firm))

    first = order(look)
    assert order(look) is first
    assert order(Look(viewer=olga, entity=firm, purpose="legal-duty")) is not first
    Person.objects.filter(ref=people["Greta"]).update(changed_at=timezone.now() + timedelta(seconds=1))
    assert order(look) is not first


def test_an_order_is_not_used_longer_than_the_decision_it_rests_on(
    look: Look, firm: Entity, people: dict[str, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert people
    first = by_name(look, persons_seen_by(look.viewer, firm))
    begun = time.monotonic()
    monkeypatch.setattr("comity.book.lists.by_name.time.monotonic", lambda: begun + 600)
    assert by_name(look, persons_seen_by(look.viewer, firm)) is not first


def test_a_list_that_is_too_long_for_it_says_why_and_what_to_do(
    ada: Staff, look: Look, firm: Entity, people: dict[str, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert people
    monkeypatch.setattr(order_by_name, "MOST", 5)
    with pytest.raises(TooMany):
        by_name(look, persons_seen_by(look.viewer, firm))
    told = read(ada, "/people/?sort=name")
    assert "Filter the list first" in told
    assert len(shown(told)) == 6
    assert shown(read(ada, "/people/?sort=name&home=DE")) == ["Greta Grünwald", "Anna von der Au", "曾伟"]


def test_pages_of_an_order_show_everybody_once_forth_and_back(ada: Staff, firm: Entity) -> None:
    many = [newcomer(f"Given {n:03d}", f"Family {n:03d}", "DE") for n in range(120)]
    add_persons(newcomers=many, entity=firm, staff=None)
    address, pages = "/people/?sort=name", []
    while address:
        told = read(ada, address)
        pages.append(shown(told))
        following = re.search(r'rel="next" href="([^"]+)"', told)
        back = re.search(r'rel="prev" href="([^"]+)"', told)
        address = f"/people/{unescape(following[1])}" if following else ""
    assert [len(page) for page in pages] == [50, 50, 20]
    assert [name for page in pages for name in page] == [f"Given {n:03d} Family {n:03d}" for n in range(120)]
    assert back is not None
    assert shown(read(ada, f"/people/{unescape(back[1])}")) == pages[1]


# ---------------------------------------------------------------- kept views


def keep(staff: Staff, query: str, name: str, **more: str) -> SavedView:
    answer = client_of(staff).post(f"/people/views/keep/?{query}", {"name": name, **more})
    assert answer.status_code == 302, answer.content.decode()[:800]
    return SavedView.objects.get(name=name)


def test_a_kept_view_is_a_tab_that_shows_the_same_list(ada: Staff, people: dict[str, UUID]) -> None:
    assert people
    view = keep(ada, "home=GB&columns=language&sort=-home&from=x&letter=A", "The British")
    assert "from" not in view.query
    tab = re.search(r'href="([^"]+)">The British', read(ada, "/people/"))
    assert tab is not None
    told = read(ada, unescape(tab[1]))
    assert shown(told) == ["Oliver O'Brien"]
    assert "<h1>The British</h1>" in told


def test_a_view_of_ones_own_is_for_nobody_else_until_it_is_shared(
    ada: Staff, firm: Entity, shanghai: Entity, people: dict[str, UUID]
) -> None:
    assert people
    tom, lin = make_staff("marketing", entity=firm), make_staff("sales", entity=shanghai, name="Lin Xiao")
    view = keep(ada, "home=GB", "The British")
    assert "The British" not in read(tom, "/people/")
    assert client_of(tom).get(f"/people/views/{view.ref}/").status_code == 404
    assert not Entry.objects.filter(kind__startswith="book.view").exists()
    client_of(ada).post(f"/people/views/{view.ref}/", {"name": "The British", "shared": "on"})
    assert "The British" in read(tom, "/people/")
    assert "The British" not in read(lin, "/people/")
    assert Entry.objects.get(kind="book.view-shared").staff == ada.ref


def test_only_its_owner_changes_or_deletes_a_shared_view(ada: Staff, firm: Entity, people: dict[str, UUID]) -> None:
    assert people
    tom = make_staff("marketing", entity=firm)
    view = keep(ada, "home=GB", "The British", shared="on")
    theirs = client_of(tom)
    assert theirs.post(f"/people/views/{view.ref}/delete/").status_code == 404
    assert theirs.post(f"/people/views/{view.ref}/again/?home=DE").status_code == 404
    theirs.post(f"/people/views/{view.ref}/", {"name": "Mine now", "first": "on"})
    view.refresh_from_db()
    assert (view.name, view.query.count("home=GB")) == ("The British", 1)
    assert FirstView.objects.get(staff=tom).view == view  # to open it first is a habit of one's own
    mine = client_of(ada)
    mine.post(f"/people/views/{view.ref}/again/?home=DE")
    view.refresh_from_db()
    assert "home=DE" in view.query
    mine.post(f"/people/views/{view.ref}/delete/")
    assert not SavedView.objects.exists()
    kinds = list(Entry.objects.filter(kind__startswith="book.view").order_by("ref").values_list("kind", flat=True))
    assert kinds == ["book.view-shared", "book.view-changed", "book.view-deleted"]


def test_the_first_view_opens_for_whoever_asks_for_people_alone(ada: Staff, people: dict[str, UUID]) -> None:
    assert people
    view = keep(ada, "home=GB", "The British", first="on")
    answer = client_of(ada).get("/people/", follow=True)
    assert shown(answer.content.decode()) == ["Oliver O'Brien"]
    assert len(shown(read(ada, "/people/?view=all"))) == 6
    client_of(ada).post(f"/people/views/{view.ref}/", {"name": "The British"})
    assert len(shown(read(ada, "/people/"))) == 6


def test_a_name_is_had_once_and_a_list_that_there_is_not_is_not_kept(ada: Staff, firm: Entity) -> None:
    del firm
    keep(ada, "home=GB", "Mine")
    answer = client_of(ada).post("/people/views/keep/?home=DE", {"name": "Mine"})
    assert "You have a view of that name" in answer.content.decode()
    assert client_of(ada).post("/people/views/keep/?reach=owl", {"name": "Owls"}).status_code == 400
    assert SavedView.objects.count() == 1


# ---------------------------------------------------------------- organisations


def test_organisations_are_filtered_and_counted_for_whoever_looks(
    ada: Staff, firm: Entity, shanghai: Entity, people: dict[str, UUID], add: Add
) -> None:
    add(newcomer("Ben", "Bell", "DE", organisation="Nordlicht GmbH"))
    Organisation.objects.create(name="外滩贸易", place="CN", entities=[shanghai.ref])
    Organisation.objects.create(name="Südwind AG", place="DE", trade="Ships", entities=[firm.ref])
    told = read(ada, "/organisations/")
    assert shown(told) == ["Nordlicht GmbH", "Südwind AG"]
    assert re.findall(r'<td class="num">(\d+)</td>', told) == ["2", "0"]
    assert "2 organisations" in told
    assert "外滩贸易" not in told
    assert shown(read(ada, "/organisations/?q=WIND")) == ["Südwind AG"]
    assert shown(read(ada, "/organisations/?place=DE&trade=Ships")) == ["Südwind AG"]
    assert "No organisation is called that" in read(ada, "/organisations/?q=%25")
    Person.objects.filter(ref=people["Greta"]).update(entities=[shanghai.ref])
    assert re.findall(r'<td class="num">(\d+)</td>', read(ada, "/organisations/")) == ["1", "0"]


def test_a_list_asks_the_database_no_more_often_than_it_did(
    ada: Staff, people: dict[str, UUID], django_assert_max_num_queries: Callable[..., AbstractContextManager[object]]
) -> None:
    """Each question costs as much processor time as ten rows; whoever adds one takes another away, or says why."""
    assert people
    client = client_of(ada)
    client.get("/people/")
    with django_assert_max_num_queries(33):
        client.get("/people/")
