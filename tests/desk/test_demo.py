"""The demo's book, filled as whoever tries Comity finds it, and looked through for names."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

import pytest
from django.db import connection

from comity.book.models import Activity, Organisation, Person
from comity.check.sample import PATH
from comity.consent.models import Consent
from comity.desk import demo
from comity.staff.models import Staff
from comity.vault import rotation

if TYPE_CHECKING:
    from pathlib import Path

HEX = re.compile(r"\\\\x[0-9a-f]*|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Ciphertext, tokens and refs, as COPY writes them: letters up to f, which spell no name."""

SHORT = 6
"""Letters below which a name may be a part of some word of ours."""


def dumped() -> str:
    """Return every row of every table as text, as a stolen dump has them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        parts = []
        for table in tables:
            with cursor.copy(f'COPY "{table}" TO STDOUT') as copy:
                parts.append(b"".join(bytes(part) for part in copy))
    return HEX.sub("", b"\n".join(parts).decode())


@pytest.mark.django_db
def test_the_demo_is_5000_people_and_a_dump_of_it_names_none_of_them(folder: Path) -> None:
    del folder
    rotation.begin_first_epoch(staff=None)
    assert not demo.is_filled()
    assert demo.fill() == Person.objects.count() == 5_000
    assert demo.is_filled()
    assert len(set(Person.objects.values_list("home", flat=True))) >= 40
    assert Staff.objects.count() == len(demo.STAFF)
    assert min(Organisation.objects.count(), Activity.objects.count(), Consent.objects.count()) > 40

    text = dumped()
    with PATH.open(encoding="utf-8-sig", newline="") as file:
        people = list(csv.DictReader(file))
    plain = {row["Company Name"] for row in people} | {name for _, name, *_ in demo.STAFF}
    firms = " ".join(plain).casefold()  # a firm, or one of our staff, may bear somebody's name
    sought = {row[column].strip() for row in people for column in ("Email", "Phone Number", "Last Name")}
    named = {word for word in sought if len(word) >= SHORT and word.casefold() not in firms and not word.isdigit()}
    assert len(named) > 4_000
    assert "Nordlicht Kontor GmbH" in text
    assert sorted(word for word in named if word in text) == []
