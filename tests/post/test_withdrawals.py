"""Once a withdrawal has returned, no hand-over begins: eight senders against those who say no, many times over.

COMITY_WITHDRAWALS says how many people withdraw for each seed; `make soak-withdrawals` makes it 20,000 for ten seeds.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Sequence
from uuid import UUID

import psycopg
import pytest
from django.utils import timezone

from comity.consent.actions import About, object_to_marketing, withdraw_consent
from comity.post import handing
from comity.post.handing import hand_over_some
from comity.post.hands import open_hands
from comity.staff.models import Entity, Staff
from tests.post.writing import Begun, begin, germans, in_a_thread, says_yes, stages, way_out

pytestmark = pytest.mark.django_db(transaction=True)
MANY = int(os.environ.get("COMITY_WITHDRAWALS", "150"))
SEEDS = range(int(os.environ.get("COMITY_WITHDRAWAL_SEEDS", "2")))
SENDERS, REFUSERS, AT_ONCE = 8, 3, 500


def withdraw(person: UUID, entity: Entity) -> None:
    withdraw_consent(
        about=About(person=person, entity=entity, purpose="marketing", channel="email"), said_at=timezone.now(),
        source="Link", heard_by=None,
    )  # fmt: skip


def objects(person: UUID, entity: Entity) -> None:
    object_to_marketing(person=person, entity=entity, said_at=timezone.now(), source="Link", heard_by=None)


class Waiting:
    """Those who have not said no yet. Who comes next is near the one whose message is about to go out."""

    def __init__(self, people: Sequence[UUID], dice: random.Random, way: Begun) -> None:
        self.people, self.dice, self.way, self.lock = list(people), dice, way, threading.Lock()
        self.gone = 0

    def pop(self) -> UUID | None:
        with self.lock:
            if not self.people:
                return None
            front = max(0, len(self.way.began) - self.gone // 2) + self.dice.randint(-3, 30)
            self.gone += 1
            return self.people.pop(min(max(front, 0), len(self.people) - 1))


def race(many: int, dice: random.Random, entity: Entity, staff: Staff) -> tuple[int, int, int]:
    """Let senders and refusers run against each other; return how many were too late, were sent, were refused."""
    people = germans(many, entity)
    says_yes(people, entity)
    address = {person: f"person-{number}@kettle.example" for number, person in enumerate(people)}
    way, failed = Begun(), list[BaseException]()
    dispatch = begin(people, way_out(entity, way), staff)
    returned: dict[UUID, float] = {}
    waiting = Waiting(people, dice, way)

    def send() -> None:
        with open_hands() as hands:
            while hand_over_some(dispatch=dispatch, hands=hands, most=3):
                pass

    def refuse() -> None:
        while (person := waiting.pop()) is not None:
            (withdraw if dice.random() < 0.7 else objects)(person, entity)
            returned[person] = time.monotonic()

    acts = [send] * SENDERS + [refuse] * REFUSERS
    threads = [threading.Thread(target=in_a_thread(act, failed)) for act in acts]
    for each in threads:
        each.start()
    for each in threads:
        each.join(600)
    assert [error for error in failed if not isinstance(error, psycopg.errors.LockNotAvailable)] == []
    late = sum(began[0] > returned[person] for person in people if (began := way.began.get(address[person])))
    assert all(len(began) == 1 for began in way.began.values())
    ends = [stage for stage, _why in stages(dispatch).values()]
    return late, ends.count("sent"), ends.count("refused")


@pytest.mark.parametrize("seed", SEEDS)
def test_no_hand_over_begins_after_a_withdrawal_has_returned(seed: int, firm: Entity, tom: Staff) -> None:
    dice, left = random.Random(seed), MANY
    late = sent = refused = 0
    while left:
        now = race(min(left, AT_ONCE), dice, firm, tom)
        late, sent, refused, left = late + now[0], sent + now[1], refused + now[2], left - min(left, AT_ONCE)
    print(f"seed {seed}: {MANY} withdrawals, {sent} sent before, {refused} refused, {late} began after")  # noqa: T201 - the figure
    assert late == 0
    assert min(sent, refused) > 0, "they did not meet: the race proves nothing"


def test_without_the_locks_it_would_be_seen(firm: Entity, tom: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handing, "hold_still", lambda *_: None)
    late, _sent, _refused = race(150, random.Random(0), firm, tom)
    assert late > 0
