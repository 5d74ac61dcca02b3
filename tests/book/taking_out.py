"""What tests of exports share: people to take out, a ledger that is signed, and the whole way to a file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from django.db import connection

from comity.book.exports.actions import HandedOut, Wanted, ask_export, begin_export, hand_out, make_file
from comity.book.exports.models import Export, Format
from comity.ledger.keys import LEDGER, make_key
from comity.ledger.sequencer import Sequencer
from comity.staff.models import Entity, Staff

EVERYTHING = (
    "ref", "given", "family", "full", "post", "email", "phone", "address", "organisation", "home", "language",
    "birth-year", "birth-month", "met-as", "customer-since", "source", "notice", "notice-on", "tags", "objected",
)  # fmt: skip

Sign = Callable[[], int]
Take = Callable[..., Export]


@pytest.fixture
def sign(folder: Path) -> Sign:
    """Give a function that numbers and signs what is recorded, in the test's own transaction."""
    key = make_key(folder / LEDGER, "tests.example/ledger")

    def signed() -> int:
        ours = connection.connection
        before, ours.cursor_factory = ours.cursor_factory, psycopg.Cursor  # Django's give no binary results
        done, sequencer = 0, Sequencer(ours, key)
        while more := sequencer.number():
            done += more
        ours.cursor_factory = before
        return done

    return signed


@pytest.fixture
def wanted(firm: Entity) -> Wanted:
    """Take names, addresses and all else out as CSV, for what people ordered."""
    return Wanted(entity=firm, purpose="service", format=Format.CSV, columns=EVERYTHING)


@pytest.fixture
def take(wanted: Wanted) -> Take:
    """Give a function that takes people out, until the file is there."""

    def taken(staff: Staff, persons: Sequence[UUID], what: Wanted = wanted) -> Export:
        export = ask_export(wanted=what, persons=persons, asked_by=staff)
        return make_file(export=begin_export(export=export, staff=staff))

    return taken


def text_of(handed: HandedOut) -> str:
    """Return the whole file as text."""
    return b"".join(handed.pieces).decode("utf-8-sig")


def rows_of(handed: HandedOut) -> list[dict[str, str]]:
    """Return the rows of a file of CSV."""
    return list(csv.DictReader(io.StringIO(text_of(handed), newline="")))


def lines_of(handed: HandedOut) -> list[dict[str, object]]:
    """Return the people of a file of JSON lines."""
    return [json.loads(line) for line in text_of(handed).splitlines()]


__all__ = ["hand_out", "sign", "take", "wanted"]
