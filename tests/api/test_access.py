"""Role by role, endpoint by endpoint, cell by cell: the tables come from roles.toml and from the interface itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from comity.api.door import Bearer
from comity.api.examples import EXAMPLES, REF
from comity.api.interface import api
from comity.book.models import ContactPoint
from comity.staff.roles import roles
from tests.api.programs import Program, program_of
from tests.staff.addresses import pages
from tests.staff.people import make_staff

if TYPE_CHECKING:
    from uuid import UUID

    from comity.staff.models import Entity

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_factor")]


@dataclass(frozen=True, kw_only=True)
class End:
    """One endpoint, and a request to it that is well formed."""

    id: str
    method: str
    path: str
    may: str
    replays: bool

    def ask(self, program: Program) -> int:
        body = next(iter(EXAMPLES.get(self.id, {}).values()), None)
        purpose = "?purpose=service" if self.id in PURPOSEFUL else ""
        path = re.sub(r"{ref}", REF, self.path) + purpose
        return program.ask(self.method, path, body, **({"If_Match": "*"} if self.method == "PATCH" else {})).status_code


PURPOSEFUL = {"create_person", "change_one_person", "add_contact_point"}


def ends() -> list[End]:
    found = []
    for router in api._get_bound_routers():
        for path, view in router.path_operations.items():
            for operation in view.operations:
                [door] = operation.auth_callbacks
                assert isinstance(door, Bearer)
                [method] = operation.methods
                assert operation.operation_id
                found.append(
                    End(id=operation.operation_id, method=method, path=path, may=door.may, replays=door.replays)
                )
    return found


ENDS = ends()


def test_every_address_of_the_interface_has_the_guard_or_says_why_not() -> None:
    under = [page for page in pages() if page.route.startswith(("api/", "^api"))]
    open_ones = [page.route for page in under if page.guard and page.guard.open_because]
    assert sorted(open_ones) == ["^api(?:/(?P<rest>.*))?$", "api/v1/decision.schema.json", "api/v1/openapi.json"]
    assert {page.route for page in under} - {*open_ones} == {
        f"api/v1{re.sub('{ref}', '<ref>', end.path)}" for end in ENDS
    }


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.id)
def test_without_a_token_every_endpoint_stays_shut(end: End) -> None:
    client = Client(raise_request_exception=False)
    told = client.generic(end.method, f"/api/v1{end.path.replace('{ref}', REF)}", b"{}", "application/json")
    assert told.status_code == 401


@pytest.mark.parametrize(("role", "end"), list(product(roles().roles, ENDS)), ids=lambda one: getattr(one, "id", one))
def test_an_endpoint_opens_to_programs_of_roles_that_have_its_word_and_to_no_other(
    role: str, end: End, firm: Entity
) -> None:
    program = program_of(make_staff(role, entity=firm), firm)
    refused = end.ask(program) == 403
    has_purpose = (
        end.id not in PURPOSEFUL | {"search_persons"} or ("edit", "service", "name") in roles().roles[role].cells
    )
    if end.id == "search_persons":
        has_purpose = True  # a look that opens nothing finds nobody
    assert refused == (role not in roles().with_word(end.may) or not has_purpose)


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.id)
def test_a_token_without_the_word_opens_nothing_whoever_answers_for_it(end: End, firm: Entity) -> None:
    role = min(roles().with_word(end.may))
    others = [word for word in roles().words if word != end.may]
    assert end.ask(program_of(make_staff(role, entity=firm), firm, words=others)) == 403


@pytest.mark.parametrize("role", roles().roles)
def test_of_a_person_each_role_reads_the_field_classes_that_it_has_for_a_purpose(
    role: str, firm: Entity, greta: UUID
) -> None:
    ContactPoint.objects.filter(person=greta, reach="phone").delete()
    program = program_of(make_staff(role, entity=firm), firm)
    for purpose in roles().purposes:
        told = program.get(f"/persons/{greta}?purpose={purpose}")
        assert told.status_code == 200, told.content
        said, cells = told.json(), roles().roles[role].cells
        by_role = {each["field_class"] for each in said["look"]["withheld"] if each["why"] == "role"}
        opened = {"name": said["name"] is not None, "contact": said["points"][0]["value"] is not None}
        for field_class in ("name", "contact", "address"):
            has = ("view", purpose, field_class) in cells
            assert (field_class not in by_role) == has
            if field_class in opened:
                assert opened[field_class] == (has and said["look"]["verdict"] == "permit"), (purpose, field_class)


@pytest.mark.parametrize("role", roles().roles)
def test_a_list_opens_names_to_the_roles_that_have_them_for_the_purpose(role: str, firm: Entity, greta: UUID) -> None:
    del greta
    program = program_of(make_staff(role, entity=firm), firm)
    for purpose in roles().purposes:
        [person] = program.get(f"/persons?purpose={purpose}").json()["persons"]
        has = ("view", purpose, "name") in roles().roles[role].cells
        assert (person["name"] is not None) == (has and person["look"]["verdict"] == "permit"), purpose


@pytest.mark.parametrize("role", roles().roles)
def test_each_role_writes_the_field_classes_that_it_has_for_a_purpose(role: str, firm: Entity) -> None:
    program = program_of(make_staff(role, entity=firm), firm)
    points = {"contact": {"reach": "email", "value": "x@y.example"}, "address": {"reach": "post", "value": "1 Quay"}}
    for purpose in roles().purposes:
        for field_class, point in points.items():
            new = {"name": {"full": "X Y"}, "points": [point], "relation": {"source": "published"}}
            told = program.post(f"/persons?purpose={purpose}", new)
            edits = all(("edit", purpose, each) in roles().roles[role].cells for each in ("name", field_class))
            may = role in roles().with_word("person.edit") and edits
            assert (told.status_code == 201 or "law-refuses" in told.json().get("type", "")) == may, told.content
