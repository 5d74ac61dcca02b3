"""The answer key: 400 people and uses, each argued from a row of the fact sheets, matched on verdict and rule ids."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from comity.law import Lawbook, may

KEY = sorted((Path(__file__).parent.parent / "key").glob("*.toml"))
ROWS: list[dict[str, Any]] = [row for path in KEY for row in tomllib.loads(path.read_text("utf-8"))["row"]]


@pytest.mark.parametrize("row", ROWS, ids=[f"{row['id']} {row['who']}" for row in ROWS])
def test_the_engine_answers_as_the_key_argues(book: Lawbook, row: dict[str, Any]) -> None:
    decision = may(book, row["facts"], day=row["day"])
    assert (decision.verdict.value, list(decision.because)) == (row["verdict"], sorted(row["because"])), row["says"]


def test_the_key_has_400_rows_of_which_40_percent_permit() -> None:
    counted = Counter(row["verdict"] for row in ROWS)
    assert counted.total() >= 400
    assert counted["permit"] >= 0.4 * counted.total()


def test_every_row_has_its_own_name_and_its_argument() -> None:
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    assert all(row["row"] and row["says"] for row in ROWS)
