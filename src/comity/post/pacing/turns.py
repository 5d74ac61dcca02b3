"""Whose turn it is: how many messages a gateway takes, how many go to one domain, and when a gateway that is ill rests.

All senders share what is counted, in the database: a row says from when the next message may go, and whoever takes it
moves it on. No lock is held for longer than that. What comes too early is no try: it waits, or comes back later.

A domain is not held back until it, or the relay for it, asks for patience; then messages to it go one by one, at twice
the distance after each complaint and at half after each minute without.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.utils import timezone

from comity.post.gateways import Answer, Outcome
from comity.post.letters import Later
from comity.post.pacing.domains import domain_key, place_key
from comity.staff.once import rows_of

if TYPE_CHECKING:
    from comity.post.letters import Letter
    from comity.post.models import Dispatch

IN_LINE: Final = 10.0
"""Seconds for which a dispatch that asked for a turn has its part of them kept."""
SHORT: Final = 1.0
"""Seconds for which a sender waits for a message's turn with the locks in its hands."""
AT_A_TIME: Final = 2.0
"""Seconds that the messages of one round may take by their throttle."""
MOMENT: Final = 0.001
A_WHILE: Final = 5.0
"""Seconds for which a job waits without any lock rather than come back."""
MOST_FAULTS: Final = 5
"""Faults in a row after which a gateway rests; what nobody knows the end of counts twice."""
RESTS: Final = [timedelta(minutes=each) for each in (1, 5, 15, 60)]
"""How long it rests each time. One message tries whether it works again."""
FIRST_SPACING, LAST_SPACING, NO_SPACING = 1.0, 300.0, 0.05
"""Seconds between two messages to a domain: after its first complaint, at most, and what is none any more."""
AHEAD: Final = 2 * LAST_SPACING
HORIZON: Final = timedelta(hours=1)
"""For how long a message waits at most for its domain: by then the domain may have become quicker."""
EASED_AFTER: Final = timedelta(minutes=1)
A_MINUTE: Final = 60.0
PATIENCE: Final = re.compile(r"421\b.*|45[01](?: 4\.7\.\d+)?")
"""Answers by which a relay asks for patience: 421, 450 and 451, but where its enhanced code says otherwise."""
GATEWAYS_FAULT: Final = frozenset({"refused", "policy", "sign-in", "tls"})

STANDS: Final = """
    SELECT extract(epoch FROM health.until - clock_timestamp())::float, coalesce(health.faults, 0),
        throttle.a_second, throttle.a_minute, throttle.a_day, throttle.domain_a_minute,
        ARRAY(SELECT key FROM post_bucket WHERE gateway_id = asked.ref AND spacing > 0)
    FROM (VALUES (%s::uuid)) AS asked (ref)
        LEFT JOIN post_health AS health ON health.gateway_id = asked.ref
        LEFT JOIN post_throttle AS throttle ON throttle.gateway_id = asked.ref
"""
LINE_UP: Final = """
    WITH here AS (
        INSERT INTO post_inline (dispatch_id, gateway_id, at) VALUES (%s, %s, clock_timestamp())
        ON CONFLICT (dispatch_id) DO UPDATE SET at = excluded.at
    )
    SELECT 1 + count(*) FROM post_inline
    WHERE gateway_id = %s AND dispatch_id <> %s AND at > clock_timestamp() - %s * interval '1 second'
"""
TAKE: Final = """
    INSERT INTO post_bucket AS bucket (key, gateway_id, free_at, day, used)
    VALUES (%(key)s, %(gateway)s, clock_timestamp() + %(spacing)s * interval '1 second', %(day)s, 1)
    ON CONFLICT (key) DO UPDATE SET
        day = CASE WHEN bucket.day = excluded.day + 1 THEN bucket.day ELSE excluded.day END,
        used = CASE WHEN bucket.day BETWEEN excluded.day AND excluded.day + 1 THEN bucket.used + 1 ELSE 1 END,
        free_at = clock_timestamp() + greatest(%(spacing)s, bucket.spacing) * interval '1 second'
    WHERE (bucket.free_at <= clock_timestamp() OR bucket.free_at > clock_timestamp() + %(ahead)s * interval '1 second')
        AND (%(most)s::int IS NULL OR bucket.used < %(most)s::int
            OR (bucket.day BETWEEN excluded.day AND excluded.day + 1) IS NOT TRUE)
    RETURNING 1
"""
"""A turn further ahead than any spacing reaches is that of a clock that was ahead, and counts no more. A day that a
clock began too early is counted on by those for which it is still the day before."""
LEFT: Final = """
    SELECT extract(epoch FROM free_at - clock_timestamp())::float, spacing,
        CASE WHEN %s::date IN (day, day - 1) THEN used ELSE 0 END
    FROM post_bucket WHERE key = %s
"""
LINE_UP_FOR_DOMAIN: Final = """
    INSERT INTO post_bucket AS bucket (key, gateway_id, free_at)
    VALUES (%(key)s, %(gateway)s, %(first)s::timestamptz + %(step)s::interval)
    ON CONFLICT (key) DO UPDATE
        SET free_at = greatest(bucket.free_at, %(first)s::timestamptz) + %(step)s::interval
    RETURNING free_at, free_at - %(step)s::interval
"""
SLOWER: Final = """
    INSERT INTO post_bucket AS bucket (key, gateway_id, free_at, spacing)
    VALUES (%(key)s, %(gateway)s, clock_timestamp() + %(first)s * interval '1 second', %(first)s)
    ON CONFLICT (key) DO UPDATE SET changed_at = clock_timestamp(),
        spacing = least(greatest(bucket.spacing * 2, %(first)s), %(last)s),
        free_at = clock_timestamp() + least(greatest(bucket.spacing * 2, %(first)s), %(last)s) * interval '1 second'
"""
QUICKER: Final = """
    UPDATE post_bucket SET spacing = spacing / 2, changed_at = clock_timestamp()
    WHERE key = %s AND spacing > 0 AND changed_at < clock_timestamp() - %s
"""
LET_GO: Final = "DELETE FROM post_bucket WHERE key = %s AND spacing < %s"
FAULT: Final = """
    INSERT INTO post_health AS health (gateway_id, faults, rests, why) VALUES (%(gateway)s, %(weight)s, 0, %(why)s)
    ON CONFLICT (gateway_id) DO UPDATE SET faults = health.faults + excluded.faults, why = excluded.why
    RETURNING faults, rests, coalesce(until > clock_timestamp(), false)
"""
REST: Final = """
    UPDATE post_health SET rests = rests + 1, until = clock_timestamp() + %s
    WHERE gateway_id = %s AND coalesce(until <= clock_timestamp(), true)
"""
WELL: Final = "DELETE FROM post_health WHERE gateway_id = %s"


@dataclass
class Turns:
    """What one sender knows of the turns of the gateways by which it sends. It belongs to one thread."""

    wait: float = 0.0  # seconds until the way is free that was not
    _spacing: float = 0.0
    _a_day: int | None = None
    _to_domains: float = 0.0
    _slow: set[UUID] = field(default_factory=set)
    _at_work: int = 1
    _ill: bool = False
    _own: dict[UUID, float] = field(default_factory=dict)  # when a dispatch may have its next turn
    _queues: dict[UUID, datetime] = field(default_factory=dict)  # where each queue ends

    def room(self, dispatch: Dispatch, most: int) -> int:
        """Return how many messages of a dispatch to take in hand now, at most: none where its gateway rests."""
        ((rests, faults, *throttle, slow),) = rows_of(STANDS, [dispatch.gateway_id])
        self._read(throttle, slow)
        self.wait, self._ill = max(rests or 0.0, 0.0), bool(faults)
        if self.wait:
            return 0
        if faults >= MOST_FAULTS:
            return 1  # it rested: one tries whether it works again
        if not self._spacing and self._a_day is None:
            return most
        here, gateway = dispatch.pk, dispatch.gateway_id
        ((self._at_work,),) = rows_of(LINE_UP, [here, gateway, gateway, here, max(IN_LINE, 3 * self._spacing)])
        return min(most, max(1, int(AT_A_TIME / (self._spacing * self._at_work)))) if self._spacing else most

    def _read(self, throttle: list[int | None], slow: list[UUID]) -> None:
        a_second, a_minute, self._a_day, domain_a_minute = throttle
        self._spacing = max(1 / a_second if a_second else 0.0, A_MINUTE / a_minute if a_minute else 0.0)
        self._to_domains, self._slow = A_MINUTE / domain_a_minute if domain_a_minute else 0.0, set(slow)

    # ------------------------------------------------------------ one message

    def take(self, dispatch: Dispatch, letter: Letter, *, until: float, queued: bool) -> Later | None:
        """Take the turn of one message; where it is not its turn, return until when it waits.

        `queued` says that it waited for its domain before. Where `wait` is set, no other message has a turn either.
        """
        self.wait = 0.0
        if self._slow or self._to_domains:
            key = domain_key(dispatch.gateway_id, letter.to)
            if (key in self._slow or self._to_domains) and (later := self._of_domain(dispatch, key, queued=queued)):
                return later
        if not self._spacing and self._a_day is None:
            return None
        return None if self._of_gateway(dispatch, until) else Later(at=timezone.now(), why="")

    def _of_gateway(self, dispatch: Dispatch, until: float) -> bool:
        """Take a turn of the gateway, waiting for it a little; its dispatches take theirs in turn."""
        gateway = dispatch.gateway_id
        while True:
            wait = self._own.get(dispatch.pk, 0.0) - time.monotonic()
            if wait <= 0:
                if self._taken(gateway, gateway, self._spacing, self._a_day):
                    self._own[dispatch.pk] = time.monotonic() + self._spacing * self._at_work
                    return True
                wait = self._left(gateway)
            if wait > min(SHORT, until - time.monotonic()):
                self.wait = wait
                return False
            time.sleep(wait)

    def _taken(self, key: UUID, gateway: UUID, spacing: float, most: int | None = None) -> bool:
        today = datetime.now(tz=UTC).date()
        told = {"key": key, "gateway": gateway, "spacing": spacing, "day": today, "most": most, "ahead": AHEAD}
        return bool(rows_of(TAKE, told))

    def _left(self, key: UUID) -> float:
        """Return for how many seconds a turn is not to be had; the rest of the day, where the day's are all taken."""
        now = datetime.now(tz=UTC)
        rows = rows_of(LEFT, [now.date(), key])
        left, _spacing, used = rows[0] if rows else (0.0, 0.0, 0)
        if left <= 0 and self._a_day is not None and used >= self._a_day:
            tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
            return (tomorrow - now).total_seconds()
        return max(float(left), MOMENT)

    def _of_domain(self, dispatch: Dispatch, key: UUID, *, queued: bool) -> Later | None:
        """Take a turn of a domain. Who comes too early gets a place in the queue of this dispatch."""
        now, place = timezone.now(), place_key(dispatch.pk, key)
        if (queued or self._end_of(place) <= now) and self._taken(key, dispatch.gateway_id, self._to_domains):
            return None
        rows = rows_of(LEFT, [now.date(), key])
        left, spacing, _used = rows[0] if rows else (0.0, 0.0, 0)
        first, step = now + timedelta(seconds=max(left, 0.0)), timedelta(seconds=max(spacing, self._to_domains))
        told = {"key": place, "gateway": dispatch.gateway_id, "first": first, "step": step * self._at_work}
        ((self._queues[place], at),) = rows_of(LINE_UP_FOR_DOMAIN, told)
        return Later(at=min(at, now + HORIZON), why="domain")

    def _end_of(self, place: UUID) -> datetime:
        """Return where a queue ends: as the database knows it, when it is asked for the first time."""
        if place not in self._queues:
            rows = rows_of("SELECT free_at FROM post_bucket WHERE key = %s", [place])
            self._queues[place] = rows[0][0] if rows else timezone.now()
        return self._queues[place]

    # ------------------------------------------------------------ what an answer teaches

    def learn(self, dispatch: Dispatch, letter: Letter, answer: Answer) -> bool:
        """Learn from what came of a hand-over; return whether the gateway rests from now on."""
        if answer.outcome is Outcome.SENT:
            self._went_well(dispatch, letter)
            return False
        if answer.outcome is Outcome.AGAIN and not answer.shut and PATIENCE.fullmatch(answer.code):
            self._asked_for_patience(dispatch.gateway_id, letter)
            return False
        weight = _weight(answer)
        return bool(weight) and self._fault(dispatch.gateway_id, answer.why, weight)

    def _went_well(self, dispatch: Dispatch, letter: Letter) -> None:
        if self._ill:
            rows_of(WELL, [dispatch.gateway_id])
            self._ill = False
        if self._slow and (key := domain_key(dispatch.gateway_id, letter.to)) in self._slow:
            rows_of(QUICKER, [key, EASED_AFTER])
            rows_of(LET_GO, [key, NO_SPACING])

    def _asked_for_patience(self, gateway: UUID, letter: Letter) -> None:
        key = domain_key(gateway, letter.to)
        told: Mapping[str, Any] = {"key": key, "gateway": gateway, "first": FIRST_SPACING, "last": LAST_SPACING}
        rows_of(SLOWER, told)
        self._slow.add(key)

    def _fault(self, gateway: UUID, why: str, weight: int) -> bool:
        self._ill = True
        told = {"gateway": gateway, "weight": weight, "why": why}
        ((faults, rests, resting),) = rows_of(FAULT, told)
        if faults >= MOST_FAULTS and not resting:
            rows_of(REST, [RESTS[min(rests, len(RESTS) - 1)], gateway])
        return bool(faults >= MOST_FAULTS)

    # ------------------------------------------------------------ what a job does

    def waited(self) -> bool:
        """Wait for the way to be free again, if that is soon; return whether it may be now."""
        if not 0 < self.wait <= A_WHILE:
            return False
        time.sleep(self.wait)
        self.wait = 0.0
        return True


def forget_turns() -> None:
    """Forget what says nothing any more: turns of days gone by."""
    before = timezone.now() - timedelta(days=1)
    rows_of("DELETE FROM post_bucket WHERE free_at < %s", [before])
    rows_of("DELETE FROM post_inline WHERE at < %s", [before])


def _weight(answer: Answer) -> int:
    """Return how heavily an answer counts against the gateway: what one address is to blame for does not."""
    if answer.outcome is Outcome.UNCERTAIN:
        return 2
    return int(answer.shut or (answer.outcome is Outcome.FAILED and answer.why in GATEWAYS_FAULT))
