"""The people and staff of these tests, and a book that writes to them and reads what comes back."""

from tests.book.people import add, aiko, firm, folder, greta, oliver
from tests.outreach.inbound.sending import bounces, look, sent
from tests.post.writing import tom
from tests.staff.people import dublin, olga, shanghai

__all__ = [
    "add",
    "aiko",
    "bounces",
    "dublin",
    "firm",
    "folder",
    "greta",
    "look",
    "olga",
    "oliver",
    "sent",
    "shanghai",
    "tom",
]
