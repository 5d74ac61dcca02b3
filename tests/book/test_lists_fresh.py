"""What is remembered from page to page does not outlive its truth: rights, law, rulings and facts show on the next one.

The process remembers the law as it was folded and how people are numbered; each test opens a list, changes something,
and opens it again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from comity.book.models import Person, Tag, Tagging
from comity.book.opening import Look
from comity.counsel.actions import make_ruling, take_back_ruling
from comity.counsel.asking import folded
from comity.counsel.models import AskedDecision
from comity.staff.models import Entity, RoleGrant, Staff
from comity.vault.models import RecordedDecision
from tests.book.test_lists import client_of, read, shown

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_factor")]
ADDRESS = "/people/?sort=home"

See = Callable[[], list[str]]


@pytest.fixture
def see(ada: Staff, greta: UUID, oliver: UUID, aiko: UUID) -> See:
    """Give what opens the list of three people, as Ada sees it: Greta (DE), Oliver (GB), Aiko (JP, no pack)."""
    del greta, oliver, aiko
    return lambda: shown(read(ada, ADDRESS))


def test_a_role_that_is_taken_away_closes_the_list(see: See, ada: Staff) -> None:
    assert "Greta Grünwald" in see()
    RoleGrant.objects.filter(staff=ada).update(revoked_at=timezone.now())
    assert client_of(ada).get(ADDRESS).status_code == 403


def test_who_acts_for_another_entity_from_now_on_sees_its_people(see: See, ada: Staff, shanghai: Entity) -> None:
    see()
    RoleGrant.objects.filter(staff=ada).update(entity=shanghai)
    assert see() == []


def test_other_facts_of_ours_are_another_law(see: See, firm: Entity) -> None:
    see()
    misses = folded.cache_info().misses
    firm.facts = {**firm.facts, "org.public_body": True}
    firm.save()
    see()
    assert folded.cache_info().misses == misses + 1


def test_somebody_who_moved_is_decided_about_as_of_there(see: See, greta: UUID) -> None:
    assert "Greta Grünwald" in see()
    Person.objects.filter(ref=greta).update(home="JP")
    assert "Greta Grünwald" not in see()
    Person.objects.filter(ref=greta).update(home="DE")
    assert "Greta Grünwald" in see()


def test_a_ruling_opens_a_name_and_taken_back_closes_it(see: See, ada: Staff, olga: Staff, firm: Entity) -> None:
    assert "Aiko Tanaka" not in see()
    today = timezone.localdate()
    ruling = make_ruling(
        question=Look(viewer=ada, entity=firm, purpose="service").question, places=["JP"], settles=["no-law:JP"],
        reason="Counsel in Tokyo says so.", made_by=olga, entity=firm, begins_on=today,
        ends_on=today + timedelta(days=1),
    )  # fmt: skip
    assert "Aiko Tanaka" in see()
    take_back_ruling(ruling=ruling, taken_back_by=olga)
    assert "Aiko Tanaka" not in see()


def test_a_new_tag_can_be_filtered_by_at_once(see: See, ada: Staff, greta: UUID) -> None:
    see()
    tag = Tag.objects.create(name="Kettles")
    Tagging.objects.create(tag=tag, person_id=greta)
    assert f'<option value="{tag.ref}">Kettles</option>' in read(ada, ADDRESS)


def test_a_list_is_one_decision_with_who_was_asked_about_and_what_was_found(
    see: See, ada: Staff, firm: Entity, greta: UUID, oliver: UUID, aiko: UUID
) -> None:
    see()
    (recorded,) = RecordedDecision.objects.all()
    asked = AskedDecision.objects.get(ref=recorded.ref)
    verdicts = {
        person: asked.findings[number]["verdict"] for person, number in zip(recorded.persons, asked.of, strict=True)
    }
    assert verdicts == {greta: "permit", oliver: "permit", aiko: "ask"}
    assert (set(recorded.permitted), recorded.staff, list(recorded.field_classes)) == (
        {greta, oliver},
        ada.ref,
        ["name"],
    )
    assert (asked.question["purpose"], asked.entity, recorded.verdict) == ("service", firm.ref, "ask")
