"""Pages of requests, as staff of several roles find them."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Final, Literal
from uuid import UUID

import pytest
from django.utils.formats import date_format
from playwright.sync_api import Page, expect

from comity.counsel.models import OwedDuty
from comity.retention.erasing.models import Erasure
from comity.rights import requests
from comity.rights.requests.actions import ask_identity, hand_over
from comity.rights.requests.models import Kind, Level, Request, State
from comity.rights.requests.months import beside, month_named
from comity.rights.requests.telling_law import duties_of
from comity.rights.requests.verbs import VERBS
from comity.rights.requests.views import STATES, STEPS, TABS
from comity.staff.models import Entity, Staff
from tests.browser import DESK, PHONE, found_by_axe, wider_than_screen
from tests.rights.requests.conftest import LETTER, REACH, Asks, ago, today
from tests.staff.people import client_of, make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_factor")]
ANSWER = "eu-gdpr/answer-access"
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")


def read(staff: Staff, address: str) -> str:
    answer = client_of(staff).get(address, follow=True)
    assert answer.status_code == 200, answer.content.decode()[:500]
    return unescape(answer.content.decode())


def send(staff: Staff, address: str, **said: object) -> str:
    return unescape(client_of(staff).post(address, said, follow=True).content.decode())


def duty(request: Request, rule: str = ANSWER) -> OwedDuty:
    return duties_of(request).get(rule=rule)


# ---------------------------------------------------------------- the board


def test_requests_stand_where_there_is_something_to_do_about_them(asks: Asks, olga: Staff, sana: Staff) -> None:
    late, soon, later = asks(days=60), asks(days=27), asks()
    asked = asks(Kind.RECTIFICATION)
    ask_identity(request=asked, level=Level.REASONABLE, words="The code.", by=sana)
    tabs = {tab: read(olga, f"/requests/?state={tab}") for tab in TABS}
    for tab, request in (("late", late), ("at-risk", soon), ("due", later), ("waiting", asked)):
        assert str(request.ref) in tabs[tab], tab
    assert str(later.ref) not in tabs["late"] + tabs["at-risk"] + tabs["waiting"] + tabs["done"]
    assert str(soon.ref) not in tabs["late"] + tabs["due"]
    assert str(late.ref) not in tabs["at-risk"] + tabs["due"]
    assert "Overdue by" in tabs["late"]
    send(sana, f"/requests/{later.ref}/step/answer/", words="Mail of today.")
    assert str(later.ref) in read(olga, "/requests/?state=done")


def test_the_board_begins_with_what_is_late(asks: Asks, olga: Staff) -> None:
    late, later = asks(days=60), asks()
    told = read(olga, "/requests/")
    assert str(late.ref) in told
    assert str(later.ref) not in told


def test_requests_are_narrowed_to_a_law_a_kind_and_who_looks_after_them(
    asks: Asks, olga: Staff, sana: Staff, oliver: UUID
) -> None:
    greta, british = asks(), asks(Kind.ERASURE, person=oliver, words="Erase me.")
    hand_over(request=british, to=olga, by=sana)
    for query, here, away in (
        ("law=uk-gdpr", british, greta), ("kind=access", greta, british), (f"handler={olga.ref}", british, greta),
    ):  # fmt: skip
        told = read(olga, f"/requests/?state=due&{query}")
        assert str(here.ref) in told, query
        assert str(away.ref) not in told, query
    assert str(greta.ref) in read(olga, "/requests/?state=due&law=nonsense&kind=nonsense&handler=nonsense")


def test_who_acts_for_another_entity_finds_nothing(asks: Asks, shanghai: Entity) -> None:
    request, stranger = asks(), make_staff("privacy-officer", entity=shanghai, name="Li Na")
    assert str(request.ref) not in read(stranger, "/requests/?state=due")
    assert client_of(stranger).get(f"/requests/{request.ref}/").status_code == 404
    assert client_of(stranger).post(f"/requests/{request.ref}/step/answer/", {"words": "x"}).status_code == 404
    assert str(request.ref) not in read(stranger, f"/requests/calendar/?month={duty(request).day:%Y-%m}")


def test_the_calendar_has_what_is_due_on_its_day(asks: Asks, olga: Staff) -> None:
    request = asks()
    day = duty(request).day
    told = read(olga, f"/requests/calendar/?month={day:%Y-%m}")
    at = told.index(f'datetime="{day.isoformat()}')
    assert str(request.ref) in told[at : told.index("</td>", at)]
    assert str(request.ref) not in read(olga, f"/requests/calendar/?month={beside(day.replace(day=1), -3):%Y-%m}")
    assert month_named("nonsense", day) == month_named("2026-99", day) == day.replace(day=1)


# ---------------------------------------------------------------- one request


def test_a_request_says_what_was_asked_by_when_and_why(asks: Asks, olga: Staff) -> None:
    request = asks()
    told, owed = read(olga, f"/requests/{request.ref}/"), duty(request)
    assert LETTER in told
    assert REACH["email"] in told
    assert date_format(owed.day) in told
    assert "GDPR Arts 12(3), 15" in told
    for said in (*owed.told["steps"], *owed.told["contents"], *owed.told["notes"]):
        assert said in told
    assert "the way to the court" in told  # the remedies
    assert "May be extended to" in told


def test_from_a_request_one_comes_to_where_it_is_done(asks: Asks, olga: Staff, sana: Staff) -> None:
    access, erasure = asks(), asks(Kind.ERASURE)
    assert f"/requests/{access.ref}/package/" in read(olga, f"/requests/{access.ref}/")
    plan = f"/persons/{erasure.person}/erase/?entity={erasure.entity_id}&request={erasure.ref}"
    assert plan in read(olga, f"/requests/{erasure.ref}/")
    assert "/erase/" not in read(sana, f"/requests/{erasure.ref}/")
    send(olga, plan, why="asked")
    assert Erasure.objects.get(request=erasure.ref).person == erasure.person


def test_whoever_may_not_read_the_letter_sees_the_clocks(asks: Asks, firm: Entity) -> None:
    request = asks()
    told = read(make_staff("administrator", entity=firm), f"/requests/{request.ref}/")
    assert LETTER not in told
    assert REACH["email"] not in told
    assert "GDPR Arts 12(3), 15" in told
    assert "/step/" not in told


def test_support_works_and_who_decides_decides(asks: Asks, sana: Staff, olga: Staff) -> None:
    request = asks()
    told = read(sana, f"/requests/{request.ref}/")
    assert "/step/answer/" in told
    assert "/decide/" not in told
    assert client_of(sana).get(f"/requests/{request.ref}/decide/refuse/").status_code == 403
    assert client_of(sana).get(f"/requests/{request.ref}/step/refuse/").status_code == 404
    assert "/decide/refuse/" in read(olga, f"/requests/{request.ref}/")


def test_sales_note_a_request_and_see_none(firm: Entity, ada: Staff) -> None:
    said = {"entity": str(firm.ref), "kinds": ["access", "erasure"], "words": LETTER, "received_on": today(),
            "came_by": "phone", "asked_by": "person", "email": REACH["email"], "home": "DE"}  # fmt: skip
    assert "Taken down" in send(ada, "/requests/new/", **said)
    assert [one.wants for one in Request.objects.all()] == [{"home": "DE"}] * 2
    assert client_of(ada).get("/requests/").status_code == 403


def test_what_is_wrong_with_a_noted_request_is_said_beside_its_field(firm: Entity, sana: Staff) -> None:
    said = {"entity": str(firm.ref), "kinds": ["access"], "words": LETTER, "received_on": today(), "came_by": "phone",
            "asked_by": "person"}  # fmt: skip
    assert "That is no ref" in send(sana, "/requests/new/", **said, person="nobody")
    assert "Nobody of this entity" in send(sana, "/requests/new/", **said, person=str(firm.ref))
    assert "has not come" in send(sana, "/requests/new/", **{**said, "received_on": "2099-01-01"})
    assert not Request.objects.exists()


def test_an_answer_is_typed_with_what_it_contained(asks: Asks, sana: Staff) -> None:
    request = asks()
    assert "the purposes" in read(sana, f"/requests/{request.ref}/step/answer/")
    told = send(sana, f"/requests/{request.ref}/step/answer/", words="Mail 12.", contained=["the purposes"])
    assert "Answered" in told
    assert "Mail 12." in told
    assert duty(request).settled == "done"
    assert all(step in told for step in duty(request).told["steps"])  # what is settled can still be read


def test_what_is_late_asks_for_the_reason(asks: Asks, olga: Staff, sana: Staff) -> None:
    request, in_time = asks(days=60), asks()
    assert "Why it is late" in read(sana, f"/requests/{request.ref}/step/answer/")
    assert "Why it is late" not in read(sana, f"/requests/{in_time.ref}/step/answer/")
    assert "/decide/extend/" in read(olga, f"/requests/{in_time.ref}/")
    assert "/decide/extend/" not in read(olga, f"/requests/{request.ref}/")  # the first period is over
    send(sana, f"/requests/{request.ref}/step/answer/", words="Mail 12.")
    assert not duty(request).settled
    send(sana, f"/requests/{request.ref}/step/answer/", words="Mail 12.", late_because="A flood.")
    assert "A flood." in read(sana, f"/requests/{request.ref}/")


def test_a_refusal_offers_the_exceptions_and_shows_the_remedies(asks: Asks, olga: Staff) -> None:
    request = asks()
    told = read(olga, f"/requests/{request.ref}/decide/refuse/")
    assert "manifestly unfounded or excessive" in told
    assert "the right to make a complaint to the authority" in told
    send(olga, f"/requests/{request.ref}/decide/refuse/", words="Ninth.", exemptions=[f"{ANSWER}/stop-1"])
    assert Request.objects.get(pk=request.pk).state == State.REFUSED
    again = read(olga, f"/requests/{request.ref}/")
    assert "/note/appeal/" in again
    assert "/step/" not in again


def test_a_no_offers_no_question_who_asks(asks: Asks, olga: Staff) -> None:
    told = read(olga, f"/requests/{asks(Kind.OBJECTION).ref}/")
    assert "ask-identity" not in told
    assert "It took effect at once" in told


def test_each_verb_opens_its_form(asks: Asks, olga: Staff, sana: Staff) -> None:
    request = asks(days=2)
    ask_identity(request=request, level=Level.REASONABLE, words="The code.", by=sana)
    opened = {name for name in VERBS if f"/{name}/" in read(olga, f"/requests/{request.ref}/")}
    assert opened == VERBS.keys() - {"ask-identity", "appeal"}
    for name in sorted(opened):
        assert "<form" in read(olga, VERBS[name].address(request))


def test_a_step_that_does_not_fit_is_refused_with_words(asks: Asks, olga: Staff) -> None:
    request = asks()
    assert "cannot be done about this request now" in read(olga, f"/requests/{request.ref}/note/appeal/")
    assert client_of(olga).get(f"/requests/{request.ref}/step/nonsense/").status_code == 404


def test_a_duty_leads_to_its_request(asks: Asks, olga: Staff) -> None:
    request = asks()
    assert f"/requests/{request.ref}/" in read(olga, f"/duties/{duty(request).ref}/")


def test_today_says_what_is_late_at_risk_and_nobodys(asks: Asks, olga: Staff, sana: Staff, ada: Staff) -> None:
    asks(days=60)
    hand_over(request=asks(days=27), to=None, by=sana)
    for staff in (olga, sana):
        told = read(staff, "/today/") if client_of(staff).get("/today/").status_code == 200 else read(staff, "/")
        assert "1 request is late" in told
        assert "1 request is nobody's yet" in told
    assert "request is late" not in read(ada, "/")
    assert "1 request must be dealt with within a week" in read(olga, "/")


def test_every_state_and_step_has_words() -> None:
    assert set(STATES) == set(State)
    source = "".join(path.read_text("utf-8") for path in Path(requests.__path__[0]).glob("*.py"))
    done = set(re.findall(r'_step\(\s*\w+, "([a-z-]+)"', source)) | {"reminded", "escalated"}
    assert len(done) > 10
    assert done == STEPS.keys()


# ---------------------------------------------------------------- in a browser


@pytest.mark.django_db(transaction=True)
def test_from_noting_a_request_to_its_answer_by_keyboard_and_for_everybody(
    signed_in: Callable[[Staff], Page], firm: Entity, greta: UUID, sana: Staff
) -> None:
    page = signed_in(sana)
    page.goto("/requests/")
    for_everybody(page)
    page.get_by_role("link", name="Note one down").first.click()
    for_everybody(page)
    page.get_by_label("See what we hold").check()
    page.get_by_label("In their words").fill(LETTER)
    page.get_by_label("Received on").fill(ago(3).isoformat())
    page.get_by_label("Whose data it is about").fill(str(greta))
    page.get_by_label("E-mail").fill(REACH["email"])
    page.get_by_role("button", name="Note it down").press("Enter")
    expect(page.get_by_text("Taken down")).to_be_visible()
    expect(page.get_by_text(LETTER)).to_be_visible()
    for_everybody(page)
    why = page.locator(".clocks summary").first
    why.focus()
    why.press("Enter")
    expect(page.get_by_text("How the day was counted").first).to_be_visible()
    for_everybody(page)
    page.get_by_role("link", name="It was answered").first.click()
    for_everybody(page)
    page.get_by_label("the purposes", exact=True).check()
    page.get_by_label("Where the answer lies").fill("Mail 12")
    page.get_by_role("button", name="It was answered").press("Enter")
    expect(page.get_by_text("Each law's duty to answer is settled")).to_be_visible()
    for_everybody(page)
    page.goto("/requests/calendar/")
    for_everybody(page)
    assert Request.objects.get().entity_id == firm.ref


def for_everybody(page: Page) -> None:
    """Look whether a page is readable for everybody, in both themes, and fits a phone."""
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.wait_for_timeout(250)  # colours fade
        assert found_by_axe(page) == []
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    assert wider_than_screen(page) == 0
    page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
