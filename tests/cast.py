"""The fixed cast: the same dozen people in every test, each known for one thing about them.

A person is a dictionary of facts, written as cases in packs write them: a fact left out is missing, a list of places
is where the person may live, a number or `{min, max}` is an age. Add a use to a person to have a question:

    facts = GRETA | MAIL_MARKETING
"""

from __future__ import annotations

from datetime import date
from typing import Final

Fact = bool | int | float | str | date | list[str] | dict[str, int]
Facts = dict[str, Fact]

TODAY: Final = date(2026, 11, 21)
"""The day on which the cast is asked about, unless a test is about another."""

# ---------------------------------------------------------------- people

# Greta lives in Berlin and never agreed to anything.
GRETA: Final[Facts] = {"person.home": "DE", "person.objected": False, "consent.opted_out": False}

# Paul lives in Paris and agreed on our form, of which we keep the wording and the day.
PAUL: Final[Facts] = {
    "person.home": "FR",
    "person.age": 41,
    "person.objected": False,
    "consent.given": True,
    "consent.given_on": date(2025, 3, 4),
    "consent.express": True,
    "consent.wording_kept": True,
    "consent.source_kept": True,
    "consent.withdrawn": False,
    "consent.opted_out": False,
}

# Nadia lives in Lyon; somebody ticked "consent" for her, and nobody knows when, where or to what words.
NADIA: Final[Facts] = {"person.home": "FR", "consent.given": True}

# Oliver lives in Leeds, bought a kettle from us last spring, and let the chance to refuse pass.
OLIVER: Final[Facts] = {
    "person.home": "GB",
    "person.capacity": "consumer",
    "person.subscriber": "individual",
    "person.objected": False,
    "consent.opted_out": False,
    "relation.customer": True,
    "relation.address_from_sale": True,
    "relation.refusal_offered": True,
    "relation.last_purchase_on": date(2026, 4, 18),
}

# Sofia lives in Madrid, once agreed as Paul did, and took it back last month.
SOFIA: Final[Facts] = PAUL | {
    "person.home": "ES",
    "consent.withdrawn": True,
    "consent.opted_out": True,
    "consent.opted_out_on": date(2026, 10, 19),
}

# Jan works for a firm in Warsaw, at whose office address we write to him about his work.
JAN: Final[Facts] = {
    "person.home": "PL",
    "person.capacity": "business",
    "person.subscriber": "corporate",
    "person.objected": False,
    "consent.opted_out": False,
    "relation.source": "published",
}

# Hannah lives in Ohio; our list holds all opt-outs, and she is not on it.
HANNAH: Final[Facts] = {
    "person.home": "US-OH",
    "person.age": {"min": 30, "max": 39},
    "person.objected": False,
    "person.opt_out_signal": False,
    "consent.opted_out": False,
}

# Carlos lives in California, and his browser sends the opt-out signal.
CARLOS: Final[Facts] = {"person.home": "US-CA", "person.age": 52, "person.opt_out_signal": True}

# Tyler lives in Texas and is fourteen, as we know.
TYLER: Final[Facts] = {"person.home": "US-TX", "person.age": 14, "person.known_age": 14, "consent.opted_out": False}

# Mei lives in Shanghai and agreed to this one thing by itself.
MEI: Final[Facts] = {
    "person.home": "CN",
    "person.age": 29,
    "person.objected": False,
    "consent.given": True,
    "consent.given_on": date(2026, 6, 1),
    "consent.express": True,
    "consent.separate": True,
    "consent.wording_kept": True,
    "consent.source_kept": True,
    "consent.withdrawn": False,
    "consent.opted_out": False,
}

# Luca has a Swiss phone number and an Italian address; nobody knows which is home.
LUCA: Final[Facts] = {"person.home": ["CH", "IT"], "consent.opted_out": False}

# Aiko is a name on a list somebody bought: no home, no age, no history.
AIKO: Final[Facts] = {"relation.source": "third-party"}

# Bruno lives in Vienna and told us, on the phone, never to advertise to him again.
BRUNO: Final[Facts] = PAUL | {"person.home": "AT", "person.objected": True}

CAST: Final[dict[str, Facts]] = {
    "Greta": GRETA,
    "Paul": PAUL,
    "Nadia": NADIA,
    "Oliver": OLIVER,
    "Sofia": SOFIA,
    "Jan": JAN,
    "Hannah": HANNAH,
    "Carlos": CARLOS,
    "Tyler": TYLER,
    "Mei": MEI,
    "Luca": LUCA,
    "Aiko": AIKO,
    "Bruno": BRUNO,
}

# ---------------------------------------------------------------- what we want to do

MAIL_MARKETING: Final[Facts] = {"use.operation": "contact", "use.purpose": "marketing", "use.channel": "email"}
TEXT_MARKETING: Final[Facts] = MAIL_MARKETING | {"use.channel": "sms"}
CALL_MARKETING: Final[Facts] = MAIL_MARKETING | {"use.channel": "call"}
SELLING: Final[Facts] = {
    "use.operation": "sell",
    "use.purpose": "targeted-advertising",
    "use.channel": "none",
    "use.recipient": "ad-platform",
}
SERVICE_MAIL: Final[Facts] = MAIL_MARKETING | {"use.purpose": "service", "use.contract_needs_it": True}
LOOKING: Final[Facts] = {"use.operation": "view", "use.purpose": "service", "use.channel": "none"}

USES: Final[dict[str, Facts]] = {
    "mail marketing": MAIL_MARKETING,
    "text marketing": TEXT_MARKETING,
    "call marketing": CALL_MARKETING,
    "selling": SELLING,
    "service mail": SERVICE_MAIL,
    "looking": LOOKING,
}
