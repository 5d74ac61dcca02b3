"""An import in whose middle something is killed goes on and ends whole: nobody is missing, nobody there twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.house import House, until

BATCHES = "SELECT count(*) FILTER (WHERE done_at IS NOT NULL), count(*) FROM book_importbatch WHERE imported_id = %s"
STAGE = "SELECT stage FROM book_import WHERE ref = %s"
BROUGHT = """
SELECT count(*), count(DISTINCT person), (SELECT count(*) FROM book_person WHERE ref = ANY (array_agg(person)))
FROM book_importbatch, unnest(persons) AS person WHERE imported_id = %s
"""
CLOSED = """
SELECT count(*) FROM ledger_entry WHERE kind = 'book.imported' AND position(%s IN encode(body, 'escape')) > 0
"""


@pytest.mark.parametrize(("victim", "first", "many", "batches"), [("jobs", 0, 8_000, 1), ("postgres", 8_000, 3_000, 0)])
def test_an_import_ends_whole_whoever_is_killed_in_the_middle(
    house: House, victim: str, first: int, many: int, batches: int
) -> None:
    one = house.run(Path(__file__).with_name("importing.py"), first, many)
    until(lambda: house.rows(BATCHES, one)[0] >= (batches, 1), "so many batches are in")
    ((done, of),) = house.rows(BATCHES, one)
    assert done < of, "it was over before anybody could be killed: make it longer"
    house.kill_and_start(victim)
    until(lambda: house.rows(STAGE, one) == [("done",)], "the import ends")
    assert house.rows(BROUGHT, one) == [(many, many, many)]
    assert house.rows(CLOSED, one) == [(1,)]
    until(house.all_is_numbered, "the sequencer numbers all")
    assert house.comity("ledger", "verify").startswith("PROVEN")
