"""Signing in by a code: it goes to any address alike, works once, here, for a while, and for nobody else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from statistics import median
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from comity.book.actions import NewPoint
from comity.book.models import Reach
from comity.consent.preferences.links import May, make_link
from comity.ledger.models import Entry
from comity.post.models import Dispatch, Gateway, Message
from comity.refs import new_ref
from comity.rights.portal import jobs, signing_in
from comity.rights.portal.codes import Lets, Pass, digits_of, sealed
from comity.rights.portal.models import Code, Portal, Visit
from comity.rights.portal.writing import label_of, people_at
from comity.staff.models import Entity, RoleGrant, Staff
from comity.staff.walls import behind_wall
from comity.vault.actions import new_person_key, seal
from comity.vault.models import PersonKey, Sealed
from tests.book.people import Add, newcomer
from tests.post.relays import Keeper, relay
from tests.rights.portal.visitors import (
    GRETA,
    NOBODY,
    asks,
    code_in,
    comes_in,
    door,
    hand_over,
    letter_to,
    opened,
    text_of,
    types,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def mailbox(firm: Entity, vera: Staff) -> Iterator[Keeper]:
    """Give what comes in at a real relay, by which the codes of Dublin go out."""
    with relay() as (kept, port):
        opened(firm, vera, port=port)
        yield kept


PAGES = ((), ("code",), ("go",), ("stop",), ("looks",), ("decided",), ("asked",), ("ask", "erase"), ("stop", "sale"))


def right_code() -> str:
    return digits_of(Code.objects.latest("asked_at"))


# ---------------------------------------------------------------- nobody learns who is known


@pytest.mark.django_db(transaction=True)
def test_one_message_goes_to_any_address_and_only_its_owner_reads_which_it_is(
    mailbox: Keeper, greta: UUID, firm: Entity, outside: Client
) -> None:
    del greta
    asks(outside, firm, GRETA)
    asks(Client(), firm, NOBODY)
    hand_over(firm)
    assert len(mailbox.kept) == 2
    assert len(code_in(letter_to(mailbox, GRETA))) == 9
    assert "We hold nothing under it" in letter_to(mailbox, NOBODY)
    assert "stop/" in letter_to(mailbox, NOBODY)
    (known,), (unknown,) = mailbox.to(GRETA), mailbox.to(NOBODY)
    assert known.message["Subject"] == unknown.message["Subject"]
    assert known.message["Auto-Submitted"] == "auto-generated"


def test_the_answer_is_the_same_in_each_byte_and_header_whether_the_address_is_known(
    portal: Portal, greta: UUID, firm: Entity
) -> None:
    del portal, greta
    answers = {}
    for address in (GRETA, "grete@kettle.example"):
        browser = Client()
        first = asks(browser, firm, address)
        second = browser.get(door(firm, "code"))
        answers[address] = [
            (one.status_code, one.content.replace(address.encode(), b""), dict(one.headers)) for one in (first, second)
        ]
        cookie = first.cookies["you"]
        answers[address].append((len(cookie.value), cookie["httponly"], cookie["samesite"], {}))  # type: ignore[arg-type]  # shown beside them
    assert answers[GRETA] == answers["grete@kettle.example"]
    assert Code.objects.count() == Dispatch.objects.count() == Message.objects.count() == 2


def test_nobody_is_looked_up_when_a_code_is_asked_for(
    portal: Portal, greta: UUID, firm: Entity, outside: Client
) -> None:
    del portal, greta
    asked: list[str] = []

    def keep(execute: object, statement: str, *more: object) -> object:
        asked.append(statement)
        return execute(statement, *more)  # type: ignore[operator]  # Django's own

    with connection.execute_wrapper(keep):
        asks(outside, firm, GRETA)
    assert asked
    assert [one for one in asked if "tokens &&" in one or "book_" in one] == []


def test_it_takes_as_long_for_an_address_that_is_known(
    portal: Portal, greta: UUID, firm: Entity, monkeypatch: pytest.MonkeyPatch
) -> None:
    del portal, greta
    for limit in ("MOST_TO_ONE", "MOST_OF_ONE"):
        monkeypatch.setattr(signing_in, limit, 10_000)
    took: dict[str, list[float]] = {GRETA: [], NOBODY: []}
    asks(Client(), firm, GRETA)
    for _ in range(25):
        for address, times in took.items():
            begun = time.perf_counter()
            asks(Client(), firm, address)
            times.append(time.perf_counter() - begun)
    known, unknown = median(took[GRETA]), median(took[NOBODY])
    assert abs(known - unknown) < 0.25 * max(known, unknown), took


# ---------------------------------------------------------------- the code


def test_by_the_code_in_the_mail_one_comes_in_and_it_is_on_record_by_refs(
    portal: Portal, greta: UUID, firm: Entity, outside: Client
) -> None:
    del portal
    comes_in(outside, firm)
    visit = Visit.objects.get()
    assert (visit.persons, visit.shared) == ([greta], False)
    assert "Greta Grünwald" in text_of(outside, firm)
    entry = Entry.objects.get(kind="rights.visit-begun")
    assert (entry.persons, entry.staff) == ([greta], None)
    assert GRETA.encode() not in bytes(entry.body)


def test_no_address_and_no_code_stand_anywhere_in_the_clear(
    portal: Portal, greta: UUID, firm: Entity, outside: Client
) -> None:
    del portal, greta
    asks(outside, firm)
    code = right_code()
    with connection.cursor() as cursor:
        for table in ("rights_code", "vault_sealed", "post_message", "post_dispatch", "ledger_entry"):
            cursor.execute(f"SELECT string_agg(row::text, ' ') FROM {table} AS row")
            (held,) = cursor.fetchone()
            assert GRETA not in held
            assert code not in held, table
    cookie = outside.cookies["you"].value
    assert GRETA not in cookie


def test_a_code_works_once(portal: Portal, greta: UUID, firm: Entity, outside: Client) -> None:
    del portal, greta
    asks(outside, firm)
    code, before = right_code(), outside.cookies["you"].value
    assert types(outside, firm, code).status_code == 302
    outside.cookies["you"] = before
    again = types(outside, firm, code)
    assert again.status_code == 422
    assert "does not work any more" in again.content.decode()
    assert Visit.objects.count() == 1


def test_a_code_is_over_after_fifteen_minutes(portal: Portal, greta: UUID, firm: Entity, outside: Client) -> None:
    del portal, greta
    asks(outside, firm)
    Code.objects.update(ends_at=timezone.now())
    assert "does not work any more" in types(outside, firm, right_code()).content.decode()
    assert not Visit.objects.exists()


def test_after_five_wrong_tries_the_right_one_is_none_either(
    portal: Portal, greta: UUID, firm: Entity, outside: Client
) -> None:
    del portal, greta
    asks(outside, firm)
    code = right_code()
    wrong = f"{(int(code) + 1) % 10**8:08}"
    for left in (4, 3, 2):
        assert f"{left} tries left" in types(outside, firm, wrong).content.decode()
    assert "one try left" in types(outside, firm, wrong).content.decode()
    assert "does not work any more" in types(outside, firm, wrong).content.decode()
    assert types(outside, firm, code).status_code == 422
    assert not Visit.objects.exists()


@pytest.mark.parametrize("typed", ["", "1", "x" * 20, "１２３４５６７８", "99999999999999999999", "\x00"])
def test_what_is_no_code_is_refused_in_plain_words(portal: Portal, firm: Entity, outside: Client, typed: str) -> None:
    del portal
    asks(outside, firm)
    assert types(outside, firm, typed).status_code == 422


def test_a_code_is_bound_to_the_browser_that_asked(portal: Portal, greta: UUID, firm: Entity, outside: Client) -> None:
    del portal, greta
    asks(outside, firm)
    code = right_code()
    assert types(Client(), firm, code).status_code == 302  # back to the door, without a visit
    other = Client()
    asks(other, firm, NOBODY)
    assert types(other, firm, code).status_code == 422
    assert not Visit.objects.exists()


def test_a_code_of_one_entity_opens_no_other(
    portal: Portal, greta: UUID, firm: Entity, shanghai: Entity, vera: Staff, outside: Client
) -> None:
    del portal, greta
    RoleGrant.objects.create(
        staff=vera, role="privacy-officer", entity=shanghai, reason="tests", begins_at=timezone.now()
    )
    asks(outside, firm)
    assert types(outside, shanghai, right_code()).headers["Location"] == door(shanghai)
    assert not Visit.objects.exists()
    comes_in(outside, firm)
    assert outside.get(door(shanghai, "looks")).headers["Location"].startswith(door(shanghai))


def test_forged_cut_and_foreign_cookies_open_nothing(portal: Portal, greta: UUID, firm: Entity) -> None:
    del portal
    visiting = comes_in(Client(), firm)
    real, visit = visiting.cookies["you"].value, Visit.objects.get()
    link = make_link(may=May.CHOOSE, person=greta, entity=firm.ref, at=timezone.now())
    trying = sealed(Pass(lets=Lets.TRY, ref=visit.ref, entity=firm.ref, address=GRETA))
    for forged in (
        "",
        "x",
        real[:-4],
        real[:-1] + ("A" if real[-1] != "A" else "B"),
        "é" * 40,
        "A" * 5_000,
        link,
        trying,
    ):
        browser = Client()
        browser.cookies["you"] = forged
        assert browser.get(door(firm, "looks")).status_code == 302
        assert "Send me a code" in text_of(browser, firm)
    assert "Greta" in text_of(visiting, firm)


def test_a_link_is_no_pass_and_a_pass_is_no_link(portal: Portal, greta: UUID, firm: Entity, outside: Client) -> None:
    del portal, greta
    comes_in(outside, firm)
    assert outside.get(f"/choices/{outside.cookies['you'].value}/").status_code == 404


def test_the_cookie_goes_to_nobody_else(portal: Portal, firm: Entity, outside: Client) -> None:
    del portal
    cookie = asks(outside, firm).cookies["you"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"


# ---------------------------------------------------------------- the visit


def test_a_visit_ends_after_half_an_hour_without_a_click(
    portal: Portal, greta: UUID, firm: Entity, outside: Client
) -> None:
    del portal, greta
    comes_in(outside, firm)
    Visit.objects.update(seen_at=timezone.now() - timedelta(minutes=29))
    assert "Greta" in text_of(outside, firm)
    assert Visit.objects.get().seen_at > timezone.now() - timedelta(minutes=1)
    Visit.objects.update(seen_at=timezone.now() - timedelta(minutes=30))
    assert "Greta" not in text_of(outside, firm)


def test_a_visit_ends_after_two_hours_however_much_is_clicked(
    portal: Portal, greta: UUID, firm: Entity, outside: Client
) -> None:
    del portal, greta
    comes_in(outside, firm)
    visit = Visit.objects.get()
    assert visit.ends_at - visit.begun_at == timedelta(hours=2)
    Visit.objects.update(ends_at=timezone.now())
    assert "Greta" not in text_of(outside, firm)


def test_whoever_goes_is_gone_and_what_the_browser_kept_is_worth_nothing(
    portal: Portal, greta: UUID, firm: Entity, outside: Client
) -> None:
    del portal, greta
    comes_in(outside, firm)
    kept = outside.cookies["you"].value
    page = text_of(outside, firm)
    word = page.partition('name="word" value="')[2].partition('"')[0]
    assert outside.get(door(firm, "go")).status_code == 302  # a GET ends nothing
    assert outside.post(door(firm, "go"), {"word": "0" * 32}).status_code == 302
    assert Visit.objects.get().ended_at is None
    outside.post(door(firm, "go"), {"word": word})
    assert Visit.objects.get().ended_at is not None
    outside.cookies["you"] = kept
    assert "Greta" not in text_of(outside, firm)
    assert Entry.objects.filter(kind="rights.visit-ended").exists()


def test_get_and_head_change_nothing(portal: Portal, greta: UUID, firm: Entity, outside: Client) -> None:
    del portal, greta
    for method in (outside.get, outside.head):
        for page in PAGES:
            assert method(door(firm, *page)).status_code in {200, 302}
    assert not Code.objects.exists()
    comes_in(outside, firm)
    before = Entry.objects.exclude(kind__in=("counsel.decided", "vault.opened")).count()
    for method in (outside.get, outside.head):
        for page in (
            (),
            ("code",),
            ("go",),
            ("stop",),
            ("looks",),
            ("decided",),
            ("asked",),
            ("ask", "erase"),
            ("stop", "sale"),
        ):
            assert method(door(firm, *page)).status_code in {200, 302}
    assert Entry.objects.exclude(kind__in=("counsel.decided", "vault.opened")).count() == before


# ---------------------------------------------------------------- limits, and what is kept


def test_an_address_gets_five_codes_an_hour_and_the_sixth_page_says_the_same(
    portal: Portal, firm: Entity, outside: Client
) -> None:
    del portal
    pages = {asks(outside, firm, GRETA).status_code for _ in range(6)}
    assert pages == {302}
    assert (Code.objects.count(), Dispatch.objects.count()) == (6, 5)


def test_a_place_from_which_machines_ask_is_told_to_wait(
    portal: Portal, firm: Entity, monkeypatch: pytest.MonkeyPatch
) -> None:
    del portal
    monkeypatch.setattr(signing_in, "MOST_OF_ONE", 3)
    answers = [asks(Client(), firm, f"a{number}@kettle.example").status_code for number in range(4)]
    assert answers == [302, 302, 302, 429]
    assert Client(REMOTE_ADDR="192.0.2.9").post(door(firm), {"address": GRETA}).status_code == 302


def test_all_together_are_told_to_wait(portal: Portal, firm: Entity, monkeypatch: pytest.MonkeyPatch) -> None:
    del portal
    monkeypatch.setattr(signing_in, "MOST_OF_ALL", 2)
    answers = [Client(REMOTE_ADDR=f"192.0.2.{n}").post(door(firm), {"address": GRETA}).status_code for n in range(3)]
    assert answers == [302, 302, 429]


def test_an_address_goes_when_its_code_is_over_and_rows_go_after_a_day(
    portal: Portal, firm: Entity, outside: Client
) -> None:
    del portal
    asks(outside, firm)
    ref = Code.objects.get().ref
    assert Sealed.objects.filter(person=ref).exists()
    jobs.forget_codes(0)
    assert Sealed.objects.filter(person=ref).exists()
    Code.objects.update(ends_at=timezone.now())
    jobs.forget_codes(0)
    assert not Sealed.objects.filter(person=ref).exists()
    assert not PersonKey.objects.filter(person=ref).exists()
    Code.objects.update(asked_at=timezone.now() - timedelta(hours=25))
    jobs.forget_codes(0)
    assert not Code.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_code_that_is_over_is_not_sent_any_more(mailbox: Keeper, firm: Entity, outside: Client) -> None:
    asks(outside, firm)
    Code.objects.update(ends_at=timezone.now())
    hand_over(firm)
    assert mailbox.kept == []
    assert Message.objects.get().why == "gone"


# ---------------------------------------------------------------- one address, several people; nobody


def test_where_several_have_the_address_nothing_of_anybody_is_shown(
    portal: Portal, greta: UUID, firm: Entity, add: Add, outside: Client
) -> None:
    del portal
    gustav = add(newcomer("Gustav", "Grünwald", "DE", points=[NewPoint(reach=Reach.EMAIL, value=GRETA)]))
    comes_in(outside, firm)
    assert Visit.objects.get().persons == sorted([greta, gustav])
    page = text_of(outside, firm)
    assert "may be that of several" in page
    assert "Grünwald" not in page
    for inside in ("looks", "decided"):
        assert outside.get(door(firm, inside)).status_code == 302
    assert not Entry.objects.filter(kind="vault.opened", staff=None).exists()


def test_an_address_such_as_info_shows_nothing_of_anybody(
    portal: Portal, firm: Entity, add: Add, outside: Client
) -> None:
    del portal
    point = NewPoint(reach=Reach.EMAIL, value="info@kettle.example", impersonal=True)
    add(newcomer("Ivo", "Ivanov", "DE", points=[point]))
    comes_in(outside, firm, "info@kettle.example")
    page = text_of(outside, firm)
    assert "may be that of several" in page
    assert "Ivo" not in page


def test_people_of_another_entity_are_nobody_here(portal: Portal, greta: UUID, firm: Entity, shanghai: Entity) -> None:
    del portal, greta

    ref = new_ref()
    new_person_key(person=ref)
    seal(label=label_of(ref), fields={"email": GRETA})
    with behind_wall(staff=None, entities=[firm.ref, shanghai.ref]):
        assert len(people_at(label_of(ref), firm.ref)) == 1
        assert people_at(label_of(ref), shanghai.ref) == []


def test_under_an_address_that_nobody_has_there_is_nothing_to_see(
    portal: Portal, firm: Entity, outside: Client
) -> None:
    del portal
    comes_in(outside, firm, NOBODY)
    assert "We hold nothing under this address" in text_of(outside, firm)


# ---------------------------------------------------------------- shut


def test_shut_pages_say_how_to_ask_otherwise_and_take_no_code(
    portal: Portal, firm: Entity, vera: Staff, outside: Client
) -> None:
    Gateway.objects.update(ended_at=timezone.now())
    shut = asks(outside, firm)
    assert shut.status_code == 503
    assert "1 Quay Street, Dublin" in shut.content.decode()
    Gateway.objects.update(ended_at=None)
    RoleGrant.objects.filter(staff=vera).delete()
    assert outside.get(door(firm)).status_code == 503
    assert portal.closed_at is None


def test_of_no_entity_there_is_nothing(portal: Portal, greta: UUID, outside: Client) -> None:
    del portal
    answer = outside.get(f"/you/{greta}/")
    assert answer.status_code == 404
    assert "Nothing is here" in answer.content.decode()
