"""The facts of an event: what follows from them, what cannot be, and how the law of each place sees them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import cast

from comity.law.folding import HOME
from comity.law.severity import enisa
from comity.law.vocabulary import Counts, FactError, Facts, aged

EARLIEST, LATEST = date(1950, 1, 1), date(2150, 12, 31)
"""Days between which something can be asked: before, none of the laws was there; after, nobody knows them."""


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
    on = cast("date", facts["event.on"])
    if not EARLIEST <= on <= LATEST:
        why = "none of these laws was there" if on < EARLIEST else "nobody knows the law"
        raise FactError(
            f"event.on is {on}: {'before' if on < EARLIEST else 'after'} {min(max(on, EARLIEST), LATEST)} {why}"
        )
    _check_order(facts)
    _check_numbers(facts)
    facts = aged(facts, on)
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
    for part, whole in (("event.residents", "event.persons"), ("event.sensitive_persons", "event.persons")):
        less, more = facts.get(part), facts.get(whole)
        if isinstance(less, int) and isinstance(more, int) and less > more:
            raise FactError(f"{part} ({less}) is more than {whole} ({more}); correct one of them")
    counted = dict(cast("Counts", facts.get("event.persons_in") or ()))
    if counted:
        _check_counts(facts, counted)


def _check_counts(facts: Facts, counted: Mapping[str, int]) -> None:
    for name in (HOME, "event.residents"):
        if facts.get(name) is not None:
            raise FactError(f"{name} and event.persons_in both say where the people live; give one of them")
    for place in counted:
        country = place.partition("-")[0]
        if country != place and country in counted:
            raise FactError(f"event.persons_in has {country} and {place}, which lies in it; give the parts alone")
    persons, total = facts.get("event.persons"), sum(counted.values())
    if isinstance(persons, int) and persons < total:
        raise FactError(f"event.persons ({persons}) is less than event.persons_in adds up to ({total})")


def scenes(facts: Facts) -> Iterator[Facts]:
    """Yield the facts as the law of each place sees them, where the event concerns people in several."""
    counted = [(place, number) for place, number in cast("Counts", facts.get("event.persons_in") or ()) if number]
    if not counted:
        yield facts
        return
    whole = sum(number for _, number in counted)
    persons = facts.get("event.persons")
    for place, number in counted:
        own: Facts = {HOME: frozenset({place}), "event.residents": number}
        yield {**facts, "event.persons": whole if persons is None else persons, **own}
