"""Pages of what we owe, as staff of several roles find them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from html import unescape
from uuid import UUID

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from comity.counsel.duties import data_came, mark_not_owed, note_event
from comity.counsel.duties_forms import facts_that_count
from comity.counsel.duties_reading import ACTS, KINDS, RECEIVERS, when
from comity.counsel.models import DutyEvent, OwedDuty
from comity.counsel.reading import rules
from comity.refs import new_ref
from comity.staff.models import Entity, Staff
from tests.browser import DESK, PHONE, found_by_axe, wider_than_screen
from tests.staff.people import client_of, make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_factor")]
NOTICE = "eu-gdpr/notice-of-bought-data"


def today() -> date:
    return timezone.localdate()


def read(staff: Staff, address: str) -> str:
    answer = client_of(staff).get(address, follow=True)
    assert answer.status_code == 200, answer.content.decode()[:500]
    return unescape(answer.content.decode())


@pytest.fixture
def notice(firm: Entity, greta: UUID) -> OwedDuty:
    """Give the notice that we owe Greta, whose data came from somebody else forty days ago: it is overdue."""
    event = data_came(on=today() - timedelta(days=40), source="third-party")
    owed = note_event(event=event, entity=firm, about=new_ref(), persons=[greta], staff=None)
    return next(duty for duty in owed if duty.rule == NOTICE)


@pytest.fixture
def answer(firm: Entity, greta: UUID) -> OwedDuty:
    """Give the answer that we owe Greta, who asked for her data today."""
    event = {"event.kind": "request-received", "event.request": "access", "event.on": today(), "person.home": ["DE"]}
    owed = note_event(event=event, entity=firm, about=new_ref(), persons=[greta], staff=None)
    return next(duty for duty in owed if duty.act == "answer")


# ---------------------------------------------------------------- the list


def test_the_overdue_stand_first_and_say_so_in_words(notice: OwedDuty, answer: OwedDuty, olga: Staff) -> None:
    told = read(olga, "/duties/")
    assert "Overdue by" in told
    assert told.index(str(notice.ref)) < told.index(str(answer.ref))
    assert "GDPR Art. 14(1)-(3)" in told


def test_what_is_owed_for_how_we_work_and_what_is_possible_have_lists_of_their_own(
    notice: OwedDuty, olga: Staff
) -> None:
    assert "eu-gdpr/register-of-processing" not in read(olga, "/duties/")
    rows = OwedDuty.objects.filter(standing=True, state="owed")
    told = read(olga, "/duties/?state=standing")
    assert all(str(row.ref) in told for row in rows)
    assert str(notice.ref) not in told


def test_duties_can_be_narrowed_to_what_happened(notice: OwedDuty, answer: OwedDuty, olga: Staff) -> None:
    told = read(olga, "/duties/?state=open&kind=request-received")
    assert str(answer.ref) in told
    assert str(notice.ref) not in told


def test_an_empty_list_teaches(olga: Staff) -> None:
    assert "When an event makes us owe something" in read(olga, "/duties/")


def test_who_acts_for_another_entity_finds_nothing(notice: OwedDuty, shanghai: Entity) -> None:
    stranger = make_staff("privacy-officer", entity=shanghai, name="Li Na")
    assert str(notice.ref) not in read(stranger, "/duties/")
    assert client_of(stranger).get(f"/duties/{notice.ref}/").status_code == 404
    sent = client_of(stranger).post(f"/duties/{notice.ref}/not-owed/", {"words": "x"})
    assert sent.status_code == 404


# ---------------------------------------------------------------- one duty


def test_one_duty_says_why_by_when_and_what_it_must_contain(notice: OwedDuty, olga: Staff) -> None:
    told = read(olga, f"/duties/{notice.ref}/")
    assert "https://eur-lex.europa.eu/eli/reg/2016/679/oj" in told
    assert "/law/eu-gdpr/#eu-gdpr/notice-of-bought-data" in told
    for content in notice.told["contents"]:
        assert content in told
    for step in notice.told["steps"]:
        assert step in told


def test_asking_again_gives_the_same_and_says_so(notice: OwedDuty, olga: Staff) -> None:
    assert "the same comes out" in read(olga, f"/duties/{notice.ref}/?again=1")
    OwedDuty.objects.filter(pk=notice.pk).update(day=notice.day + timedelta(days=1))
    assert "another answer comes out" in read(olga, f"/duties/{notice.ref}/?again=1")


def test_whoever_settles_says_when_it_was_done_and_which_contents_it_had(notice: OwedDuty, olga: Staff) -> None:
    done = today() - timedelta(days=1)
    sent = {"done_on": done.isoformat(), "words": "Mailing 12.", "contained": ["0", "1", "12"]}
    client_of(olga).post(f"/duties/{notice.ref}/done/", sent)
    notice.refresh_from_db()
    assert (notice.settled, notice.settled_on) == ("done", done)
    told = read(olga, f"/duties/{notice.ref}/")
    assert f"with 3 of {len(notice.told['contents'])} contents" in told
    assert "Mailing 12." in told


def test_a_day_before_the_event_is_refused_with_words(notice: OwedDuty, olga: Staff) -> None:
    sent = {"done_on": "2020-01-01", "words": "Mailing 12."}
    told = client_of(olga).post(f"/duties/{notice.ref}/done/", sent).content.decode()
    assert "not before the event" in told
    notice.refresh_from_db()
    assert not notice.settled


def test_more_time_is_counted_by_the_law_from_what_was_typed(answer: OwedDuty, olga: Staff) -> None:
    assert {"event.complex", "event.extension_told_on"} <= set(facts_that_count(answer))
    sent = {"event.complex": "true", "event.extension_told_on": today().isoformat(), "words": "Forty folders."}
    client_of(olga).post(f"/duties/{answer.ref}/count/", sent)
    before = answer.day
    answer.refresh_from_db()
    assert answer.day > before + timedelta(days=50)
    assert "Extended to" in read(olga, f"/duties/{answer.ref}/")


def test_facts_that_contradict_each_other_are_refused_with_words(answer: OwedDuty, olga: Staff) -> None:
    early = (today() - timedelta(days=3)).isoformat()
    sent = {"event.extension_told_on": early, "words": "x"}
    told = client_of(olga).post(f"/duties/{answer.ref}/count/", sent).content.decode()
    assert "is before event.on" in told


def test_support_settles_and_only_the_privacy_officer_says_that_nothing_is_owed(
    answer: OwedDuty, firm: Entity, olga: Staff
) -> None:
    sana = make_staff("support", entity=firm)
    assert client_of(sana).post(f"/duties/{answer.ref}/not-owed/", {"words": "x"}).status_code == 403
    assert "not-owed" not in read(sana, f"/duties/{answer.ref}/")
    client_of(olga).post(f"/duties/{answer.ref}/not-owed/", {"words": "She asked another firm."})
    answer.refresh_from_db()
    assert answer.settled == "not-owed"
    client_of(sana).post(f"/duties/{answer.ref}/open-again/", {"words": "It was us."})
    answer.refresh_from_db()
    assert not answer.settled


def test_support_cannot_end_a_duty_by_a_fact(answer: OwedDuty, firm: Entity, olga: Staff) -> None:
    sent = {"event.excessive": "true", "words": "The ninth in a month."}
    told = client_of(make_staff("support", entity=firm)).post(f"/duties/{answer.ref}/count/", sent).content.decode()
    assert "privacy officer" in told
    answer.refresh_from_db()
    assert (answer.settled, answer.learnt) == ("", {})
    client_of(olga).post(f"/duties/{answer.ref}/count/", sent)
    answer.refresh_from_db()
    assert answer.settled == "not-owed"


def test_an_auditor_reads_and_settles_nothing(answer: OwedDuty, firm: Entity) -> None:
    aud = make_staff("auditor", entity=firm)
    assert "/done/" not in read(aud, f"/duties/{answer.ref}/")
    assert client_of(aud).get(f"/duties/{answer.ref}/done/").status_code == 403


# ---------------------------------------------------------------- words


def test_every_act_receiver_and_event_of_the_packs_has_words() -> None:
    duties = [rule.duty for texts in rules().values() for rule in texts if rule.duty]
    assert {duty.act for duty in duties} <= ACTS.keys()
    assert {duty.to for duty in duties} <= RECEIVERS.keys()
    assert {duty.event for duty in duties} <= KINDS.keys()


@pytest.mark.parametrize(
    ("timing", "left", "words", "kind"),
    [
        ("due", -2, "Overdue by 2 days", "deny"),
        ("due", 0, "Due today", "ask"),
        ("due", 1, "In 1 day", "ask"),
        ("due", 40, "In 40 days", ""),
        ("at-once", 0, "At once", "ask"),
        ("at-once", -3, "At once: overdue by 3 days", "deny"),
        ("earliest", -5, "Day not known; no earlier than", "ask"),
    ],
)
def test_by_when_is_said_in_words(timing: str, left: int, words: str, kind: str) -> None:
    day = date(2026, 11, 22)
    said = when(OwedDuty(timing=timing, day=day + timedelta(days=left), told={}), day)
    assert (said.words, said.kind) == (words, kind)


# ---------------------------------------------------------------- in a browser


@pytest.mark.django_db(transaction=True)
def test_the_pages_are_accessible_and_fit_a_phone(
    notice: OwedDuty, answer: OwedDuty, olga: Staff, signed_in: Callable[[Staff], Page]
) -> None:
    mark_not_owed(duty=answer, words="She asked another firm.", settled_by=olga)
    page = signed_in(olga)
    one = f"/duties/{notice.ref}/"
    pages = ("/duties/", "/duties/?state=settled", one, f"{one}done/", f"{one}count/", f"{one}not-owed/")
    for address in (*pages, f"/duties/{answer.ref}/"):
        for width, height in (DESK, PHONE):
            page.set_viewport_size({"width": width, "height": height})
            page.goto(address)
            assert wider_than_screen(page) == 0, address
            assert found_by_axe(page) == []
    assert DutyEvent.objects.count() == 2
