"""The answer key: cases argued by hand from the fact sheets, each to match exactly in verdict and in what decided."""

from __future__ import annotations

import tomllib
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from comity.law import Decision, Lawbook, may

KEY = Path(__file__).parents[1] / "key"
KEYS = {"id", "who", "day", "facts", "verdict", "because", "row", "says"}
LEAST_ROWS = 400
LEAST_PERMITS = 0.4
NOT_YET = frozenset(
    "us-al-calls us-in-privacy us-ky-calls us-la-calls us-ma-calls us-mi-calls us-mn-calls us-ms-calls us-nm-calls "
    "us-nv-calls us-pa-calls us-ri-calls us-ri-privacy us-tn-privacy us-ut-calls".split()
)
"""Laws about which no row asks yet."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the key."""

    id: str
    who: str
    day: date
    facts: dict[str, Any]
    verdict: str
    because: list[str]
    row: str
    says: str


def rows() -> list[Row]:
    tables = [table for path in sorted(KEY.glob("*.toml")) for table in tomllib.loads(path.read_text("utf-8"))["row"]]
    for table in tables:
        assert table.keys() == KEYS, f"{table.get('id')}: {sorted(table.keys() ^ KEYS)}"
    return [Row(**table) for table in tables]


ROWS = rows()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_the_law_answers_as_the_key_has_it(book: Lawbook, row: Row) -> None:
    decision = may(book, row.facts, day=row.day)
    found = (decision.verdict.value, list(decision.because))
    assert found == (row.verdict, sorted(row.because)), f"{row.who}: {row.says} ({row.row})\n{told(decision)}"


def told(decision: Decision) -> str:
    return "\n".join(f"  {reason.weight.value:6} {reason.rule}: {reason.says}" for reason in decision.reasons)


def test_the_key_is_large_enough_and_says_yes_often_enough() -> None:
    verdicts = Counter(row.verdict for row in ROWS)
    assert len(ROWS) >= LEAST_ROWS
    assert verdicts.keys() == {"permit", "deny", "ask"}
    assert verdicts["permit"] >= LEAST_PERMITS * len(ROWS), verdicts


def test_every_row_is_its_own_and_argued() -> None:
    assert [name for name, times in Counter(row.id for row in ROWS).items() if times > 1] == []
    assert [row.id for row in ROWS if not (row.who.strip() and row.row.strip() and row.says.strip())] == []
    same = Counter((row.day, repr(sorted(row.facts.items()))) for row in ROWS)
    assert [facts for facts, times in same.items() if times > 1] == []


def test_the_key_speaks_of_every_channel_and_operation_of_the_first_packs() -> None:
    channels = {row.facts.get("use.channel") for row in ROWS}
    operations = {row.facts.get("use.operation") for row in ROWS}
    assert channels >= {"none", "email", "sms", "call", "autocall"}
    assert operations >= {"contact", "share", "sell", "profile", "transfer", "export", "view"}


def test_the_key_speaks_of_every_law(book: Lawbook) -> None:
    """A law that only ever lets pass is named by no row, so what counts is that it was asked."""
    asked = {answer.law for row in ROWS for answer in may(book, row.facts, day=row.day).finding.laws if answer.certain}
    assert {law.id for law in book.laws if law.decides} - asked <= NOT_YET
