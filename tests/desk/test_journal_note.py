"""Who sends is told on their pages that nothing goes out, and who runs Comity why."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from comity.ledger.journal.keeping import journal_folder
from comity.staff.models import Entity
from tests.desk.test_today import read
from tests.staff.people import make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_factor")]


def test_today_says_that_nothing_is_sent_and_why_to_whom_it_concerns(firm: Entity, settings: Settings) -> None:
    tom, adam = make_staff("marketing", entity=firm), make_staff("administrator", entity=firm)
    assert "Nothing is sent." not in read(tom)
    journal_folder().mkdir(mode=0o700)
    Path(settings.FOLDER / "journal" / "witness.checkpoint").write_text("not a checkpoint")
    assert "Nothing is sent." in read(tom)
    assert "holds no checkpoint" not in read(tom)
    assert "holds no checkpoint" in read(adam)
