"""The law as somebody knew it: what had been announced by then, and nothing of what came later."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from comity.law import Lawbook, as_known, may, read_packs
from tests.law.tiny_packs import rule, table, write_pack

ANNOUNCED = rule(id='"xx-law/new"', announced="2026-03-01", from_="2026-09-01", when='"True"')
FIRST = rule(id='"xx-law/way"', until="2026-09-01", says='"The first."')
SECOND = rule(id='"xx-law/way"', announced="2026-03-01", from_="2026-09-01", says='"The second."')
GREETING = {"person.home": "DE", "use.operation": "contact"}


@pytest.mark.parametrize(
    ("known", "day", "verdict"),
    [
        ("2026-02-28", "2026-10-01", "permit"),  # nobody knew
        ("2026-03-01", "2026-10-01", "deny"),
        ("2026-03-01", "2026-08-31", "permit"),  # announced, and not yet in force
        ("2026-10-01", "2026-10-01", "deny"),
    ],
)
def test_a_rule_is_known_from_its_announcement(known: str, day: str, verdict: str, tmp_path: Path) -> None:
    book = read_packs(write_pack(tmp_path, ANNOUNCED))
    decision = may(as_known(book, date.fromisoformat(known)), GREETING, day=date.fromisoformat(day))
    assert decision.verdict.value == verdict


def test_what_was_to_end_stands_for_those_who_did_not_know(tmp_path: Path) -> None:
    book = read_packs(write_pack(tmp_path, FIRST + SECOND))

    def said(known: str) -> list[str]:
        then = as_known(book, date.fromisoformat(known))
        return [reason.says for reason in may(then, GREETING, day=date(2026, 10, 1)).reasons]

    assert (said("2026-02-28"), said("2026-03-01")) == (["The first."], ["The second."])


def test_a_number_is_known_from_its_announcement(tmp_path: Path) -> None:
    values = (
        '[{ from = 2020-01-01, until = 2026-09-01, value = 16, cite = "a" }, '
        '{ announced = 2026-03-01, from = 2026-09-01, value = 18, cite = "b" }]'
    )
    ages = table("parameter", id='"xx-law/age"', says='"The age."', unit='"years"', values=values)
    book = read_packs(write_pack(tmp_path, rule(when='"person.age < param.age"') + ages))
    facts = GREETING | {"person.age": 17}
    verdicts = [
        may(as_known(book, date.fromisoformat(known)), facts, day=date(2026, 10, 1)).verdict.value
        for known in ("2026-02-28", "2026-03-01")
    ]
    assert verdicts == ["permit", "deny"]


def test_knowing_all_changes_nothing(book: Lawbook) -> None:
    facts = {"person.home": "FR", "use.operation": "contact", "use.purpose": "marketing", "use.channel": "call"}
    day = date(2026, 11, 21)
    told = [may(one, facts, day=day).as_json() for one in (book, as_known(book, day))]
    assert told[0] == told[1]


def test_the_french_ban_on_calls_was_known_a_year_before_it_came(book: Lawbook) -> None:
    facts = {
        "person.home": "FR", "org.place": "FR", "use.operation": "contact", "use.purpose": "marketing",
        "use.channel": "call", "person.on_register": False,
    }  # fmt: skip

    def rules(known: date) -> set[str]:
        return {reason.rule for reason in may(as_known(book, known), facts, day=date(2026, 9, 1)).reasons}

    assert rules(date(2024, 1, 1)) != rules(date(2026, 9, 1))
