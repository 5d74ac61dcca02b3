"""The people and staff of these tests."""

from tests.book.people import add, firm, folder, greta
from tests.staff.people import ada, adam, dublin, olga, shanghai, staff_in
from tests.web.conftest import no_second_factor

__all__ = ["ada", "adam", "add", "dublin", "firm", "folder", "greta", "no_second_factor", "olga", "shanghai",
    "staff_in",
]  # fmt: skip
