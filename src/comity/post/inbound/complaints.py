"""What a mailbox provider says of somebody who pressed "this is spam" (RFC 5965, used as RFC 6650 says)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from comity.post.inbound.mime import Heads, Part, groups_of, message_within

NO: Final = frozenset({"abuse", "opt-out", "opt-out-list", "fraud", "other", "miscategorized"})
"""Types of feedback by which somebody says that they want no such mail. The others are about servers and viruses."""
BY_SUBJECT: Final = re.compile(r"\s*complaint about message from ", re.IGNORECASE)
"""How one large provider sends them, with no report but the message itself."""


@dataclass(frozen=True, kw_only=True)
class Complaint:
    """A report of feedback: its type, and the message that it is about, as far as it came."""

    type: str
    about: Part | None

    @property
    def is_no(self) -> bool:
        """Whether it says that they want no such mail."""
        return self.type in NO


def read_complaint(message: Part) -> Complaint | None:
    """Return what a message says as a report of feedback; nothing where it is none."""
    for part in message.walk():
        if part.kind == "message/feedback-report":
            fields: Heads = next(iter(groups_of(part)), {})
            told = fields.get("feedback-type", ("",))[0].partition(";")[0].strip().lower()
            return Complaint(type=told or "abuse", about=message_within(message))
    about = message_within(message)
    if BY_SUBJECT.match(message.head("subject")) and about is not None:
        return Complaint(type="abuse", about=about)
    return None
