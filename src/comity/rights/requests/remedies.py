"""By which exceptions a request may be refused, and what whoever is refused can do: both as the packs have them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from typing import Any, Final

from comity.counsel.models import OwedDuty
from comity.counsel.reading import laws, rules
from comity.law.conditions import All, Condition, Test, tests
from comity.law.lawbook import Rule

REQUEST: Final = "event.request"
APPEAL: Final = "appeal"
REFUSES: Final = "refuse"
BESIDE: Final = ("acknowledge", "record", "verify")
"""Deeds that a refusal does not end."""


@dataclass(frozen=True, kw_only=True)
class Exemption:
    """A reason of the law not to do what is asked: it ends duties of its rules."""

    id: str  # the rule with the number of its stop, or the exception's own
    lifts: tuple[str, ...]  # the rules whose duties it ends
    law: str
    says: str
    cite: str
    facts: dict[str, Any] = field(default_factory=dict)  # what is so of the event where it holds


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """What somebody can do who is refused."""

    law: str
    law_name: str
    says: str
    cite: str
    contents: tuple[str, ...] = ()


def exemptions_from(duties: Iterable[OwedDuty]) -> list[Exemption]:
    """Return by what these duties could be ended: the stops of their rules, and exceptions to them.

    Where a law has none of its own and says what a refusal must tell, it lets the request be refused with reasons; that
    rule then stands for the exception.
    """
    owed = sorted((duty for duty in duties if duty.act not in BESIDE), key=lambda duty: duty.act != "answer")
    found: dict[str, Exemption] = {}
    for duty in owed:
        rule = _text_of(duty.rule, duty.event.law_of)
        if rule is not None and duty.act != REFUSES:
            for one in (*_stops(rule, duty), *_excepted(rule.id, duty.event.law_of)):
                _join(found, one)
    for duty in owed:
        answers = tuple(one.rule for one in owed if one.act == "answer" and one.told["law"] == duty.told["law"])
        if duty.act == REFUSES and answers and not any(set(one.lifts) & set(answers) for one in found.values()):
            told = duty.told
            found[duty.rule] = Exemption(
                id=duty.rule, lifts=answers, law=told["law"], says=told["says"], cite=told["cite"]
            )
    return list(found.values())


def _join(found: dict[str, Exemption], one: Exemption) -> None:
    """Add an exception; one that says the same of another duty of the same law is one with it."""
    same = next((known for known in found.values() if (known.says, known.cite) == (one.says, one.cite)), None)
    if same is None:
        found[one.id] = one
    else:
        found[same.id] = replace(same, lifts=(*same.lifts, *one.lifts))


def _text_of(rule: str, day: date) -> Rule | None:
    return next((text for text in rules().get(rule, []) if text.span.holds(day) and text.duty is not None), None)


def _stops(rule: Rule, duty: OwedDuty) -> Iterator[Exemption]:
    """Give the stops of a rule, but for those that are about something else than what was asked."""
    for number, stop in enumerate(rule.duty.stops if rule.duty else (), 1):
        if not _is_about(stop.when, duty.event.facts.get(REQUEST)):
            continue
        yield Exemption(
            id=f"{rule.id}/stop-{number}", lifts=(rule.id,), law=rule.law, says=stop.says, cite=stop.cite or
            rule.source.cite, facts=_said_by(stop.when),
        )  # fmt: skip


def _is_about(condition: Condition, asked: str | None) -> bool:
    """Tell whether a condition can hold of what was asked."""
    named = [test.operand for test in tests(condition) if test.fact == REQUEST]
    return all(asked in one if isinstance(one, frozenset) else asked == one for one in named)


def _excepted(rule: str, day: date) -> Iterator[Exemption]:
    for texts in rules().values():
        for one in texts:
            if rule in one.exception_to and one.span.holds(day):
                yield Exemption(
                    id=one.id, lifts=(rule,), law=one.law, says=one.says, cite=one.source.cite, facts=_said_by(one.when)
                )


def _said_by(condition: Condition) -> dict[str, Any]:
    """Return what is so of an event where a condition holds, as far as the condition says it outright."""
    match condition:
        case Test(fact=fact, operator="is", operand=True) if fact.startswith("event."):
            return {fact: True}
        case All(parts):
            return {name: value for part in parts for name, value in _said_by(part).items()}
    return {}


def remedies_of(duties: Iterable[OwedDuty]) -> list[Remedy]:
    """Return what whoever is refused must be told, and the appeals that these laws have; each once."""
    found: dict[str, Remedy] = {}
    for duty in duties:
        told = duty.told
        if duty.act == "refuse":
            found[duty.rule] = _remedy(duty.rule, told["law"], told["says"], told["cite"], tuple(told["contents"]))
        for rule in appeals_of(told["law"], duty.event.law_of):
            contents = rule.duty.contents if rule.duty else ()
            found.setdefault(rule.id, _remedy(rule.id, rule.law, rule.says, rule.source.cite, contents))
    return list(found.values())


def _remedy(rule: str, law: str, says: str, cite: str, contents: tuple[str, ...]) -> Remedy:
    known = laws().get(law)
    return Remedy(law=law, law_name=known.name if known else rule, says=says, cite=cite, contents=contents)


@lru_cache(maxsize=256)
def appeals_of(law: str, day: date) -> tuple[Rule, ...]:
    """Return the rules of a law about appeals against a refusal."""
    known = laws().get(law)
    return tuple(
        rule for rule in (known.rules if known else ()) if rule.span.holds(day) and rule.duty and _is_of_appeals(rule)
    )


def _is_of_appeals(rule: Rule) -> bool:
    asked = [test.operand for test in tests(rule.when) if test.fact == REQUEST]
    return APPEAL in asked or any(isinstance(one, frozenset) and one == {APPEAL} for one in asked)
