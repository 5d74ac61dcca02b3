"""Small random lawbooks, each from a seed.

Everything a pack may say happens often in them: exceptions to exceptions, doubts, definitions, numbers that change with
time and place, grounds that other laws fill, obligations that clash.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from comity.law.conditions import Condition, parse
from comity.law.lawbook import (
    Cell,
    Dated,
    DatedParameter,
    Definition,
    Effect,
    Law,
    Lawbook,
    Obligation,
    ObligationKind,
    ObligationParameter,
    Rule,
    Slot,
    Source,
    Span,
)
from tests.law.people import DAY

if TYPE_CHECKING:
    from comity.law.vocabulary import Facts, Value

PLACES = ("DE", "FR", "GB", "US-CA", "US-TX", "CN")
ATOMS = (
    "consent.given", "person.objected", "relation.customer", "use.automated", "data.special", "use.in_notice",
    "True", "False",
    "use.channel in {'email', 'sms'}", "person.capacity == 'business'", "use.channel != 'email'",
    "relation.source == 'person'",
    "person.age < 16", "person.age >= 18", "person.age == 16", "13 <= person.age < 18", "18 > person.age",
    "days_since(consent.given_on) < 30", "months_since(consent.given_on) >= 12", "years_since(consent.given_on) <= 1",
    "months_since(consent.given_on) > 6", "years_since(consent.given_on) == 1", "days_since(consent.given_on) != 3",
    "person.home in EEA", "person.home == 'DE'", "person.home in {'FR', 'US'}", "org.place in EEA",
    "org.place == 'US-CA'",
    "use.recipient_place in ADEQUATE_EU", "org.exported_persons > 1000", "person.age < param.age",
    "person.age >= param.age",
    "days_since(consent.given_on) >= param.days", "define.one", "define.two",
)  # fmt: skip
"""Comparisons to build conditions from; the last few name what the law itself has."""

SOURCE = Source(file="random.toml", line=1, cite="nowhere")
KINDS: Mapping[str, ObligationKind] = {
    "hours": ObligationKind(
        name="hours",
        says="Only within these hours.",
        parameters={
            "days": ObligationParameter(name="days", kind="days", merge="intersect", means=""),
            "from": ObligationParameter(name="from", kind="clock", merge="most", means=""),
            "until": ObligationParameter(name="until", kind="clock", merge="least", means=""),
        },
    ),
    "label": ObligationKind(
        name="label",
        says="A label.",
        parameters={
            "words": ObligationParameter(name="words", kind="words", merge="union", means=""),
            "loud": ObligationParameter(name="loud", kind="flag", merge="any", means=""),
            "size": ObligationParameter(name="size", kind="number", merge="same", means=""),
        },
    ),
}
OBLIGATIONS = (
    Obligation(kind="hours", parameters={"from": "08:00", "until": "12:00"}),
    Obligation(kind="hours", parameters={"from": "12:00", "until": "20:00", "days": ("mon", "tue", "sat")}),
    Obligation(kind="hours", parameters={"days": ("sat", "sun")}),
    Obligation(kind="hours", parameters={"days": ("mon", "tue")}),
    Obligation(kind="label", parameters={"words": ("ad",), "loud": False, "size": 2}),
    Obligation(kind="label", parameters={"words": ("ad", "广告"), "size": 3}),
    Obligation(kind="label", parameters={"loud": True}),
)
EFFECTS: tuple[Effect, ...] = ("forbid", "except", "except", "ground", "ground", "require", "require", "refer")


def random_book(book: Lawbook, dice: random.Random) -> Lawbook:
    """Return two to four random laws over the vocabulary of `book`."""
    laws = [_law(book, dice, name) for name in ("aa", "bb", "cc", "dd")[: dice.randint(2, 4)]]
    slots = [slot.id for law in laws for slot in law.slots]
    targets: list[Rule] = []
    filled = []
    for law in laws:
        numbers = range(dice.randint(3, 8))
        rules = tuple(_rule(book, dice, law, number, targets=targets, slots=slots) for number in numbers)
        filled.append(replace(law, rules=rules))
    dice.shuffle(filled)
    return replace(book, laws=tuple(filled), obligations=KINDS)


def random_facts(dice: random.Random) -> Facts:
    """Return facts for the conditions above, some left out, some unknown; the values lie around the thresholds."""
    low = dice.choice([12, 13, 15, 16, 17, 18, 40])
    days = dice.choice([0, 3, 29, 30, 31, 182, 183, 365, 366, 400, 730, 731])
    facts: Facts = {
        "person.home": frozenset(dice.sample(PLACES, dice.choice([1, 1, 2, 3]))),
        "person.age": (low, low + dice.choice([0, 0, 1, 2])),
        "consent.given_on": date.fromordinal(DAY.toordinal() - days),
        "org.place": frozenset(dice.sample(PLACES, dice.choice([1, 2]))),
        "use.recipient_place": frozenset(dice.sample(("JP", "US", "FR"), dice.choice([1, 2]))),
        "org.exported_persons": dice.choice([1000, 1001]),
        "use.operation": dice.choice(["contact", "sell"]),
        "use.channel": dice.choice(["email", "sms", "call"]),
        "person.capacity": dice.choice(["business", "consumer"]),
        "relation.source": dice.choice(["person", "published"]),
        **dict.fromkeys(("consent.given", "use.automated", "data.special"), dice.random() < 0.5),
        **{name: dice.random() < 0.5 for name in ("person.objected", "relation.customer", "use.in_notice")},
    }
    for name in list(facts):
        fate = dice.random()
        if fate < 0.1:
            del facts[name]
        elif fate < 0.25:
            facts[name] = None
    return facts


def condition(
    book: Lawbook, dice: random.Random, *, atoms: tuple[str, ...] = ATOMS, join: str = "", depth: int = 2
) -> Condition:
    """Return a random condition; `join` says how its outermost parts hang together."""
    return parse(_text(dice, depth, atoms, join), book.vocabulary)


def _text(dice: random.Random, depth: int, atoms: tuple[str, ...], join: str = "") -> str:
    if not depth or dice.random() < 0.3:
        return dice.choice(atoms)
    joined = f" {join or dice.choice(['and', 'or'])} ".join(
        f"({_text(dice, depth - 1, atoms)})" for _ in range(dice.choice([2, 2, 3]))
    )
    return f"not ({joined})" if dice.random() < 0.3 else joined


def _law(book: Lawbook, dice: random.Random, name: str) -> Law:
    here = ["person.home in EEA", "person.home in {'FR', 'US-CA'}", "org.place in {'DE'} or person.home == 'DE'"]
    governs = dice.choice(["True", "True", "True", *here, ""])
    slots = tuple(
        Slot(id=f"{name}:{slot}", says="A ground.", cite="x", applies=_mostly(book, dice, "True"), cures=())
        for slot in ("basis", "extra")[: dice.choice([0, 0, 0, 1, 2])]
    )
    return Law(
        id=name, pack=name, name=name, source=SOURCE, span=_span(dice),
        territory=tuple(dice.sample(["EEA", "UK", "US", "CN", "US-TX"], dice.choice([0, 2, 5, 5]))),
        governs=parse(governs, book.vocabulary) if governs else condition(book, dice),
        covers=tuple(_cell(dice) for _ in range(dice.randint(1, 2))), slots=slots, rules=(),
        definitions=_definitions(book, dice, name), parameters=(_age(dice, name), _days(dice, name)), blind_spots=(),
    )  # fmt: skip


def _mostly(book: Lawbook, dice: random.Random, text: str) -> Condition:
    return parse(text, book.vocabulary) if dice.random() < 0.6 else condition(book, dice)


def _cell(dice: random.Random) -> Cell:
    return Cell(
        operations=dice.choice([None, None, None, frozenset({"contact"})]),
        channels=dice.choice([None, None, None, frozenset({"email", "sms"})]),
        places=dice.choice([None, None, None, frozenset({"DE", "FR"}), frozenset(PLACES)]),
    )


def _span(dice: random.Random) -> Span:
    ever, coming = Span(start=date(2000, 1, 1)), Span(start=date(2027, 1, 1))
    return dice.choice([ever] * 8 + [coming, Span(start=date(2000, 1, 1), until=DAY)])


def _confirmed(dice: random.Random) -> bool:
    return dice.random() < 0.75


def _definitions(book: Lawbook, dice: random.Random, law: str) -> tuple[Definition, ...]:
    inner = tuple(atom for atom in ATOMS if not atom.startswith("define"))
    return tuple(
        Definition(
            id=f"{law}/{name}",
            says="",
            source=SOURCE,
            span=_span(dice),
            confirmed=_confirmed(dice),
            when=condition(book, dice, atoms=atoms),
        )
        for name, atoms in (("one", inner), ("two", (*inner, "define.one", "define.one", "define.one")))
    )


def _age(dice: random.Random, law: str) -> DatedParameter:
    def dated(value: int, *places: str) -> Dated:
        where = frozenset(places) or None
        return Dated(value=value, span=_span(dice), places=where, cite="x", confirmed=_confirmed(dice))

    values = (dated(16), dated(13, "FR"), dated(18, "US-CA", "CN"))[dice.choice([0, 0, 1]) :]
    return DatedParameter(id=f"{law}/age", says="", unit="years", source=SOURCE, values=values)


def _days(dice: random.Random, law: str) -> DatedParameter:
    value = Dated(value=30, span=_span(dice), places=None, cite="x", confirmed=_confirmed(dice))
    return DatedParameter(id=f"{law}/days", says="", unit="days", source=SOURCE, values=(value,))


def _rule(book: Lawbook, dice: random.Random, law: Law, number: int, *, targets: list[Rule], slots: list[str]) -> Rule:
    """Return one more rule; an exception lifts only rules that were made before it, so there is no circle."""
    effect = dice.choice(EFFECTS)
    of_one_kind = [rule for rule in targets if (rule.effect == "except") == (dice.random() < 0.5)]
    if effect == "except" and not of_one_kind:
        effect = "forbid"
    if effect == "ground" and not slots:
        effect = "refer"
    found = Rule(
        id=f"{law.id}/r{number}", law=law.id, says="", source=SOURCE, span=_span(dice), announced=None, checked=None,
        review_by=None, confirmed=_confirmed(dice), effect=effect,
        when=condition(book, dice, join="and" if effect in {"forbid", "refer"} else "or", depth=dice.choice([1, 2, 3])),
    )  # fmt: skip
    if effect == "except":
        kind = dice.choice(of_one_kind).effect == "except"
        same = [rule.id for rule in targets if (rule.effect == "except") == kind]
        found = replace(found, exception_to=tuple(dice.sample(same, min(len(same), dice.choice([1, 2])))))
    elif effect == "ground":
        own = [slot for slot in slots if slot.startswith(law.id)]
        others = tuple(dice.sample(slots, 1)) if not own or dice.random() < 0.3 else ()
        found = replace(found, slot=dice.choice(own) if own else "", fills=others)
    elif effect == "require":
        found = replace(found, obligation=dice.choice(OBLIGATIONS))
    if effect != "ground":
        targets.append(found)
    return found


def shown(facts: Mapping[str, Value]) -> str:
    """Return facts in one line, for the message of a test that failed."""
    return ", ".join(f"{name}={sorted(v) if isinstance(v, frozenset) else v}" for name, v in sorted(facts.items()))
