"""Messages that come back: the address is shut, and the next campaign does not use it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from comity.consent.suppression.models import Suppressed
from comity.outreach.inbound.acting import SOFT_MOST
from comity.post.inbound.jobs import look_into
from comity.post.inbound.mailboxes import folder_of
from comity.post.inbound.models import Arrival, Did, Inbox
from comity.post.inbound.queries import returned_of
from comity.staff.walls import behind_wall
from tests.outreach.inbound.sending import Sent, comes
from tests.post.inbound.corpus import BOUNCES, written
from tests.post.writing import stages

pytestmark = pytest.mark.django_db(transaction=True)


def bounce(sent: Sent, number: int, which: str = "postfix-no-such-user") -> bytes:
    """Return the report that a server sends about what one of them got."""
    mark = sent.sender(number).partition("+")[2].partition("@")[0]
    name = sent.got(number)["Message-ID"].strip("<>").partition("@")[0]
    return written(BOUNCES[which].replace("person-0@", f"person-{number}@"), bounce=mark, name=name)


def test_what_bounced_is_not_used_by_the_next_campaign(sent: Callable[[int], Sent], bounces: Inbox) -> None:
    first = sent(2)
    folder_of(bounces.ref).mkdir(parents=True)
    (folder_of(bounces.ref) / "1.eml").write_bytes(bounce(first, 0))
    assert look_into(bounces) == 1
    second = first.again()
    assert [one.to for one in second.kept] == ["person-1@kettle.example"]
    assert stages(second.dispatch)[first.people[0]] == ("refused", "suppressed")
    with behind_wall(staff=None, entities=[bounces.entity_id]):
        came = returned_of([first.dispatch.ref])[first.dispatch.ref]
    assert (came.sent, came.bounced) == (2, 1)
    assert not list(folder_of(bounces.ref).iterdir())


def test_each_message_is_marked_where_servers_give_the_mark_back(sent: Callable[[int], Sent]) -> None:
    first = sent(2)
    names = {first.got(number)["Message-ID"] for number in range(2)}
    senders = {first.sender(number) for number in range(2)}
    assert len(names) == len(senders) == 2
    assert all(sender.startswith("back+b") and sender.endswith("@mail.comity.example") for sender in senders)
    assert "<mailto:back+u" in first.got(0)["List-Unsubscribe"]
    assert all(len(sender.partition("@")[0]) <= 64 for sender in senders)


def test_a_report_without_our_mark_shuts_nothing(sent: Callable[[int], Sent], bounces: Inbox) -> None:
    first = sent(2)
    forged = bounce(first, 0).replace(b"back+b", b"back+c")
    name = first.got(0)["Message-ID"].strip("<>").partition("@")[0].encode()
    other = name[:-3] + (b"abc" if not name.endswith(b"abc") else b"bcd")
    arrival = comes(bounces, forged.replace(name, other))
    assert arrival is not None
    assert (arrival.did, arrival.message, arrival.digest) == (Did.UNMATCHED, None, None)
    assert len(first.again().kept) == 2


def test_a_mark_of_one_cannot_shut_the_address_of_another(sent: Callable[[int], Sent], bounces: Inbox) -> None:
    first = sent(2)
    comes(bounces, bounce(first, 0).replace(b"person-0@", b"person-1@"))
    assert [one.to for one in first.again().kept] == ["person-1@kettle.example"]


def test_what_is_not_the_addresss_fault_does_not_shut_it(sent: Callable[[int], Sent], bounces: Inbox) -> None:
    first = sent(4)
    which = ("postfix-still-trying", "gmail-unsolicited", "exchange-too-large", "postfix-passed-on")
    came = [comes(bounces, bounce(first, number, each)) for number, each in enumerate(which)]
    assert [one.did for one in came if one] == [Did.NOTED] * 4
    assert len(first.again().kept) == 4


def soft(sent: Sent, inbox: Inbox, which: str = "gmail-out-of-room") -> Arrival:
    arrival = comes(inbox, bounce(sent, 0, which))
    assert arrival is not None
    return arrival


def test_what_passes_four_times_in_a_row_does_not_pass(sent: Callable[[int], Sent], bounces: Inbox) -> None:
    last = sent(1)
    for _time in range(SOFT_MOST - 1):
        assert soft(last, bounces).did == Did.COUNTED
        last = last.again()
    assert soft(last, bounces).did == Did.SHUT
    assert [one.to for one in last.again().kept] == []


def test_the_same_message_bouncing_often_counts_once(sent: Callable[[int], Sent], bounces: Inbox) -> None:
    first = sent(1)
    for number in range(SOFT_MOST + 2):
        raw = bounce(first, 0, "gmail-out-of-room").replace(b"inbox full", f"inbox full {number}".encode())
        arrival = comes(bounces, raw)
        assert arrival is not None
        assert arrival.did == Did.COUNTED
    assert len(first.again().kept) == 1


def test_what_is_delivered_begins_the_count_anew(sent: Callable[[int], Sent], bounces: Inbox) -> None:
    last = sent(1)
    for _time in range(SOFT_MOST - 1):
        soft(last, bounces)
        last = last.again()
    soft(last, bounces, "postfix-delivered")
    with behind_wall(staff=None, entities=[bounces.entity_id]):
        Arrival.objects.filter(outcome="soft").update(occurred_at=timezone.now() - timedelta(minutes=1))
        Arrival.objects.filter(outcome="delivered").update(occurred_at=timezone.now())
    last = last.again()
    assert soft(last, bounces).did == Did.COUNTED


def test_delivered_after_bounced_does_not_open_an_address_again(sent: Callable[[int], Sent], bounces: Inbox) -> None:
    first = sent(2)
    comes(bounces, bounce(first, 0))
    comes(bounces, bounce(first, 0, "postfix-delivered"))
    assert [one.to for one in first.again().kept] == ["person-1@kettle.example"]


def test_the_same_report_twice_is_one(sent: Callable[[int], Sent], bounces: Inbox) -> None:
    first = sent(1)
    assert comes(bounces, bounce(first, 0)) is not None
    assert comes(bounces, b"Received: again\r\n" + bounce(first, 0)) is None
    with behind_wall(staff=None, entities=[bounces.entity_id]):
        assert Suppressed.objects.count() == 1
