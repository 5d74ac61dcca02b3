"""Every table that can name a person is collected, or left out for a reason that is written down."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db.models import Model

from comity.rights.packages.shelves import LEFT_OUT, SHELVES, Shelf, why_left_out
from comity.rights.packages.wording import COLUMNS
from comity.vault.data_map import Sensitivity, data_map

ELSEWHERE = {"consent.Suppressed"}  # collected by the addresses that were opened: it names nobody by a ref
FOUND = {shelf.table for shelf in SHELVES} | ELSEWHERE
OURS: dict[str, set[str]] = {
    "consent.Consent": {"notice_version_id"},
    "consent.Standing": {
        "express", "separate", "written", "parental", "names_caller", "wording_kept", "source_kept",
    },
    "outreach.Submission": {"framed"},
    "post.Arrival": {"waits"},
    "book.ImportFinding": {"row", "cell", "alike"},
    "vault.RecordedDecision": {"verdict"},  # of all who were asked about; theirs is taken from the finding
    "counsel.AskedDecision": {"question", "findings", "of"},
    "counsel.SegmentRow": {"finding"},
    "counsel.Ruling": {"recipient", "more", "places"},
    "rights.Step": {"facts"},
    "rights.Package": {"language", "plan", "counts", "trouble"},
    "counsel.DutyEvent": {"facts", "homes", "persons"},
    "counsel.DutyStep": {"facts"},
    "retention.Erasure": {"plan", "done", "whole"},
    "book.Merge": {"rooms"},
    "counsel.OwedDuty": {
        "to", "standing", "timing", "places", "persons", "doubtful", "told", "learnt",
    },
}  # fmt: skip
"""Facts of these tables that say how we work, or that another row of the same person says."""


def test_every_table_of_the_data_map_is_collected_or_left_out_with_a_reason() -> None:
    silent = [table for table in (f"{app}.{model}" for app, model in data_map()) if table not in FOUND]
    assert [table for table in silent if not why_left_out(table)] == []


def test_no_table_is_both_collected_and_left_out_and_none_is_named_twice() -> None:
    assert FOUND & LEFT_OUT.keys() == set()
    assert len({shelf.table for shelf in SHELVES}) == len(SHELVES)
    assert LEFT_OUT.keys() <= {f"{app}.{model}" for app, model in data_map()}


@pytest.mark.parametrize("shelf", SHELVES, ids=lambda shelf: shelf.table)
def test_every_fact_of_a_row_is_shown_or_withheld_with_a_reason(shelf: Shelf) -> None:
    app, _dot, model = shelf.table.partition(".")
    shown = {*shelf.shows, *shelf.withheld}
    facts = {name for name, column in data_map()[app, model].columns.items() if column.sensitivity is Sensitivity.FACT}
    named = {name.partition("__")[0] for name in shown}
    ours = {"entity", "entity_id", "entities"}
    hidden = {column for column in facts if not {column, column.removesuffix("_id")} & named} - ours
    assert hidden == OURS.get(shelf.table, set())


@pytest.mark.parametrize("shelf", SHELVES, ids=lambda shelf: shelf.table)
def test_every_column_that_is_shown_has_words(shelf: Shelf) -> None:
    assert issubclass(shelf.model, Model)
    assert [name for name in shelf.shows if name not in COLUMNS] == []
    assert apps.get_model(shelf.table) is shelf.model
