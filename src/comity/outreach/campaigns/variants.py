"""Two or more wordings, who gets which, and whether what followed differs by more than chance.

People are divided by a random key of the campaign and their ref: by nothing that is known about them. What is compared
is what they told us themselves and what is in the book anyway: that they said no, that we spoke, that they ordered.
Nobody's reading is watched: opening and clicking are not recorded at all. To record them would be a use of its own
that asks the law (`separate-pixel-consent`), and there is no switch for it here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import sqrt
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from comity.staff.once import rows_of

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from comity.outreach.campaigns.models import Campaign

MOST: Final = 5
"""Wordings of one campaign, the first among them."""
LETTERS: Final = "ABCDE"
FOLLOWS: Final = timedelta(days=14)
"""How long after a message something counts as having followed it."""
Z: Final = 1.959963984540054
"""The 97.5 % quantile of the normal distribution: intervals of 95 %."""


def chosen(split: bytes, person: UUID, many: int) -> int:
    """Return which of so many wordings somebody gets: the same each time it is asked, and the same for nobody else."""
    if many == 1:
        return 0
    return int.from_bytes(hashlib.sha256(split + person.bytes).digest()[:4]) % many


# ---------------------------------------------------------------- what followed

FOLLOWED: Final = """
    SELECT (('x' || encode(substr(sha256(%(split)s || uuid_send(message.person)), 1, 4), 'hex'))::bit(32)::bigint
            %% %(many)s) AS variant,
        count(*) AS sent,
        count(*) FILTER (WHERE EXISTS (SELECT FROM consent_consent AS said WHERE said.person = message.person
            AND said.entity_id = message.entity_id
            AND (said.said = 'objected' OR said.purpose = %(purpose)s AND said.said IN ('refused', 'withdrawn'))
            AND said.said_at BETWEEN message.ended_at AND message.ended_at + %(follows)s)) AS no,
        count(*) FILTER (WHERE EXISTS (SELECT FROM book_activity AS did WHERE did.person_id = message.person
            AND did.entity_id = message.entity_id AND did.doing IN ('call', 'meeting')
            AND did.at BETWEEN message.ended_at AND message.ended_at + %(follows)s)) AS spoke,
        count(*) FILTER (WHERE EXISTS (SELECT FROM book_activity AS did WHERE did.person_id = message.person
            AND did.entity_id = message.entity_id AND did.doing = 'order'
            AND did.at BETWEEN message.ended_at AND message.ended_at + %(follows)s)) AS bought
    FROM post_message AS message
    WHERE message.dispatch_id = %(dispatch)s AND message.stage = 'sent' GROUP BY 1 ORDER BY 1
"""
MEASURES: Final[Mapping[str, _StrPromise]] = {
    "no": _("Said no"), "spoke": _("A call or a meeting followed"), "bought": _("Ordered"),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Share:
    """How many of so many did something: the share, and where it lies with 95 % (Wilson's interval), in hundredths."""

    many: int
    of: int

    @property
    def share(self) -> float:
        """The share that was seen."""
        return 100 * self.many / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval: E. B. Wilson, Journal of the American Statistical Association 22 (1927), 209-212."""
        if not self.of:
            return 0.0, 100.0
        seen, square = self.many / self.of, Z * Z / self.of
        middle = (seen + square / 2) / (1 + square)
        half = Z / (1 + square) * sqrt(seen * (1 - seen) / self.of + square / (4 * self.of))
        return 100 * max(0.0, middle - half), 100 * min(1.0, middle + half)

    @property
    def length(self) -> float:
        """How long the interval is."""
        low, high = self.interval
        return high - low


@dataclass(frozen=True, kw_only=True)
class Followed:
    """What followed one wording."""

    letter: str
    sent: int
    shares: Mapping[str, Share]


@dataclass(frozen=True, kw_only=True)
class Compared:
    """The wordings side by side by one measure. `apart` says that the intervals of two do not even touch."""

    says: _StrPromise
    shares: Sequence[tuple[str, Share]]

    @property
    def apart(self) -> bool:
        """Whether the best and the worst lie apart: else what is seen may be chance."""
        known = [share.interval for _letter, share in self.shares if share.of]
        return len(known) > 1 and max(low for low, _high in known) > min(high for _low, high in known)


def followed_by(campaign: Campaign) -> list[Followed]:
    """Return what followed each wording of a campaign that went out."""
    if campaign.dispatch_id is None:
        return []
    many = 1 + len(campaign.variants)
    told: dict[str, Any] = {
        "split": bytes(campaign.split), "many": many, "dispatch": campaign.dispatch_id, "follows": FOLLOWS,
        "purpose": campaign.purpose,
    }  # fmt: skip
    found = {int(row[0]): row for row in rows_of(FOLLOWED, told)}
    return [_followed(number, found.get(number, (number, 0, 0, 0, 0))) for number in range(many)]


def _followed(number: int, row: Sequence[int]) -> Followed:
    shares = {name: Share(many=many, of=row[1]) for name, many in zip(MEASURES, row[2:], strict=True)}
    return Followed(letter=LETTERS[number], sent=row[1], shares=shares)


def compared(campaign: Campaign) -> list[Compared]:
    """Return the wordings of a campaign side by side, measure by measure; nothing where there is one wording."""
    followed = followed_by(campaign) if campaign.variants else []
    return [
        Compared(says=says, shares=[(one.letter, one.shares[name]) for one in followed])
        for name, says in MEASURES.items()
        if followed
    ]
