"""What became of a campaign, in pictures and lists: over time, by place, and why not, with the articles."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db.models import Max, Min
from django.utils.formats import localize
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from comity.check.as_json import place_name
from comity.counsel.asking import book
from comity.counsel.reading import Said, said_of
from comity.outreach.campaigns.queries import WHY
from comity.post.gateways import KINDS
from comity.post.lists import open_rows, place_of
from comity.post.models import ClosedList, Message, Stage, Struck
from comity.staff.once import rows_of

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from comity.outreach.campaigns.models import Campaign

BARS: Final = 24
"""Spans of time in the picture."""
MOST_PLACES, MOST_REASONS, MOST_SHOWN = 20, 12, 50
ENDED: Final = (Stage.SENT, Stage.REFUSED, Stage.FAILED, Stage.UNCERTAIN, Stage.STOPPED)


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A part of a bar: which stage, from where, how long, in hundredths of the picture."""

    stage: str
    at: float
    length: float


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A bar of a picture: what it is, what is in it, and its parts."""

    says: str
    many: int
    told: Sequence[tuple[str, str, int]]  # stage, its name, messages
    pieces: Sequence[Piece]
    at: float = 0.0
    width: float = 0.0


def _bar(says: str, counts: Mapping[str, int], most: int, at: float = 0.0, width: float = 0.0) -> Bar:
    pieces, start = [], 0.0
    known = [(stage.value, str(stage.label), counts.get(stage.value, 0)) for stage in Stage]
    told = [each for each in known if each[2]]
    for stage, _name, many in told:
        length = 100 * many / max(most, 1)
        pieces.append(Piece(stage=stage, at=round(start, 3), length=round(length, 3)))
        start += length
    return Bar(says=says, many=sum(counts.values()), told=told, pieces=pieces, at=at, width=width)


# ---------------------------------------------------------------- over time

BY_TIME: Final = """
    SELECT least(floor(extract(epoch FROM ended_at - %(from)s::timestamptz) / %(span)s::float8), %(bars)s - 1)::int,
        stage, count(*)
    FROM post_message WHERE dispatch_id = %(dispatch)s AND ended_at IS NOT NULL GROUP BY 1, 2
"""


@dataclass(frozen=True, kw_only=True)
class OverTime:
    """When messages ended, in equal spans from the first to the last."""

    begins: datetime
    ends: datetime
    span: timedelta
    most: int
    bars: Sequence[Bar]


def over_time(campaign: Campaign) -> OverTime | None:
    """Return when the messages of a campaign ended; nothing before the first did."""
    ended = Message.objects.filter(dispatch=campaign.dispatch, ended_at__isnull=False)
    limits = ended.aggregate(first=Min("ended_at"), last=Max("ended_at"))
    if limits["first"] is None:
        return None
    span = max((limits["last"] - limits["first"]) / BARS, timedelta(seconds=1))
    told = {"from": limits["first"], "span": span.total_seconds(), "bars": BARS, "dispatch": campaign.dispatch_id}
    spans: dict[int, Counter[str]] = {}
    for number, stage, many in rows_of(BY_TIME, told):
        spans.setdefault(number, Counter())[stage] += many
    most = max(counts.total() for counts in spans.values())
    width = 100 / BARS
    bars = [
        _bar(localize(limits["first"] + span * number), counts, most, round(number * width, 3), round(width * 0.8, 3))
        for number, counts in sorted(spans.items())
    ]
    return OverTime(begins=limits["first"], ends=limits["last"], span=span, most=most, bars=bars)


# ---------------------------------------------------------------- by place

BY_PLACE: Final = """
    SELECT coalesce(split_part(person.home, '|', 1), ''), message.stage, count(*)
    FROM post_message AS message LEFT JOIN book_person AS person ON person.ref = message.person
    WHERE message.dispatch_id = %(dispatch)s GROUP BY 1, 2
"""


def by_place(campaign: Campaign) -> list[Bar]:
    """Return what became of the messages to each place, the place with most of them first."""
    places: dict[str, Counter[str]] = {}
    for place, stage, many in rows_of(BY_PLACE, {"dispatch": campaign.dispatch_id}):
        places.setdefault(place, Counter())[stage] += many
    largest = sorted(places.items(), key=lambda one: (-one[1].total(), one[0]))[:MOST_PLACES]
    most = max((counts.total() for _place, counts in largest), default=0)
    chinese = (get_language() or "").startswith("zh")
    return [
        _bar(place_name(place, chinese=chinese) if place else str(_("Not known")), counts, most)
        for place, counts in largest
    ]


# ---------------------------------------------------------------- why not, with its articles

REFUSED: Final = """
    SELECT message.why, asked.findings -> asked."of"[array_position(recorded.persons, message.person)]::int, count(*)
    FROM post_message AS message
        JOIN counsel_askeddecision AS asked ON asked.ref = message.decision
        JOIN vault_recordeddecision AS recorded ON recorded.ref = message.decision
    WHERE message.dispatch_id = %(dispatch)s AND message.stage = 'refused' AND message.why IN ('law', 'ask')
    GROUP BY 1, 2
"""


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why some messages were not sent, with the rules that say so."""

    verdict: str
    many: int
    said: Sequence[Said]
    cures: Sequence[str]


def refused_by_law(campaign: Campaign) -> list[Reason]:
    """Return for which reasons of the law messages were not sent when their turn came, the most frequent first."""
    counted: Counter[tuple[str, tuple[str, ...], tuple[str, ...]]] = Counter()
    for why, finding, many in rows_of(REFUSED, {"dispatch": campaign.dispatch_id}):
        told: Mapping[str, Any] = json.loads(finding) if isinstance(finding, str) else finding or {}
        because, cures = tuple(told.get("because", ())), tuple(told.get("cures", ()))
        counted["deny" if why == "law" else "ask", because, cures] += many
    known = book().cures
    return [
        Reason(
            verdict=verdict, many=many, said=[said_of(one) for one in because[:4]],
            cures=[known[one].says for one in cures if one in known],
        )
        for (verdict, because, cures), many in counted.most_common(MOST_REASONS)
    ]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Uncertain:
    """A message of which nobody knows whether it went out."""

    person: UUID
    at: datetime
    why: str


def uncertain_of(campaign: Campaign) -> list[Uncertain]:
    """Return the messages of which nobody knows, the latest first; they are not sent again."""
    rows = Message.objects.filter(dispatch=campaign.dispatch, stage=Stage.UNCERTAIN).order_by("-ended_at")[:MOST_SHOWN]
    return [
        Uncertain(person=one.person, at=one.ended_at or one.intended_at, why=str(WHY.get(one.why, one.why)))
        for one in rows
    ]


# ---------------------------------------------------------------- lists


@dataclass(frozen=True, kw_only=True)
class Lists:
    """The files of a campaign for callers or printers: rows that wait, files, and what was struck out of them."""

    waiting: int
    files: Sequence[tuple[ClosedList, str]]
    struck: Sequence[tuple[_StrPromise | str, int]]


def lists_of(campaign: Campaign) -> Lists | None:
    """Return the lists of a campaign; nothing where its gateway makes none, or before it began."""
    dispatch = campaign.dispatch
    if dispatch is None or campaign.gateway is None or not KINDS[campaign.gateway.kind].lists:
        return None
    found = list(ClosedList.objects.filter(dispatch=dispatch).select_related("dispatch__gateway", "closed_by"))
    why = Counter(Struck.objects.filter(closed__in=found).values_list("why", flat=True))
    return Lists(
        waiting=open_rows(dispatch), files=[(one, str(place_of(one))) for one in found],
        struck=[(WHY.get(word, word), many) for word, many in why.most_common()],
    )  # fmt: skip
