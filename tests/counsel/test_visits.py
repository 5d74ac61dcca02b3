"""The law is asked when a person looks at their own as it is for anybody, and what it says stays on record."""

from __future__ import annotations

import json
from dataclasses import replace
from uuid import UUID

import pytest

from comity.book.opening import name_label
from comity.counsel.actions import NotOneself, decide
from comity.counsel.models import AskedDecision
from comity.counsel.queries import recorded, who_asked
from comity.counsel.questions import Question
from comity.law import Verdict
from comity.ledger.models import Entry
from comity.refs import new_ref
from comity.staff.models import Entity
from comity.vault.actions import open_fields
from comity.vault.gate import Oneself
from comity.vault.sealing import FieldClass

pytestmark = pytest.mark.django_db


def look_of(firm: Entity) -> Question:
    return Question(
        operation="view", purpose="legal-duty", entity=firm.ref, more={"use.legal_duty": True}
    )  # fmt: skip


def test_a_person_sees_their_own_under_a_decision_on_record(firm: Entity, greta: UUID) -> None:
    visitor = Oneself(person=greta, visit=new_ref())
    decided = decide(question=look_of(firm), persons=[greta], staff=visitor, field_classes=[FieldClass.NAME])
    assert decided.answers[greta].verdict is Verdict.PERMIT
    assert open_fields(warrant=decided.warrant, labels=[name_label(greta)])
    entry = Entry.objects.get(kind="counsel.decided")
    assert entry.staff is None
    assert json.loads(bytes(entry.body))["body"]["visit"] == str(visitor.visit)
    kept = recorded(AskedDecision.objects.get(ref=decided.ref))
    assert who_asked(kept) == "the person themself"


def test_a_visitor_asks_about_nobody_else_and_for_nothing_more(firm: Entity, greta: UUID, oliver: UUID) -> None:
    visitor = Oneself(person=greta, visit=new_ref())
    asks = look_of(firm)
    for question, persons in [
        (asks, [oliver]),
        (asks, [greta, oliver]),
        (replace(asks, operation="export"), [greta]),
        (replace(asks, purpose="service"), [greta]),
        (replace(asks, channel="email"), [greta]),
    ]:
        with pytest.raises(NotOneself):
            decide(question=question, persons=persons, staff=visitor, field_classes=[FieldClass.NAME])
    assert not Entry.objects.filter(kind="counsel.decided").exists()
