"""Editing one person in place: what role and law let through, what is kept of before, and who was quicker."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, date, datetime
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from comity.book.editing import actions
from comity.book.editing.actions import NotOwn
from comity.book.editing.history import as_of
from comity.book.editing.leave import Leave, NotPermitted, ask_leave
from comity.book.editing.whole import Whole, whole_of
from comity.book.models import Activity, ContactPoint, Doing, Organisation, PastFacts, Person, Reach, Relation, Tag
from comity.book.opening import Look
from comity.counsel.models import OwedDuty
from comity.ledger.connecting import own_connection
from comity.ledger.models import Entry
from comity.staff.models import Entity, Staff
from comity.vault.gate import Refused
from comity.vault.sealing import FieldClass
from tests.book.people import Add, newcomer
from tests.staff.people import make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_factor")]
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
HTMX = {"HX-Request": "true"}


def client_of(staff: Staff) -> Client:
    client = Client()
    client.force_login(staff, BACKEND)
    return client


def whole(look: Look, ref: UUID) -> Whole:
    return whole_of(look, Person.objects.get(ref=ref))


def leave(look: Look, ref: UUID, field_class: FieldClass = FieldClass.NAME) -> Leave:
    return ask_leave(look, ref, field_class)


def version(page: str) -> str:
    """Return what a form says stood there when it was opened."""
    (found,) = re.findall(r'name="version" value="(\w+)"', page)
    return str(found)


def save(staff: Staff, address: str, said: dict[str, Any]) -> str:
    """Open a form, and send it with what is said; return the answer."""
    client = client_of(staff)
    opened = client.get(address, headers=HTMX)
    assert opened.status_code == 200, opened.content.decode()[:500]
    told = said | {"version": version(opened.content.decode())}
    answer = client.post(address, told, headers=HTMX)
    assert answer.status_code == 200, answer.content.decode()[:500]
    return answer.content.decode()


def bodies(kind: str) -> list[dict[str, Any]]:
    return [json.loads(bytes(entry.body))["body"] for entry in Entry.objects.filter(kind=kind)]


# ---------------------------------------------------------------- the person


def test_a_name_is_sealed_anew_and_shown_in_the_page(ada: Staff, greta: UUID, look: Look) -> None:
    told = save(ada, f"/people/{greta}/name/", {"given": "Greta", "family": "Berg", "post": "Buyer"})
    assert "Greta Berg" in told
    assert 'hx-swap-oob="true"' in told
    assert whole(look, greta).fields == {"given": "Greta", "family": "Berg", "post": "Buyer"}
    assert bodies("book.person-changed")[0]["changed"] == ["name"]


def test_without_a_script_a_form_is_a_page_and_leads_back_to_the_person(ada: Staff, greta: UUID) -> None:
    client = client_of(ada)
    page = client.get(f"/people/{greta}/name/").content.decode()
    assert "<html" in page
    said = {"given": "Greta", "family": "Berg", "version": version(page)}
    answer = client.post(f"/people/{greta}/name/", said, follow=True)
    assert answer.redirect_chain[0][0].startswith(f"/people/{greta}/?")
    told = answer.content.decode()
    assert "Saved." in told
    assert "Greta Berg" in told


def test_nobody_is_left_without_a_name(ada: Staff, greta: UUID, look: Look) -> None:
    assert "at least one name" in save(ada, f"/people/{greta}/name/", {"given": " ", "post": "Buyer"})
    assert whole(look, greta).name == "Greta Grünwald"


def test_plain_facts_change_and_their_past_is_kept(ada: Staff, greta: UUID) -> None:
    before = timezone.now()
    told = save(
        ada, f"/people/{greta}/facts/",
        {
            "home_0": "FR", "home_1": "DE", "language": "de", "birth_year": "1990", "birth_month": "4",
            "capacity": "consumer",
        },
    )  # fmt: skip
    assert "France" in told
    assert "April 1990" in told
    person = Person.objects.get(ref=greta)
    assert (person.home, person.home_from, person.birth_year, person.capacity) == ("DE|FR", ["staff"], 1990, "consumer")
    assert as_of(Person, [greta], before)[0].home == "DE"
    assert bodies("book.person-changed")[0]["changed"] == ["birth_month", "birth_year", "capacity", "home", "language"]


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("birth_year", "2999", "lies in the future"),
        ("birth_year", "nineteen", "whole number"),
        ("birth_month", "4", "needs its year"),
        ("language", "deutsch!", "as a tag"),
        ("home_0", "Atlantis", "valid choice"),
        ("language", "de\0", "Null characters"),
    ],
)
def test_a_fact_that_cannot_be_is_refused_with_why(field: str, value: str, says: str, ada: Staff, greta: UUID) -> None:
    assert says in save(ada, f"/people/{greta}/facts/", {"home_0": "DE", field: value})
    assert Person.objects.get(ref=greta).language == ""
    assert PastFacts.objects.count() == 0


def test_what_did_not_change_leaves_no_mark(ada: Staff, greta: UUID) -> None:
    save(ada, f"/people/{greta}/facts/", {"home_0": "DE"})
    assert bodies("book.person-changed") == []
    assert PastFacts.objects.count() == 0


def test_what_is_between_them_and_us_is_a_fact_too(ada: Staff, greta: UUID) -> None:
    said = {"customer_since": "2024-03-18", "contract_running": "", "source": "published", "notice": "Customers v3"}
    told = save(ada, f"/people/{greta}/relation/", said)
    assert "From a public source" in told
    held = Relation.objects.get(person=greta)
    assert (held.contract_running, held.source, held.notice) == (False, "published", "Customers v3")
    assert bodies("book.relation-changed")[0]["changed"] == ["contract_running", "notice", "source"]


def test_the_ledger_names_columns_and_never_what_stands_in_them(ada: Staff, greta: UUID) -> None:
    save(ada, f"/people/{greta}/name/", {"given": "Leontine", "family": "Berg"})
    save(ada, f"/people/{greta}/points/new/email/", {"value": "leontine@kettle.example"})
    save(
        ada, f"/people/{greta}/activities/new/note/", {"doing": "note", "at": "2026-11-20T10:00", "text": "Loves teal"}
    )
    written = b"".join(bytes(entry.body) for entry in Entry.objects.all())
    assert [word for word in (b"Leontine", b"leontine", b"Berg", b"teal") if word in written] == []


# ---------------------------------------------------------------- who was quicker


def test_an_edit_of_what_somebody_else_changed_meanwhile_is_refused_with_both_versions(
    ada: Staff, greta: UUID, look: Look
) -> None:
    client = client_of(ada)
    address = f"/people/{greta}/name/"
    opened = version(client.get(address, headers=HTMX).content.decode())
    actions.change_name(leave=leave(look, greta), name={"given": "Margarete", "family": "Grünwald"})
    answer = client.post(
        address, {"given": "Greta", "family": "Berg", "version": opened}, headers=HTMX
    ).content.decode()
    assert "Somebody else has changed this" in answer
    assert "Margarete" in answer
    assert 'value="Berg"' in answer
    assert whole(look, greta).name == "Margarete Grünwald"
    client.post(address, {"given": "Greta", "family": "Berg", "version": version(answer)}, headers=HTMX)
    assert whole(look, greta).name == "Greta Berg"


@pytest.mark.django_db(transaction=True)
def test_two_who_rename_somebody_at_once_do_so_one_after_the_other(greta: UUID, look: Look) -> None:
    first, second = leave(look, greta), leave(look, greta)
    other = Thread(target=_renamed, args=(second, "Berg"))
    with transaction.atomic():
        actions.lock(greta)
        other.start()
        await_a_lock()
        actions.change_name(leave=first, name={"given": "Margarete", "family": "Grünwald"})
    other.join(60)
    with transaction.atomic():
        assert whole(look, greta).name == "Greta Berg"
    assert Entry.objects.filter(kind="book.person-changed", persons=[greta]).count() == 2


def await_a_lock() -> None:
    """Wait until somebody waits for a lock in this database: asked anew each time, so not within our transaction."""
    give_up = time.monotonic() + 60
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with own_connection() as own:
        while own.execute(waiting).fetchone() == (0,):
            assert time.monotonic() < give_up, "nobody waited for the person"


def _renamed(leave: Leave, family: str) -> None:
    try:
        actions.change_name(leave=leave, name={"given": "Greta", "family": family})
    finally:
        connection.close()


def test_two_who_edit_different_blocks_do_not_stand_in_each_others_way(ada: Staff, greta: UUID, look: Look) -> None:
    client = client_of(ada)
    opened = version(client.get(f"/people/{greta}/name/", headers=HTMX).content.decode())
    actions.change_facts(leave=leave(look, greta), facts={"home": "FR"})
    client.post(f"/people/{greta}/name/", {"given": "Greta", "family": "Berg", "version": opened}, headers=HTMX)
    assert whole(look, greta).name == "Greta Berg"


# ---------------------------------------------------------------- role and law


def test_whoever_reads_everything_changes_nothing(greta: UUID, firm: Entity) -> None:
    aud = make_staff("auditor", entity=firm)
    page = client_of(aud).get(f"/people/{greta}/").content.decode()
    assert "Greta" in page
    assert "/name/" not in page
    assert "/says/" not in page
    for address in ("name", "facts", "points/new/email", "activities/new/note", "says/yes"):
        assert client_of(aud).get(f"/people/{greta}/{address}/").status_code == 403
        assert client_of(aud).post(f"/people/{greta}/{address}/", {"given": "Eve"}).status_code == 403
    assert whole(Look(viewer=aud, entity=firm, purpose="legal-duty"), greta).name == "Greta Grünwald"


def test_whoever_may_not_read_notes_writes_none(greta: UUID, firm: Entity) -> None:
    tom = make_staff("marketing", entity=firm)
    page = client_of(tom).get(f"/people/{greta}/").content.decode()
    assert "/name/" in page
    assert "activities/new" not in page
    assert client_of(tom).get(f"/people/{greta}/activities/new/note/").status_code == 403
    assert client_of(tom).get(f"/people/{greta}/points/new/post/").status_code == 403


def test_while_the_law_asks_only_facts_are_filled_in(ada: Staff, aiko: UUID, look: Look) -> None:
    told = client_of(ada).get(f"/people/{aiko}/points/new/email/", headers=HTMX).content.decode()
    assert "No law pack covers this" in told
    save(ada, f"/people/{aiko}/facts/", {"home_0": "FR"})
    assert Person.objects.get(ref=aiko).home == "FR"
    assert whole(look, aiko).name == "Aiko Tanaka"


def test_a_fact_that_unseals_a_person_lets_the_whole_page_be_shown_anew(ada: Staff, aiko: UUID) -> None:
    client = client_of(ada)
    opened = version(client.get(f"/people/{aiko}/facts/", headers=HTMX).content.decode())
    answer = client.post(f"/people/{aiko}/facts/", {"home_0": "FR", "version": opened}, headers=HTMX)
    assert answer.headers["HX-Refresh"] == "true"
    assert "Aiko Tanaka" in client.get(f"/people/{aiko}/").content.decode()


def test_what_the_law_denies_is_not_changed_and_the_answer_is_on_record(greta: UUID, firm: Entity) -> None:
    tom = make_staff("marketing", entity=firm)
    Person.objects.filter(ref=greta).update(objected_at=timezone.now())
    told = client_of(tom).get(f"/people/{greta}/facts/?purpose=marketing", headers=HTMX).content.decode()
    assert "Deny" in told
    assert 'name="home_0"' not in told
    with pytest.raises(NotPermitted, match="deny"):
        actions.change_facts(
            leave=leave(Look(viewer=tom, entity=firm, purpose="marketing"), greta), facts={"home": "FR"}
        )
    assert bodies("counsel.decided")[-1]["verdicts"] == {"deny": 1}
    assert Person.objects.get(ref=greta).home == "DE"


def test_the_gate_of_the_vault_lets_nobody_seal_by_a_leave_for_something_else(greta: UUID, look: Look) -> None:
    of_names = leave(look, greta, FieldClass.NAME)
    with pytest.raises(Refused, match="decision covers name"):
        actions.add_point(leave=of_names, reach=Reach.EMAIL, value="g@kettle.example", facts={})
    assert ContactPoint.objects.filter(person=greta).count() == 2


def test_what_a_role_does_not_have_is_not_sealed_even_if_the_law_permits(greta: UUID, firm: Entity) -> None:
    aud = make_staff("auditor", entity=firm)
    refused = leave(Look(viewer=aud, entity=firm, purpose="legal-duty"), greta)
    with pytest.raises(Refused):
        actions.change_name(leave=refused, name={"given": "Eve"})
    with pytest.raises(NotPermitted):
        actions.change_facts(leave=refused, facts={"home": "FR"})


def test_people_of_another_entity_are_not_there_to_be_edited(greta: UUID, shanghai: Entity) -> None:
    lin = make_staff("sales", entity=shanghai)
    assert client_of(lin).get(f"/people/{greta}/name/").status_code == 404
    assert client_of(lin).post(f"/people/{greta}/name/", {"given": "Eve"}).status_code == 404


# ---------------------------------------------------------------- contact points


def points(ref: UUID, reach: Reach = Reach.EMAIL) -> list[ContactPoint]:
    return list(ContactPoint.objects.filter(person=ref, reach=reach).order_by("added_at", "ref"))


def test_a_way_to_reach_somebody_is_added_changed_put_first_and_removed(ada: Staff, greta: UUID, look: Look) -> None:
    before = timezone.now()
    told = save(ada, f"/people/{greta}/points/new/email/", {"value": "g@kettle.example", "verified": "on"})
    assert "g@kettle.example" in told
    old, new = points(greta)
    assert (old.first, new.first, new.verified_at is not None) == (True, False, True)
    client_of(ada).post(f"/people/{greta}/points/{new.ref}/first/", headers=HTMX)
    assert [point.first for point in points(greta)] == [False, True]
    save(ada, f"/people/{greta}/points/{new.ref}/", {"value": "greta2@kettle.example", "verified": "on"})
    assert points(greta)[1].verified_at is None  # another address is not confirmed because the one before was
    client_of(ada).post(f"/people/{greta}/points/{new.ref}/remove/", headers=HTMX)
    assert [point.first for point in points(greta)] == [True]
    assert [point.value for point in whole(look, greta).points] == ["greta@kettle.example", "+49 30 5550199"]
    assert [point.first for point in as_of(ContactPoint, [greta], before)] == [True, True]


def test_a_number_says_whether_it_is_mobile(ada: Staff, greta: UUID) -> None:
    (phone,) = points(greta, Reach.PHONE)
    address = f"/people/{greta}/points/{phone.ref}/"
    told = save(ada, address, {"value": "+49 30 5550199", "mobile": "true", "impersonal": "on"})
    assert "mobile" in told
    (phone,) = points(greta, Reach.PHONE)
    assert (phone.mobile, phone.impersonal) == (True, True)
    assert bodies("book.point-changed")[0]["changed"] == ["impersonal", "mobile"]


@pytest.mark.parametrize(
    ("reach", "value"), [("email", "nobody"), ("email", "a b@c.example"), ("phone", "call me"), ("messenger", " ")]
)
def test_what_cannot_be_an_address_or_number_is_refused(reach: str, value: str, ada: Staff, greta: UUID) -> None:
    assert 'class="wrong"' in save(ada, f"/people/{greta}/points/new/{reach}/", {"value": value})
    assert ContactPoint.objects.filter(person=greta).count() == 2


def test_what_somebody_else_removed_is_said_to_be_gone(ada: Staff, greta: UUID) -> None:
    (email,) = points(greta)
    ContactPoint.objects.filter(ref=email.ref).delete()
    assert client_of(ada).get(f"/people/{greta}/points/{email.ref}/").status_code == 404
    assert client_of(ada).post(f"/people/{greta}/points/{email.ref}/remove/").status_code == 404


# ---------------------------------------------------------------- posts and tags


def test_somebody_works_where_one_says_in_one_that_is_there_or_is_made(ada: Staff, greta: UUID) -> None:
    told = save(ada, f"/people/{greta}/posts/new/", {"organisation": "nordlicht gmbh", "begins_on": "2026-01-01"})
    assert told.count("Nordlicht GmbH") >= 2
    assert Organisation.objects.count() == 1
    save(ada, f"/people/{greta}/posts/new/", {"organisation": "Südlicht AG"})
    assert Organisation.objects.count() == 2
    post = Person.objects.get(ref=greta).posts.get(organisation__name="Südlicht AG")
    save(ada, f"/people/{greta}/posts/{post.ref}/", {"organisation": "Südlicht AG", "ends_on": "2026-02-01"})
    post.refresh_from_db()
    assert post.ends_on == date(2026, 2, 1)
    client_of(ada).post(f"/people/{greta}/posts/{post.ref}/remove/", headers=HTMX)
    assert Person.objects.get(ref=greta).posts.count() == 2


def test_an_organisation_is_offered_while_one_types(ada: Staff, greta: UUID) -> None:
    del greta
    told = client_of(ada).get("/people/organisations/?organisation=nord").content.decode()
    assert "Nordlicht GmbH" in told
    assert "Nordlicht" not in client_of(ada).get("/people/organisations/?organisation=S%00").content.decode()


def test_tags_are_made_on_the_fly_and_put_once(ada: Staff, greta: UUID) -> None:
    for name in ("Fair 2026", "fair 2026"):
        assert "Fair 2026" in save(ada, f"/people/{greta}/tags/", {"tag": name})
    (tag,) = Tag.objects.all()
    assert len(bodies("book.tagged")) == 1
    told = client_of(ada).post(f"/people/{greta}/tags/{tag.ref}/off/", headers=HTMX).content.decode()
    assert "Fair 2026" not in told
    assert Person.objects.get(ref=greta).tags.count() == 0


# ---------------------------------------------------------------- activities


def test_a_call_is_put_on_record_and_counts_as_contact(ada: Staff, greta: UUID) -> None:
    save(
        ada,
        f"/people/{greta}/activities/new/call/",
        {"doing": "call", "at": "2026-11-20T10:30", "minutes": "12", "text": "Blue."},
    )
    row = Activity.objects.get(person=greta, staff=ada)
    assert (row.doing, row.minutes) == ("call", 12)
    assert Person.objects.get(ref=greta).last_contact_on == date(2026, 11, 20)
    page = client_of(ada).get(f"/people/{greta}/").content.decode()
    assert "Blue." in page
    assert "Call, 12 minutes" in page


def test_one_changes_and_deletes_ones_own_and_nobody_elses(ada: Staff, greta: UUID, firm: Entity, look: Look) -> None:
    of_note = leave(look, greta, FieldClass.NOTE)
    row = actions.log_activity(
        leave=of_note, doing=Doing.CALL, at=datetime(2026, 11, 20, 10, tzinfo=UTC), minutes=None, text="Blue."
    )
    address = f"/people/{greta}/activities/{row.ref}/"
    sana = make_staff("support", entity=firm)
    assert client_of(sana).get(address).status_code == 404
    theirs = leave(Look(viewer=sana, entity=firm, purpose="service"), greta, FieldClass.NOTE)
    with pytest.raises(NotOwn, match="somebody else"):
        actions.delete_activity(leave=theirs, activity=row)
    save(ada, address, {"doing": "meeting", "at": "2026-11-21T10:00", "text": "Green."})
    assert "Green." in client_of(ada).get(f"/people/{greta}/").content.decode()
    client_of(ada).post(f"{address}delete/", headers=HTMX)
    assert not Activity.objects.filter(ref=row.ref).exists()
    assert Person.objects.get(ref=greta).last_contact_on == date(2026, 10, 30)


@pytest.mark.parametrize("at", ["2999-01-01T10:00", "1066-10-14T10:00", "then"])
def test_what_has_not_happened_is_not_put_on_record(at: str, ada: Staff, greta: UUID) -> None:
    told = save(ada, f"/people/{greta}/activities/new/note/", {"doing": "note", "at": at, "text": "Blue."})
    assert 'class="wrong"' in told
    assert not Activity.objects.filter(staff=ada).exists()


# ---------------------------------------------------------------- somebody new


NEW = {
    "given": "Nora",
    "family": "Neumann",
    "email": "nora@kettle.example",
    "home": "DE",
    "source": "person",
    "notice": "Web v4",
}


def test_somebody_new_comes_with_where_the_data_is_from(ada: Staff, firm: Entity, look: Look) -> None:
    del firm
    answer = client_of(ada).post("/people/new/", NEW | {"organisation": "Nordlicht GmbH"}, follow=True)
    assert "Nora Neumann" in answer.content.decode()
    person = Person.objects.get()
    held = Relation.objects.get(person=person)
    assert (held.source, held.notice, held.notice_on) == ("person", "Web v4", timezone.localdate())
    assert whole(look, person.ref).points[0].value == "nora@kettle.example"


@pytest.mark.parametrize(
    ("left_out", "says"), [("source", "required"), ("notice", "told at once what we do with it"), ("given", "")]
)
def test_whoever_adds_somebody_says_where_the_data_is_from(left_out: str, says: str, ada: Staff, firm: Entity) -> None:
    del firm
    said = {key: value for key, value in NEW.items() if key != left_out}
    told = client_of(ada).post("/people/new/", said, follow=True).content.decode()
    assert says in told
    assert Person.objects.exists() == (left_out == "given")


def test_whoever_comes_from_somebody_else_is_owed_a_word_about_it(ada: Staff, firm: Entity) -> None:
    client_of(ada).post("/people/new/", NEW | {"source": "third-party", "notice": ""})
    (person,) = Person.objects.all()
    owed = OwedDuty.objects.filter(entity=firm, event__about=person.ref)
    assert owed.filter(rule__startswith="eu-gdpr/").exists()


def test_somebody_whom_we_know_is_shown_before_they_are_added_twice(ada: Staff, greta: UUID) -> None:
    said = NEW | {"given": "G.", "family": "G.", "email": "GRETA@kettle.example"}
    told = client_of(ada).post("/people/new/", said).content.decode()
    assert f"/people/{greta}/" in told
    assert "the same e-mail address" in told
    assert Person.objects.count() == 1
    client_of(ada).post("/people/new/", said | {"all_the_same": "on"})
    assert Person.objects.count() == 2


def test_nobody_is_added_whom_the_law_does_not_let_us_keep(ada: Staff, firm: Entity, add: Add) -> None:
    del firm
    add(newcomer("Mira", "Berg", "DE"))
    told = client_of(ada).post("/people/new/", NEW | {"home": "JP"}).content.decode()
    assert "No law pack covers this" in told
    assert Person.objects.count() == 1
    assert len(bodies("book.person-added")) == 1
