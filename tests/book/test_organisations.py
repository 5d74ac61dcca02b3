"""Organisations: added, changed, put below each other, taken out; and seen by nobody who does not act for them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from comity.book.models import Organisation
from comity.book.organisations.actions import (
    ChangedMeanwhile,
    add_organisation,
    change_organisation,
    remove_organisation,
)
from comity.book.organisations.forms import said_of
from comity.book.organisations.queries import above, version_of
from comity.ledger.models import Entry
from comity.staff.guards import NotYours
from comity.staff.models import RoleGrant, Staff
from comity.staff.walls import behind_wall
from tests.staff.people import client_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from comity.staff.models import Entity


@pytest.fixture
def nordlicht(firm: Entity, ada: Staff) -> Organisation:
    return make("Nordlicht GmbH", firm, ada)


def make(name: str, firm: Entity, by: Staff, **more: Any) -> Organisation:  # noqa: ANN401 - columns of the table
    return add_organisation(told={"name": name, **more}, entity=firm, added_by=by)


@pytest.fixture
def browser(ada: Staff) -> Client:
    return client_of(ada)


def test_an_organisation_is_added_in_the_page_and_the_ledger_says_so(browser: Client, firm: Entity) -> None:
    told = {"name": "Müller & Söhne", "domain": "https://www.müller.example/x", "place": "DE", "trade": "Kettles"}
    answer = browser.post(reverse("book:organisation-new"), told)
    made = Organisation.objects.get()
    assert answer["Location"] == reverse("book:organisation", args=[made.ref])
    assert (made.name, made.domain, made.place, made.entities) == ("Müller & Söhne", "müller.example", "DE", [firm.ref])
    assert Entry.objects.filter(kind="book.organisation-added").count() == 1


def test_what_no_domain_is_is_refused_with_what_was_typed_kept(browser: Client, firm: Entity) -> None:
    del firm
    answer = browser.post(reverse("book:organisation-new"), {"name": "Kettle", "domain": "not a domain"})
    assert answer.status_code == 200
    assert "This is no domain" in answer.content.decode()
    assert 'value="not a domain"' in answer.content.decode()
    assert not Organisation.objects.exists()


def test_a_change_names_the_columns_that_changed_and_not_their_values(nordlicht: Organisation, ada: Staff) -> None:
    version = version_of(nordlicht)
    told = {"name": nordlicht.name, "trade": "Lamps", "place": "DE", "domain": "", "parent": None}
    assert change_organisation(organisation=nordlicht, told=told, version=version, changed_by=ada) == ["place", "trade"]
    entry = Entry.objects.get(kind="book.organisation-changed")
    assert json.loads(bytes(entry.body))["body"]["changed"] == ["place", "trade"]


def test_who_saves_over_somebody_else_s_change_is_told(nordlicht: Organisation, ada: Staff, browser: Client) -> None:
    seen = version_of(nordlicht)
    change_organisation(organisation=nordlicht, told={"trade": "Lamps"}, version=seen, changed_by=ada)
    with pytest.raises(ChangedMeanwhile):
        change_organisation(organisation=nordlicht, told={"trade": "Kettles"}, version=seen, changed_by=ada)
    address = reverse("book:organisation-change", args=[nordlicht.ref])
    answer = browser.post(address, {"name": "Nordlicht", "trade": "Kettles", "version": seen})
    assert "Somebody else changed this meanwhile" in answer.content.decode()
    assert Organisation.objects.get().trade == "Lamps"
    again = browser.post(address, answer.context["form"].data)
    assert again.status_code == 302
    assert Organisation.objects.get().trade == "Kettles"


def test_no_organisation_becomes_a_part_of_itself(nordlicht: Organisation, firm: Entity, ada: Staff) -> None:
    below = make("Nordlicht Logistik", firm, ada, parent=nordlicht)
    lowest = make("Lager 3", firm, ada, parent=below)
    assert [one.name for one in above(lowest)] == ["Nordlicht GmbH", "Nordlicht Logistik"]
    answer = client_of(ada).post(
        reverse("book:organisation-change", args=[nordlicht.ref]),
        {"name": "Nordlicht GmbH", "parent": "Lager 3", "version": version_of(nordlicht)},
    )
    assert "It would be a part of itself" in answer.content.decode()
    nordlicht.refresh_from_db()
    assert nordlicht.parent is None


def test_its_page_opens_the_names_of_who_works_there(greta: UUID, browser: Client) -> None:
    organisation = Organisation.objects.get()
    page = browser.get(reverse("book:organisation", args=[organisation.ref])).content.decode()
    assert "Greta Grünwald" in page
    assert reverse("desk:person", args=[greta]) in page


@pytest.mark.usefixtures("greta")
def test_one_where_people_work_is_not_taken_out(browser: Client) -> None:
    organisation = Organisation.objects.get()
    answer = browser.post(reverse("book:organisation-remove", args=[organisation.ref]), follow=True)
    assert "People work there" in answer.content.decode()
    assert Organisation.objects.exists()


def test_one_that_nobody_needs_is(nordlicht: Organisation, browser: Client) -> None:
    browser.post(reverse("book:organisation-remove", args=[nordlicht.ref]))
    assert not Organisation.objects.exists()
    assert Entry.objects.filter(kind="book.organisation-removed").exists()


def test_another_entity_s_organisation_is_not_there(
    nordlicht: Organisation, shanghai: Entity, staff_in: Callable[..., Staff]
) -> None:
    stranger = client_of(staff_in("support", entity=shanghai))
    for name in ("organisation", "organisation-change"):
        assert stranger.get(reverse(f"book:{name}", args=[nordlicht.ref])).status_code == 404


def test_an_auditor_sees_it_and_changes_nothing(
    nordlicht: Organisation, firm: Entity, staff_in: Callable[..., Staff]
) -> None:
    auditor = client_of(staff_in("auditor", entity=firm))
    page = auditor.get(reverse("book:organisation", args=[nordlicht.ref])).content.decode()
    assert "Nordlicht GmbH" in page
    assert reverse("book:organisation-change", args=[nordlicht.ref]) not in page


# ---------------------------------------------------------------- another entity's


@pytest.fixture
def reads_both(ada: Staff, shanghai: Entity) -> Staff:
    """Ada sells for Dublin, and reads what Shanghai has."""
    RoleGrant.objects.create(staff=ada, role="auditor", entity=shanghai, reason="tests", begins_at=timezone.now())
    return Staff.objects.get(pk=ada.pk)


def test_the_word_in_one_entity_writes_nothing_of_another(reads_both: Staff, shanghai: Entity) -> None:
    kang = Organisation.objects.create(name="康睦", entities=[shanghai.ref])
    with pytest.raises(NotYours, match=r"organisation\.edit"):
        change_organisation(organisation=kang, told={"trade": "Tea"}, version=version_of(kang), changed_by=reads_both)
    with pytest.raises(NotYours, match=r"organisation\.edit"):
        remove_organisation(organisation=kang, removed_by=reads_both)
    with pytest.raises(NotYours, match=r"organisation\.edit"):
        make("Tea", shanghai, reads_both)
    browser = client_of(reads_both)
    assert browser.get(reverse("book:organisation-change", args=[kang.ref])).status_code == 403
    assert browser.get(f"{reverse('book:organisation-new')}?entity={shanghai.ref}").status_code == 403
    page = browser.get(reverse("book:organisation", args=[kang.ref])).content.decode()
    assert reverse("book:organisation-change", args=[kang.ref]) not in page


def test_one_that_two_entities_share_takes_the_word_of_both(
    nordlicht: Organisation, reads_both: Staff, shanghai: Entity
) -> None:
    Organisation.objects.update(entities=[*nordlicht.entities, shanghai.ref])
    with pytest.raises(NotYours, match=r"organisation\.edit"):
        change_organisation(
            organisation=nordlicht, told={"trade": "Tea"}, version=version_of(nordlicht), changed_by=reads_both
        )
    RoleGrant.objects.filter(role="auditor").update(role="sales")
    both = Staff.objects.get(pk=reads_both.pk)
    told = {"trade": "Tea"}
    assert change_organisation(organisation=nordlicht, told=told, version=version_of(nordlicht), changed_by=both)


def test_only_what_shares_an_entity_is_offered_as_parent(
    nordlicht: Organisation, reads_both: Staff, shanghai: Entity, firm: Entity
) -> None:
    kang = Organisation.objects.create(name="康睦", entities=[shanghai.ref])
    make("Kettle", firm, reads_both)
    browser = client_of(reads_both)
    for address in (reverse("book:organisation-new"), reverse("book:organisation-change", args=[nordlicht.ref])):
        offered = browser.get(address).context["form"].offered
        assert "Kettle" in offered
        assert "康睦" not in offered
    with pytest.raises(ValidationError, match="another of our entities"):
        make("Tea", firm, reads_both, parent=kang)


def test_a_parent_behind_the_wall_counts_as_none_and_stays(
    nordlicht: Organisation, ada: Staff, firm: Entity, shanghai: Entity
) -> None:
    hidden = Organisation.objects.create(name="康睦", entities=[shanghai.ref])
    middle = make("Nordlicht Mitte", firm, ada, parent=nordlicht)
    Organisation.objects.filter(pk=nordlicht.pk).update(parent=hidden)
    told: dict[str, object] = {"name": "Nordlicht AG", "parent": None}
    with as_the_application(), behind_wall(staff=ada.ref, entities=[firm.ref]):
        seen = Organisation.objects.get(pk=nordlicht.pk)
        assert above(Organisation.objects.get(pk=middle.pk)) == [seen]
        assert said_of(seen, "")["parent"] == ""
        lowest = make("Lager 3", firm, ada, parent=middle)
        assert change_organisation(organisation=seen, told=told, version=version_of(seen), changed_by=ada) == ["name"]
    assert above(lowest) == [hidden, Organisation.objects.get(pk=nordlicht.pk), middle]


@contextmanager
def as_the_application() -> Iterator[None]:
    """Go on as a role that the walls hold, as the application's is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = 'comity_app'")
        if cursor.fetchone() is None:
            cursor.execute("CREATE ROLE comity_app NOLOGIN")
        cursor.execute("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO comity_app")
        cursor.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO comity_app")
        cursor.execute("SET LOCAL ROLE comity_app")
        yield
        cursor.execute("RESET ROLE")
