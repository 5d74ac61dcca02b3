"""The people and staff of these tests."""

from tests.book.people import add, aiko, firm, folder, greta, look, oliver
from tests.staff.people import ada, adam, dublin, olga, shanghai, staff_in
from tests.web.conftest import no_second_factor

__all__ = [
    "ada",
    "adam",
    "add",
    "aiko",
    "dublin",
    "firm",
    "folder",
    "greta",
    "look",
    "no_second_factor",
    "olga",
    "oliver",
    "shanghai",
    "staff_in",
]
