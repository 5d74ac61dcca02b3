"""The preview of a clean-up, by mail to those who answer for it. It has numbers by place, and nobody in it.

It goes to the addresses by which they sign in, from these very addresses, by the entity's first gateway for e-mail.
Where there is none, Today tells them all the same.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.urls import reverse
from django.utils import formats, timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from comity.counsel.reading import places_said
from comity.post.gateways import KINDS, Outcome
from comity.post.letters import Letter
from comity.post.models import Gateway
from comity.staff.guards import may_do
from comity.staff.models import Staff

if TYPE_CHECKING:
    from comity.retention.schedule.models import QuietRound
    from comity.staff.models import Entity

WORD: Final = "schedule.change"
WITHIN: Final = 20.0
"""Seconds that all these mails may take together."""


def who_answers(entity: Entity) -> list[Staff]:
    """Return those who may stop a clean-up of an entity."""
    working = Staff.objects.filter(is_active=True, grants__isnull=False).distinct()
    return [one for one in working if may_do(one, WORD, entity)]


def gateway_for(entity: Entity) -> Gateway | None:
    """Return by which way the preview goes out; none where the entity has none for e-mail. Read behind its wall."""
    return Gateway.objects.filter(entity=entity, channel="email", ended_at=None).order_by("made_at", "ref").first()


def tell_of_preview(found: QuietRound, gateway: Gateway, to: list[Staff]) -> int:
    """Mail the preview; return to how many it went. Call it outside of a transaction: others are asked."""
    until, sent = time.monotonic() + WITHIN, 0
    way = KINDS[gateway.kind].open(gateway)
    try:
        for one in to:
            letter = Letter(to=one.email, sender=one.email, data=_mail(found, one).as_bytes())
            sent += way.hand_over(letter, until=until).outcome is Outcome.SENT
    finally:
        way.close()
    return sent


def _mail(found: QuietRound, to: Staff) -> EmailMessage:
    with translation.override(to.language or "en"):
        message = EmailMessage(policy=SMTP)
        message["From"] = message["To"] = to.email
        message["Date"] = timezone.now()
        message["Subject"] = ngettext(
            "%(n)d person goes on %(day)s: a preview", "%(n)d people go on %(day)s: a preview", found.people
        ) % {"n": found.people, "day": formats.date_format(found.goes_on)}  # fmt: skip
        message.set_content("\n".join(_lines(found)))
    return message


def _lines(found: QuietRound) -> Iterator[str]:
    yield _("%(entity)s keeps prospects of whom nothing was heard for long no longer.") % {"entity": found.entity.name}
    yield ""
    for home, many in found.counts.items():
        day, rule = found.cutoffs[home]
        place = places_said(home.split("|")) if home else _("Home not known")
        since = _("nothing heard since %(day)s") % {"day": day}
        yield f"- {place}: {many:,} ({since}{f'; {rule}' if rule else ''})"
    yield ""
    yield _("Nobody has gone yet. Until that day you can stop it:")
    yield settings.ADDRESS.geturl() + reverse("retention:cleaning")
