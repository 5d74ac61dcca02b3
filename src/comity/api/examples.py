"""Requests as examples: they stand in the document, on its page, and are sent by the tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

REF: Final = "0199f3a2-6c00-7b1e-8d53-5f2f6f9f0c11"
MAIL: Final = {"operation": "contact", "purpose": "marketing", "channel": "email"}

EXAMPLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "create_person": {
        "a customer": {
            "name": {"given": "Hanna", "family": "Öz", "post": "Buyer"},
            "points": [{"reach": "email", "value": "hanna@kettle.example"}],
            "facts": {"home": ["IE"], "capacity": "consumer"},
            "relation": {
                "customer_since": "2024-03-18",
                "contract_running": True,
                "source": "person",
                "notice": "Customers v2",
            },
        }
    },
    "change_one_person": {"a new home": {"facts": {"home": ["AT"], "language": "de"}}},
    "add_contact_point": {"a number": {"reach": "phone", "value": "+353 1 5550199", "mobile": True}},
    "create_organisation": {"a firm": {"name": "Nordlicht GmbH", "place": "DE", "domain": "nordlicht.example"}},
    "change_one_organisation": {"a new trade": {"trade": "kettles"}},
    "decide_one": {
        "a person in the book": {"use": MAIL, "person": REF},
        "somebody described": {"use": MAIL, "facts": {"person.home": ["DE"], "consent.given": False}},
    },
    "decide_many": {"by refs": {"use": MAIL, "persons": [REF]}, "a segment": {"use": MAIL, "segment": {"home": "DE"}}},
    "search_persons": {"a misspelt name": {"query": "Gruenwaldt", "purpose": "service"}},
}
