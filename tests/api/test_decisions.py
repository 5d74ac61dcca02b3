from __future__ import annotations

import json
from importlib.resources import files
from uuid import UUID, uuid4

import jsonschema
import pytest

from comity.counsel.asking import book
from comity.ledger.models import Entry
from comity.staff.models import Entity, Staff
from comity.vault.models import RecordedDecision
from tests.api.programs import Program, program_of
from tests.book.people import Add, newcomer

MAIL = {"operation": "contact", "purpose": "marketing", "channel": "email"}
SCHEMA = json.loads((files("comity.law") / "decision.schema.json").read_text("utf-8"))


def test_a_decision_about_a_person_is_on_record_and_has_the_form_it_has_everywhere(
    program: Program, greta: UUID
) -> None:
    told = program.post("/decisions", {"use": MAIL, "person": str(greta)})
    assert told.status_code == 200, told.content
    said = told.json()
    assert said["verdict"] == said["decision"]["verdict"] == "deny"
    jsonschema.validate(said["decision"], SCHEMA)
    recorded = RecordedDecision.objects.get(ref=said["recorded"]["ref"])
    assert (recorded.verdict, recorded.staff, recorded.field_classes) == ("deny", program.token.staff_id, [])
    assert Entry.objects.get(kind="counsel.decided").persons == [greta]


def test_somebody_described_is_decided_about_and_nothing_is_recorded(program: Program) -> None:
    asked = {"use": MAIL, "facts": {"person.home": ["DE"], "consent.given": False, "person.objected": True}}
    said = program.post("/decisions", asked).json()
    assert said["verdict"] == "deny"
    assert said["recorded"] is None
    jsonschema.validate(said["decision"], SCHEMA)
    assert not RecordedDecision.objects.exists()
    earlier = program.post("/decisions", asked | {"day": "2026-01-01"}).json()
    assert earlier["decision"]["day"] == "2026-01-01"


def test_it_is_the_answer_that_the_library_gives(program: Program, firm: Entity) -> None:
    from datetime import date

    from comity.law import may

    facts = {"person.home": ["DE"], "consent.given": False}
    use = {f"use.{name}": value for name, value in (MAIL | {"recipient": "none"}).items()}
    library = may(book(), {**facts, **use, "org.place": [firm.place], **firm.facts}, day=date(2026, 11, 22)).as_json()
    said = program.post("/decisions", {"use": MAIL, "facts": facts, "day": "2026-11-22"}).json()
    assert said["decision"] == library


@pytest.mark.parametrize(
    "wrong",
    [
        {"facts": {"person.hmoe": "DE"}},
        {"facts": {"person.home": "Atlantis"}},
        {"facts": {"person.home": [["DE"]]}},
        {"facts": {"person.home": {"a": 1}}},
        {"facts": {"person.age": -10**30}},
        {"facts": {"consent.given_on": "yesterday"}},
        {"facts": {}, "person": "0199f3a2-6c00-7b1e-8d53-5f2f6f9f0c11"},
        {},
        {"facts": {}, "use": MAIL | {"more": {"person.home": "DE"}}},
        {"facts": {}, "use": MAIL | {"more": {"use.purpose": "service"}}},
        {"facts": {}, "use": MAIL | {"more": {"use.nonsense": True}}},
        {"facts": {}, "use": MAIL | {"channel": "pigeon"}},
        {"facts": {}, "day": "2026-13-01"},
        {"facts": {}, "day": 20261122},
        {"person": "0199f3a2-6c00-7b1e-8d53-5f2f6f9f0c11", "day": "2026-11-22"},
    ],
)  # fmt: skip
def test_a_question_that_cannot_be_read_is_refused(wrong: dict[str, object], program: Program) -> None:
    told = program.post("/decisions", {"use": MAIL} | wrong)
    assert told.status_code == 422, told.content
    assert told["Content-Type"] == "application/problem+json"


def test_many_are_decided_about_in_one_decision_with_reasons_said_once(program: Program, add: Add, aiko: UUID) -> None:
    germans = [add(newcomer(f"P{n}", "Müller", "DE")) for n in range(5)]
    nobody = uuid4()
    said = program.post(
        "/decisions/bulk", {"use": MAIL, "persons": [*map(str, germans), str(aiko), str(nobody)]}
    ).json()
    assert [each["person"] for each in said["verdicts"]] == [*map(str, germans), str(aiko)]
    assert said["counts"] == {"deny": 5, "ask": 1}
    assert len(said["findings"]) == 2
    assert said["findings"][said["verdicts"][0]["finding"]]["reasons"]
    assert said["unknown"] == [str(nobody)]
    assert RecordedDecision.objects.count() == 1


def test_a_segment_is_decided_about(program: Program, greta: UUID, aiko: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    said = program.post("/decisions/bulk", {"use": MAIL, "segment": {"home": "DE"}}).json()
    assert [each["person"] for each in said["verdicts"]] == [str(greta)]
    monkeypatch.setattr("comity.api.decisions.MOST", 1)
    first = program.post("/decisions/bulk", {"use": MAIL, "segment": {}}).json()
    second = program.post("/decisions/bulk", {"use": MAIL, "segment": {}, "cursor": first["next"]}).json()
    assert [each["person"] for each in (*first["verdicts"], *second["verdicts"])] == [str(greta), str(aiko)]
    assert second["next"] is None
    nobody = program.post("/decisions/bulk", {"use": MAIL, "segment": {"home": "FR"}}).json()
    assert (nobody["recorded"], nobody["verdicts"]) == (None, [])


def test_a_thousand_are_the_most(program: Program) -> None:
    refs = [str(uuid4()) for _ in range(1001)]
    assert program.post("/decisions/bulk", {"use": MAIL, "persons": refs}).status_code == 422
    assert program.post("/decisions/bulk", {"use": MAIL, "persons": []}).status_code == 422
    assert len(program.post("/decisions/bulk", {"use": MAIL, "persons": refs[:1000]}).json()["unknown"]) == 1000


def test_a_token_asks_for_its_own_purposes_alone(ada: Staff, firm: Entity, greta: UUID) -> None:
    narrow = program_of(ada, firm, purposes=["service"])
    for path, whom in (("/decisions", {"person": str(greta)}), ("/decisions/bulk", {"persons": [str(greta)]})):
        refused = narrow.post(path, {"use": MAIL} | whom)
        assert (refused.status_code, refused.json()["purpose"]) == (403, "marketing")
    assert not RecordedDecision.objects.exists()
