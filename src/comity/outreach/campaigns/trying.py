"""A campaign's message sent to oneself, to see it where readers will: by its gateway, marked as a test, and on record.

The law is asked about people in the book; the staff are none, and so it is not asked. What keeps that from being a way
around it: a trial goes to the address by which somebody signs in, and to no other. Only e-mail has such an address, so
other channels have previews and no trials. It is made of invented names and links that lead nowhere, a few times a day
for each, and where that address is on the suppression list it goes nowhere (docs/decisions/0023).
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.book.models import Reach
from comity.consent.suppression.marks import Unclear, mark_of
from comity.consent.suppression.queries import is_suppressed
from comity.ledger.actions import record
from comity.outreach.campaigns.actions import NotSent
from comity.outreach.campaigns.models import Trial
from comity.outreach.campaigns.queries import EXAMPLE_LINKS, contents_of, readers_of
from comity.outreach.campaigns.variants import LETTERS
from comity.outreach.campaigns.writing import sender_of
from comity.outreach.composing.content import NotComposed, prepare
from comity.outreach.composing.letters import compose_email
from comity.outreach.composing.lint import EXAMPLE, Readers, told_of_nobody
from comity.outreach.composing.parties import Recipient, mail_address
from comity.outreach.composing.ways import to_see_to
from comity.post.gateways import KINDS
from comity.post.letters import Letter
from comity.staff.guards import demand

if TYPE_CHECKING:
    from comity.outreach.campaigns.models import Campaign
    from comity.staff.models import Staff

TRIED_BY: Final = frozenset({"email"})
A_DAY: Final = 20
"""Trials of one member of the staff in a day."""
WITHIN: Final = 8.0
"""Seconds that a trial may take: somebody waits for it."""
MARK: Final = "[TEST]"


def try_out(*, campaign: Campaign, language: str, by: Staff, number: int = 0) -> Trial:
    """Send one wording to the address by which somebody signs in. Call it outside of a transaction.

    Raises NotYours, NotSent with what is missing.
    """
    letter = _letter(campaign, language, number, by)
    trial = _begun(campaign, language, number, by)
    way = KINDS[trial.gateway.kind].open(trial.gateway)
    try:
        answer = way.hand_over(letter, until=time.monotonic() + WITHIN)
    finally:
        way.close()
    trial.outcome, trial.why, trial.code = answer.outcome.value, answer.why, answer.code
    trial.save(update_fields=["outcome", "why", "code"])
    return trial


@transaction.atomic
def _begun(campaign: Campaign, language: str, number: int, by: Staff) -> Trial:
    """Write down, before anything goes out, that somebody tries it."""
    gateway = campaign.gateway
    if gateway is None or gateway.ended_at or gateway.channel != campaign.channel:
        raise NotSent(_("Choose the gateway by which it goes out."))
    if Trial.objects.filter(staff=by, tried_at__gte=timezone.now() - timedelta(days=1)).count() >= A_DAY:
        raise NotSent(_("You tried as often as one may in a day."))
    trial = Trial.objects.create(
        campaign=campaign, entity=campaign.entity, gateway=gateway, staff=by, variant=number, language=language
    )
    body = {"campaign": campaign.ref, "entity": campaign.entity_id, "trial": trial.ref, "gateway": gateway.ref}
    record(kind="outreach.campaign-tried", staff=by.ref, body=body)
    return trial


def _letter(campaign: Campaign, language: str, number: int, by: Staff) -> Letter:
    demand(by, "campaign.edit", campaign.entity_id)
    if campaign.channel not in TRIED_BY:
        raise NotSent(_("We know no number or address of yours for this channel: look at it as readers get it."))
    contents = contents_of(campaign)
    if number >= len(contents):
        raise NotSent(_("There is no such wording."))
    try:
        mark = mark_of(Reach.EMAIL, by.email)
        if is_suppressed(entity=campaign.entity, mark=mark, purpose=campaign.purpose, channel=campaign.channel):
            raise NotSent(_("Your own address is on the list of those that must not be used."))
        return _made(campaign, prepare(contents[number]), language, number, by)
    except (Unclear, NotComposed) as error:
        raise NotSent(str(error)) from None


def _made(campaign: Campaign, content: object, language: str, number: int, by: Staff) -> Letter:
    sender, readers = sender_of(campaign.entity), _largest(campaign, language)
    made = compose_email(
        content=content,  # type: ignore[arg-type]  # of `prepare`
        recipient=Recipient(
            address=by.email, language=language, place=min(readers.places, default=""), values=EXAMPLE
        ),
        sender=sender, obligations=readers.obligations, links=EXAMPLE_LINKS, ref=campaign.ref, at=timezone.now(),
        told=told_of_nobody(), seen_to={one.kind for one in to_see_to(readers.obligations)},
    )  # fmt: skip
    subject = f"{MARK} {LETTERS[number]}: {made['Subject']}"
    del made["Subject"]
    made["Subject"] = subject
    return Letter(
        to=mail_address(by.email).addr_spec, sender=mail_address(sender.address).addr_spec, data=made.as_bytes()
    )


def _largest(campaign: Campaign, language: str) -> Readers:
    """Return the largest group of readers of a language, as the last look knows them: their law makes the message."""
    known = readers_of(campaign.looked, language) if campaign.looked else []
    of_language = [each for each in known if each.language == language] or known
    return max(of_language, key=lambda one: one.persons, default=Readers(places=frozenset(), language=language))
