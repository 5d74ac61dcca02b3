"""Files that are brought in tests, and what it takes to bring them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from comity.book.imports.actions import Choices, begin_import, begin_run, choose, look_over_import, run_import
from comity.book.imports.models import Import
from comity.staff.models import Entity, Staff

HEADER = (
    "First Name", "Last Name", "Email", "Phone Number", "Country/Region", "Unsubscribed from all email",
    "Opted in to email: Newsletter", "Consent date", "Consent source", "Notes", "Record ID", "Lifecycle Stage",
)  # fmt: skip
GRETA = (
    "Greta",
    "Grünwald",
    "greta@kettle.example",
    "+49 30 5550199",
    "Germany",
    "",
    "TRUE",
    "2025-04-24",
    "Fair form",
    "",
    "1",
    "",
)
OLIVER = (
    "Oliver",
    "O'Brien",
    "oliver@kettle.example",
    "+44 113 4960000",
    "UK",
    "TRUE",
    "",
    "",
    "",
    "",
    "2",
    "customer",
)
MIRA = ("Mira", "Novák", "mira@kettle.example", "", "Czechia", "", "", "", "", "prosí neposílat reklamu", "3", "")

CHOICES = Choices(purpose="marketing", asked_purpose="marketing", asked_channel="email", source="person")

Rows = Sequence[Sequence[str]]


def table(rows: Rows, header: Sequence[str] = HEADER) -> bytes:
    """Return rows as a CSV file."""
    out = io.StringIO()
    csv.writer(out).writerows([header, *rows])
    return out.getvalue().encode()


def row_of(**cells: str) -> tuple[str, ...]:
    """Return Greta's row with some cells changed."""
    told = dict(zip(HEADER, GRETA, strict=True)) | cells
    return tuple(told[name] for name in HEADER)


Bring = Callable[..., Import]


@pytest.fixture
def tom(firm: Entity, staff_in: Callable[..., Staff]) -> Staff:
    """Tom does marketing for the Dublin entity."""
    return staff_in("marketing", entity=firm)


@pytest.fixture
def look_at(firm: Entity, tom: Staff) -> Bring:
    """Give a function that takes a file in and looks it over."""

    def looked(file: bytes | Rows, *, staff: Staff = tom, name: str = "list.csv", **more: Any) -> Import:  # noqa: ANN401 - choices of an import
        pieces = file if isinstance(file, bytes) else table(file)
        one = begin_import(name=name, pieces=[pieces], entity=firm, staff=staff)
        choose(one=one, choices=Choices(**{**vars(CHOICES), **more}), staff=staff)
        return look_over_import(one=one)

    return looked


@pytest.fixture
def bring(look_at: Bring, tom: Staff) -> Bring:
    """Give a function that brings the people of a file into the book."""

    def brought(file: bytes | Rows, *, staff: Staff = tom, **more: Any) -> Import:  # noqa: ANN401 - choices of an import
        one = look_at(file, staff=staff, **more)
        return run_import(one=begin_run(one=one, staff=staff))

    return brought
