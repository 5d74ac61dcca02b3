"""Random people, each from a seed: facts of every kind the vocabulary has, some of them unknown."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from comity.law import Lawbook
    from comity.law.vocabulary import Fact, Facts, Value

DAY = date(2026, 11, 21)
ROW_NAMESPACES = frozenset({"person", "consent", "relation"})
HOMES = (
    "DE FR GB IT ES NL AT PL BE SE IE DK FI PT GR CH BR IN CN HK "
    "US US-CA US-CO US-CT US-TX US-WA US-FL US-NV US-OR US-WY"
).split()

USES: dict[str, dict[str, object]] = {
    "marketing by e-mail": {
        "use.operation": "contact", "use.purpose": "marketing", "use.channel": "email", "use.similar_goods": True,
    },
    "a sales call": {"use.operation": "contact", "use.purpose": "marketing", "use.channel": "call"},
    "an advertising text": {"use.operation": "contact", "use.purpose": "marketing", "use.channel": "sms"},
    "a sale": {
        "use.operation": "sell", "use.purpose": "marketing", "use.channel": "none", "use.recipient": "third-party",
        "use.in_notice": True,
    },
    "sharing for advertising": {
        "use.operation": "share", "use.purpose": "targeted-advertising", "use.channel": "none",
        "use.recipient": "ad-platform", "use.in_notice": True,
    },
    "profiling": {
        "use.operation": "profile", "use.purpose": "marketing", "use.channel": "none", "use.automated": True,
        "use.in_notice": True,
    },
    "a look at the record": {
        "use.operation": "view", "use.purpose": "service", "use.channel": "none", "actor.on_duty": True,
    },
    "an export": {"use.operation": "export", "use.purpose": "marketing", "use.channel": "none", "actor.on_duty": True},
    "a transfer": {
        "use.operation": "transfer", "use.purpose": "service", "use.channel": "none", "use.recipient_place": "IN",
        "use.transfer_tool": "scc",
    },
}  # fmt: skip
"""Uses a company intends, for the property tests and the engines."""

US = {
    "org.place": ["IE"], "org.public_body": False, "org.nonprofit": False, "org.small_business": False,
    "org.hipaa_role": "none", "org.financial_institution": False, "org.data_broker": False,
    "org.over_thresholds": True, "org.online_for_children": False, "org.consent_law_firm": True, "org.ciio": False,
    "org.exported_persons": 10, "org.exported_sensitive": 0, "org.lia_on_file": True,
    "use.paid_by_third_party": False,
}  # fmt: skip
"""An ordinary firm in Ireland."""


def row_facts(book: Lawbook) -> list[Fact]:
    """Return the facts that belong to a person, but for the birth date, which must agree with the age."""
    facts = book.vocabulary.facts.values()
    return [fact for fact in facts if fact.namespace in ROW_NAMESPACES and fact.name != "person.born_on"]


def person(book: Lawbook, dice: random.Random, unknown: float = 0.3) -> Facts:
    """Return one random person; each fact is left out with the probability `unknown`."""
    facts: Facts = {}
    for fact in row_facts(book):
        if dice.random() >= unknown:
            facts[fact.name] = value(fact, dice)
    return facts


REFUSALS = ("person.objected", "person.opt_out_signal", "person.restricted", "person.deceased", "person.on_register",
            "consent.withdrawn", "consent.opted_out")  # fmt: skip


def willing(book: Lawbook, dice: random.Random) -> Facts:
    """Return a person of whom much is on record, most of it in our favour: the law often says yes."""
    facts = person(book, dice, unknown=0.1)
    facts["person.home"] = frozenset({dice.choice(HOMES)})
    for fact in row_facts(book):
        if fact.kind == "bool" and dice.random() < 0.93:
            facts[fact.name] = fact.name not in REFUSALS
    facts |= {"consent.given_on": DAY - timedelta(days=dice.choice([1, 20, 400]))} if dice.random() < 0.8 else {}
    facts |= {"person.age": (40, 40), "person.known_age": (40, 40)} if dice.random() < 0.8 else {}
    facts |= {"person.register_checked_on": DAY} if dice.random() < 0.8 else {}
    facts |= {"relation.source": "person"} if dice.random() < 0.8 else {}
    return facts


def circumstances(book: Lawbook, dice: random.Random, use: str) -> dict[str, object]:
    """Return one of the uses by an ordinary firm, often with something about it changed or unknown."""
    facts: dict[str, object] = {**US, **USES[use]}
    about = [fact for fact in book.vocabulary.facts.values() if fact.namespace in {"use", "data", "org", "actor"}]
    for fact in dice.sample(about, dice.choice([0, 0, 0, 1, 2, 4])):
        facts[fact.name] = None if dice.random() < 0.3 else value(fact, dice)
    return facts


def value(fact: Fact, dice: random.Random) -> Value:
    """Return a random value of a fact."""
    match fact.kind:
        case "bool":
            return dice.random() < 0.5
        case "choice":
            return dice.choice(fact.choices)
        case "number":
            return dice.choice([0, 10, 1_000, 100_000, 1_000_000])
        case "date":
            return DAY - timedelta(
                days=dice.choice(
                    [-3, 0, 1, 14, 15, 28, 29, 31, 90, 91, 200, 365, 366, 540, 549, 730, 900, 1500, 2000, 4000]
                )
            )
        case "age":
            low = dice.choice([8, 12, 13, 14, 15, 16, 17, 18, 30, 70])
            return low, low + dice.choice([0, 0, 0, 1, 3])
        case "place":
            return frozenset(dice.sample(HOMES, dice.choice([1, 1, 1, 1, 2, 3])))
    raise AssertionError(fact.kind)
