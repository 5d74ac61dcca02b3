"""What people answer: a no is a no at once, what may be one holds, a machine's words are nobody's, all else is kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from comity.book.models import Activity
from comity.consent.models import Consent, Standing
from comity.consent.suppression.models import Cause, Suppressed
from comity.outreach.inbound.acting import hear
from comity.post.hands import open_hands
from comity.post.inbound import hearing
from comity.post.inbound.models import Arrival, Did, Inbox
from comity.post.inbound.originals import original_of
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from tests.outreach.inbound.sending import Sent, comes
from tests.outreach.sequences.making import DAY, begun, live, mail, where
from tests.post.inbound.corpus import AUTOMATIC, COMPLAINTS, answer, written
from tests.post.relays import relay
from tests.post.writing import says_yes, stages, way_out

pytestmark = pytest.mark.django_db(transaction=True)


def marks(sent: Sent, number: int = 0) -> dict[str, str]:
    return {
        "bounce": sent.sender(number).partition("+")[2].partition("@")[0],
        "name": sent.got(number)["Message-ID"].strip("<>").partition("@")[0],
    }


def answers(sent: Sent, text: str, number: int = 0) -> bytes:
    return written(answer(text), **marks(sent, number))


def said(person: UUID, entity: Entity) -> list[tuple[str, str, str]]:
    with behind_wall(staff=None, entities=[entity.ref]):
        rows = Consent.objects.filter(person=person).order_by("recorded_at")
        return [(row.said, row.purpose, row.source) for row in rows]


def goes_to(sent: Sent) -> list[str]:
    return [one.to.partition("@")[0] for one in sent.again().kept]


def test_stop_by_reply_is_a_withdrawal(sent: Callable[[int], Sent], bounces: Inbox) -> None:
    texts = ["STOP", "bitte abmelden", "退订", "Take me off your list!"]
    first = sent(5)
    for number, text in enumerate(texts):
        arrival = comes(bounces, answers(first, text, number=number))
        assert arrival is not None
        assert (arrival.did, arrival.person) == (Did.STOPPED, first.people[number])
        assert said(first.people[number], bounces.entity)[-1] == ("withdrawn", "marketing", "By reply, email")
    assert said(first.people[4], bounces.entity)[-1][0] == "given"
    assert goes_to(first) == ["person-4"]


def test_a_complaint_is_a_no(sent: Callable[[int], Sent], bounces: Inbox) -> None:
    first = sent(len(COMPLAINTS) + 1)
    for number, template in enumerate(COMPLAINTS.values()):
        arrival = comes(bounces, written(template, **marks(first, number)))
        assert arrival is not None
        assert arrival.did == Did.STOPPED
        assert said(first.people[number], bounces.entity)[-1] == ("withdrawn", "marketing", "Reported as spam, email")
    with behind_wall(staff=None, entities=[bounces.entity_id]):
        assert set(Suppressed.objects.values_list("cause", flat=True)) == {Cause.COMPLAINED}
    assert goes_to(first) == [f"person-{len(COMPLAINTS)}"]


def test_a_mail_to_the_signed_address_refuses_whatever_it_says(sent: Callable[[int], Sent], bounces: Inbox) -> None:
    first = sent(2)
    to = first.got(0)["List-Unsubscribe"].partition("mailto:")[2].partition("?")[0]
    raw = f"From: somebody@else.example\r\nTo: {to}\r\nSubject: anything\r\nMessage-ID: <1@x.example>\r\n\r\n".encode()
    arrival = comes(bounces, raw)
    assert arrival is not None
    assert (arrival.came, arrival.did, arrival.person) == ("refusal", Did.STOPPED, first.people[0])
    assert goes_to(first) == ["person-1"]


def test_the_mark_for_bounces_does_not_refuse(sent: Callable[[int], Sent], bounces: Inbox) -> None:
    first = sent(1)
    to = "back+u" + first.sender(0).partition("+b")[2]
    arrival = comes(bounces, f"From: x@else.example\r\nTo: {to}\r\nMessage-ID: <2@x.example>\r\n\r\n".encode())
    assert arrival is not None
    assert (arrival.message, arrival.person) == (None, None)
    assert goes_to(first) == ["person-0"]


def test_stop_from_an_address_without_a_mark_leaves_the_address_alone_and_takes_back_nothing(
    sent: Callable[[int], Sent], bounces: Inbox
) -> None:
    first = sent(2)
    raw = b"From: Person-0@kettle.example\r\nMessage-ID: <3@x.example>\r\n\r\nSTOP\r\n"
    arrival = comes(bounces, raw)
    assert arrival is not None
    assert arrival.did == Did.LEFT_ALONE
    assert said(first.people[0], bounces.entity)[-1][0] == "given"
    assert goes_to(first) == ["person-1"]


def test_what_a_machine_answers_changes_nothing(sent: Callable[[int], Sent], bounces: Inbox) -> None:
    first = sent(1)
    for template in AUTOMATIC.values():
        arrival = comes(bounces, written(template, **marks(first)))
        assert arrival is not None
        assert (arrival.did, arrival.waits) == (Did.NOTED, False)
    assert goes_to(first) == ["person-0"]


def test_what_may_be_a_no_holds_until_somebody_has_read_it(sent: Callable[[int], Sent], bounces: Inbox) -> None:
    first = sent(2)
    arrival = comes(bounces, answers(first, "stop it, I love it"))
    assert arrival is not None
    assert (arrival.did, arrival.waits) == (Did.HELD, True)
    assert said(first.people[0], bounces.entity)[-1][0] == "given"
    second = first.again()
    assert [one.to for one in second.kept] == ["person-1@kettle.example"]
    assert stages(second.dispatch)[first.people[0]] == ("refused", "held")


def test_yes_by_reply_is_no_consent(sent: Callable[[int], Sent], bounces: Inbox) -> None:
    first = sent(1)
    comes(bounces, answers(first, "STOP"))
    before = said(first.people[0], bounces.entity)
    for text in ("Yes", "START", "I agree to everything", "subscribe"):
        comes(bounces, answers(first, text))
    assert said(first.people[0], bounces.entity) == before
    assert goes_to_nobody(first)


def goes_to_nobody(sent: Sent) -> bool:
    with behind_wall(staff=None, entities=[sent.look.entity.ref]):
        return not Standing.objects.exclude(given=None).exists()


def test_an_answer_is_kept_with_the_person_and_sealed(sent: Callable[[int], Sent], bounces: Inbox) -> None:
    first = sent(1)
    arrival = comes(bounces, answers(first, "Is it red? My number is 0170 5550199."))
    assert arrival is not None
    assert (arrival.did, arrival.waits, arrival.parcel_key) == (Did.KEPT, False, None)
    with behind_wall(staff=None, entities=[bounces.entity_id]):
        assert [(row.doing, row.staff) for row in Activity.objects.filter(person=first.people[0])] == [("mail", None)]


def test_whoever_answers_hears_no_more_from_sequences(
    sent: Callable[[int], Sent], bounces: Inbox, firm: Entity, tom: Staff
) -> None:
    first = sent(1)
    with relay() as (_kept, port):
        begun(firm, tom, way_out(firm, port=port), [mail("Welcome", wait=DAY)])
        says_yes(first.people, firm)
        live(firm, 0)
        assert where(first.people[0]) == ("under-way", "")
        comes(bounces, answers(first, "Is it red?"))
    assert where(first.people[0]) == ("left", "replied")


def test_what_nobody_can_place_is_kept_sealed_for_a_human(bounces: Inbox) -> None:
    raw = b"\x00\xff broken \r\n" * 20
    arrival = comes(bounces, raw)
    assert arrival is not None
    assert (arrival.did, arrival.waits) == (Did.UNPLACED, True)
    with behind_wall(staff=None, entities=[bounces.entity_id]):
        kept = Arrival.objects.get()
    assert original_of(kept) == raw


def test_what_cannot_be_acted_on_waits_for_a_human_and_stops_no_other(
    bounces: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(hearing, "_hearers", [breaks])
    arrival = comes(bounces, b"From: x@y.example\r\n\r\nHello")
    assert arrival is not None
    assert (arrival.did, arrival.waits) == (Did.BROKEN, True)
    monkeypatch.setattr(hearing, "_hearers", [hear])
    assert comes(bounces, b"From: x@y.example\r\n\r\nHello") is None


def test_an_old_answer_does_not_count_from_long_ago(sent: Callable[[int], Sent], bounces: Inbox) -> None:
    first = sent(1)
    raw = answers(first, "STOP").replace(b"22 Nov 2026", b"22 Nov 1996")
    comes(bounces, raw)
    with behind_wall(staff=None, entities=[bounces.entity_id]):
        row = Consent.objects.get(said="withdrawn")
    assert timezone.now() - row.said_at < timedelta(minutes=5)


def test_a_no_by_reply_waits_for_the_hand_over_that_goes_on(sent: Callable[[int], Sent], bounces: Inbox) -> None:
    """It takes the very rows that a sender shares: `tests/post/test_withdrawals.py` shows what follows."""
    first = sent(1)
    with open_hands() as hands, hands.locks.transaction():
        hands.locks.execute("SELECT set_config('comity.entities', %s, true)", [str(bounces.entity_id)])
        hands.locks.execute("SELECT 1 FROM book_person WHERE ref = %s FOR SHARE", [first.people[0]])
        with pytest.raises(OperationalError, match="lock timeout"):
            comes_soon(bounces, answers(first, "STOP"))
    assert said(first.people[0], bounces.entity)[-1][0] == "given"
    assert comes(bounces, answers(first, "STOP")) is not None


def comes_soon(inbox: Inbox, raw: bytes) -> None:
    with behind_wall(staff=None, entities=[inbox.entity_id]):
        connection.cursor().execute("SET LOCAL lock_timeout = '300ms'")
        comes(inbox, raw)
