"""The people and staff of these tests."""

from tests.book.people import add, aiko, firm, folder, greta, look, oliver
from tests.staff.people import ada, adam, dublin, olga, shanghai, staff_in

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
    "olga",
    "oliver",
    "shanghai",
    "staff_in",
]  # fmt: skip
