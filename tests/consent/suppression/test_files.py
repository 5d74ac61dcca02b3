"""Files of addresses: whatever they look like, each line is hashed as it is read, and what is no address is counted."""

from __future__ import annotations

import io

import pytest

from comity.consent.suppression.files import Read, marks_in
from comity.consent.suppression.marks import Mark, mark_of
from comity.staff.models import Entity

pytestmark = [pytest.mark.django_db]
GRETA, NUMBER = "greta@kettle.example", "+49 30 5550199"


def read(text: bytes, **more: object) -> tuple[list[Mark], Read]:
    told = Read()
    return list(marks_in(io.BytesIO(text), told, **more)), told  # type: ignore[arg-type]  # parts of a reading


@pytest.mark.parametrize(
    "text",
    [
        f"{GRETA}\n{NUMBER}\n",
        f"\ufeffaddress\n{GRETA}\n{NUMBER}",
        f"name;address\r\nGreta;{GRETA}\r\nGreta;{NUMBER}\r\n",
        f'"Grünwald, Greta","{GRETA}"\n"x","{NUMBER}"\n',
        f"{GRETA}\n\n\n{NUMBER}\n\n",
        f"\t{GRETA}\tx\n\t{NUMBER}\tx\n",
    ],
)
def test_lines_and_tables_are_read_alike(text: str, firm: Entity) -> None:
    del firm
    marks, told = read(text.encode())
    assert marks == [mark_of("email", GRETA), mark_of("phone", NUMBER)]
    assert (told.taken, told.unclear) == (2, 0)


def test_what_is_no_address_is_counted_with_its_lines_and_not_kept(firm: Entity) -> None:
    del firm
    marks, told = read(f"{GRETA}\nnobody\n030 5550199\n\xff\xfe\0\n{NUMBER}\n".encode("latin-1"))
    assert len(marks) == 2
    assert (told.unclear, told.lines) == (3, [2, 3, 4])


def test_numbers_of_a_country_need_no_calling_code(firm: Entity) -> None:
    del firm
    marks, _ = read(b"020 7946 0018\n", reach="phone", places=["GB"])
    assert marks == [mark_of("phone", "+44 20 7946 0018")]


def test_a_line_without_an_end_is_one_that_is_missed(firm: Entity) -> None:
    del firm
    marks, told = read(b"x\n" + b"y" * 200_000 + b"\n" + GRETA.encode())
    assert marks == [mark_of("email", GRETA)]
    assert told.unclear == 1
