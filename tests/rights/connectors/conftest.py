"""The people, staff and systems of these tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import settings

from tests.book.people import add, firm, folder, greta
from tests.rights.connectors.databases import sqlite_database
from tests.staff.people import ada, adam, dublin, olga, shanghai, staff_in
from tests.web.conftest import no_second_factor

if TYPE_CHECKING:
    from comity.staff.models import Entity

GRETA = "Greta@Kettle.example"

__all__ = [
    "ada", "adam", "add", "dublin", "firm", "folder", "greta", "no_second_factor", "olga", "shanghai", "shop",
    "staff_in",
]  # fmt: skip


@pytest.fixture
def shop(firm: Entity) -> Path:
    folder = Path(settings.FOLDER) / "systems"
    folder.mkdir()
    del firm
    tables = "CREATE TABLE customer (id INTEGER PRIMARY KEY, email TEXT);"
    return sqlite_database(folder / "shop", f"{tables} INSERT INTO customer VALUES (1, '{GRETA}'), (2, 'b');")
