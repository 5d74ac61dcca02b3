"""The people and staff of these tests, and somebody who writes to them."""

from tests.book.people import add, aiko, firm, folder, greta, oliver
from tests.post.writing import tom
from tests.staff.people import dublin
from tests.web.conftest import no_second_factor

__all__ = ["add", "aiko", "dublin", "firm", "folder", "greta", "no_second_factor", "oliver", "tom"]
