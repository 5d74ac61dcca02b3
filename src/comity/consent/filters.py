"""Filters of the list of people by where they stand with marketing, one for each channel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from comity.book.lists.filters import Filter, Group, register_filter
from comity.consent.models import Standing

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from comity.book.opening import Look

CHANNELS: Final[dict[str, _StrPromise]] = {
    "email": _("Marketing by e-mail"), "sms": _("Marketing by text message"), "call": _("Marketing by call"),
    "post": _("Marketing by post"),
}  # fmt: skip
SAID: Final = [("yes", _("said yes")), ("no", _("said no")), ("nothing", _("said nothing"))]


def _keeps(channel: str) -> Callable[[Look, Sequence[str]], Q]:
    def keeps(look: Look, values: Sequence[str]) -> Q:
        standing = Standing.objects.filter(
            person=OuterRef("pk"), entity=look.entity, purpose="marketing", channel=channel
        )
        yes = Q(Exists(standing.filter(given__isnull=False)))
        no = Q(Exists(standing.filter(Q(withdrawn=True) | Q(opted_out_on__isnull=False))))
        ways = {"yes": yes, "no": no, "nothing": ~yes & ~no}
        found = Q()
        for value in values:
            found |= ways[value]
        return found

    return keeps


def register_filters() -> None:
    """Offer them to the list of people."""
    for channel, title in CHANNELS.items():
        register_filter(
            Filter(
                id=f"marketing-{channel}", title=title, choices=lambda _look: SAID, keeps=_keeps(channel),
                group=Group.SAID,
            )
        )  # fmt: skip
