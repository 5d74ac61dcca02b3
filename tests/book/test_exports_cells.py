"""What a cell says comes back as it was, and no spreadsheet runs it."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.book.exports.cells import apart, guarded, together, unguarded
from comity.book.exports.columns import Cell
from comity.book.exports.formats import csv_bytes

TEXTS = st.text(st.sampled_from("'=+-@\t\r\n \\ab;,\"é＝[]"), max_size=8)
FORMULAS = ["=1+1", "+49 30 555", "-2", "@SUM(A1)", "\t=1", "\r=1", "＝1", "'=1", "''=1", "=cmd|' /C calc'!A0"]


@given(TEXTS)
def test_a_guarded_text_comes_back(text: str) -> None:
    assert unguarded(guarded(text)) == text


@given(st.lists(TEXTS.filter(bool), max_size=4))
def test_several_values_come_back(values: list[str]) -> None:
    assert apart(together(values)) == values


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_would_run_stands_behind_an_apostrophe(text: str) -> None:
    assert guarded(text) == f"'{text}"


def test_what_it_would_not_run_is_left_alone() -> None:
    assert [guarded(text) for text in ("O'Brien", "'tis", "a=b", "")] == ["O'Brien", "'tis", "a=b", ""]


@given(st.lists(st.lists(TEXTS.filter(bool), max_size=3), min_size=1, max_size=3))
def test_a_row_of_csv_comes_back_and_begins_no_formula(row: list[list[str]]) -> None:
    written = csv_bytes([["x"], *([cell] for cell in row)]).decode()
    (read,) = csv.reader(io.StringIO(written, newline=""))
    assert [apart(unguarded(cell)) for cell in read[1:]] == row
    assert not any(cell[:1] in {"=", "+", "-", "@", "\t", "\r", "＝"} for cell in read if cell)


@given(st.lists(st.tuples(TEXTS, TEXTS, st.lists(TEXTS.filter(bool), max_size=2)), max_size=5))
def test_columns_of_csv_come_back_as_rows(rows: list[tuple[str, str, list[str]]]) -> None:
    columns: list[list[Cell]] = [["x"] * len(rows), *([row[place] for row in rows] for place in range(3))]
    read = list(csv.reader(io.StringIO(csv_bytes(columns).decode(), newline="")))
    assert [(unguarded(one), unguarded(two), apart(unguarded(many))) for _, one, two, many in read] == rows
    assert not any(cell[:1] in {"=", "+", "-", "@", "\t", "\r", "＝"} for row in read for cell in row if cell)
