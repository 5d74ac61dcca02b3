"""Must we? What an event makes us owe, to whom and by which day, and what would stop, pause or extend it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Literal, cast

from comity.law.clocks import Almanac, ClockError, Due, Period, joined, read_almanac, read_period, said, shifted
from comity.law.conditions import FALSE, TRUE, UNKNOWN, Condition, Truth
from comity.law.folding import HOME, OUR_PLACE, World
from comity.law.lawbook import Duty, Extension, Law, Lawbook, Pause, Rule, Stop
from comity.law.loading import SHIPPED
from comity.law.severity import Severity, enisa
from comity.law.vocabulary import Counts, FactError, Facts, aged

State = Literal["owed", "possible", "stopped"]

ABOUT_A_USE = frozenset({"opt-out-received", "consent-withdrawn", "transfer-planned"})
"""Events that are about some use of data; the others are about the data that we hold, whatever we use them for."""

STANDING = frozenset({"restart", "exclude"})
"""Pauses during which no day can be named: the clock stands still."""

EARLIEST = date(1950, 1, 1)
"""Before this day none of the laws was there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Longer:
    """How a duty may be given more time; `counted` says that it was."""

    says: str
    cite: str
    to: date
    tell_by: date
    contents: tuple[str, ...]
    counted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """One duty that an event brought about.

    `state` is possible where facts are missing without which it is not certain, and stopped where something ends it.
    `due` is None for what is owed at once, and where a date is missing; then `earliest` is the earliest possible day.
    """

    rule: str
    law: str
    says: str
    cite: str
    url: str
    confirmed: bool
    act: str
    to: str
    body: str
    what: str
    contents: tuple[str, ...]
    state: State
    due: Due | None
    at_once: bool
    earliest: date | None = None
    opens: date | None = None
    missing: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # pauses, stops and what else a reader should know, with citations
    longer: tuple[Longer, ...] = ()
    kept_until: date | None = None  # of a deletion: another duty keeps the records until then
    kept_by: str = ""

    @property
    def certain(self) -> bool:
        """Tell whether no missing fact could lift it."""
        return self.state == "owed"

    @property
    def day(self) -> date:
        """The day to work to; the first of all days for what is owed at once."""
        found = self.due.day if self.due else self.earliest
        return date.min if self.at_once or found is None else found


def must(
    book: Lawbook, facts: Mapping[str, object], *, day: date | None = None, packs: Path = SHIPPED
) -> tuple[Owed, ...]:
    """Return what the event in `facts` (event.kind, event.on, …) makes us owe, the earliest day first.

    `day` is the day on which the law is asked, the event's own where none is given. Raises FactError where the event or
    its day is not given, or facts contradict each other.
    """
    read = settled(book.vocabulary.read(facts))
    return owed_by(book, book.laws, read, day or cast("date", read["event.on"]), read_almanac(packs))


def owed_by(book: Lawbook, laws: Iterable[Law], facts: Facts, day: date, almanac: Almanac) -> tuple[Owed, ...]:
    """Return what some laws make us owe; `facts` are settled."""
    listed = tuple(laws)
    found = [owed for scene in _scenes(facts) for owed in _owed_in(book, listed, scene, day, almanac)]
    return _with_keeping(_merged(found), facts)


def severity(facts: Facts) -> Severity | None:
    """Return the severity of a breach by ENISA's method, where all of its inputs are given."""
    return enisa(facts)


# ---------------------------------------------------------------- the facts


def settled(read: Facts) -> Facts:
    """Fill in what follows from the facts of an event. Raises FactError where they are missing or contradict."""
    facts = dict(read)
    moment = facts.get("event.at")
    if isinstance(moment, datetime):
        if facts.get("event.on") not in {None, moment.date()}:
            raise FactError(f"event.on is {facts['event.on']} and event.at {moment.isoformat()}; they must be one day")
        facts["event.on"] = moment.date()
    for name, means in (("event.kind", "what happened"), ("event.on", "the day on which it happened or reached us")):
        if facts.get(name) is None:
            raise FactError(f"a duty starts with an event; say {name} ({means})")
    if cast("date", facts["event.on"]) < EARLIEST:
        raise FactError(f"event.on is {facts['event.on']}: before {EARLIEST} none of these laws was there")
    _check_order(facts)
    _check_numbers(facts)
    facts = aged(facts, cast("date", facts["event.on"]))
    found = enisa(facts)
    if facts.get("event.risk") is None and found is not None and found.risk:
        facts["event.risk"] = found.risk
    return facts


IN_ORDER = (
    ("event.identity_asked_on", "event.identity_confirmed_on"),
    ("event.clarification_asked_on", "event.clarified_on"),
    ("event.fee_asked_on", "event.fee_paid_on"),
    *(
        ("event.on", f"event.{name}_on")
        for name in (
            "done", "refused", "extension_told", "people_told", "authority_told", "identity_asked",
            "clarification_asked", "fee_asked",
        )
    ),
)  # fmt: skip
"""Dates of which the first cannot be after the second."""


def _check_order(facts: Facts) -> None:
    appeal = facts.get("event.request") == "appeal"  # which follows a refusal
    for first, second in (pair for pair in IN_ORDER if not (appeal and pair[1] == "event.refused_on")):
        one, other = facts.get(first), facts.get(second)
        if isinstance(one, date) and isinstance(other, date) and other < one:
            raise FactError(f"{second} ({other}) is before {first} ({one}); correct one of them")


def _check_numbers(facts: Facts) -> None:
    counted = cast("Counts", facts.get("event.persons_in") or ())
    total = sum(number for _, number in counted)
    for part, whole in (("event.residents", "event.persons"), ("event.sensitive_persons", "event.persons")):
        less, more = facts.get(part), facts.get(whole)
        if isinstance(less, int) and isinstance(more, int) and less > more:
            raise FactError(f"{part} ({less}) is more than {whole} ({more}); correct one of them")
    persons = facts.get("event.persons")
    if counted and isinstance(persons, int) and persons < total:
        raise FactError(f"event.persons ({persons}) is less than event.persons_in adds up to ({total})")


def _scenes(facts: Facts) -> Iterator[Facts]:
    """Yield the facts as the law of each place sees them, where the event concerns people in several."""
    counted = cast("Counts", facts.get("event.persons_in") or ())
    if not counted:
        yield facts
        return
    total = sum(number for _, number in counted)
    for place, number in counted:
        own: Facts = {HOME: frozenset({place}), "event.residents": number}
        yield {"event.persons": total, **{key: value for key, value in facts.items() if value is not None}, **own}


# ---------------------------------------------------------------- which duties


def _owed_in(book: Lawbook, laws: Iterable[Law], facts: Facts, day: date, almanac: Almanac) -> Iterator[Owed]:
    world = World(book, facts, day)
    for law in laws:
        for rule in law.rules if law.span.holds(day) else ():
            if rule.duty is not None and rule.span.holds(day) and rule.duty.event == facts["event.kind"]:
                owed = _Asking(book, world, law, rule, rule.duty, facts, almanac, day).owed()
                if owed is not None:
                    yield owed


@dataclass(frozen=True, slots=True)
class _Asking:
    """One rule, asked about one event."""

    book: Lawbook
    world: World
    law: Law
    rule: Rule
    duty: Duty
    facts: Facts
    almanac: Almanac
    day: date

    def owed(self) -> Owed | None:
        conditions = self.conditions()
        arises = min(self.world.truth(self.law, condition) for condition in conditions)
        if arises == FALSE:
            return None
        stops = [(stop, self.holds(stop)) for stop in self.duty.stops]
        stopped = [stop for stop, truth in stops if truth == TRUE]
        doubtful = [stop for stop, truth in stops if truth not in {TRUE, FALSE}]
        wanted = [*conditions, *(stop.when for stop in doubtful)]
        missing = frozenset[str]().union(*(self.world.wanting(self.law, condition) for condition in wanted))
        certain = arises == TRUE and not doubtful
        duty, rule = self.duty, self.rule
        notes = [f"Not owed: {_cited(stop.says, stop.cite)}" for stop in stopped]
        notes += [f"Ends where: {_cited(stop.says, stop.cite)}" for stop, _ in stops if stop not in stopped]
        notes += _assessed(self.facts) if duty.act == "assess" and duty.event == "breach-discovered" else []
        plain = Owed(
            rule=rule.id, law=rule.law, says=rule.says, cite=rule.cited(self.day), url=rule.source.url,
            confirmed=rule.confirmed, act=duty.act, to=duty.to, body=duty.body, what=duty.what,
            contents=duty.contents, state="stopped" if stopped else "owed" if certain else "possible", due=None,
            at_once=False, missing=tuple(sorted(missing)), notes=tuple(notes), places=_places(self.facts),
        )  # fmt: skip
        return _Clock(self, plain).set()

    def holds(self, stop: Stop) -> Truth:
        """Return how far a stop holds; one that is unconfirmed possibly at best."""
        found = self.world.truth(self.law, stop.when, loosens=True)
        return found if stop.confirmed else min(found, UNKNOWN)

    def conditions(self) -> tuple[Condition, Condition]:
        binds = self.law.governs if self.law.binds is None else self.law.binds
        return (self.law.governs if self.duty.event in ABOUT_A_USE else binds, self.rule.when)

    @property
    def holidays_of(self) -> tuple[str, ...]:
        """The places whose holidays may count: ours and the person's, as far as the law's territory reaches."""
        places = self.book.vocabulary.places
        groups = (
            places.group(word, cast("date", self.facts["event.on"])) if word in places.groups else places.expand([word])
            for word in self.law.territory
        )
        territory = frozenset[str]().union(*groups)
        ours = _set(self.facts.get(OUR_PLACE)) & territory
        return tuple(
            sorted(ours or _set(self.facts.get(HOME)) & territory or territory & self.almanac.calendars.keys())
        )


def _assessed(facts: Facts) -> list[str]:
    """Return what the facts say of how severe a breach is, each step shown."""
    found, notes = enisa(facts), []
    if found is not None:
        notes.append(f"Severity {found.band}, by ENISA's method: {'; '.join(found.steps)}")
        notes += (
            ["Noted and not scored: more than 100 people are concerned"] if _more(facts.get("event.persons")) else []
        )
        notes += ["Noted and not scored: the data are unintelligible"] if facts.get("event.unreadable") else []
    factors = [f"{words} {facts[name]}" for name, words in FACTORS.items() if facts.get(name) is not None]
    return [*notes, f"Factors: {', '.join(factors)}"] if factors else notes


FACTORS = {
    "event.factor_data": "the data",
    "event.factor_recipient": "who got them",
    "event.factor_acquired": "whether they were seen",
    "event.factor_mitigated": "what risk is left",
}
MANY = 100


def _more(persons: object) -> bool:
    return isinstance(persons, int) and persons > MANY


def _set(value: object) -> frozenset[str]:
    return value if isinstance(value, frozenset) else frozenset()


def _places(facts: Facts) -> tuple[str, ...]:
    return tuple(sorted(_set(facts.get(HOME)))) if facts.get("event.persons_in") else ()


def _cited(says: str, cite: str) -> str:
    return f"{says} ({cite})" if cite else says


# ---------------------------------------------------------------- by when


@dataclass(frozen=True, slots=True)
class _Clock:
    """Sets the clock of one duty."""

    asking: _Asking
    owed: Owed

    @property
    def duty(self) -> Duty:
        return self.asking.duty

    def fact(self, name: str) -> date | None:
        value = self.asking.facts.get(name)
        return value if isinstance(value, date) else None

    def set(self) -> Owed:
        """Return the duty with its day, or with what is missing for it."""
        if not any((self.duty.within, self.duty.by, self.duty.before, self.duty.opens)):
            return self.at_once()
        known = [day for day in map(self.fact, self.duty.start) if day is not None]
        on = cast("date", self.fact("event.on"))
        start, missing = (max(known), ()) if known else (on, self.duty.start)
        running = [pause for pause in self.duty.pauses if self.fact(pause.start) and self.holds(pause)]
        open_ended = [pause for pause in running if self.fact(pause.until) is None and pause.effect in STANDING]
        missing = (*missing, *(pause.until for pause in open_ended))
        start, added = self.begun(start, running), self.added(running, "exclude")
        try:
            due = self.counted(start, added, running)
        except ClockError as error:
            notes = (*self.owed.notes, f"The day cannot be counted: {error}. Work to the earliest that it can be.")
            return replace(self.owed, earliest=self.at_least(start), notes=notes)
        notes = tuple(self.paused(pause) for pause in self.duty.pauses)
        found = replace(self.owed, notes=(*self.owed.notes, *notes))
        if missing:
            wanting = tuple(sorted({*found.missing, *missing}))
            return replace(found, earliest=due.day, missing=wanting)
        found = self.extended(replace(found, due=due, opens=self.opening(due)), start, added)
        return self.done(self.no_later(found))

    def at_once(self) -> Owed:
        """Return a duty without a period: owed at once, or when what holds us back is over."""
        notes = tuple(self.paused(pause) for pause in self.duty.pauses)
        owed = replace(self.owed, notes=(*self.owed.notes, *notes))
        holds = [pause for pause in self.duty.pauses if pause.effect == "hold" and self.holds(pause)]
        ends = [day for pause in holds if (day := self.fact(pause.until)) is not None]
        if not ends or max(ends) <= cast("date", self.fact("event.on")):
            return replace(owed, at_once=True)
        return replace(owed, due=Due(max(ends), (f"held back until {said(max(ends))}",)))

    def at_least(self, start: date) -> date:
        """Return a day that no calendar can make too late: every day counts, and nothing moves."""
        period = read_period(self.duty.within) if self.duty.within else None
        return shifted(start, period) if period and period.unit != "hours" else start + timedelta(days=1)

    def holds(self, pause: Pause) -> bool:
        return self.asking.world.truth(self.asking.law, pause.when) == TRUE

    def paused(self, pause: Pause) -> str:
        words = {
            "restart": "The clock starts anew",
            "exclude": "Days that do not count",
            "may-exclude": "Days that may not count",
            "hold": "Held back",
        }
        return f"{words[pause.effect]}: {_cited(pause.says, pause.cite)}"

    def begun(self, start: date, running: Sequence[Pause]) -> date:
        """Return the day from which it counts, where a pause has made it start anew."""
        anew = [self.fact(pause.until) or self.fact(pause.start) for pause in running if pause.effect == "restart"]
        return max([start, *(day for day in anew if day is not None)])

    def added(self, running: Sequence[Pause], effect: str) -> int:
        return sum(self.days(pause) for pause in running if pause.effect == effect)

    def counted(self, start: date, added: int, running: Sequence[Pause]) -> Due:
        """Return the day, the pauses that are over taken into account."""
        due = self.held(self.plain(start, added), running)
        optional = self.added(running, "may-exclude")
        if not optional:
            return due
        later = self.plain(start, optional)
        latest = later.later or later.day
        step = f"if the {optional} days of the pause do not count it ends on {said(latest)}: the earlier is due"
        return replace(due, later=latest, steps=(*due.steps, step))

    def held(self, due: Due, running: Sequence[Pause]) -> Due:
        """Return the day, or the end of what holds us back if that is later."""
        holds = [day for pause in running if pause.effect == "hold" and (day := self.fact(pause.until)) is not None]
        if not holds or max(holds) <= due.day:
            return due
        return replace(due, day=max(holds), at=None, steps=(*due.steps, f"held back until {said(max(holds))}"))

    def days(self, pause: Pause) -> int:
        first, last = self.fact(pause.start), self.fact(pause.until)
        return (last - first).days + 1 if first is not None and last is not None else 0

    def plain(self, start: date, added: int = 0) -> Due:
        duty, almanac = self.duty, self.asking.almanac
        if duty.year_end:
            start = date(start.year, 12, 31)
        if isinstance(duty.by, date):
            return Due(duty.by, (f"{said(duty.by)} is the day that the law names",))
        if duty.by:
            return _next(duty.by, start)
        if duty.before:
            return almanac.before(start, read_period(duty.before), place=next(iter(self.asking.holidays_of), ""))
        if not duty.within:
            return Due(start, (f"{said(start)} is the day itself",))
        return self.within(start, read_period(duty.within), added)

    def within(self, start: date, period: Period, added: int = 0) -> Due:
        reckoning = self.duty.counts or self.asking.law.counts or "us"
        moment = self.asking.facts.get("event.at")
        begin = moment if period.unit == "hours" and isinstance(moment, datetime) and moment.date() == start else start
        almanac = self.asking.almanac
        needs_place = almanac.reckoning(reckoning).calendar == "place" or period.calendar in {"eu", "uk"}
        places = self.asking.holidays_of if needs_place else ()
        return almanac.due(begin, period, reckoning, places=places, added=added)

    def opening(self, due: Due) -> date | None:
        if not self.duty.opens:
            return None
        place = next(iter(self.asking.holidays_of), "")
        return self.asking.almanac.before(due.day, read_period(self.duty.opens), place=place).day

    def extended(self, owed: Owed, start: date, added: int) -> Owed:
        """Return the duty with what could extend it, and the later day where something did."""
        for extension in self.duty.extensions:
            try:
                owed = self.with_extension(owed, extension, start, added)
            except ClockError as error:
                owed = replace(owed, notes=(*owed.notes, f"The extension cannot be counted: {error}."))
        return owed

    def with_extension(self, owed: Owed, extension: Extension, start: date, added: int) -> Owed:
        due = cast("Due", owed.due)
        by, notice = read_period(extension.by), extension.notice or self.duty.within
        own = read_period(self.duty.within) if self.duty.within else None
        whole_days = own is not None and own.unit not in {"hours", "working days"}
        chained = self.within(shifted(start, own) if own and whole_days else due.day, by, added)
        whole = joined(own, by) if own else None
        once = self.within(start, whole, added) if whole else chained
        first, last = sorted([(chained.day, chained), (once.day, once)], key=lambda pair: pair[0])
        tell_by = self.within(start, read_period(notice)).day if notice else due.day
        told, allowed = self.fact(extension.told), self.asking.world.truth(self.asking.law, extension.when) == TRUE
        counted = allowed and told is not None and told <= tell_by
        longer = Longer(
            says=extension.says, cite=extension.cite, to=first[0], tell_by=tell_by, contents=extension.contents,
            counted=counted,
        )  # fmt: skip
        owed = replace(owed, longer=(*owed.longer, longer))
        if not counted:
            return owed
        later = max(day for day in (last[0], once.later, chained.later) if day is not None)
        steps = [*due.steps, f"extended by {by}: {said(first[0])} ({extension.cite or self.owed.cite})"]
        if later > first[0]:
            steps.append(f"counted another way it is {said(later)}: the earlier is due")
        return replace(owed, due=Due(first[0], tuple(steps), later=later if later > first[0] else None))

    def done(self, owed: Owed) -> Owed:
        """Return the duty as not owed where the whole matter was closed before its day and the law asks no more."""
        on = self.fact("event.done_on")
        if not self.duty.unless_done or on is None or owed.due is None or on > owed.due.day:
            return owed
        return replace(owed, state="stopped", notes=(f"Not owed: all was done on {said(on)}.", *owed.notes))

    def no_later(self, owed: Owed) -> Owed:
        """Return the duty with an earlier day where something happened that brings it forward."""
        if owed.due is None:
            return owed
        known = [(day, name) for name in self.duty.not_after if (day := self.fact(name)) is not None]
        if not known or min(known)[0] >= owed.due.day:
            return owed
        day, name = min(known)
        step = f"but no later than {said(day)} ({name})"
        return replace(owed, due=Due(day, (*owed.due.steps, step)))


def _next(by: str, start: date) -> Due:
    month, number = (int(part) for part in by.split("-"))
    year = start.year + (date(start.year, month, number) <= start)
    day = date(year, month, number)
    return Due(day, (f"{said(day)} is the next {by} after {said(start)}",))


# ---------------------------------------------------------------- all of them together


def _merged(found: Iterable[Owed]) -> list[Owed]:
    """Say once what several places make us owe alike."""
    alike: dict[tuple[object, ...], Owed] = {}
    for owed in found:
        key = (owed.rule, owed.state, owed.due.day if owed.due else owed.earliest)
        if key in alike:
            places = tuple(sorted({*alike[key].places, *owed.places}))
            missing = tuple(sorted({*alike[key].missing, *owed.missing}))
            owed = replace(alike[key], places=places, missing=missing)  # noqa: PLW2901  (the two become one)
        alike[key] = owed
    order = {"owed": 0, "possible": 0, "stopped": 1}
    return sorted(alike.values(), key=lambda owed: (order[owed.state], owed.day, owed.rule))


def _with_keeping(found: list[Owed], facts: Facts) -> tuple[Owed, ...]:
    """Let the longest duty to keep these records win over duties to delete them earlier: for storage only."""
    keeps = [owed for owed in found if owed.act == "keep" and owed.state == "owed" and owed.due is not None]
    if not keeps or facts.get("event.records") in {None, "everything"}:
        return tuple(found)
    longest = max(keeps, key=lambda owed: owed.day)
    return tuple(
        replace(owed, kept_until=longest.day, kept_by=longest.rule)
        if owed.act == "delete" and owed.state != "stopped" and owed.day < longest.day
        else owed
        for owed in found
    )
