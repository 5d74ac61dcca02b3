"""Saying when messages may go: what an entity asks of itself, what a gateway takes; and waking one that rests."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.law.clocks import WEEK
from comity.law.hours import HOLIDAY, MIDNIGHT
from comity.ledger.actions import record
from comity.ledger.bodies import JSON
from comity.post.models import Gateway
from comity.post.pacing.models import LONGEST_WINDOW, Health, Restraint, Throttle
from comity.staff.models import Entity, Staff

DAYS: Final = (*WEEK, HOLIDAY)
SHORTEST_WINDOW: Final = 30
"""Minutes that a day's hours last at least: shorter ones could not be met where clocks differ."""


@transaction.atomic
def restrain(
    *, entity: Entity, channel: str, by: Staff, opens: int = 0, closes: int = MIDNIGHT, days: Collection[str] = DAYS,
    most: int | None = None, in_days: int = 7,
) -> Restraint:  # fmt: skip
    """Say at which hours, on which days and how often an entity advertises by a channel; "" is all of them together.

    The law's hours hold beside them. Raises ValidationError, naming what is wrong and its cure.
    """
    wrong: dict[str, str] = {}
    if not 0 <= opens < closes <= MIDNIGHT or closes - opens < SHORTEST_WINDOW:
        wrong["closes"] = _("At least half an hour after the first, on the same day.")
    if not set(days) & set(WEEK) or not set(days) <= set(DAYS):
        wrong["days"] = _("At least one day of the week.")
    if most is not None and most < 1:
        wrong["most"] = _("At least one; to send nothing, send nothing.")
    if not 1 <= in_days <= LONGEST_WINDOW:
        wrong["in_days"] = _("From 1 to %(longest)s days.") % {"longest": LONGEST_WINDOW}
    if wrong:
        raise ValidationError(wrong)
    kept = [day for day in DAYS if day in set(days)]
    told: dict[str, JSON] = {"opens": opens, "closes": closes, "days": kept, "most": most, "in_days": in_days}
    restraint, _made = Restraint.objects.update_or_create(entity=entity, channel=channel, defaults=told)
    body: dict[str, JSON] = {"entity": entity.ref, "channel": channel or "all", **told}
    record(kind="post.restrained", staff=by.ref, body=body)
    return restraint


@transaction.atomic
def throttle_gateway(
    *, gateway: Gateway, by: Staff, a_second: int | None = None, a_minute: int | None = None, a_day: int | None = None,
    domain_a_minute: int | None = None,
) -> Throttle:  # fmt: skip
    """Say how many messages a gateway takes; what is None is not limited. Raises ValidationError."""
    told = {"a_second": a_second, "a_minute": a_minute, "a_day": a_day, "domain_a_minute": domain_a_minute}
    if any(each is not None and each < 1 for each in told.values()):
        raise ValidationError(_("At least one of each: to send nothing, pause the campaign."))
    throttle, _made = Throttle.objects.update_or_create(gateway=gateway, defaults=told)
    record(kind="post.throttled", staff=by.ref, body={"gateway": gateway.ref, **told})
    return throttle


@transaction.atomic
def wake_gateway(*, gateway: Gateway, by: Staff) -> None:
    """Let a gateway that rests try one message now, as it will when its rest is over."""
    if Health.objects.filter(gateway=gateway, until__gt=timezone.now()).update(until=timezone.now()):
        record(kind="post.gateway-woken", staff=by.ref, body={"gateway": gateway.ref})
