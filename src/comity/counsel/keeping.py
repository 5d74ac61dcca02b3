"""How long the laws have records kept, and by when they want them gone: what `must` says when a purpose ends.

Keep-at-least beats erase-after. Nothing here counts a day: the law does.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

from comity.counsel.asking import book
from comity.counsel.duties_counting import owed_at_the_end

if TYPE_CHECKING:
    from comity.law import Owed
    from comity.law.lawbook import Rule
    from comity.staff.models import Entity

LAST_HEARD: Final = "relation.last_contact_on"
KEEP, DELETE = "keep", "delete"


@dataclass(frozen=True, kw_only=True)
class Term:
    """What one law says of one kind of records: keep them until a day, or delete them by one.

    `day` is None where the law says "at once" or a fact is missing; `certain` where no missing fact could lift it.
    """

    records: str
    act: str
    rule: str
    what: str
    cite: str
    url: str
    day: date | None
    certain: bool
    at_once: bool
    within: str  # "3 years", as the rule has it; empty where it has no period
    missing: tuple[str, ...] = ()  # facts without which it is not certain


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What several terms come to: the longest order to keep, then the first to delete; keeping beats deleting."""

    keep: Term | None
    delete: Term | None

    @property
    def stays_until(self) -> date | None:
        """The day until which a law has it kept for certain."""
        return self.keep.day if self.keep else None


def unknown_rules(rules: Iterable[str]) -> list[str]:
    """Return which of these ids no pack has."""
    return [rule for rule in rules if rule not in _by_id()]


@cache
def kinds_of_records() -> frozenset[str]:
    """Return the kinds of records about which the law can be asked."""
    return frozenset(book().vocabulary.facts["event.records"].choices)


@dataclass(frozen=True, kw_only=True)
class Reason:
    """A rule of a law as a page cites it."""

    rule: str
    says: str
    cite: str
    url: str


def reasons(rules: Iterable[str], day: date) -> list[Reason]:
    """Return what these rules say, each with its citation."""
    found = [(rule, _by_id()[rule]) for rule in rules if rule in _by_id()]
    return [Reason(rule=id_, says=one.says, cite=one.cited(day), url=one.source.url) for id_, one in found]


@cache
def _by_id() -> Mapping[str, Rule]:
    """Return the rules by id; of one that changed, the newest."""
    return {rule.id: rule for rule in sorted(book().rules(), key=lambda rule: rule.span.start)}


# ---------------------------------------------------------------- terms


def terms(
    entity: Entity, records: Collection[str], *, on: date, today: date, facts: Mapping[str, object] | None = None
) -> list[Term]:
    """Return what the laws say of these kinds of records of a purpose that ended `on`, first what is to be kept.

    What a law says of several kinds alike is said once.
    `facts` are about the person ("person.home", "relation.last_contact_on" …), as TOML would write them.
    """
    told = {"org.place": [entity.place], **entity.facts, **(facts or {})}
    asked = json.dumps(told, sort_keys=True, default=str)
    found = {(one.rule, one.day): one for kind in records for one in _terms(asked, kind, on, today)}
    return sorted(found.values(), key=lambda one: (one.act != KEEP, not one.certain, one.day or date.max, one.rule))


@lru_cache(maxsize=4096)
def _terms(told: str, records: str, on: date, today: date) -> tuple[Term, ...]:
    facts = {**json.loads(told), "event.kind": "purpose-ended", "event.on": on, "event.records": records}
    found = owed_at_the_end(facts, law_of=today)
    return tuple(_term(records, owed) for owed in found if owed.act in {KEEP, DELETE})


def _term(records: str, owed: Owed) -> Term:
    duty = _by_id()[owed.rule].duty
    day = owed.due.day if owed.due else owed.earliest
    return Term(
        records=records, act=owed.act, rule=owed.rule, what=owed.what, cite=owed.cite, url=owed.url, day=day,
        certain=owed.certain, at_once=owed.at_once, within=duty.within if duty else "",
        missing=tuple(owed.missing),
    )  # fmt: skip


def outcome(found: Sequence[Term]) -> Outcome:
    """Return what certainly holds of these: the longest order to keep, and the first to delete that it lets stand."""
    sure = [one for one in found if one.certain]
    keep = max((one for one in sure if one.act == KEEP and one.day), key=lambda one: one.day or date.min, default=None)
    delete = min((one for one in sure if one.act == DELETE), key=lambda one: one.day or date.min, default=None)
    return Outcome(keep=keep, delete=delete)


# ---------------------------------------------------------------- prospects of whom nothing is heard


def last_heard_before(entity: Entity, home: str, *, longest: date, today: date) -> tuple[date, str]:
    """Return the latest day such that whoever was last heard of on it, or before, is to be erased today; and by what.

    `longest` is the day that our own policy says. A law that counts from the last contact may say a later one, and then
    its rule is named. `home` is a place, or several joined by "|", or empty.
    """
    day, rule = longest, ""
    for one in _counted_from_last_heard(entity, home, today, today):
        period = one.day - today if one.day else timedelta.max
        if period < today - day:
            day, rule = _exact(entity, home, one.rule, today - period, today), one.rule
    return day, rule


def _exact(entity: Entity, home: str, rule: str, near: date, today: date) -> date:
    """Return the latest day near this one whose clock has ended by today: months and leap days are the law's."""
    for back in range(-3, 7):
        heard = near - timedelta(days=back)
        due = [one.day for one in _counted_from_last_heard(entity, home, heard, today) if one.rule == rule]
        if due and due[0] is not None and due[0] <= today:
            return heard
    return near


def _counted_from_last_heard(entity: Entity, home: str, heard: date, today: date) -> list[Term]:
    facts: dict[str, object] = {LAST_HEARD: heard.isoformat()}
    if home:
        facts["person.home"] = home.split("|")
    found = terms(entity, ("prospect",), on=today, today=today, facts=facts)
    return [one for one in found if one.act == DELETE and one.certain and one.day and _starts_there(one.rule)]


def _starts_there(rule: str) -> bool:
    duty = _by_id()[rule].duty
    return duty is not None and LAST_HEARD in duty.start
