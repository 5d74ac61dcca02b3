"""Prospects gone quiet: who is one, a preview that stops nothing and nobody, and the erasure on its day."""

from __future__ import annotations

import json
from datetime import date, timedelta
from uuid import UUID

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from comity.book.models import Person
from comity.ledger.connecting import own_connection
from comity.ledger.models import Entry
from comity.post.actions import make_gateway
from comity.retention.holds.actions import lift_hold, place_hold
from comity.retention.jobs import clean_quiet
from comity.retention.schedule import quiet
from comity.retention.schedule.models import QuietPolicy, QuietRound
from comity.retention.schedule.quiet import (
    counts,
    erase_quiet,
    go_through,
    months_before,
    register_waits,
    set_quiet_policy,
    stop_round,
)
from comity.staff.models import Entity, Staff
from comity.vault.models import PersonKey
from tests.book.people import Add, newcomer
from tests.consent.people import says_yes
from tests.post.relays import relay
from tests.staff.people import client_of

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = timezone.localdate() - timedelta(days=5 * 366)


def prospect(add: Add, home: str = "DE", heard: date = LONG_AGO, **relation: object) -> UUID:
    """Let somebody be in the book who was last heard of on that day."""
    ref = add(newcomer("Nina", "Quiet", home, relation=relation))
    Person.objects.filter(ref=ref).update(last_contact_on=heard, added_at=timezone.now() - timedelta(days=3_000))
    return ref


def there(*persons: UUID) -> list[bool]:
    return [Person.objects.filter(ref=ref).exists() for ref in persons]


def switched_on(firm: Entity, olga: Staff, months: int = 36) -> QuietPolicy:
    return set_quiet_policy(entity=firm, on=True, months=months, ahead=7, set_by=olga)


def in_a_week() -> date:
    return timezone.localdate() + timedelta(days=7)


# ---------------------------------------------------------------- who is quiet


def test_quiet_is_of_whom_nothing_was_heard_and_who_is_nothing_to_us(add: Add, firm: Entity) -> None:
    today = timezone.localdate()
    prospect(add, "DE")
    prospect(add, "FR")
    prospect(add, "FR", heard=today - timedelta(days=100))
    says_yes(prospect(add, "FR"), firm)
    for relation in (
        {"contract_running": True}, {"last_purchase_on": today}, {"last_inquiry_on": today}, {"customer_since": today},
    ):  # fmt: skip
        prospect(add, "DE", **relation)
    restricted = prospect(add, "DE")
    Person.objects.filter(ref=restricted).update(restricted_at=timezone.now())
    newly = prospect(add, "DE")
    Person.objects.filter(ref=newly).update(added_at=timezone.now())
    assert counts(firm, 36, today) == {"DE": 1, "FR": 1}


def test_the_law_of_a_home_counts_where_it_says_less(add: Add, firm: Entity) -> None:
    four_years = timezone.localdate() - timedelta(days=4 * 366)
    prospect(add, "FR", heard=four_years)
    prospect(add, "DE", heard=four_years)
    assert counts(firm, 60, timezone.localdate()) == {"FR": 1}  # CNIL: three years


@pytest.mark.parametrize(
    ("day", "months", "before"),
    [
        (date(2026, 11, 23), 36, date(2023, 11, 23)),
        (date(2028, 2, 29), 12, date(2027, 2, 28)),
        (date(2026, 1, 31), 2, date(2025, 11, 30)),
        (date(2026, 12, 5), 12, date(2025, 12, 5)),
    ],
)
def test_months_are_counted_by_the_calendar(day: date, months: int, before: date) -> None:
    assert months_before(day, months) == before


# ---------------------------------------------------------------- preview, then the run


def test_nothing_happens_before_somebody_switches_it_on(add: Add, firm: Entity) -> None:
    gone = prospect(add)
    clean_quiet.func(timestamp=0)
    assert there(gone) == [True]
    assert not QuietRound.objects.exists()
    del firm


def test_first_comes_a_preview_and_on_its_day_the_erasure(add: Add, firm: Entity, olga: Staff, greta: UUID) -> None:
    gone = [prospect(add, "DE"), prospect(add, "FR"), prospect(add, "")]
    switched_on(firm, olga)
    assert go_through() == 0
    (found,) = QuietRound.objects.all()
    assert (found.counts, found.people, found.goes_on) == ({"": 1, "DE": 1, "FR": 1}, 3, in_a_week())
    assert found.cutoffs["FR"][1] in {"", "fr-records/prospects"}
    assert go_through() == 0  # no second one, and nobody before the day
    assert QuietRound.objects.count() == 1
    assert there(*gone) == [True] * 3
    assert go_through(in_a_week()) == 3
    assert there(*gone, greta) == [False, False, False, True]
    assert not PersonKey.objects.filter(person__in=gone).exists()
    found.refresh_from_db()
    assert found.ended_at
    assert found.erased == 3
    kinds = ["retention.quiet-policy", "retention.quiet-previewed", "retention.quiet-erased"]
    assert [Entry.objects.filter(kind=kind).count() for kind in kinds] == [1, 1, 1]
    body = json.loads(bytes(Entry.objects.get(kind="retention.quiet-erased").body))["body"]
    assert body["erased"] == 3


def test_who_speaks_after_the_preview_stays_and_so_does_who_is_held(add: Add, firm: Entity, olga: Staff) -> None:
    spoke, held, restricted, gone = (prospect(add) for _ in range(4))
    switched_on(firm, olga)
    go_through()
    Person.objects.filter(ref=spoke).update(last_contact_on=timezone.localdate())
    Person.objects.filter(ref=restricted).update(restricted_at=timezone.now())
    hold = place_hold(entity=firm, person=held, reason="A claim", owner=olga, review_on=in_a_week(), placed_by=olga)
    assert go_through(in_a_week()) == 1
    assert there(spoke, held, restricted, gone) == [True, True, True, False]
    lift_hold(hold=hold, because="It was settled", lifted_by=olga)
    go_through()
    assert go_through(in_a_week() + timedelta(days=7)) == 1
    assert there(held) == [False]


def test_whoever_a_room_says_must_wait_stays(add: Add, firm: Entity, olga: Staff) -> None:
    waits, gone = prospect(add), prospect(add)
    register_waits("tests", lambda persons: {waits} & set(persons))
    try:
        switched_on(firm, olga)
        go_through()
        assert go_through(in_a_week()) == 1
    finally:
        quiet._waits.pop("tests")
    assert there(waits, gone) == [True, False]


def test_somebody_may_stop_it(add: Add, firm: Entity, olga: Staff, ada: Staff) -> None:
    gone = prospect(add)
    switched_on(firm, olga)
    go_through()
    found = QuietRound.objects.get()
    with pytest.raises(PermissionDenied):
        stop_round(found=found, stopped_by=ada)
    stop_round(found=found, stopped_by=olga)
    assert erase_quiet(found) == 0
    assert there(gone) == [True]


def test_switching_it_off_stops_it_too(add: Add, firm: Entity, olga: Staff) -> None:
    gone = prospect(add)
    switched_on(firm, olga)
    go_through()
    set_quiet_policy(entity=firm, on=False, months=36, ahead=7, set_by=olga)
    assert go_through(in_a_week()) == 0
    assert there(gone) == [True]
    assert QuietRound.objects.get().stopped_by == olga


def test_it_goes_in_batches_and_whoever_somebody_works_on_is_left(add: Add, firm: Entity, olga: Staff) -> None:
    gone = [prospect(add) for _ in range(7)]
    switched_on(firm, olga)
    go_through()
    with own_connection() as other, other.transaction():
        other.execute("SELECT 1 FROM book_person WHERE ref = %s FOR UPDATE", [gone[3]])
        assert erase_quiet(QuietRound.objects.get(), at_once=2) == 6
    assert there(*gone) == [False] * 3 + [True] + [False] * 3


def test_who_may_stop_it_gets_a_mail_with_numbers_and_nobody_in_it(add: Add, firm: Entity, olga: Staff) -> None:
    prospect(add, "FR")
    switched_on(firm, olga)
    with relay() as (keeper, port):
        settings = {"host": "127.0.0.1", "port": port, "security": "none"}
        make_gateway(entity=firm, channel="email", kind="smtp", name="Relay", settings=settings, made_by=None)
        go_through()
    (mail,) = keeper.kept
    text = mail.message.get_content()
    assert mail.to == olga.email
    assert "1 person goes on" in str(mail.message["Subject"])
    assert "- France: 1 (nothing heard since" in text
    assert "/settings/cleaning/" in text
    assert "Quiet" not in text
    assert QuietRound.objects.get().mailed == 1


def test_where_no_mail_can_go_today_says_it(add: Add, firm: Entity, olga: Staff, no_second_factor: None) -> None:
    del no_second_factor
    prospect(add)
    switched_on(firm, olga)
    go_through()
    shown = client_of(olga).get(reverse("desk:today")).content.decode()
    assert "1 prospect gone quiet is erased on" in shown


# ---------------------------------------------------------------- the page


@pytest.fixture
def page(olga: Staff, no_second_factor: None) -> Client:
    del no_second_factor
    return client_of(olga)


def test_the_page_counts_before_anything_goes(page: Client, add: Add, firm: Entity) -> None:
    prospect(add, "FR")
    home = reverse("retention:cleaning")
    assert page.get(home).status_code == 200
    given = {f"{firm.ref}-months": "36", f"{firm.ref}-ahead": "7", f"{firm.ref}-on": "on"}
    looked = page.post(reverse("retention:quiet", args=[firm.ref]), given | {"look": "1"}).content.decode()
    assert "France" in looked
    assert not QuietPolicy.objects.exists()
    assert page.post(reverse("retention:quiet", args=[firm.ref]), given).status_code == 302
    assert QuietPolicy.objects.get().on
    go_through()
    shown = page.get(home).content.decode()
    assert "1 prospect of Comity Dublin Ltd is erased on" in shown
    found = QuietRound.objects.get()
    assert page.post(reverse("retention:stop", args=[found.ref])).status_code == 302
    found.refresh_from_db()
    assert found.ended_at
    assert "stopped by Olga Petrova" in page.get(home).content.decode()


def test_a_policy_of_two_months_is_refused(page: Client, firm: Entity) -> None:
    given = {f"{firm.ref}-months": "2", f"{firm.ref}-ahead": "7", f"{firm.ref}-on": "on"}
    page.post(reverse("retention:quiet", args=[firm.ref]), given)
    assert not QuietPolicy.objects.exists()


def test_who_may_not_change_it_sees_it_and_changes_nothing(adam: Staff, firm: Entity, no_second_factor: None) -> None:
    del no_second_factor
    page = client_of(adam)
    assert "Off: they stay." in page.get(reverse("retention:cleaning")).content.decode()
    assert page.post(reverse("retention:quiet", args=[firm.ref]), {}).status_code == 403
