"""What the "Why?" panel says of an answer."""

from __future__ import annotations

from datetime import date

import pytest

from comity.counsel.asking import Answer, book
from comity.counsel.reading import why
from comity.law import may

MAIL = {"use.operation": "contact", "use.purpose": "marketing", "use.channel": "email", "org.place": ["DE"]}
NO_MORE = "None; respect it."


@pytest.mark.parametrize(("facts", "helps"), [({}, False), ({"person.objected": True}, True)])
def test_where_somebody_said_no_nothing_else_is_said_to_help(facts: dict[str, object], *, helps: bool) -> None:
    asked = may(book(), {**MAIL, "person.home": "DE", **facts}, day=date(2026, 11, 22))
    cures = [each["says"] for each in why(Answer(decision=asked), title="Mail")["cures"]]
    assert (cures == [NO_MORE]) is helps
    assert cures
