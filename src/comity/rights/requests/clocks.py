"""The clocks of a request, as people read them: for each law what is to be done by when, and how that was counted.

INVARIANT: nothing here counts a day. A clock is a duty that `counsel` keeps, in the words of `duties_reading`; which of
them comes first is all that is decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from comity.counsel import duties_reading as reading
from comity.counsel.models import OwedDuty
from comity.counsel.reading import laws, means

if TYPE_CHECKING:
    from comity.counsel.duties_reading import When

TO_ASKER: Final = ("person", "guardian", "relatives")
"""Receivers who are those who ask."""
ANSWERS: Final = ("answer", "appeal")
"""The deeds that are an answer."""
TOLD: Final = ("acknowledge", "answer", "appeal", "inform", "verify")
"""The deeds that are over once whoever asks has the answer."""
Timing = OwedDuty.Timing


@dataclass(frozen=True, kw_only=True)
class Clock:
    """One deed that one law asks for, with its day, and what would move it."""

    duty: OwedDuty
    law: str
    law_name: str
    deed: str
    when: When
    due: date | None = None  # the day to work to
    at: datetime | None = None
    later: date | None = None  # the same, read another way
    earliest: date | None = None  # no day can be named; it cannot be before this one
    opens: date | None = None
    kept_until: date | None = None
    longer: Sequence[dict[str, Any]] = ()
    extends_until: date | None = None  # the day by which more time must be told
    steps: Sequence[str] = ()
    notes: Sequence[str] = ()
    missing: Sequence[dict[str, str]] = ()
    why: dict[str, Any] = field(default_factory=dict)

    @property
    def at_once(self) -> bool:
        """Whether it is owed without a period."""
        return self.duty.timing == Timing.AT_ONCE

    @property
    def certain(self) -> bool:
        """Whether no fact is missing without which it might not be owed."""
        return self.duty.state == OwedDuty.State.OWED

    @property
    def open(self) -> bool:
        """Whether it is still to be done."""
        return not self.duty.settled

    @property
    def to_asker(self) -> bool:
        """Whether it is owed to whoever asks."""
        return self.duty.to in TO_ASKER

    @property
    def contents(self) -> list[str]:
        """What it must contain."""
        return list(self.duty.told["contents"])

    @property
    def counts(self) -> bool:
        """Whether it is a day to work to: certain, open, and with a day."""
        return self.open and self.certain and self.due is not None


def clock_of(duty: OwedDuty, today: date) -> Clock:
    """Return a duty as the page of a request shows it."""
    told, longer = duty.told, reading.longer(duty)
    law = laws().get(told["law"])
    dated = duty.timing == Timing.DUE
    return Clock(
        duty=duty, law=told["law"], law_name=law.name if law else told["law"], deed=reading.deed(duty),
        when=reading.when(duty, today), due=duty.day if dated else None, at=_moment(told["at"]),
        later=_day(told["later"]), earliest=duty.day if duty.timing == Timing.EARLIEST else None,
        opens=_day(told["opens"]), kept_until=_day(told["kept_until"]), longer=longer,
        extends_until=_extends_until(longer, today), steps=told["steps"], notes=told["notes"],
        missing=means(told["missing"]), why=reading.why(duty),
    )  # fmt: skip


def _day(said: str | None) -> date | None:
    return date.fromisoformat(said) if said else None


def _moment(said: str | None) -> datetime | None:
    return datetime.fromisoformat(said) if said else None


def _extends_until(longer: Iterable[dict[str, Any]], today: date) -> date | None:
    """Return the last day on which more time can still be told; none where it was told, or is too late."""
    open_ = [one["tell_by"] for one in longer if not one["counted"] and one["tell_by"] >= today]
    return max(open_, default=None)


def clocks_of(duties: Iterable[OwedDuty], today: date) -> list[Clock]:
    """Return duties as clocks: what is certain and has the earliest day first, what is settled last."""
    return sorted((clock_of(duty, today) for duty in duties), key=_rank)


def _rank(clock: Clock) -> tuple[bool, bool, bool, date, bool, str]:
    """Order: open before settled, certain before possible, dated before undated, by day, an answer first."""
    undated = clock.due is None and not clock.at_once
    return not clock.open, not clock.certain, undated, clock.duty.day, clock.duty.act not in ANSWERS, clock.duty.rule


# ---------------------------------------------------------------- the strictest


@dataclass(frozen=True, kw_only=True)
class Leading:
    """The day to work to, whose law it is, and why it is that one."""

    clock: Clock
    why: str
    beside: int  # other laws that ask for the same


def leading(clocks: Sequence[Clock]) -> Leading | None:
    """Return the strictest clock that runs, and in words why it is that one."""
    running = [one for one in clocks if one.counts]
    if not running:
        return None
    first = min(running, key=lambda one: (one.due or date.max, one.duty.act not in ANSWERS))
    others = {one.law for one in running if one.duty.act == first.duty.act} - {first.law}
    return Leading(clock=first, why=_why_first(first, len(others)), beside=len(others))


def _why_first(first: Clock, others: int) -> str:
    if others:
        return ngettext(
            "%(n)d other law asks for the same by no earlier day that is certain; so this is %(law)s.",
            "%(n)d other laws ask for the same by no earlier day that is certain; so this is %(law)s.",
            others,
        ) % {"n": others, "law": first.law_name}  # fmt: skip
    return _("%(law)s alone names a day for this that is certain.") % {"law": first.law_name}


def overdue(clocks: Iterable[Clock], today: date) -> list[Clock]:
    """Return the certain clocks whose day has passed."""
    return [one for one in clocks if one.counts and one.due is not None and one.due < today]


def certain_laws(clocks: Iterable[Clock]) -> set[str]:
    """Return the laws that certainly ask for something; all of them, where none does."""
    known = list(clocks)
    return {one.law for one in known if one.certain} or {one.law for one in known}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One content that an answer must have, and the laws that want it."""

    says: str
    cites: tuple[str, ...]


def wanted_of(clocks: Iterable[Clock], acts: Iterable[str] = (*ANSWERS, "acknowledge", "inform")) -> list[Wanted]:
    """Return all that laws want in what is told to whoever asks, each once: the fullest content wins.

    Of laws that only may count nothing is wanted while another certainly does.
    """
    found: dict[str, dict[str, None]] = {}
    known, meant = list(clocks), tuple(acts)
    of = certain_laws(known)
    for clock in known:
        if clock.duty.act in meant and clock.to_asker and clock.law in of:
            for content in clock.contents:
                found.setdefault(content, {})[clock.duty.told["cite"]] = None
    return [Wanted(says=says, cites=tuple(cites)) for says, cites in found.items()]
