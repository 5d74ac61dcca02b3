"""Whether it is the time to reach somebody: by the hours of the law and of our own house, and by how often it was done.

It is asked at the moment of the hand-over, after the law and before any address is opened. What may not go now waits
for the first moment at which it may; where no such moment can be known, it does not go.

INVARIANT: two senders never both take the last place of a limit. Whoever counts has the person's limits alone until the
row that says "reached" is committed; who comes meanwhile waits for some seconds.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from comity.counsel.questions import ADVERTISING
from comity.law import SHIPPED
from comity.law.hours import Clocks, Hours, NoHour, read_clocks
from comity.post.gateways import KINDS
from comity.post.letters import Later, Unsendable
from comity.post.pacing.models import LONGEST_WINDOW, Reached, Restraint
from comity.refs import as_array, new_ref
from comity.staff.once import Once, rows_of

if TYPE_CHECKING:
    from comity.counsel.actions import Decided
    from comity.law import Decision
    from comity.law.obligations import Merged
    from comity.post.models import Dispatch, Message

log = logging.getLogger(__name__)

BY_TELEPHONE: Final = frozenset({"call", "autocall", "sms"})
"""Channels that a limit of the law counts together, since some of them call a text a call."""
UNDER_WAY: Final = timedelta(seconds=30)
"""For how long after it was asked something may still go out: the hour must suit until then."""
APART: Final = timedelta(minutes=1)
"""By how much the clocks of this machine and of the database may differ: beyond that nobody knows the hour."""
SOON: Final = timedelta(seconds=5)
"""When to come back to somebody whose limits another sender has in hand."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """At most so many in so many days, of some channels and purposes (None: of all); none for a while after a no."""

    most: int | None
    days: int
    pause: int = 0
    channels: frozenset[str] | None = None
    purposes: frozenset[str] | None = None
    attempts: bool = False  # what was not accepted counts, too


@dataclass(frozen=True, kw_only=True, slots=True)
class Touch:
    """Somebody was reached: when, how, and whether they refused to talk."""

    at: datetime
    channel: str
    purpose: str
    refused: bool
    failed: bool


# ---------------------------------------------------------------- what the hand-over asks


def not_now(dispatch: Dispatch, messages: Sequence[Message], decided: Decided) -> dict[UUID, Later | Unsendable]:
    """Return which of these permitted messages must not go now, by their refs, and when they may.

    What may go and has a limit is noted as reached, with the transaction in which the decision is committed. A row for
    those who call or print may be written at any hour: it says at which they may call.
    """
    house = restraints_of(dispatch.entity_id, dispatch.channel, dispatch.purpose)
    asked = {one.ref: (decided.answers[one.person].decision, house) for one in messages}
    kept = {}
    if not KINDS[dispatch.gateway.kind].lists:
        kept = _shut(asked, {ref: hours_wanted(*each) for ref, each in asked.items()})
    limits = {
        one.ref: wanted
        for one in messages
        if one.ref not in kept and (wanted := limits_wanted(*asked[one.ref], dispatch.channel))
    }
    return kept | (_beyond(dispatch, [one for one in messages if one.ref in limits], limits) if limits else {})


def when_may(
    *, decision: Decision, person: UUID, entity: UUID, channel: str, purpose: str
) -> Later | Unsendable | None:
    """Return when somebody may be reached by hand, under a decision that permits it; nothing if it is now."""
    house = restraints_of(entity, channel, purpose)
    ref = UUID(int=0)
    asked = {ref: (decision, house)}
    if kept := _shut(asked, {ref: hours_wanted(decision, house)}):
        return kept[ref]
    now = timezone.now()
    at = often_enough_until(
        decision=decision, person=person, entity=entity, channel=channel, purpose=purpose, at=now
    )  # fmt: skip
    return Later(at=at, why="limit") if at else None


def often_enough_until(
    *, decision: Decision, person: UUID, entity: UUID, channel: str, purpose: str, at: datetime
) -> datetime | None:
    """Return until when somebody heard from us often enough, by the limits of law and house; nothing if they did not.

    Whoever goes on to reach them holds the person's row for themselves, or `not_now` counts.
    """
    limits = limits_wanted(decision, restraints_of(entity, channel, purpose), channel)
    return free_again(_touches(entity, [person], [])[person], limits, at) if limits else None


# ---------------------------------------------------------------- hours


def restraints_of(entity: UUID, channel: str, purpose: str) -> list[Restraint]:
    """Return what an entity asks of itself, if it is for advertising."""
    if purpose not in ADVERTISING:
        return []
    return RESTRAINTS(entity, channel)


RESTRAINTS: Final = Once(
    lambda entity, channel: Restraint.objects.filter(Q(channel="") | Q(channel=channel), entity=entity), new_ref(), "-"
)


def hours_wanted(decision: Decision, house: Iterable[Restraint]) -> Hours | None:
    """Return the hours that suit the law and the house. None where what the law says cannot be read."""
    wanted = Hours()
    try:
        for one in _obligations(decision, "calling-hours"):
            wanted = wanted.within(Hours.of(one.parameters))
    except NoHour:
        return None
    for each in house:
        wanted = wanted.within(Hours(opens=each.opens, closes=each.closes, days=frozenset(each.days)))
    return wanted


def _obligations(decision: Decision, kind: str) -> list[Merged]:
    return [one for one in decision.finding.obligations if one.kind == kind]


def _shut(
    asked: Mapping[UUID, tuple[Decision, list[Restraint]]], hours: Mapping[UUID, Hours | None]
) -> dict[UUID, Later | Unsendable]:
    """Return those for whom it is not the hour: by our clock and by that of the database, until it is out."""
    if all(each is not None and each.always for each in hours.values()):
        return {}
    ((theirs,),) = rows_of("SELECT clock_timestamp()", [])
    first, last = sorted([timezone.now().astimezone(UTC), theirs.astimezone(UTC)])
    if last - first > APART:
        log.warning("The clocks of this machine and of the database are %s apart: set them right.", last - first)
        held = [ref for ref, wanted in hours.items() if wanted is None or not wanted.always]
        return dict.fromkeys(held, Later(at=last + APART, why="clock"))
    kept: dict[UUID, Later | Unsendable] = {}
    for ref, wanted in hours.items():
        at = _soonest(wanted, homes_of(asked[ref][0]), first, last)
        if at is None:
            kept[ref] = Unsendable(why="no-hour")
        elif at > first:
            kept[ref] = Later(at=max(at, last + SOON), why="hours")
    return kept


def _soonest(hours: Hours | None, homes: frozenset[str], first: datetime, last: datetime) -> datetime | None:
    if hours is None:
        return None
    try:
        return clocks().soonest(hours, homes, first, lasting=last - first + UNDER_WAY)
    except NoHour:
        return None


def homes_of(decision: Decision) -> frozenset[str]:
    """Return every place in which the person of a decision may live, countries split into their states."""
    places = decision.plan.book.vocabulary.places
    return places.every if decision.homes is None else places.expand(decision.homes)


@cache
def clocks() -> Clocks:
    """Return the clocks and days of rest of all places, read once a process."""
    return read_clocks(SHIPPED)


# ---------------------------------------------------------------- how often


def limits_wanted(decision: Decision, house: Iterable[Restraint], channel: str) -> list[Limit]:
    """Return the limits of the law and of the house that count what is about to be done."""
    together = BY_TELEPHONE if channel in BY_TELEPHONE else frozenset({channel})
    wanted = [_of_law(one.parameters, together) for one in _obligations(decision, "call-limit")]
    for each in house:
        if each.most is not None:
            channels = frozenset({each.channel}) if each.channel else None
            wanted.append(Limit(most=each.most, days=each.in_days, channels=channels, purposes=ADVERTISING))
    return wanted


def _of_law(parameters: Mapping[str, Any], channels: frozenset[str]) -> Limit:
    """Read an obligation; a number that is not there is no limit, but for the days: then the longest."""
    most = parameters.get("attempts")
    return Limit(
        most=None if most is None else int(most), days=int(parameters.get("window_days") or LONGEST_WINDOW),
        pause=int(parameters.get("pause_days") or 0), channels=channels, attempts=True,
    )  # fmt: skip


def free_again(touches: Iterable[Touch], limits: Iterable[Limit], now: datetime) -> datetime | None:
    """Return from when on none of these limits stands in the way; nothing if it is now."""
    known = sorted(touches, key=lambda one: one.at, reverse=True)
    moments = [moment for limit in limits for moment in _moments(known, limit)]
    return max((each for each in moments if each > now), default=None)


def _moments(known: Sequence[Touch], limit: Limit) -> Iterable[datetime]:
    """Give the moments until which a limit holds: the place of the oldest that still counts, the quiet after a no."""
    of_channels = [one for one in known if limit.channels is None or one.channel in limit.channels]
    counted = [
        one
        for one in of_channels
        if (limit.purposes is None or one.purpose in limit.purposes) and (limit.attempts or not one.failed)
    ]
    if limit.most is not None and len(counted) >= max(limit.most, 1):
        yield counted[max(limit.most, 1) - 1].at + timedelta(days=limit.days)
    yield from (one.at + timedelta(days=limit.pause) for one in of_channels if one.refused)


ALONE: Final = """
    SELECT person FROM unnest(%s::uuid[]) AS meant (person)
    WHERE pg_try_advisory_xact_lock(hashtextextended(%s || person::text, 2))
"""
TOUCHES: Final = """
    SELECT one.person, one.at, one.channel, one.purpose, one.refused, coalesce(message.stage = 'failed', false)
    FROM post_reached AS one LEFT JOIN post_message AS message ON message.ref = one.ref
    WHERE one.entity_id = %(entity)s AND one.person = ANY (%(persons)s::uuid[]) AND one.at > %(since)s
        AND one.ref <> ALL (%(but)s::uuid[]) AND coalesce(message.stage, '') NOT IN ('refused', 'stopped')
    UNION ALL
    SELECT message.person, message.ended_at, dispatch.channel, dispatch.purpose, false, message.stage = 'failed'
    FROM post_message AS message JOIN post_dispatch AS dispatch ON dispatch.ref = message.dispatch_id
    WHERE message.entity_id = %(entity)s AND message.person = ANY (%(persons)s::uuid[])
        AND message.stage IN ('sent', 'uncertain', 'failed') AND message.ended_at > %(since)s
        AND NOT EXISTS (SELECT FROM post_reached AS known WHERE known.ref = message.ref)
"""
REACH: Final = """
    INSERT INTO post_reached (ref, entity_id, person, channel, purpose, at)
    SELECT ref, %s, person, %s, %s, clock_timestamp() FROM unnest(%s::uuid[], %s::uuid[]) AS told (ref, person)
    ON CONFLICT (ref) DO UPDATE SET at = excluded.at
"""


def _beyond(
    dispatch: Dispatch, messages: Sequence[Message], limits: Mapping[UUID, list[Limit]]
) -> dict[UUID, Later | Unsendable]:
    """Return those whom a limit keeps, and note the others as reached."""
    alone = _alone(dispatch.entity_id, [one.person for one in messages])
    now, known = timezone.now(), _touches(dispatch.entity_id, alone, [one.ref for one in messages])
    kept: dict[UUID, Later | Unsendable] = {}
    for one in messages:
        if one.person not in alone:
            kept[one.ref] = Later(at=now + SOON, why="limit")
        elif at := free_again(known[one.person], limits[one.ref], now):
            kept[one.ref] = Later(at=at, why="limit")
    go = [one for one in messages if one.ref not in kept]
    refs, persons = as_array(one.ref for one in go), as_array(one.person for one in go)
    rows_of(REACH, [dispatch.entity_id, dispatch.channel, dispatch.purpose, refs, persons])
    return kept


def _alone(entity: UUID, persons: Iterable[UUID]) -> set[UUID]:
    """Return those whose limits are now ours alone, until the transaction ends. Nobody is waited for."""
    return {person for (person,) in rows_of(ALONE, [as_array(sorted(persons)), str(entity)])}


def _touches(entity: UUID, persons: Iterable[UUID], but: Iterable[UUID]) -> dict[UUID, list[Touch]]:
    """Return when these persons were reached within the longest window, without some messages."""
    found: dict[UUID, list[Touch]] = {person: [] for person in persons}
    since = timezone.now() - timedelta(days=LONGEST_WINDOW)
    told = {"entity": entity, "persons": as_array(found), "but": as_array(but), "since": since}
    for person, at, channel, purpose, refused, failed in rows_of(TOUCHES, told):
        found[person].append(Touch(at=at, channel=channel, purpose=purpose, refused=refused, failed=failed))
    return found


def note_reached(*, entity: UUID, person: UUID, channel: str, purpose: str, refused: bool = False) -> Reached:
    """Note that somebody was reached by hand: a call that was made, and whether they refused to talk.

    Call it within the transaction that writes down what came of it.
    """
    return Reached.objects.create(
        entity_id=entity, person=person, channel=channel, purpose=purpose, refused=refused, at=timezone.now()
    )


def note_refusal(*, entity: UUID, person: UUID, channel: str) -> None:
    """Note of the last time that somebody was reached so that they did not want to talk."""
    last = Reached.objects.filter(entity=entity, person=person, channel=channel).order_by("-at").values("pk")[:1]
    Reached.objects.filter(pk__in=last).update(refused=True)


def forget_reached(*, entities: Iterable[UUID]) -> int:
    """Forget who was reached before the longest window; return how many rows that were."""
    before = timezone.now() - timedelta(days=LONGEST_WINDOW)
    return Reached.objects.filter(entity__in=list(entities), at__lt=before).delete()[0]
