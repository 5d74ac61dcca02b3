"""What tests of the ledger ask for: the proof vectors, a key, and a ledger in the database."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pytest_django import Settings

from comity.ledger.keys import LEDGER, make_key
from comity.ledger.notes import SigningKey
from tests.conftest import lack

DATA = Path(os.environ.get("COMITY_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))


@pytest.fixture(scope="session")
def vectors() -> Path:
    """Give the folder of the Merkle proof vectors."""
    folder = DATA / "merkle"
    if not folder.is_dir():
        lack(f"No proof vectors: {folder} is not there (COMITY_TEST_DATA names the folder that holds merkle/)")
    return folder


@pytest.fixture
def key(settings: Settings, tmp_path: Path) -> SigningKey:
    """Give Comity a folder of its own with a ledger's key in it."""
    settings.FOLDER = tmp_path / "comity"
    return make_key(settings.FOLDER / LEDGER, "example.com/ledger")
