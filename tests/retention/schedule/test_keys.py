"""Keys turned over and destroyed by a policy under four eyes; and from which day on no backup opens what is erased."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from comity.ledger.models import Entry
from comity.retention.jobs import keep_keys
from comity.retention.schedule.horizon import forgotten_on
from comity.retention.schedule.keys import ask_key_policy, end_key_policy, keep_to_policy
from comity.retention.schedule.models import Emptied, KeyPolicy
from comity.staff.approvals import NotApproved, settle_approval
from comity.staff.guards import NotYours
from comity.staff.models import Approval, Entity, Staff
from comity.vault.actions import destroy_person_key
from comity.vault.epochs import key_file
from comity.vault.models import Epoch, PersonKey
from comity.vault.queries import forgotten_from
from tests.staff.people import client_of, make_staff

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def second(db: None) -> Staff:
    del db
    return make_staff("privacy-officer", name="Pia Second")


@pytest.fixture
def policy(olga: Staff, second: Staff) -> KeyPolicy:
    """Turn over every 30 days; backups are kept 60 days, copies of the keys' folder 10."""
    asked = ask_key_policy(turn_every=30, backups_kept=60, copies_kept=10, reason="The policy", asked_by=olga)
    settle_approval(approval=asked, approved=True, settled_by=second)
    return KeyPolicy.objects.get(ended_at=None)


def days_pass(days: int) -> None:
    """Let everything that happened be so many days longer ago."""
    past = timedelta(days=days)
    Epoch.objects.update(begun_at=F("begun_at") - past, destroyed_at=F("destroyed_at") - past)
    Emptied.objects.update(emptied_at=F("emptied_at") - past)


def file_there(epoch: Epoch) -> bool:
    return key_file(settings.FOLDER, epoch.number, bytes(epoch.check_value)).exists()


# ---------------------------------------------------------------- four eyes


def test_a_policy_counts_once_a_second_person_approved_it(olga: Staff, second: Staff, firm: Entity) -> None:
    asked = ask_key_policy(turn_every=30, backups_kept=60, copies_kept=0, reason="The policy", asked_by=olga)
    assert not KeyPolicy.objects.exists()
    with pytest.raises(NotApproved):
        settle_approval(approval=asked, approved=True, settled_by=olga)
    settle_approval(approval=asked, approved=True, settled_by=second)
    found = KeyPolicy.objects.get()
    assert (found.turn_every, found.backups_kept, found.copies_kept) == (30, 60, 0)
    assert (found.asked_by, found.approved_by, found.approval) == (olga, second, asked.ref)
    again = ask_key_policy(turn_every=7, backups_kept=30, copies_kept=0, reason="Sooner", asked_by=second)
    settle_approval(approval=again, approved=True, settled_by=olga)
    assert KeyPolicy.objects.get(ended_at=None).turn_every == 7
    assert Entry.objects.filter(kind="retention.key-policy-begun").count() == 2
    del firm


def test_what_is_no_policy_is_refused(olga: Staff, ada: Staff) -> None:
    with pytest.raises(ValidationError, match="turn_every"):
        ask_key_policy(turn_every=0, backups_kept=60, copies_kept=0, reason="No", asked_by=olga)
    with pytest.raises(NotYours):
        ask_key_policy(turn_every=30, backups_kept=60, copies_kept=0, reason="No", asked_by=ada)


# ---------------------------------------------------------------- each night


def test_without_a_policy_nothing_is_turned(greta: UUID) -> None:
    days_pass(10_000)
    assert keep_to_policy() == []
    assert Epoch.objects.count() == 1
    del greta


def test_an_epoch_turns_empties_and_is_destroyed_when_no_backup_needs_it(greta: UUID, policy: KeyPolicy) -> None:
    first = Epoch.objects.get()
    days_pass(29)
    assert keep_to_policy() == []
    days_pass(1)
    keep_keys.func(timestamp=0)
    assert Epoch.objects.count() == 2
    assert PersonKey.objects.get(person=greta).epoch_id == 2
    assert Emptied.objects.get().epoch == 1
    days_pass(59)
    assert keep_to_policy() == ["turned", "rewrapped"]  # the third began; the first is still needed
    assert file_there(first)
    days_pass(2)
    assert keep_to_policy() == ["destroyed"]
    first.refresh_from_db()
    assert first.destroyed_at
    assert not file_there(first)
    assert Epoch.objects.get(number=2).destroyed_at is None
    assert keep_to_policy() == []
    del policy


def test_a_key_whose_end_was_cut_short_is_finished(greta: UUID, policy: KeyPolicy) -> None:
    """The database says it is destroyed and the file is still there: somebody pulled the plug between the two."""
    first = Epoch.objects.get()
    days_pass(31)
    keep_to_policy()
    Epoch.objects.filter(number=1).update(destroyed_at=timezone.now())
    assert file_there(first)
    assert keep_to_policy() == ["destroyed"]
    assert not file_there(first)
    del greta
    del policy


def test_once_ended_nothing_is_turned_any_more(greta: UUID, policy: KeyPolicy, olga: Staff) -> None:
    end_key_policy(ended_by=olga)
    days_pass(1_000)
    assert keep_to_policy() == []
    assert forgotten_on(timezone.localdate()) is None
    del greta
    del policy


# ---------------------------------------------------------------- the horizon


def today() -> date:
    return timezone.now().date()


def test_without_a_policy_nobody_can_say_when_backups_forget(greta: UUID) -> None:
    assert forgotten_on(today()) is None
    del greta


def test_what_the_horizon_says_comes_true(greta: UUID, policy: KeyPolicy) -> None:
    """Day by day: the job runs each night, and the day that was promised is the one that the keys come to, or later."""
    days_pass(12)
    promised = forgotten_on(today())
    assert promised is not None
    destroy_person_key(person=greta, staff=None)
    erased = timezone.now()
    for passed in range(130):
        keep_to_policy()
        horizon = forgotten_from(erased_at=erased - timedelta(days=passed), copies_kept=timedelta(days=10))
        if horizon.day is not None:
            break
        days_pass(1)
    else:
        pytest.fail("the epoch of that day was never destroyed")
    came = horizon.day + timedelta(days=passed)  # by the clock of the day on which the promise was made
    assert came <= promised
    assert promised - came <= timedelta(days=3)
    assert promised == today() + timedelta(days=30 - 12 + 60 + 10 + 3)
    del policy


def test_once_all_is_destroyed_the_horizon_is_what_the_keys_say(greta: UUID, policy: KeyPolicy) -> None:
    erased = today()
    destroy_person_key(person=greta, staff=None)
    for passed in (31, 62):
        days_pass(passed)
        keep_to_policy()
    long_ago = erased - timedelta(days=93)
    sure = forgotten_on(long_ago)
    assert sure == today() + timedelta(days=11)  # destroyed today, and copies of the folder are kept ten days
    del policy


# ---------------------------------------------------------------- the page


def test_the_page_asks_shows_the_horizon_and_ends_it(
    olga: Staff, second: Staff, greta: UUID, no_second_factor: None
) -> None:
    del no_second_factor
    page: Client = client_of(olga)
    home = reverse("retention:cleaning")
    assert "Nobody can say when backups forget" in page.get(home).content.decode()
    given = {"turn_every": "30", "backups_kept": "60", "copies_kept": "0", "reason": "The policy"}
    assert page.post(reverse("retention:keys"), given).status_code == 302
    assert "waits for a second person" in page.get(home).content.decode()
    asked = Approval.objects.get()
    shown = client_of(second).get(reverse("staff:approval", args=[asked.ref])).content.decode()
    assert "every 30 days" in shown
    settle_approval(approval=asked, approved=True, settled_by=second)
    assert "Who is erased today is beyond every backup from" in page.get(home).content.decode()
    assert page.post(reverse("retention:keys"), {"end": "1"}).status_code == 302
    assert not KeyPolicy.objects.filter(ended_at=None).exists()
    del greta


def test_a_policy_that_is_none_comes_back_with_what_is_wrong(olga: Staff, no_second_factor: None) -> None:
    del no_second_factor
    answer = client_of(olga).post(reverse("retention:keys"), {"turn_every": "0", "reason": "x"})
    assert answer.status_code == 200
    assert "turn_every" in answer.content.decode()
    assert not KeyPolicy.objects.exists()
