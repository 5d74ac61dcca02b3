from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from comity.ledger.models import Entry
from comity.staff.approvals import NotApproved, Said, ask_approval, canonical, digest, settle_approval, use_approval
from comity.staff.guards import NotYours
from comity.staff.models import Approval, Staff
from tests.staff.people import make_staff

if TYPE_CHECKING:
    from comity.staff.models import Entity

EXPORT: dict[str, Said] = {"segment": "customers", "format": "csv", "count": 12_000}


def kinds_recorded() -> list[str]:
    return list(Entry.objects.order_by("recorded_at", "ref").values_list("kind", flat=True))


def test_the_same_request_has_one_spelling_whatever_the_order() -> None:
    assert canonical({"b": [1, True, None], "a": date(2026, 11, 22)}) == '{"a":"2026-11-22","b":[1,true,null]}'
    assert digest("export.many", {"a": 1, "b": "é"}) == digest("export.many", {"b": "é", "a": 1})
    assert digest("export.many", EXPORT) != digest("erase.many", EXPORT)
    assert digest("export.many", EXPORT) != digest("export.many", EXPORT | {"count": 12_001})


def test_a_fraction_is_no_part_of_a_request() -> None:
    with pytest.raises(TypeError, match="float has no one spelling"):
        canonical({"share": 0.1})  # type: ignore[dict-item]  # what mypy refuses too


def test_what_a_second_person_approved_may_be_used_once_and_by_the_asker(ada: Staff, olga: Staff) -> None:
    asked = ask_approval(kind="export.many", request=EXPORT, reason="Fair in Linz", asked_by=ada)
    with pytest.raises(NotApproved):
        use_approval(kind="export.many", request=EXPORT, asked_by=ada)
    settle_approval(approval=asked, approved=True, settled_by=olga)
    with pytest.raises(NotApproved):
        use_approval(kind="export.many", request=EXPORT, asked_by=olga)
    with pytest.raises(NotApproved):
        use_approval(kind="export.many", request=EXPORT | {"count": 12_001}, asked_by=ada)
    assert use_approval(kind="export.many", request=EXPORT, asked_by=ada) == asked
    with pytest.raises(NotApproved):
        use_approval(kind="export.many", request=EXPORT, asked_by=ada)
    assert kinds_recorded() == ["staff.approval-asked", "staff.approval-approved", "staff.approval-used"]


def test_nobody_approves_what_they_asked_for(olga: Staff) -> None:
    asked = ask_approval(kind="export.many", request=EXPORT, reason="Fair", asked_by=olga)
    with pytest.raises(NotApproved, match="a second person must"):
        settle_approval(approval=asked, approved=True, settled_by=olga)
    with pytest.raises(IntegrityError, match="four_eyes"), transaction.atomic():
        Approval.objects.filter(pk=asked.pk).update(settled_by=olga, approved=True)


def test_only_those_with_the_word_ask_and_approve(ada: Staff, adam: Staff, olga: Staff) -> None:
    with pytest.raises(NotYours):
        ask_approval(kind="key.destroy", request={"key": UUID(int=1)}, reason="Old", asked_by=ada)
    asked = ask_approval(kind="export.many", request=EXPORT, reason="Fair", asked_by=olga)
    with pytest.raises(NotYours):
        settle_approval(approval=asked, approved=True, settled_by=ada)
    assert settle_approval(approval=asked, approved=False, settled_by=adam).approved is False


def test_who_approves_for_one_entity_does_not_for_another(ada: Staff, dublin: Entity, shanghai: Entity) -> None:
    asked = ask_approval(kind="export.many", request=EXPORT, reason="Fair", asked_by=ada, entity=dublin)
    far = make_staff("privacy-officer", entity=shanghai, name="Lin Fang")
    with pytest.raises(NotYours):
        settle_approval(approval=asked, approved=True, settled_by=far)


def test_a_refusal_is_final_and_an_approval_is_not_given_twice(ada: Staff, olga: Staff, adam: Staff) -> None:
    asked = ask_approval(kind="export.many", request=EXPORT, reason="Fair", asked_by=ada)
    settle_approval(approval=asked, approved=False, settled_by=olga)
    with pytest.raises(NotApproved, match="settled before"):
        settle_approval(approval=asked, approved=True, settled_by=adam)
    with pytest.raises(NotApproved):
        use_approval(kind="export.many", request=EXPORT, asked_by=ada)


def test_what_waited_for_too_long_is_neither_approved_nor_used(ada: Staff, olga: Staff) -> None:
    past = timezone.now() - timedelta(seconds=1)
    asked = ask_approval(kind="export.many", request=EXPORT, reason="Fair", asked_by=ada)
    Approval.objects.update(expires_at=past)
    with pytest.raises(NotApproved, match="too long"):
        settle_approval(approval=asked, approved=True, settled_by=olga)
    again = ask_approval(kind="export.many", request=EXPORT, reason="Fair", asked_by=ada)
    assert again != asked
    settle_approval(approval=again, approved=True, settled_by=olga)
    Approval.objects.update(expires_at=past)
    with pytest.raises(NotApproved):
        use_approval(kind="export.many", request=EXPORT, asked_by=ada)


def test_the_same_request_is_laid_before_the_second_person_once(ada: Staff) -> None:
    first = ask_approval(kind="export.many", request=EXPORT, reason="Fair", asked_by=ada)
    assert ask_approval(kind="export.many", request=EXPORT, reason="Fair!", asked_by=ada) == first
    with pytest.raises(NotApproved, match="Give a reason"):
        ask_approval(kind="export.many", request=EXPORT, reason=" ", asked_by=ada)
