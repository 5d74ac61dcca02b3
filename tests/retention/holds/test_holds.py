"""Holds: placed with a reason, an owner and a day, looked at again, lifted; while one stands nothing of theirs goes."""

from __future__ import annotations

import json
import threading
import time
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from comity.book.merging.actions import Choices, merge_persons, undo_merge
from comity.ledger.connecting import own_connection
from comity.ledger.models import Entry
from comity.retention.holds.actions import NotHeld, WrongReview, lift_hold, place_hold, review_hold
from comity.retention.holds.models import Hold
from comity.retention.holds.queries import LOCK, held, holds_seen_by, holds_to_review
from comity.staff.guards import NotYours
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from tests.as_application import application_role
from tests.staff.people import client_of, make_staff

pytestmark = pytest.mark.django_db(transaction=True)
REASON = "Claim 24/7: she says the kettle burnt her hand"


def soon(days: int = 90) -> date:
    return timezone.localdate() + timedelta(days=days)


def place(firm: Entity, person: UUID | None, olga: Staff) -> Hold:
    return place_hold(entity=firm, person=person, reason=REASON, owner=olga, review_on=soon(), placed_by=olga)


def body_of(kind: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(bytes(Entry.objects.get(kind=kind).body))["body"]
    return found


# ---------------------------------------------------------------- placing and lifting


def test_whoever_is_held_is_held_until_it_is_lifted(greta: UUID, oliver: UUID, firm: Entity, olga: Staff) -> None:
    hold = place(firm, greta, olga)
    assert held([greta, oliver]) == {greta}
    assert held([]) == set()
    entry = Entry.objects.get(kind="retention.hold-placed")
    assert entry.persons == [greta]
    assert "kettle" not in bytes(entry.body).decode()
    lift_hold(hold=hold, because="Settled out of court", lifted_by=olga)
    assert held([greta, oliver]) == set()
    hold.refresh_from_db()
    assert (hold.lifted_by, hold.lifted_because) == (olga, "Settled out of court")
    with pytest.raises(NotHeld):
        lift_hold(hold=hold, because="Again", lifted_by=olga)


def test_a_hold_on_an_entity_holds_everybody_it_knows(
    greta: UUID, oliver: UUID, firm: Entity, shanghai: Entity, olga: Staff
) -> None:
    place(firm, None, olga)
    assert held([greta, oliver, uuid4()]) == {greta, oliver}
    Hold.objects.all().delete()
    place(shanghai, None, olga)
    assert held([greta, oliver]) == set()


def test_a_hold_needs_a_reason_a_day_to_come_and_an_owner_who_sees_it(
    greta: UUID, firm: Entity, olga: Staff, ada: Staff
) -> None:
    good = {"entity": firm, "person": greta, "reason": REASON, "owner": olga, "review_on": soon(), "placed_by": olga}
    for wrong in ({"reason": "  "}, {"review_on": timezone.localdate()}, {"owner": ada}):
        with pytest.raises(WrongReview):
            place_hold(**good | wrong)  # type: ignore[arg-type]  # as they are
    with pytest.raises(NotYours):
        place_hold(**good | {"placed_by": ada})  # type: ignore[arg-type]  # as they are
    assert not Hold.objects.exists()


def test_it_is_looked_at_again(greta: UUID, firm: Entity, olga: Staff) -> None:
    hold, pia = place(firm, greta, olga), make_staff("privacy-officer", name="Pia Second")
    Hold.objects.update(review_on=timezone.localdate())
    assert list(holds_to_review(olga)) == [hold]
    review_hold(hold=hold, review_on=soon(30), owner=pia, reviewed_by=olga)
    assert list(holds_to_review(olga)) == []
    hold.refresh_from_db()
    assert (hold.owner, hold.review_on) == (pia, soon(30))
    assert body_of("retention.hold-reviewed")["owner"] == str(pia.ref)


def test_holds_of_an_entity_are_seen_by_those_who_act_for_it(
    greta: UUID, firm: Entity, shanghai: Entity, olga: Staff, ada: Staff
) -> None:
    hold = place(firm, greta, olga)
    mei = make_staff("privacy-officer", entity=shanghai, name="Mei Zeng")
    assert list(holds_seen_by(olga)) == [hold]
    assert list(holds_seen_by(mei)) == []
    assert list(holds_seen_by(ada)) == []  # sells, and has no such word
    with behind_wall(staff=None, entities=[shanghai.ref]), application_role():
        assert not Hold.objects.exists()


def test_a_hold_waits_for_what_is_going_and_nothing_begins_meanwhile(greta: UUID, firm: Entity, olga: Staff) -> None:
    """Whoever erases holds the lock; the hold comes when that is done, and is then complete."""
    placed = threading.Event()

    def hold_it() -> None:
        try:
            place(firm, greta, olga)
            placed.set()
        finally:
            connection.close()

    with own_connection() as erasing, erasing.transaction():
        erasing.execute("SELECT pg_advisory_xact_lock_shared(%s)", [LOCK])
        thread = threading.Thread(target=hold_it)
        thread.start()
        time.sleep(0.5)
        assert not placed.is_set()
    thread.join(20)
    assert placed.is_set()
    assert held([greta]) == {greta}


def test_a_hold_follows_a_merge_and_comes_back(greta: UUID, oliver: UUID, firm: Entity, olga: Staff) -> None:
    place(firm, oliver, olga)
    merge = merge_persons(kept=greta, gone=oliver, choices=Choices(), entity=firm, merged_by=olga)
    assert held([greta]) == {greta}
    undo_merge(merge=merge, undone_by=olga)
    assert held([greta, oliver]) == {oliver}


# ---------------------------------------------------------------- pages


@pytest.fixture
def page(olga: Staff, no_second_factor: None) -> Client:
    del no_second_factor
    return client_of(olga)


def test_the_pages_place_review_and_lift(page: Client, greta: UUID, firm: Entity, olga: Staff) -> None:
    assert "Nobody is held" in page.get(reverse("retention:holds")).content.decode()
    shown = page.get(reverse("retention:hold-new"), {"person": str(greta), "entity": str(firm.ref)}).content.decode()
    assert str(greta) in shown
    given = {"entity": firm.ref, "person": greta, "reason": REASON, "owner": olga.ref, "review_on": soon()}
    assert page.post(reverse("retention:hold-new"), given).status_code == 302
    hold = Hold.objects.get()
    assert REASON in page.get(reverse("retention:holds")).content.decode()
    one = reverse("retention:hold", args=[hold.ref])
    assert REASON in page.get(one).content.decode()
    Hold.objects.update(review_on=timezone.localdate())
    assert "A hold is to be looked at again" in page.get(reverse("desk:today")).content.decode()
    page.post(reverse("retention:hold-review", args=[hold.ref]), {"owner": olga.ref, "review_on": soon(10)})
    assert "A hold is to be looked at again" not in page.get(reverse("desk:today")).content.decode()
    page.post(reverse("retention:hold-lift", args=[hold.ref]), {"reason": "Settled"})
    assert "Settled" in page.get(one).content.decode()
    assert REASON in page.get(reverse("retention:holds"), {"lifted": ""}).content.decode()


def test_a_wrong_day_comes_back_with_what_is_wrong(page: Client, greta: UUID, firm: Entity, olga: Staff) -> None:
    given = {"entity": firm.ref, "person": greta, "reason": REASON, "owner": olga.ref, "review_on": "2020-01-01"}
    answer = page.post(reverse("retention:hold-new"), given)
    assert answer.status_code == 200
    assert "a day to come" in answer.content.decode()
    assert not Hold.objects.exists()


def test_an_auditor_sees_holds_and_places_none(greta: UUID, firm: Entity, olga: Staff, no_second_factor: None) -> None:
    del no_second_factor
    hold, aud = place(firm, greta, olga), client_of(make_staff("auditor"))
    shown = aud.get(reverse("retention:hold", args=[hold.ref])).content.decode()
    assert "Lift it" not in shown
    assert aud.get(reverse("retention:hold-new")).status_code == 403
    assert aud.post(reverse("retention:hold-lift", args=[hold.ref]), {"reason": "x"}).status_code == 403


def test_the_page_of_a_person_shows_clocks_hold_and_restriction(
    page: Client, greta: UUID, firm: Entity, olga: Staff
) -> None:
    one = reverse("retention:person", args=[greta])
    shown = page.get(one).content.decode()
    assert "HGB § 257" in shown or "GDPR Art. 5(1)(e)" in shown
    assert "Held: nothing of theirs is erased." not in shown
    place(firm, greta, olga)
    shown = page.get(one).content.decode()
    assert "Held: nothing of theirs is erased." in shown
    assert "stays while it is held" in shown
    assert page.get(reverse("retention:person", args=[uuid4()])).status_code == 404
