"""A campaign from its first word to its last message. The law is asked twice: for the list, and at each hand-over."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.counsel.counting import count_persons, keep_count
from comity.ledger.actions import record
from comity.outreach.campaigns.channels import CHANNELS
from comity.outreach.campaigns.models import Campaign, Imprint, Template, TemplateVersion
from comity.outreach.campaigns.queries import people_of
from comity.outreach.campaigns.variants import MOST
from comity.outreach.campaigns.writing import question_of
from comity.outreach.composing.content import Content, ContentProblems, problems
from comity.staff.approvals import Said, ask_approval
from comity.staff.guards import demand, may_handle

if TYPE_CHECKING:
    from collections.abc import Collection

    from comity.book.opening import Look
    from comity.ledger.bodies import JSON
    from comity.staff.models import Approval, Entity, Staff

WORD: Final = "campaign.edit"
APPROVED: Final = "campaign"
HERE: Final = frozenset({"localhost", "127.0.0.1"})
"""Where a demo may be: its links lead nowhere else."""


class NotSent(ValidationError):
    """A campaign is not sent; the message says why, and what to do."""


@transaction.atomic
def sign_as(*, entity: Entity, by: Staff, **said: str) -> Imprint:
    """Say how an entity signs what it sends. Raises NotYours, ValidationError."""
    demand(by, "gateway.change", entity)
    imprint = Imprint(entity=entity, **said)
    imprint.full_clean(exclude=["entity"])
    imprint.save()
    record(kind="outreach.signed", staff=by.ref, body={"entity": entity.ref})
    return imprint


@transaction.atomic
def make_campaign(
    *, entity: Entity, name: str, purpose: str, query: str, made_by: Staff, channel: str = "email",
    template: Template | None = None,
) -> Campaign:  # fmt: skip
    """Begin a campaign to the people of a list, with the words of a template if one is given.

    Raises NotYours, NotSent where no role writes for this purpose by this channel, or the template is for another.
    """
    demand(made_by, WORD, entity)
    if channel not in CHANNELS:
        raise NotSent(_("No campaign goes out by this channel."))
    asks: dict[str, Any] = {"operation": "contact", "purpose": purpose, "entity": entity}
    if not all(may_handle(made_by, field_class=each, **asks) for each in CHANNELS[channel].opens):
        raise NotSent(_("None of your roles may write to people for this purpose."))
    campaign = Campaign.objects.create(
        entity=entity, name=name, purpose=purpose, query=query, made_by=made_by, channel=channel,
        content=_words_of(template, entity, channel) if template else {},
    )  # fmt: skip
    note("made", campaign, made_by)
    return campaign


def _words_of(template: Template, entity: Entity, channel: str) -> dict[str, Any]:
    if template.entity_id != entity.ref or template.channel != channel or template.ended_at:
        raise NotSent(_("This template is not in use here: choose another."))
    version = template.versions.first()
    return dict(version.content) if version else {}


@transaction.atomic
def change_campaign(*, campaign: Campaign, by: Staff, **changed: Any) -> Campaign:  # noqa: ANN401 - of each column its own
    """Change what a campaign is: name, query, content, gateway, ticks. Raises NotSent once it went out.

    Other words take other ticks, and another list another look.
    """
    locked = draft_of(campaign, by)
    for column, value in changed.items():
        setattr(locked, column, value)
    if "query" in changed:
        locked.looked = locked.before = None
    locked.changed_at, locked.approval = timezone.now(), None
    locked.save(update_fields=[*changed, "looked", "before", "changed_at", "approval"])
    return locked


@transaction.atomic
def look_at_audience(*, campaign: Campaign, look: Look) -> Campaign:
    """Count what the law says of everybody on the list; nobody is opened, and nothing goes out."""
    locked = draft_of(campaign, look.viewer)
    locked.before = locked.looked
    question = question_of(locked.entity_id, locked.purpose, locked.channel)
    locked.looked = keep_count(
        count=count_persons(question=question, persons=people_of(locked, look)), staff=look.viewer
    )
    locked.save(update_fields=["looked", "before"])
    return locked


def draft_of(campaign: Campaign, by: Staff) -> Campaign:
    """Lock a campaign that may still be changed. Raises NotYours, NotSent for one that is being sent, or was."""
    demand(by, WORD, campaign.entity_id)
    locked = Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)
    if locked.dispatch_id:
        raise NotSent(_("This campaign is on its way: nothing of it can be changed. Make a new one."))
    if locked.asked_by_id:
        raise NotSent(_("The law is being asked about everybody on this list. Take it back to change something."))
    return locked


# ---------------------------------------------------------------- four eyes


def needs_approval(campaign: Campaign) -> bool:
    """Say whether a second person must approve it: it goes to many."""
    return bool(campaign.looked and campaign.looked.permitted > settings.CAMPAIGN_ALONE)


def request_of(campaign: Campaign) -> dict[str, Said]:
    """Return just what a second person approves: these words, to this list, by this way."""
    said = [campaign.content, *campaign.variants] if campaign.variants else campaign.content
    words = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    return {
        "campaign": campaign.ref, "entity": campaign.entity.name, "purpose": campaign.purpose,
        "channel": campaign.channel, "list": campaign.query,
        "people": rounded_up(campaign.looked.permitted if campaign.looked else 0),
        "words": f"sha256:{words}", "gateway": campaign.gateway_id or "", **_signed(campaign.entity),
    }  # fmt: skip


def _signed(entity: Entity) -> dict[str, Said]:
    signs = Imprint.objects.filter(entity=entity).first()
    return {"sender": signs.address if signs else "", "reply_to": signs.reply_to if signs else ""}


def rounded_up(many: int) -> int:
    """Return a number with two digits that say something: so many at most, though a few come and go meanwhile."""
    unit = 10 ** max(0, len(str(many)) - 2)
    return int(-(-many // unit) * unit)


def ask_second_person(*, campaign: Campaign, reason: str, asked_by: Staff) -> Approval:
    """Lay a campaign before a second person. Raises NotApproved where no reason is given."""
    return ask_approval(
        kind=APPROVED, request=request_of(campaign), reason=reason, asked_by=asked_by, entity=campaign.entity
    )


def note(verb: str, campaign: Campaign, by: Staff, **more: UUID | None) -> None:
    """Write in the ledger what somebody did with a campaign."""
    body: dict[str, JSON] = {
        "campaign": campaign.ref,
        "entity": campaign.entity_id,
        "purpose": campaign.purpose,
        "channel": campaign.channel,
        **more,
    }
    record(kind=f"outreach.campaign-{verb}", staff=by.ref, body=body)


def tick(*, campaign: Campaign, keys: Collection[str], by: Staff) -> Campaign:
    """Say of findings that somebody looked at them and stands for the words."""
    return change_campaign(campaign=campaign, by=by, ticks=sorted({*campaign.ticks, *keys}))


# ---------------------------------------------------------------- wordings beside the first


def add_variant(*, campaign: Campaign, by: Staff) -> Campaign:
    """Begin one more wording, as the first one is now. Raises NotSent where there are as many as there may be."""
    if not campaign.content:
        raise NotSent(_("Write the first wording before you add another."))
    if 1 + len(campaign.variants) >= MOST:
        raise NotSent(_("There are as many wordings as can be told apart."))
    return change_campaign(campaign=campaign, by=by, variants=[*campaign.variants, campaign.content])


def drop_variant(*, campaign: Campaign, number: int, by: Staff) -> Campaign:
    """Take a wording away; the first is 0, and stays."""
    if not 1 <= number <= len(campaign.variants):
        raise NotSent(_("There is no such wording."))
    left = [one for at, one in enumerate(campaign.variants, start=1) if at != number]
    return change_campaign(campaign=campaign, by=by, variants=left)


def keep_words(*, campaign: Campaign, number: int, content: Content, by: Staff) -> Campaign:
    """Keep what one wording says; the first is 0."""
    if number == 0:
        return change_campaign(campaign=campaign, by=by, content=content.as_json())
    if number > len(campaign.variants):
        raise NotSent(_("There is no such wording."))
    said = list(campaign.variants)
    said[number - 1] = content.as_json()
    return change_campaign(campaign=campaign, by=by, variants=said)


# ---------------------------------------------------------------- templates


@transaction.atomic
def begin_template(*, entity: Entity, name: str, channel: str, by: Staff) -> Template:
    """Begin a template that says nothing yet. Raises NotYours."""
    demand(by, WORD, entity)
    return Template.objects.create(entity=entity, name=name, channel=channel, made_by=by)


@transaction.atomic
def keep_template(
    *, entity: Entity, content: Content, by: Staff, name: str = "", template: Template | None = None
) -> TemplateVersion:
    """Keep words to be used again: as a new template, or as the next version of one. What was said before stays.

    Raises NotYours, ContentProblems for words with errors.
    """
    demand(by, WORD, entity)
    errors = tuple(one for one in problems(content) if one.level == "error")
    if errors:
        raise ContentProblems(errors)
    if template is None:
        template = begin_template(entity=entity, name=name, channel=content.form, by=by)
    locked = Template.objects.select_for_update(of=("self",)).get(pk=template.pk, entity=entity, ended_at=None)
    version = TemplateVersion.objects.create(
        template=locked, entity=entity, number=locked.versions.count() + 1, content=content.as_json(), made_by=by
    )
    record(
        kind="outreach.template-kept", staff=by.ref,
        body={"template": locked.ref, "entity": entity.ref, "version": version.number, "channel": locked.channel},
    )  # fmt: skip
    return version


@transaction.atomic
def end_template(*, template: Template, by: Staff) -> None:
    """Let a template be used no more; what was made of it stays as it is."""
    demand(by, WORD, template.entity_id)
    Template.objects.filter(pk=template.pk, ended_at=None).update(ended_at=timezone.now())
    record(kind="outreach.template-ended", staff=by.ref, body={"template": template.ref, "entity": template.entity_id})
