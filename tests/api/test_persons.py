from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from comity.book.models import PastFacts, Person, Relation
from comity.counsel.models import OwedDuty
from comity.ledger.models import Entry
from comity.staff.models import Entity, Staff
from comity.vault.models import RecordedDecision
from tests.api.programs import Program, program_of
from tests.book.people import Add, newcomer
from tests.staff.people import make_staff

GRETA: dict[str, Any] = {
    "name": {"given": "Hanna", "family": "Öz", "post": "Buyer"},
    "points": [{"reach": "email", "value": "hanna@kettle.example"}, {"reach": "post", "value": "1 Quay, Cork"}],
    "facts": {"home": ["IE"], "language": "en", "birth_year": 1980, "capacity": "consumer"},
    "relation": {
        "customer_since": "2024-03-18",
        "contract_running": True,
        "source": "person",
        "notice": "Customers v2",
    },
}


BOUGHT = {"contract_running": True, "source": "third-party"}
MANY = [
    f"GB-{letters}"
    for letters in "ABD ABE AGB AGY AND ANN ANS BAS BBD BDF BDG BEN BEX BFS BGE BGW BIR BKM BNE BNH".split()
]
"""Councils, more than somebody's homes have room for."""


def test_a_list_without_a_purpose_opens_nothing_and_asks_nobody(program: Program, greta: UUID, oliver: UUID) -> None:
    said = program.get("/persons").json()
    assert {each["ref"] for each in said["persons"]} == {str(greta), str(oliver)}
    assert all(each["name"] is None for each in said["persons"])
    assert said["decision"] is None
    assert not RecordedDecision.objects.exists()


def test_a_list_for_a_purpose_opens_names_and_says_of_others_why_not(program: Program, greta: UUID, aiko: UUID) -> None:
    said = program.get("/persons?purpose=service&order=added").json()
    first, second = said["persons"]
    assert (first["ref"], first["name"]["family"]) == (str(greta), "Grünwald")
    assert (second["ref"], second["name"], second["look"]["verdict"]) == (str(aiko), None, "ask")
    assert second["look"]["withheld"][0] == {"field_class": "name", "why": "law"}
    finding = said["findings"][second["look"]["finding"]]
    assert finding["verdict"] == "ask"
    assert finding["reasons"]
    assert RecordedDecision.objects.get().ref == UUID(said["decision"]["ref"])


def test_one_person_is_read_with_how_to_reach_them(program: Program, greta: UUID) -> None:
    told = program.get(f"/persons/{greta}?purpose=service")
    said = told.json()
    assert said["name"]["given"] == "Greta"
    assert {point["value"] for point in said["points"]} == {"greta@kettle.example", "+49 30 5550199"}
    assert said["relation"]["contract_running"] is True
    assert told["ETag"].startswith('"')
    assert Entry.objects.filter(kind="vault.opened", persons__contains=[greta]).count() == 1


def test_fields_that_a_role_does_not_have_stay_sealed_and_it_says_so(firm: Entity, greta: UUID) -> None:
    adam = make_staff("administrator", entity=firm)
    program = program_of(adam, firm)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.SECOND_FACTOR", "optional")
        said = program.get(f"/persons/{greta}?purpose=security").json()
    assert {"field_class": "contact", "why": "role"} in said["look"]["withheld"]
    assert all(point["value"] is None for point in said["points"])


def test_a_token_looks_for_its_own_purposes_alone(ada: Staff, firm: Entity, greta: UUID) -> None:
    narrow = program_of(ada, firm, purposes=["service"])
    assert narrow.get(f"/persons/{greta}?purpose=marketing").status_code == 403
    assert narrow.get(f"/persons/{greta}?purpose=service").json()["name"]
    refused = narrow.get("/persons?purpose=nonsense")
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "purpose"


def test_pages_follow_each_other_and_lack_nobody(program: Program, add: Add) -> None:
    made = [str(add(newcomer(f"P{n}", "Müller", "DE"))) for n in range(7)]
    for order in ("added", "-added", "changed", "-changed"):
        found, after, pages = [], "", 0
        while pages < 9:
            said = program.get(f"/persons?limit=3&order={order}{after}").json()
            found += [each["ref"] for each in said["persons"]]
            pages += 1
            if not said["next"]:
                break
            after = f"&cursor={said['next']}"
        assert pages == 3
        assert found == (made if order[0] != "-" else made[::-1])
    assert program.get("/persons?cursor=nonsense").status_code == 400
    assert program.get("/persons?limit=0").status_code == 422


@pytest.mark.parametrize(
    ("filters", "many"),
    [("home=DE", 1), ("home=IE", 0), ("reach=email", 2), ("reach=post", 0), ("capacity=business", 0),
     ("added_since=2020-01-01T00:00:00Z", 2), ("changed_since=2099-01-01T00:00:00Z", 0), ("tag=vip", 0)],
)  # fmt: skip
def test_lists_are_filtered(filters: str, many: int, program: Program, greta: UUID, oliver: UUID) -> None:
    del greta, oliver
    told = program.get(f"/persons?{filters}")
    assert len(told.json()["persons"]) == many, told.content


def test_people_of_another_entity_are_not_there(shanghai: Entity, greta: UUID) -> None:
    lin = program_of(make_staff("sales", entity=shanghai, name="Lin Chen"), shanghai)
    assert lin.get("/persons").json()["persons"] == []
    assert lin.get(f"/persons/{greta}?purpose=service").status_code == 404
    assert lin.post("/search", {"query": "greta", "purpose": "service"}).json()["found"] == []
    asked = {"use": {"operation": "view", "purpose": "service"}, "person": str(greta)}
    assert lin.post("/decisions", asked).status_code == 404


# ---------------------------------------------------------------- writing


def test_somebody_new_is_sealed_and_found_again(program: Program) -> None:
    told = program.post("/persons?purpose=service", GRETA)
    assert told.status_code == 201, told.content
    assert told["Location"] == f"/api/v1/persons/{told.json()['ref']}"
    said = program.get(f"/persons/{told.json()['ref']}?purpose=service").json()
    assert said["name"] == GRETA["name"] | {"full": ""}
    assert sorted(point["value"] for point in said["points"]) == ["1 Quay, Cork", "hanna@kettle.example"]
    assert said["facts"]["home"] == ["IE"]
    assert said["relation"]["customer_since"] == "2024-03-18"
    found = program.post("/search", {"query": "hanna@kettle.example", "purpose": "service", "how": "exact"}).json()
    assert [hit["ref"] for hit in found["found"]] == [said["ref"]]
    entry = Entry.objects.get(kind="book.person-added")
    assert entry.staff == program.token.staff_id


def test_what_we_owe_somebody_since_their_data_came_is_kept_with_its_day(program: Program) -> None:
    told = program.post("/persons?purpose=service", GRETA | {"relation": BOUGHT})
    assert told.status_code == 201, told.content
    owed = OwedDuty.objects.filter(event__about=told.json()["ref"], settled="")
    assert "eu-gdpr/notice-of-bought-data" in {duty.rule for duty in owed}
    [event] = {duty.event for duty in owed}
    assert (event.facts["relation.source"], event.facts["use.purpose"]) == ("third-party", "service")
    assert (event.named, event.noted_by) == ([UUID(told.json()["ref"])], program.token.staff)


def test_whom_the_law_does_not_let_us_keep_we_owe_nothing(program: Program) -> None:
    refused = program.post("/persons?purpose=marketing", {"name": {"full": "X Y"}, "relation": {"source": "published"}})
    assert refused.status_code == 403, refused.content
    assert not OwedDuty.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"relation": {"contract_running": True}}, "/relation/source"),
        ({"relation": {"source": ""}}, "/relation/source"),
        ({"relation": {"source": "person"}}, "/relation"),
        ({"relation": {"source": "person", "notice": ""}}, "/relation"),
        ({"facts": {"home": MANY}}, "/facts"),
        ({"facts": {"home": ["XX"]}}, ""),
        ({"facts": {"birth_month": 3}}, "/facts"),
        ({"facts": {"birth_year": "1980"}}, "/facts/birth_year"),
        ({"facts": {"colour": "blue"}}, "/facts/colour"),
        ({"points": [{"reach": "pigeon", "value": "x"}]}, "/points/0/reach"),
        ({"points": [{"reach": "email", "value": "x", "verified_at": "2024-01-01"}]}, "/points/0/verified_at"),
        ({"relation": {"source": "published", "customer_since": "18.3.2024"}}, "/relation/customer_since"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(wrong: dict[str, object], pointer: str, program: Program) -> None:
    told = program.post("/persons?purpose=service", GRETA | wrong)
    assert told.status_code == 422, told.content
    assert told["Content-Type"] == "application/problem+json"
    assert [each["pointer"] for each in told.json()["errors"]] == [pointer]
    assert not Person.objects.exists()


def test_fields_that_a_role_may_not_write_are_refused(firm: Entity) -> None:
    tom = program_of(make_staff("marketing", entity=firm), firm)
    told = tom.post("/persons?purpose=marketing", GRETA)
    assert (told.status_code, told.json()["field_class"]) == (403, "address")
    assert tom.post("/persons?purpose=service", GRETA | {"points": []}).status_code == 403
    known = {"name": {"full": "X Y"}, "relation": {"source": "published"}}
    unknown = tom.post("/persons?purpose=marketing", known)
    assert (unknown.status_code, unknown.json()["verdict"]) == (403, "ask")
    assert unknown.json()["finding"]["reasons"]
    assert not Person.objects.exists()


def test_a_change_needs_what_was_read_and_keeps_what_was(program: Program, greta: UUID) -> None:
    path = f"/persons/{greta}?purpose=service"
    tag = program.get(path)["ETag"]
    change = {"facts": {"language": "de"}, "relation": {"contract_running": False}}
    assert program.patch(path, change).status_code == 428
    assert program.patch(path, change, If_Match='"other"').status_code == 412
    told = program.patch(path, change, If_Match=tag)
    assert told.status_code == 200, told.content
    assert program.patch(path, change, If_Match=tag).status_code == 412
    read = program.get(path)
    assert read["ETag"] == told["ETag"]
    said = read.json()
    assert (said["facts"]["language"], said["facts"]["home"], said["relation"]["contract_running"]) == (
        "de",
        ["DE"],
        False,
    )
    assert said["relation"]["notice"] == "Customers v2"
    assert set(PastFacts.objects.values_list("table", flat=True)) == {"Person", "Relation"}


@pytest.mark.parametrize(
    ("facts", "after"),
    [
        ({"birth_year": None}, (None, None)),
        ({"birth_month": None}, (1980, None)),
        ({"birth_year": None, "birth_month": None}, (None, None)),
        ({"birth_year": 1981, "birth_month": 5}, (1981, 5)),
        ({"birth_year": 1981}, (1981, 3)),
    ],
)
def test_a_birth_month_goes_with_its_year(
    facts: dict[str, object], after: tuple[object, object], program: Program, greta: UUID
) -> None:
    Person.objects.filter(ref=greta).update(birth_year=1980, birth_month=3)
    told = program.patch(f"/persons/{greta}?purpose=service", {"facts": facts}, If_Match="*")
    assert told.status_code == 200, told.content
    [person] = Person.objects.filter(ref=greta)
    assert (person.birth_year, person.birth_month) == after


@pytest.mark.parametrize("facts", [{"home": MANY}, {"birth_month": 5}])
def test_facts_that_do_not_fit_are_no_fault_of_ours(facts: dict[str, object], program: Program, greta: UUID) -> None:
    told = program.patch(f"/persons/{greta}?purpose=service", {"facts": facts}, If_Match="*")
    assert (told.status_code, told.json()["errors"][0]["pointer"]) == (422, "/facts"), told.content


def test_who_is_not_there_is_not_found(program: Program) -> None:
    assert program.get(f"/persons/{uuid4()}").status_code == 404
    assert program.get("/persons/nonsense").status_code == 422
    assert program.patch(f"/persons/{uuid4()}?purpose=service", {}, If_Match="*").status_code == 404


def test_where_the_data_came_from_is_put_right_and_not_forgotten(program: Program, greta: UUID) -> None:
    path = f"/persons/{greta}?purpose=service"
    assert program.patch(path, {"relation": {"source": "published"}}, If_Match="*").status_code == 200
    refused = program.patch(path, {"relation": {"source": ""}}, If_Match="*")
    assert (refused.status_code, refused.json()["type"].rpartition("#")[2]) == (422, "unfit")
    assert program.patch(path, {"relation": {"contract_running": False}}, If_Match="*").status_code == 200
    assert Relation.objects.get(person=greta).source == "published"
