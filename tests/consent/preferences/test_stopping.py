"""Stopping: by one click of a mail program, by a button, without a link; forged and replayed links; and confirming."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.test import Client

from comity.book.models import Reach
from comity.consent.actions import withdraw_consent
from comity.consent.models import Consent, Said, Standing
from comity.consent.preferences import actions
from comity.consent.preferences.links import May
from comity.consent.suppression.marks import Mark, mark_of
from comity.consent.suppression.models import Suppressed
from comity.consent.suppression.queries import is_suppressed
from comity.refs import new_ref
from comity.staff.models import Entity
from tests.consent.people import about, says_yes
from tests.consent.preferences.conftest import ADDRESS, Make

pytestmark = pytest.mark.django_db
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
MARKETING = {"purpose": "marketing", "channel": "email"}


def test_one_click_stops_without_cookie_redirect_or_question(
    link: Make, outside: Client, greta: UUID, firm: Entity, mark: Mark
) -> None:
    says_yes(greta, firm)
    answer = outside.post(f"/stop/{link(May.STOP, **MARKETING)}/one-click/", ONE_CLICK)
    assert (answer.status_code, answer["Content-Type"], answer.content) == (200, "text/plain", b"Stopped.\n")
    assert not answer.cookies
    assert Standing.objects.get(person=greta).withdrawn
    assert is_suppressed(entity=firm, mark=mark, purpose="marketing", channel="email")


def test_one_click_may_come_as_a_form_of_parts(link: Make, outside: Client, greta: UUID) -> None:
    assert (
        outside.post(f"/stop/{link(May.STOP, **MARKETING)}/one-click/", ONE_CLICK, format="multipart").status_code
        == 200
    )
    body = "List-Unsubscribe=One-Click"
    again = outside.post(
        f"/stop/{link(May.STOP, purpose='marketing', channel='sms')}/one-click/", body,
        content_type="application/x-www-form-urlencoded",
    )  # fmt: skip
    assert again.status_code == 200
    assert Standing.objects.filter(person=greta, opted_out_on__isnull=False).count() == 2


@pytest.mark.parametrize("body", [{}, {"List-Unsubscribe": "yes"}, {"other": "One-Click"}])
def test_another_post_to_the_one_click_address_changes_nothing(
    link: Make, outside: Client, body: dict[str, str]
) -> None:
    answer = outside.post(f"/stop/{link(May.STOP, **MARKETING)}/one-click/", body)
    assert answer.status_code == 400
    assert b"RFC 8058" in answer.content
    assert not Consent.objects.exists()


def test_a_scanner_that_follows_the_one_click_address_finds_a_page(link: Make, outside: Client) -> None:
    answer = outside.get(f"/stop/{link(May.STOP, **MARKETING)}/one-click/", follow=True)
    assert b"No more messages?" in answer.content
    assert not Consent.objects.exists()


def test_a_stop_that_comes_again_says_so_and_harms_nobody(link: Make, outside: Client, greta: UUID) -> None:
    address = f"/stop/{link(May.STOP, **MARKETING)}/"
    assert "stops from now on" in outside.post(address).content.decode()
    assert "It was stopped already, and stays so." in outside.post(address).content.decode()
    assert Consent.objects.filter(person=greta).count() == 1
    assert Suppressed.objects.count() == 1


def test_a_stop_that_comes_again_after_a_yes_is_a_new_no(link: Make, outside: Client, greta: UUID) -> None:
    stop = f"/stop/{link(May.STOP, **MARKETING)}/"
    outside.post(stop)
    outside.post(f"/choices/{link()}/", {"says": "yes", "what": "marketing.email"})
    assert Standing.objects.get(person=greta).given
    outside.post(stop)
    assert Standing.objects.get(person=greta).withdrawn


def test_a_link_that_only_stops_shows_nobody_what_was_said(link: Make, outside: Client) -> None:
    stop = link(May.STOP)
    assert outside.get(f"/choices/{stop}/").status_code == 404
    page = outside.get(f"/stop/{stop}/").content.decode()
    assert "/choices/" not in page
    assert "kettle" not in page


def test_somebody_who_was_erased_is_still_left_alone(link: Make, outside: Client, firm: Entity, mark: Mark) -> None:
    outside.post(f"/stop/{link(May.STOP, person=new_ref(), **MARKETING)}/one-click/", ONE_CLICK)
    assert is_suppressed(entity=firm, mark=mark, purpose="marketing", channel="email")
    assert not Consent.objects.exists()


def test_no_log_has_a_link(link: Make, outside: Client, caplog: pytest.LogCaptureFixture) -> None:
    for path in (f"choices/{link()[:-1]}", f"choices/{link(at=datetime.now(UTC) - timedelta(days=500))}"):
        assert outside.get(f"/{path}/").status_code in {404, 410}
    assert caplog.text == ""


def test_a_bad_link_gives_everybody_the_same_page_with_a_way_that_needs_none(
    link: Make, outside: Client, greta: UUID
) -> None:
    forged = [link()[:-2] + "xx", "no-link", link(May.CONFIRM, **MARKETING), link(person=new_ref())[:-2]]
    pages = {outside.get(f"/choices/{one}/").content.replace(f"/{one}/".encode(), b"") for one in forged}
    assert len(pages) == 1
    assert {outside.post(f"/choices/{one}/", {"says": "stop"}).status_code for one in forged} == {404}
    assert all(b'action="/stop/"' in page for page in pages)
    assert not Consent.objects.filter(person=greta).exists()


# ---------------------------------------------------------------- without a link


@pytest.mark.parametrize("typed", [ADDRESS, "GRETA@kettle.example ", "nobody@elsewhere.example", "+49 30 5550199"])
def test_without_a_link_an_address_is_left_alone_and_the_answer_is_the_same_for_all(
    outside: Client, greta: UUID, firm: Entity, typed: str
) -> None:
    answer = outside.post("/stop/", {"address": typed, "entity": str(firm.ref)})
    text = answer.content.decode()
    assert "No more advertising goes to that address or number from:" in text
    assert typed not in text
    mark = mark_of(Reach.EMAIL if "@" in typed else Reach.PHONE, typed)
    channel = "email" if "@" in typed else "call"
    assert is_suppressed(entity=firm, mark=mark, purpose="marketing", channel=channel)
    assert not Consent.objects.filter(person=greta).exists()


def test_all_of_our_firms_may_be_told_at_once(outside: Client, firm: Entity, shanghai: Entity) -> None:
    outside.post("/stop/", {"address": ADDRESS, "entity": "all"})
    assert {row.entity for row in Suppressed.objects.all()} == {firm, shanghai}


@pytest.mark.parametrize("typed", ["", "greta", "030 5550199", "a@b", "x" * 400])
def test_what_is_no_address_is_said_so(outside: Client, firm: Entity, typed: str) -> None:
    answer = outside.post("/stop/", {"address": typed, "entity": str(firm.ref)})
    assert answer.status_code == 200
    assert "errors" in answer.content.decode() or "wrong" in answer.content.decode()
    assert not Suppressed.objects.exists()


def test_machines_that_type_addresses_are_held_up(
    outside: Client, firm: Entity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "MOST_TYPED", 2)
    codes = [
        outside.post("/stop/", {"address": f"a{n}@b.example", "entity": str(firm.ref)}).status_code for n in range(3)
    ]
    assert codes == [200, 200, 429]


# ---------------------------------------------------------------- the second step of a yes


def confirms(outside: Client, link: str) -> str:
    return outside.post(f"/confirm/{link}/").content.decode()


def test_a_confirmed_yes_is_a_double_opt_in_with_its_words(link: Make, outside: Client, greta: UUID) -> None:
    address = link(May.CONFIRM, **MARKETING)
    assert "may send me e-mails" in outside.get(f"/confirm/{address}/").content.decode()
    assert not Consent.objects.exists()
    assert "Thank you." in confirms(outside, address)
    consent = Consent.objects.get(person=greta)
    assert (consent.said, consent.express, consent.double_opt_in) == ("given", True, True)


def test_a_confirmation_that_comes_again_is_one(link: Make, outside: Client) -> None:
    address = link(May.CONFIRM, **MARKETING)
    confirms(outside, address)
    assert "You confirmed this before" in confirms(outside, address)
    assert Consent.objects.count() == 1


@pytest.mark.parametrize("no", ["one", "stop", "by-staff"])
def test_a_confirmation_that_comes_again_makes_no_yes_of_a_later_no(
    link: Make, outside: Client, greta: UUID, firm: Entity, no: str
) -> None:
    address = link(May.CONFIRM, **MARKETING)
    confirms(outside, address)
    if no == "one":
        outside.post(f"/stop/{link(May.STOP, **MARKETING)}/")
    elif no == "stop":
        outside.post(f"/choices/{link()}/", {"says": "stop"})
    else:
        withdraw_consent(about=about(greta, firm), said_at=datetime.now(UTC), source="by phone", heard_by=None)
    assert "After this link was sent you said no" in confirms(outside, address)
    assert Standing.objects.get(person=greta, purpose="marketing", channel="email").withdrawn
    assert Consent.objects.filter(said=Said.GIVEN).count() == 1


def test_a_confirmation_asked_for_after_a_no_is_a_fresh_yes(
    link: Make, outside: Client, greta: UUID, firm: Entity, mark: Mark
) -> None:
    outside.post(f"/stop/{link(May.STOP, **MARKETING)}/")
    later = link(May.CONFIRM, at=datetime.now(UTC) + timedelta(seconds=2), **MARKETING)
    assert "Thank you." in confirms(outside, later)
    assert Standing.objects.get(person=greta).given
    assert not is_suppressed(entity=firm, mark=mark, purpose="marketing", channel="email")


def test_a_confirmation_that_comes_too_late_agrees_to_nothing(link: Make, outside: Client) -> None:
    late = link(May.CONFIRM, at=datetime.now(UTC) - timedelta(days=8), **MARKETING)
    answer = outside.post(f"/confirm/{late}/")
    assert answer.status_code == 410
    assert b"nothing was agreed to by it" in answer.content
    assert not Consent.objects.exists()
