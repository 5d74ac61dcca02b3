"""The signed word in each page that is shown: which version, in which language, when; and a number used once.

It needs no cookie and tells nothing of whoever gets it. It is no proof of who sends: nobody is signed in here, so
whoever sends from elsewhere gains nothing by it. It tells that the page was ours, that its words were those of that
version, that it was open for longer than a program takes, and that it was not sent before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.core import signing

from comity.refs import new_ref

SALT: Final = "comity.outreach.forms"
SOONEST: Final = timedelta(seconds=2)
LATEST: Final = timedelta(hours=24)
LONGEST: Final = 400


class NotOurs(ValueError):
    """There is no word, or it was not signed by us: another page than ours was sent."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What the word in a page says."""

    version: UUID
    language: str
    nonce: UUID
    shown_at: datetime

    def too_soon(self, at: datetime) -> bool:
        """Tell whether nobody writes so fast."""
        return at < self.shown_at + SOONEST

    def too_late(self, at: datetime) -> bool:
        """Tell whether the page was open for longer than a day."""
        return at > self.shown_at + LATEST


def word_for(*, version: UUID, language: str, at: datetime) -> str:
    """Return the word for a page that is shown now."""
    told = [version.hex, language, new_ref().hex, int(at.timestamp())]
    return signing.dumps(told, salt=SALT)


def read_word(text: str) -> Sent:
    """Return what a word says. Raises NotOurs."""
    try:
        if len(text) > LONGEST:
            raise NotOurs("it is longer than our words are")
        version, language, nonce, seconds = signing.loads(text, salt=SALT)
        shown_at = datetime.fromtimestamp(seconds).astimezone()
        return Sent(version=UUID(version), language=language, nonce=UUID(nonce), shown_at=shown_at)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise NotOurs("it is no word of ours, or was changed on its way") from error
