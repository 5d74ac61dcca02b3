from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from comity.staff.guards import NotYours, StaffRequest, demand, entities_of, entities_with, may_do, staff_page
from comity.staff.models import RoleGrant, Staff
from comity.staff.roles import RolesError

if TYPE_CHECKING:
    from comity.staff.models import Entity


def fresh(staff: Staff) -> Staff:
    return Staff.objects.get(pk=staff.pk)


def test_a_page_cannot_ask_for_a_word_that_the_file_does_not_have() -> None:
    def page(request: StaffRequest) -> HttpResponse:
        return HttpResponse(request.staff.name)

    with pytest.raises(RolesError, match=r"did you mean 'person\.view'"):
        staff_page(may="person.veiw")(page)


def test_a_role_counts_from_until_and_not_after_it_was_taken_away(ada: Staff) -> None:
    now, hour = timezone.now(), timedelta(hours=1)
    assert may_do(fresh(ada), "person.edit")
    for change in ({"begins_at": now + hour}, {"ends_at": now - hour}, {"revoked_at": now - hour}):
        was = {name: getattr(ada.grants.get(), name) for name in change}
        begins = {"begins_at": now - 2 * hour} if "begins_at" not in change else {}
        RoleGrant.objects.filter(staff=ada).update(**begins, **change)
        assert not may_do(fresh(ada), "person.edit"), change
        RoleGrant.objects.filter(staff=ada).update(**was)
    assert may_do(fresh(ada), "person.edit")


def test_whoever_is_shut_out_may_do_nothing(ada: Staff) -> None:
    client = Client()
    client.force_login(ada, "allauth.account.auth_backends.AuthenticationBackend")
    Staff.objects.filter(pk=ada.pk).update(is_active=False)
    assert not may_do(fresh(ada), "person.view")
    assert client.get("/own/")["Location"].startswith("/sign-in/")


def test_a_role_for_all_entities_is_for_later_ones_too(
    adam: Staff, ada: Staff, dublin: Entity, shanghai: Entity
) -> None:
    assert set(entities_of(adam)) == {dublin.ref, shanghai.ref}
    assert entities_of(ada) == [dublin.ref]


def test_a_word_held_in_one_entity_is_not_held_in_another(
    ada: Staff, adam: Staff, dublin: Entity, shanghai: Entity
) -> None:
    RoleGrant.objects.create(staff=ada, role="auditor", entity=shanghai, reason="tests", begins_at=timezone.now())
    ada = fresh(ada)
    assert set(entities_of(ada)) == {dublin.ref, shanghai.ref}
    assert entities_with(ada, "import.view") == [shanghai.ref]
    assert entities_with(ada, "person.export") == [dublin.ref]
    assert set(entities_with(adam, "import.view")) == {dublin.ref, shanghai.ref}
    assert entities_with(adam, "person.export") == []


def test_a_refusal_names_the_word_and_the_roles_that_have_it(ada: Staff) -> None:
    with pytest.raises(NotYours, match=r"staff\.change, which have: Administrator"):
        demand(ada, "staff.change")


def test_a_role_that_takes_a_second_factor_waits_for_it(adam: Staff, ada: Staff) -> None:
    client = Client()
    client.force_login(adam, "allauth.account.auth_backends.AuthenticationBackend")
    assert client.get("/staff/")["Location"] == "/sign-in/factors/"
    assert b"Your role takes a second factor" in client.get("/sign-in/factors/").content
    client.force_login(ada, "allauth.account.auth_backends.AuthenticationBackend")
    assert client.get("/own/").status_code == 200


def test_a_part_of_a_page_sends_the_whole_page_to_sign_in(db: None) -> None:
    del db
    asked = {"HX-Request": "true", "HX-Current-URL": "http://testserver/staff/"}
    answer = Client().get("/palette/", headers=asked)
    assert answer.status_code == 200
    assert answer["HX-Redirect"] == "/sign-in/?next=http%3A//testserver/staff/"


def test_a_page_speaks_the_language_and_tells_the_time_of_its_reader(ada: Staff) -> None:
    ada.language, ada.time_zone = "zh-hans", "Asia/Shanghai"
    ada.save()
    client = Client()
    client.force_login(ada, "allauth.account.auth_backends.AuthenticationBackend")
    answer = client.get("/own/")
    assert 'lang="zh-hans"' in answer.content.decode()
    assert "登录与安全" in answer.content.decode()
    client.cookies["language"] = "en"
    assert "Your sign-in" in client.get("/own/").content.decode()
