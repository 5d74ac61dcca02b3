"""The people and staff of these tests."""

from tests.book.people import add, aiko, firm, folder, greta, oliver
from tests.post.writing import tom
from tests.staff.people import dublin, olga, shanghai

__all__ = ["add", "aiko", "dublin", "firm", "folder", "greta", "olga", "oliver", "shanghai", "tom"]
