"""What an event makes us owe, counted by where the people live: the one place of the application that asks `must`.

The law of each home is asked. People with one home are asked about together, as the law wants it of an event in several
places; people of whom we know several possible homes, or none, by themselves, so that what is only possible stays so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from comity.counsel.asking import book
from comity.counsel.facts import gather
from comity.counsel.questions import Question
from comity.law import Lawbook, Owed, must
from comity.law.folding import HOME

if TYPE_CHECKING:
    from comity.staff.models import Entity

PEOPLE_IN, PEOPLE = "event.persons_in", "event.persons"
AT_ONCE: Final = 1_000
"""Persons whose homes are gathered in one go."""
MOST_GUESSES: Final = 16
"""Sets of possible homes that are asked about one by one; people with a rarer one count as of unknown home."""


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A duty, about how many people it is, and how many of them only possibly."""

    owed: Owed
    persons: int
    doubtful: int
    places: tuple[str, ...]

    @property
    def day(self) -> date | None:
        """The day to work to; none where it is owed at once, or nobody can tell."""
        return self.owed.due.day if self.owed.due else self.owed.earliest

    def joined(self, other: Counted) -> Counted:
        """Return the same duty about the people of both: certain if it is for some of them."""
        first, second = sorted((self, other), key=lambda one: one.owed.state != "owed")
        missing = tuple(sorted({*first.owed.missing, *second.owed.missing}))
        return Counted(
            owed=replace(first.owed, missing=missing), persons=self.persons + other.persons,
            doubtful=self.doubtful + other.doubtful, places=tuple(sorted({*self.places, *other.places})),
        )  # fmt: skip


def homes_of(entity: Entity, persons: Sequence[UUID], on: date) -> dict[str, int]:
    """Count people by where they may live: "DE", "CH|IT", or "" where nobody knows."""
    look = Question(operation="store", purpose="service", entity=entity.ref)
    counted: Counter[str] = Counter()
    for start in range(0, len(persons), AT_ONCE):
        for facts in gather(look, persons[start : start + AT_ONCE], on).values():
            home = facts.get(HOME)
            counted["|".join(sorted(home)) if isinstance(home, frozenset) else ""] += 1
    return dict(counted)


def count(
    facts: Mapping[str, Any], homes: Mapping[str, int], *, law_of: date, law: Lawbook | None = None
) -> list[Counted]:
    """Return what an event makes us owe, each rule and day once. Raises FactError for what the law cannot read."""
    found: dict[tuple[str, date | None], Counted] = {}
    for scene, many, places in _scenes(facts, homes):
        for owed in must(law or book(), scene, day=law_of):
            if owed.state != "stopped":
                one = _counted(owed, homes, many, places)
                key = (owed.rule, one.day)
                found[key] = found[key].joined(one) if key in found else one
    return list(found.values())


def _counted(owed: Owed, homes: Mapping[str, int], many: int, places: tuple[str, ...]) -> Counted:
    persons = sum(homes.get(place, 0) for place in owed.places) if owed.places and homes else many
    doubtful = persons if owed.state == "possible" else 0
    return Counted(owed=owed, persons=persons, doubtful=doubtful, places=owed.places or places)


def stopped(
    facts: Mapping[str, Any], homes: Mapping[str, int], rule: str, *, law_of: date, law: Lawbook | None = None
) -> Owed | None:
    """Return how a rule's duty ended, where for all these people something ended it, or it never arose."""
    asked = [must(law or book(), scene, day=law_of) for scene, _many, _places in _scenes(facts, homes)]
    return next((owed for found in asked for owed in found if owed.rule == rule and owed.state == "stopped"), None)


def owed_at_the_end(facts: Mapping[str, Any], *, law_of: date) -> list[Owed]:
    """Return what holds when a purpose has ended: what is to be kept, and what deleted. `comity.counsel.keeping` asks.

    Raises FactError for what the law cannot read.
    """
    return [owed for owed in must(book(), facts, day=law_of) if owed.state != "stopped"]


# ---------------------------------------------------------------- by home


def _scenes(
    facts: Mapping[str, Any], homes: Mapping[str, int]
) -> Iterator[tuple[dict[str, Any], int, tuple[str, ...]]]:
    """Give the facts as they are to be asked: with how many people, and where they may live."""
    total = sum(homes.values()) or _said(facts)
    if not homes or PEOPLE_IN in facts or HOME in facts:
        yield dict(facts), total, ()
        return
    told = {PEOPLE: total, **facts}
    plain, guesses = _sorted(homes)
    if plain:
        yield {**told, PEOPLE_IN: plain}, sum(plain.values()), tuple(sorted(plain))
    for home, many in guesses.items():
        candidates = tuple(home.split("|")) if home else ()
        yield {**told, **({HOME: list(candidates)} if candidates else {})}, many, candidates


def _said(facts: Mapping[str, Any]) -> int:
    """Return how many people the event itself says it concerns."""
    if counts := facts.get(PEOPLE_IN):
        return sum(counts.values())
    return int(facts.get(PEOPLE) or 0)


def _sorted(homes: Mapping[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """Part those who live in one place from those of whom we only have a guess. A country beside its parts is one."""
    parts = {home.partition("-")[0] for home in homes if "-" in home and "|" not in home}
    plain = {home: many for home, many in homes.items() if home and "|" not in home and home not in parts and many}
    guesses = Counter({home: many for home, many in homes.items() if home not in plain and many})
    known = dict(guesses.most_common(MOST_GUESSES))
    if rest := guesses.total() - sum(known.values()):
        known[""] = known.get("", 0) + rest
    return plain, known


# ---------------------------------------------------------------- as JSON


def as_json(owed: Owed) -> dict[str, Any]:
    """Return all that the law said of a duty, for keeping; about nobody."""
    due = owed.due
    return {
        "law": owed.law, "says": owed.says, "cite": owed.cite, "url": owed.url, "confirmed": owed.confirmed,
        "body": owed.body, "what": owed.what, "contents": list(owed.contents), "missing": list(owed.missing),
        "notes": list(owed.notes), "at": _iso(due.at if due else None), "later": _iso(due.later if due else None),
        "steps": list(due.steps) if due else [], "opens": _iso(owed.opens), "kept_by": owed.kept_by,
        "kept_until": _iso(owed.kept_until),
        "longer": [
            {"says": one.says, "cite": one.cite, "to": _iso(one.to), "tell_by": _iso(one.tell_by),
             "contents": list(one.contents), "counted": one.counted, "told": _iso(one.told)}
            for one in owed.longer
        ],
    }  # fmt: skip


def _iso(day: date | datetime | None) -> str | None:
    return day.isoformat() if day else None


def plain(facts: Mapping[str, object]) -> dict[str, Any]:
    """Return facts as JSON has them, and as the vocabulary reads them again."""
    return {name: _plain(value) for name, value in sorted(facts.items()) if value is not None}


def _plain(value: object) -> object:
    match value:
        case date():
            return value.isoformat()
        case Mapping():
            return dict(sorted(value.items()))
        case frozenset() | set():
            return sorted(value)
        case str() | bool() | int() | float():
            return value
        case Iterable():
            return [_plain(each) for each in value]
    return str(value)
