"""A look is a question to the law; what it opens, and what stays on record of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from comity.book.opening import Look, full_name, name_label, names_of
from comity.counsel.actions import commitment, decide, make_ruling
from comity.counsel.asking import ask
from comity.counsel.facts import gather, register
from comity.counsel.models import AskedDecision, Ruling
from comity.counsel.questions import Question
from comity.law import Verdict
from comity.law.vocabulary import Facts
from comity.ledger.models import Entry
from comity.staff.models import Entity, Staff
from comity.vault.actions import open_fields
from comity.vault.gate import NotPermitted, Warrant
from comity.vault.models import RecordedDecision
from comity.vault.sealing import FieldClass, Label

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 22)
TOMORROW = timedelta(days=1)


def names(look: Look, *persons: UUID) -> list[str]:
    seen = names_of(look, persons)
    return [full_name(seen.of(person, FieldClass.NAME)) for person in persons]


def test_a_list_opens_the_names_that_the_law_permits_and_no_other(
    look: Look, greta: UUID, oliver: UUID, aiko: UUID
) -> None:
    assert names(look, greta, oliver, aiko) == ["Greta Grünwald", "Oliver O'Brien", ""]


def test_a_list_leaves_one_decision_and_one_opening_in_the_ledger(look: Look, greta: UUID, oliver: UUID) -> None:
    before = Entry.objects.count()
    names_of(look, [greta, oliver])
    kinds = list(Entry.objects.order_by("recorded_at", "ref").values_list("kind", flat=True))[before:]
    assert sorted(kinds) == ["counsel.decided", "vault.opened"]


def test_the_ledger_names_nobody(look: Look, greta: UUID) -> None:
    names_of(look, [greta])
    bodies = b"".join(bytes(body) for body in Entry.objects.values_list("body", flat=True))
    assert b"Gr" not in bodies
    assert str(greta).encode() in bodies


def test_a_role_opens_no_more_than_it_may_whatever_the_law_permits(
    look: Look, firm: Entity, greta: UUID, adam: Staff
) -> None:
    administrator = Look(viewer=adam, entity=firm, purpose="service")
    assert names(look, greta) == ["Greta Grünwald"]
    assert names(administrator, greta) == [""]


def test_a_decision_for_one_opens_nothing_for_another(look: Look, greta: UUID, adam: Staff) -> None:
    decided = decide(question=look.question, persons=[greta], staff=look.viewer, field_classes=[FieldClass.NAME])
    stolen = replace(decided.warrant, staff=adam.ref)
    with pytest.raises(Exception, match="made for other staff"):
        open_fields(warrant=stolen, labels=[name_label(greta)])


def test_an_ask_opens_nothing(look: Look, aiko: UUID) -> None:
    decided = decide(question=look.question, persons=[aiko], staff=look.viewer, field_classes=[FieldClass.NAME])
    assert decided.answers[aiko].verdict is Verdict.ASK
    with pytest.raises(NotPermitted):
        open_fields(warrant=decided.warrant, labels=[name_label(aiko)])


def test_the_commitment_holds_the_record_to_what_was_decided(look: Look, greta: UUID) -> None:
    decided = decide(question=look.question, persons=[greta], staff=look.viewer, field_classes=[FieldClass.NAME])
    asked = AskedDecision.objects.get(ref=decided.ref)
    entry = RecordedDecision.objects.get(ref=decided.ref).entry
    said = json.loads(bytes(entry.body))["body"]["commitment"]
    assert commitment(asked, [greta]) == said
    asked.findings[0]["verdict"] = "deny"
    assert commitment(asked, [greta]) != said


def test_a_decision_about_one_person_keeps_its_facts_sealed(look: Look, greta: UUID) -> None:
    decided = decide(question=look.question, persons=[greta], staff=look.viewer, field_classes=[FieldClass.NOTE])
    label = Label(greta, FieldClass.NOTE, "decision", decided.ref)
    told = json.loads(str(open_fields(warrant=decided.warrant, labels=[label])[label]["decision"]))
    assert told["facts"]["person.home"] == ["DE"]
    assert told["verdict"] == "permit"


# ---------------------------------------------------------------- rulings


def rule(look: Look, olga: Staff, **changes: object) -> Ruling:
    told: dict[str, object] = {
        "question": look.question, "places": ["JP"], "settles": ["no-law:JP"], "reason": "Counsel in Tokyo says so.",
        "made_by": olga, "entity": look.entity, "begins_on": TODAY, "ends_on": TODAY + 30 * TOMORROW,
    }  # fmt: skip
    return make_ruling(**told | changes)  # type: ignore[arg-type]


def verdict(look: Look, person: UUID, day: date = TODAY) -> Verdict:
    return ask(question=look.question, persons=[person], day=day)[person].verdict


def test_a_ruling_settles_what_the_law_leaves_open(look: Look, aiko: UUID, olga: Staff) -> None:
    assert verdict(look, aiko) is Verdict.ASK
    ruling = rule(look, olga)
    answer = ask(question=look.question, persons=[aiko], day=TODAY)[aiko]
    assert (answer.verdict, answer.ruling) == (Verdict.PERMIT, ruling)
    assert answer.decision.verdict is Verdict.ASK


def test_a_decision_that_rests_on_a_ruling_cites_it(look: Look, aiko: UUID, olga: Staff) -> None:
    ruling = rule(look, olga, begins_on=timezone.localdate(), ends_on=timezone.localdate() + TOMORROW)
    decided = decide(question=look.question, persons=[aiko], staff=look.viewer, field_classes=[FieldClass.NAME])
    asked = AskedDecision.objects.get(ref=decided.ref)
    assert asked.findings[0]["ruling"] == str(ruling.ref)
    assert open_fields(warrant=decided.warrant, labels=[name_label(aiko)])


@pytest.mark.parametrize(
    "changes",
    [
        {"places": ["KR"]},
        {"settles": ["no-law:KR"]},
        {"begins_on": TODAY + TOMORROW},
        {"begins_on": TODAY - TOMORROW, "ends_on": TODAY},
    ],
    ids=["another place", "another reason", "not yet", "no longer"],
)
def test_a_ruling_settles_nothing_beyond_its_scope(
    changes: dict[str, object], look: Look, aiko: UUID, olga: Staff
) -> None:
    rule(look, olga, **changes)
    assert verdict(look, aiko) is Verdict.ASK


@pytest.mark.parametrize("other", [{"purpose": "marketing"}, {"operation": "export"}, {"channel": "email"}])
def test_a_ruling_is_bound_to_its_question(other: dict[str, Any], look: Look, aiko: UUID, olga: Staff) -> None:
    rule(look, olga, question=replace(look.question, **other))
    assert verdict(look, aiko) is Verdict.ASK


def test_a_ruling_about_one_person_is_about_nobody_else(look: Look, aiko: UUID, add: object, olga: Staff) -> None:
    from tests.book.people import newcomer

    other: UUID = add(newcomer("Kenji", "Sato", "JP"))  # type: ignore[operator]
    rule(look, olga, places=[], person=aiko)
    assert (verdict(look, aiko), verdict(look, other)) == (Verdict.PERMIT, Verdict.ASK)


def test_no_ruling_turns_a_deny(look: Look, greta: UUID, olga: Staff) -> None:
    from comity.book.models import Person

    Person.objects.filter(ref=greta).update(objected_at=timezone.now())
    question = replace(look.question, operation="contact", purpose="marketing", channel="email", more={})
    denied = ask(question=question, persons=[greta], day=TODAY)[greta]
    assert denied.verdict is Verdict.DENY
    rule(look, olga, question=question, places=["DE"], settles=list(denied.decision.because))
    assert ask(question=question, persons=[greta], day=TODAY)[greta].verdict is Verdict.DENY


def test_a_ruling_taken_back_settles_nothing(look: Look, aiko: UUID, olga: Staff) -> None:
    ruling = rule(look, olga)
    ruling.taken_back_at = timezone.now()
    ruling.save()
    assert verdict(look, aiko) is Verdict.ASK


# ---------------------------------------------------------------- where facts come from


def test_two_rooms_may_not_speak_about_one_fact(look: Look, greta: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    from comity.counsel import facts

    monkeypatch.setattr(facts, "_sources", dict(facts._sources))

    def another(_question: Question, persons: Sequence[UUID], _day: date) -> Mapping[UUID, Facts]:
        return {person: {"person.home": frozenset({"FR"})} for person in persons}

    register("another", another)
    with pytest.raises(ValueError, match=r"another says again what another room said: person\.home"):
        gather(look.question, [greta], TODAY)


def test_a_room_registers_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from comity.counsel import facts

    monkeypatch.setattr(facts, "_sources", dict(facts._sources))
    with pytest.raises(ValueError, match="registered its facts already"):
        register("book", lambda _question, _persons, _day: {})


def test_the_warrant_is_of_the_recorded_decision(look: Look, greta: UUID) -> None:
    decided = decide(question=look.question, persons=[greta], staff=look.viewer, field_classes=[FieldClass.NAME])
    row = RecordedDecision.objects.get(ref=decided.ref)
    wanted = Warrant(decision=row.ref, staff=row.staff, operation=row.operation, purpose=row.purpose)
    assert decided.warrant == wanted
