from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from comity.ledger.models import Entry
from comity.staff import actions
from comity.staff.approvals import settle_approval
from comity.staff.facts import as_the_law_reads
from comity.staff.guards import NotYours, may_do, may_handle
from comity.staff.models import Approval, BrokenGlass, RoleGrant, Staff
from comity.staff.queries import way_in
from tests.staff.addresses import NOBODY
from tests.staff.people import PASSWORD, make_staff

if TYPE_CHECKING:
    from comity.staff.models import Entity

NOTHING = timedelta(0)


def fresh(staff: Staff) -> Staff:
    return Staff.objects.get(pk=staff.pk)


def last_entry() -> Entry:
    return Entry.objects.latest("recorded_at", "ref")


# ---------------------------------------------------------------- staff


@pytest.mark.usefixtures("db")
def test_the_first_of_the_staff_is_an_administrator_and_there_is_one_first_only() -> None:
    first = actions.set_up_first(name=" Adam ", email="Adam@Comity.Example", password=PASSWORD)
    assert (first.name, first.email, may_do(first, "staff.grant")) == ("Adam", "adam@comity.example", True)
    assert last_entry().kind == "staff.set-up"
    with pytest.raises(ValidationError, match="invites more"):
        actions.set_up_first(name="Eve", email="eve@comity.example", password=PASSWORD)


@pytest.mark.usefixtures("db")
def test_a_weak_password_is_refused_and_nobody_is_made() -> None:
    with pytest.raises(ValidationError, match="too short"):
        actions.set_up_first(name="Adam", email="adam@comity.example", password="kettle")  # noqa: S106 - the weak one
    assert not Staff.objects.exists()


def test_the_invited_set_a_password_by_a_link_that_works_once(adam: Staff) -> None:
    invited = actions.invite(name="Tom", email="tom@comity.example", invited_by=adam)
    assert not invited.has_usable_password()
    client, path = Client(), way_in(adam, invited)
    form = client.get(path, follow=True)
    assert "Set a password" in form.content.decode()
    to = form.redirect_chain[-1][0]
    assert client.post(to, {"password1": PASSWORD, "password2": PASSWORD}).status_code == 302
    assert fresh(invited).check_password(PASSWORD)
    assert "no longer works" in Client().get(path, follow=True).content.decode()


def test_an_address_belongs_to_one_of_the_staff_in_whatever_case(adam: Staff, ada: Staff) -> None:
    with pytest.raises(ValidationError):
        actions.invite(name="Other", email=ada.email.upper(), invited_by=adam)
    with pytest.raises(NotYours):
        actions.invite(name="Tom", email="tom@comity.example", invited_by=ada)


def test_shutting_out_ends_the_session_at_once_and_can_be_taken_back(adam: Staff, ada: Staff) -> None:
    ada.set_password(PASSWORD)
    ada.save()
    client = Client()
    client.post("/sign-in/", {"login": ada.email, "password": PASSWORD})
    assert client.get("/own/").status_code == 200
    actions.shut_out(staff=ada, shut_out_by=adam)
    assert client.get("/own/").status_code == 302
    actions.let_in_again(staff=fresh(ada), let_in_by=adam)
    assert client.get("/own/").status_code == 302
    client.post("/sign-in/", {"login": ada.email, "password": PASSWORD})
    assert client.get("/own/").status_code == 200
    with pytest.raises(ValidationError, match="themselves"):
        actions.shut_out(staff=adam, shut_out_by=adam)


# ---------------------------------------------------------------- roles


def test_a_role_is_had_once_a_second_person_approved_it(adam: Staff, olga: Staff, dublin: Entity) -> None:
    tom = make_staff(name="Tom Okafor")
    asked = actions.ask_for_role(staff=tom, role="marketing", entity=dublin, reason="Joins", asked_by=adam)
    assert isinstance(asked, Approval)
    assert not may_do(fresh(tom), "import.run")
    settle_approval(approval=asked, approved=True, settled_by=olga)
    grant = tom.grants.get()
    assert (grant.asked_by, grant.granted_by, grant.entity) == (adam, olga, dublin)
    assert may_do(fresh(tom), "import.run", dublin)
    assert last_entry().kind == "staff.grant"
    actions.revoke_role(grant=grant, revoked_by=adam)
    assert not may_do(fresh(tom), "import.run")
    with pytest.raises(ValidationError, match="taken away before"):
        actions.revoke_role(grant=grant, revoked_by=adam)


def test_nobody_approves_a_role_for_themselves(adam: Staff, olga: Staff) -> None:
    make_staff("privacy-officer", name="Third Person")
    asked = actions.ask_for_role(staff=olga, role="administrator", entity=None, reason="Cover", asked_by=adam)
    assert isinstance(asked, Approval)
    with pytest.raises(ValidationError, match="for themselves"):
        settle_approval(approval=asked, approved=True, settled_by=olga)
    assert not may_do(fresh(olga), "staff.change")


def test_as_long_as_nobody_else_could_approve_a_role_is_granted_alone_and_the_ledger_says_so(adam: Staff) -> None:
    olga = make_staff(name="Olga Petrova")
    first = actions.ask_for_role(staff=olga, role="privacy-officer", entity=None, reason="Second", asked_by=adam)
    assert isinstance(first, RoleGrant)
    assert last_entry().kind == "staff.grant-alone"
    tom = make_staff(name="Tom Okafor")
    second = actions.ask_for_role(staff=tom, role="sales", entity=None, reason="Third", asked_by=fresh(adam))
    assert isinstance(second, Approval)


def test_a_role_ends_after_it_begins_and_is_one_of_the_file(adam: Staff, ada: Staff) -> None:
    yesterday = timezone.now() - timedelta(days=1)
    with pytest.raises(ValidationError, match="before it begins"):
        actions.ask_for_role(staff=ada, role="sales", entity=None, reason="x", asked_by=adam, ends_at=yesterday)
    with pytest.raises(ValidationError, match="no role king"):
        actions.ask_for_role(staff=ada, role="king", entity=None, reason="x", asked_by=adam)


# ---------------------------------------------------------------- entities


def test_an_entity_keeps_what_the_law_asks_of_it(adam: Staff) -> None:
    facts = {"org.nonprofit": "true", "org.hipaa_role": "none", "org.revenue_usd": 26_000_000, "org.ciio": ""}
    kept = actions.save_entity(entity=None, name="Comity Inc.", place="US-DE", facts=facts, saved_by=adam)
    assert kept.facts == {"org.nonprofit": True, "org.hipaa_role": "none", "org.revenue_usd": 26_000_000}
    assert as_the_law_reads(kept)["org.place"] == {"US-DE"}
    assert last_entry().kind == "staff.entity"


@pytest.mark.parametrize(
    ("place", "facts", "message"),
    [
        ("Ireland", {}, "Ireland"),
        ("IE", {"org.nonprofits": "true"}, "org.nonprofit"),
        ("IE", {"org.hipaa_role": "doctor"}, "covered-entity"),
    ],
)
def test_what_the_law_does_not_know_of_is_refused(
    adam: Staff, place: str, facts: dict[str, object], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        actions.save_entity(entity=None, name="Comity", place=place, facts=facts, saved_by=adam)


def test_a_team_is_of_one_entity(adam: Staff, ada: Staff, dublin: Entity) -> None:
    team = actions.form_team(entity=dublin, name="North", members=[ada], formed_by=adam)
    assert list(ada.teams.all()) == [team]
    with pytest.raises(NotYours):
        actions.form_team(entity=dublin, name="South", members=[], formed_by=ada)


# ---------------------------------------------------------------- emergencies


def broken(staff: Staff, entity: Entity, *, minutes: int = 30, ago: timedelta = NOTHING) -> BrokenGlass:
    return actions.break_glass(
        staff=staff,
        entity=entity,
        person=NOBODY,
        purpose="service",
        reason="Collapsed in our shop",
        lasts=timedelta(minutes=minutes),
        proved_at=timezone.now() - ago,
    )


def sees(staff: Staff, entity: Entity, *, field: str = "special", operation: str = "view") -> bool:
    return may_handle(staff, operation=operation, purpose="service", field_class=field, entity=entity, person=NOBODY)


def test_broken_glass_shows_one_person_to_one_of_the_staff_for_a_while(ada: Staff, olga: Staff, dublin: Entity) -> None:
    assert not sees(ada, dublin)
    glass = broken(ada, dublin)
    assert sees(ada, dublin)
    assert not sees(ada, dublin, operation="export")
    assert not sees(make_staff("support", entity=dublin), dublin)
    entry = last_entry()
    assert (entry.kind, entry.persons) == ("staff.break-glass", [NOBODY])
    actions.see_glass(glass=glass, seen_by=olga)
    assert sees(ada, dublin)
    BrokenGlass.objects.update(
        began_at=timezone.now() - timedelta(hours=2), ends_at=timezone.now() - timedelta(hours=1)
    )
    assert not sees(ada, dublin)


def test_glass_breaks_with_a_fresh_second_factor_a_reason_and_an_end_alone(ada: Staff, dublin: Entity) -> None:
    with pytest.raises(ValidationError, match="second factor"):
        broken(ada, dublin, ago=timedelta(minutes=6))
    with pytest.raises(ValidationError, match="an hour at most"):
        broken(ada, dublin, minutes=61)
    with pytest.raises(ValidationError, match="Say why"):
        actions.break_glass(
            staff=ada,
            entity=dublin,
            person=NOBODY,
            purpose="service",
            reason="",
            lasts=timedelta(minutes=5),
            proved_at=datetime.now(UTC),
        )
    with pytest.raises(NotYours):
        broken(make_staff("auditor"), dublin)
    assert not BrokenGlass.objects.exists()


def test_whoever_broke_the_glass_is_not_the_one_who_looks_into_it(olga: Staff, dublin: Entity) -> None:
    glass = broken(olga, dublin)
    with pytest.raises(ValidationError, match="Another privacy officer"):
        actions.see_glass(glass=glass, seen_by=olga)
