"""Pages about staff: what a second person reads before approving, and where broken glass leads."""

from __future__ import annotations

from uuid import UUID

import pytest
from pytest_django import Settings

from comity.staff.actions import ask_for_role
from comity.staff.models import Approval, BrokenGlass, Entity, Staff
from tests.staff.people import client_of

NOBODY = UUID(int=7)


@pytest.fixture(autouse=True)
def without_second_factor(settings: Settings) -> None:
    settings.SECOND_FACTOR = "optional"


def test_a_second_person_reads_in_words_who_is_to_get_which_role(
    ada: Staff, adam: Staff, olga: Staff, dublin: Entity
) -> None:
    asked = ask_for_role(staff=ada, role="marketing", entity=dublin, reason="She helps Tom", asked_by=adam)
    assert isinstance(asked, Approval)
    page = client_of(olga).get(f"/approvals/{asked.ref}/").content.decode()
    for words in ("Ada Byrne", "Marketing", "Comity Dublin Ltd"):
        assert f"<dd>{words}</dd>" in page
    assert str(ada.ref) not in page.split("<main", 1)[1]


@pytest.mark.parametrize(("named", "leads"), [("/people/", "/people/"), ("//elsewhere.example/", "/own/")])
def test_broken_glass_leads_back_to_a_page_of_ours_alone(
    monkeypatch: pytest.MonkeyPatch, ada: Staff, dublin: Entity, named: str, leads: str
) -> None:
    from django.utils import timezone

    monkeypatch.setattr("comity.staff.views.second_factor_shown_at", lambda _request: timezone.now())
    told = {"purpose": "service", "reason": "She is on the phone and needs it now", "minutes": 15, "next": named}
    answer = client_of(ada).post(f"/glass/{dublin.ref}/{NOBODY}/", told)
    assert (answer.status_code, answer.headers.get("Location")) == (302, leads), answer.content.decode()[-3000:]
    assert BrokenGlass.objects.get().person == NOBODY
