"""The staff of these tests."""

from tests.staff.people import ada, adam, dublin, olga, shanghai, staff_in

__all__ = ["ada", "adam", "dublin", "olga", "shanghai", "staff_in"]
