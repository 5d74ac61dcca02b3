"""Stopping things: at once, without an identity, for whoever has the address, without telling whether anybody has."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.db import connection
from django.test import Client

from comity.book.actions import NewPoint
from comity.book.models import Person, Reach
from comity.consent.models import Consent, Said, Standing
from comity.consent.suppression.marks import mark_of
from comity.consent.suppression.queries import is_suppressed
from comity.rights.portal import jobs, stopping
from comity.rights.portal.models import Portal, Stop
from comity.rights.portal.stopping import What
from comity.rights.requests.models import Kind, Request
from comity.staff.models import Entity
from comity.vault.models import PersonKey
from tests.book.people import Add, newcomer
from tests.post.writing import says_yes
from tests.rights.portal.visitors import GRETA, NOBODY, comes_in, door, text_of

pytestmark = pytest.mark.django_db
SIGNAL = {"Sec-GPC": "1"}


def word_in(page: str) -> str:
    return page.partition('name="word" value="')[2].partition('"')[0]


def presses(browser: Client, firm: Entity, what: str) -> int:
    word = word_in(text_of(browser, firm, "stop"))
    return browser.post(door(firm, "stop", what), {"word": word}).status_code


def types_stop(browser: Client, firm: Entity, address: str, *what: str, **headers: str) -> object:
    return browser.post(door(firm, "stop"), {"address": address, "what": what}, headers=headers)


def works() -> None:
    """Let the worker do what was typed."""
    jobs.stop_the_rest(0)


# ---------------------------------------------------------------- by their own page


def test_a_button_stops_advertising_at_once_and_is_a_request(
    portal: Portal, greta: UUID, firm: Entity, outside: Client
) -> None:
    del portal
    comes_in(outside, firm)
    assert presses(outside, firm, "advertising") == 200
    assert Person.objects.get(ref=greta).objected_at is not None
    assert is_suppressed(entity=firm, mark=mark_of(Reach.EMAIL, GRETA), purpose="marketing", channel="email")
    request = Request.objects.get()
    assert (request.kind, request.person, request.came_by) == (Kind.OBJECTION, greta, "portal")


def test_a_button_stops_sale_and_sharing_at_once(portal: Portal, greta: UUID, firm: Entity, outside: Client) -> None:
    del portal
    comes_in(outside, firm)
    presses(outside, firm, "sale")
    row = Standing.objects.get(person=greta, purpose="targeted-advertising", channel="none")
    assert row.opted_out_on is not None
    assert Request.objects.get().kind == Kind.OPT_OUT


def test_a_button_takes_every_yes_back(portal: Portal, greta: UUID, firm: Entity, outside: Client) -> None:
    del portal
    says_yes([greta], firm)
    comes_in(outside, firm)
    presses(outside, firm, "consents")
    assert not Standing.objects.filter(person=greta, given__isnull=False).exists()
    assert Consent.objects.filter(person=greta, said=Said.WITHDRAWN).exists()
    assert Request.objects.get().kind == Kind.WITHDRAWAL


@pytest.mark.parametrize(("what", "kind"), [("limit", Kind.LIMIT), ("other-uses", Kind.OBJECTION)])
def test_what_a_human_looks_at_is_a_request(
    portal: Portal, greta: UUID, firm: Entity, outside: Client, what: str, kind: Kind
) -> None:
    del portal, greta
    comes_in(outside, firm)
    presses(outside, firm, what)
    assert Request.objects.get().kind == kind


def test_without_the_word_of_ones_own_page_nothing_is_stopped(
    portal: Portal, greta: UUID, firm: Entity, outside: Client
) -> None:
    del portal
    comes_in(outside, firm)
    for word in ("", "0" * 32):
        assert outside.post(door(firm, "stop", "advertising"), {"word": word}).status_code == 302
    assert outside.get(door(firm, "stop", "advertising")).status_code == 302
    assert Person.objects.get(ref=greta).objected_at is None
    assert not Request.objects.exists()


def test_a_no_counts_for_all_who_have_the_address(
    portal: Portal, greta: UUID, firm: Entity, add: Add, outside: Client
) -> None:
    del portal
    gustav = add(newcomer("Gustav", "Grünwald", "DE", points=[NewPoint(reach=Reach.EMAIL, value=GRETA)]))
    comes_in(outside, firm)
    presses(outside, firm, "advertising")
    assert Person.objects.filter(ref__in=[greta, gustav], objected_at__isnull=False).count() == 2
    assert Request.objects.get().person is None


# ---------------------------------------------------------------- without a code


def test_an_address_is_enough_and_no_identity_is_asked(
    portal: Portal, greta: UUID, firm: Entity, outside: Client
) -> None:
    del portal
    answer = types_stop(outside, firm, GRETA, "advertising", "sale")
    assert "It is stopped" in answer.content.decode()  # type: ignore[attr-defined]  # as Django's client gives it
    assert is_suppressed(entity=firm, mark=mark_of(Reach.EMAIL, GRETA), purpose="marketing", channel="email")
    assert {one.kind for one in Request.objects.all()} == {Kind.OBJECTION, Kind.OPT_OUT}
    works()
    assert Person.objects.get(ref=greta).objected_at is not None
    assert Standing.objects.get(person=greta, purpose="targeted-advertising", channel="none").opted_out_on
    assert {one.person for one in Request.objects.all()} == {greta}


def test_the_page_looks_nobody_up_and_says_the_same_of_everybody(
    portal: Portal, greta: UUID, firm: Entity, outside: Client
) -> None:
    del portal, greta
    asked: list[str] = []

    def keep(execute: object, statement: str, *more: object) -> object:
        asked.append(statement)
        return execute(statement, *more)  # type: ignore[operator]  # Django's own

    with connection.execute_wrapper(keep):
        known = types_stop(outside, firm, GRETA, "advertising", "consents")
    assert [one for one in asked if "tokens &&" in one] == []
    unknown = types_stop(Client(), firm, NOBODY, "advertising", "consents")
    assert (known.status_code, known.content, dict(known.headers)) == (  # type: ignore[attr-defined]  # as above
        unknown.status_code, unknown.content, dict(unknown.headers),  # type: ignore[attr-defined]  # as above
    )  # fmt: skip
    works()
    assert Stop.objects.filter(done_at=None).count() == 0


def test_what_was_typed_goes_when_it_was_done_and_is_done_once(
    portal: Portal, greta: UUID, firm: Entity, outside: Client
) -> None:
    del portal
    types_stop(outside, firm, GRETA, "sale")
    stop = Stop.objects.get()
    works()
    works()
    assert not PersonKey.objects.filter(person=stop.ref).exists()
    assert Consent.objects.filter(person=greta, purpose="targeted-advertising", channel="none").count() == 1


def test_the_browsers_own_no_counts_beside_what_was_ticked(
    portal: Portal, greta: UUID, firm: Entity, outside: Client
) -> None:
    del portal
    types_stop(outside, firm, GRETA, "advertising", **SIGNAL)
    works()
    assert Person.objects.get(ref=greta).opt_out_signal_at is not None
    assert Kind.OPT_OUT in {one.kind for one in Request.objects.all()}


def test_the_browsers_own_no_counts_when_one_comes_in(
    portal: Portal, greta: UUID, firm: Entity, outside: Client
) -> None:
    del portal
    comes_in(outside, firm)
    assert Person.objects.get(ref=greta).opt_out_signal_at is None
    page = outside.get(door(firm), headers=SIGNAL).content.decode()
    assert "Global Privacy Control" in page
    assert Person.objects.get(ref=greta).opt_out_signal_at is not None


@pytest.mark.parametrize("address", ["", "greta", "a b@c.example", "a@c.example\r\nBcc: d@e.example", "\x00"])
def test_what_is_no_address_is_refused(portal: Portal, firm: Entity, outside: Client, address: str) -> None:
    del portal
    assert types_stop(outside, firm, address, "sale").status_code == 422  # type: ignore[attr-defined]  # as above
    assert not Stop.objects.exists()


def test_nothing_ticked_or_something_unknown_is_refused(portal: Portal, firm: Entity, outside: Client) -> None:
    del portal
    assert types_stop(outside, firm, GRETA).status_code == 422  # type: ignore[attr-defined]  # as above
    assert types_stop(outside, firm, GRETA, "everything").status_code == 422  # type: ignore[attr-defined]  # as above


def test_machines_that_type_addresses_are_told_to_wait(
    portal: Portal, firm: Entity, outside: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    del portal
    monkeypatch.setattr(stopping, "MOST_OF_ONE", 2)
    answers = [types_stop(outside, firm, f"a{n}@kettle.example", "sale") for n in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]  # type: ignore[attr-defined]  # as above


def test_where_nobody_can_sign_in_one_can_still_stop(
    portal: Portal, greta: UUID, firm: Entity, outside: Client
) -> None:
    portal.delete()
    types_stop(outside, firm, GRETA, *What)
    works()
    assert Person.objects.get(ref=greta).objected_at is not None
