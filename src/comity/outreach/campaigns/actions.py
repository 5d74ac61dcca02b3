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

from comity.counsel.actions import FRESH
from comity.counsel.bulk import decide_segment, persons_with
from comity.law import Verdict
from comity.ledger.actions import record
from comity.outreach.campaigns.models import Campaign, Imprint
from comity.outreach.campaigns.queries import lint_of, people_of
from comity.outreach.campaigns.writing import KIND, calls_by_name, question_of
from comity.outreach.composing.content import Content, problems
from comity.post.actions import begin_dispatch
from comity.post.jobs import defer_dispatch
from comity.staff.approvals import Said, ask_approval, use_approval
from comity.staff.guards import demand, may_handle
from comity.vault.sealing import FieldClass

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
def make_campaign(*, entity: Entity, name: str, purpose: str, query: str, made_by: Staff) -> Campaign:
    """Begin a campaign to the people of a list. Raises NotYours, NotSent where no role writes for this purpose."""
    demand(made_by, WORD, entity)
    may = may_handle(made_by, operation="contact", purpose=purpose, field_class=FieldClass.CONTACT, entity=entity)
    if not may:
        raise NotSent(_("None of your roles may write to people for this purpose."))
    campaign = Campaign.objects.create(entity=entity, name=name, purpose=purpose, query=query, made_by=made_by)
    _note("made", campaign, made_by)
    return campaign


@transaction.atomic
def change_campaign(*, campaign: Campaign, by: Staff, **changed: Any) -> Campaign:  # noqa: ANN401 - of each column its own
    """Change what a campaign is: name, query, content, gateway, ticks. Raises NotSent once it went out.

    Other words take other ticks, and another list another look.
    """
    locked = _draft(campaign, by)
    for column, value in changed.items():
        setattr(locked, column, value)
    if "query" in changed:
        locked.looked = locked.before = None
    locked.changed_at, locked.approval = timezone.now(), None
    locked.save(update_fields=[*changed, "looked", "before", "changed_at", "approval"])
    return locked


@transaction.atomic
def look_at_audience(*, campaign: Campaign, look: Look) -> Campaign:
    """Ask the law about everybody on the list; nobody is opened, and nothing goes out."""
    locked = _draft(campaign, look.viewer)
    locked.before = locked.looked
    locked.looked = decide_segment(
        question=question_of(locked.entity_id, locked.purpose), persons=people_of(locked, look), staff=look.viewer
    )
    locked.save(update_fields=["looked", "before"])
    return locked


def _draft(campaign: Campaign, by: Staff) -> Campaign:
    demand(by, WORD, campaign.entity_id)
    locked = Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)
    if locked.dispatch_id:
        raise NotSent(_("This campaign is on its way: nothing of it can be changed. Make a new one."))
    return locked


# ---------------------------------------------------------------- four eyes


def needs_approval(campaign: Campaign) -> bool:
    """Say whether a second person must approve it: it goes to many."""
    return bool(campaign.looked and campaign.looked.permitted > settings.CAMPAIGN_ALONE)


def request_of(campaign: Campaign) -> dict[str, Said]:
    """Return just what a second person approves: these words, to this list, by this way."""
    words = hashlib.sha256(json.dumps(campaign.content, sort_keys=True).encode()).hexdigest()
    return {
        "campaign": campaign.ref, "entity": campaign.entity.name, "purpose": campaign.purpose,
        "people": rounded_up(campaign.looked.permitted if campaign.looked else 0), "list": campaign.query,
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


# ---------------------------------------------------------------- sending


@transaction.atomic
def begin_campaign(*, campaign: Campaign, look: Look) -> Campaign:
    """Send it: to those whom the law permits now, and who are asked about once more when their turn comes.

    Raises NotSent where something is missing, with what; NotApproved where a second person must agree first.
    """
    demand(look.viewer, "campaign.send", campaign.entity_id)
    locked = _draft(campaign, look.viewer)
    if reasons := what_is_missing(locked, look):
        raise NotSent(list(reasons))
    if needs_approval(locked):
        locked.approval = use_approval(kind=APPROVED, request=request_of(locked), asked_by=look.viewer).ref
    if locked.looked is None or locked.gateway is None:  # two of what is missing
        raise NotSent(_("Something is missing."))
    locked.dispatch = begin_dispatch(
        kind=KIND, about=locked.ref, entity=locked.entity, purpose=locked.purpose, gateway=locked.gateway,
        staff=look.viewer, persons=persons_with(locked.looked, Verdict.PERMIT),
    )  # fmt: skip
    locked.save(update_fields=["dispatch", "approval"])
    _note("begun", locked, look.viewer, dispatch=locked.dispatch.ref, segment=locked.looked_id)
    defer_dispatch(dispatch=locked.dispatch)
    return locked


def what_is_missing(campaign: Campaign, look: Look) -> list[str]:
    """Return what must be done before a campaign can be sent, in the order in which one would do it."""
    missing = []
    if not (settings.ADDRESS.scheme == "https" or settings.ADDRESS.hostname in HERE):
        missing.append(_("Nobody could stop by a link: this book has no https address. COMITY_ADDRESS says which."))
    if not Imprint.objects.filter(entity=campaign.entity_id).exists():
        missing.append(_("Say who sends: the law of everybody wants to know it. Settings, sender."))
    if campaign.gateway is None or campaign.gateway.ended_at:
        missing.append(_("Choose the gateway by which it goes out."))
    if not _may_write(look.viewer, campaign):
        missing.append(_("None of your roles may write to people for this purpose."))
    missing += _of_words(campaign, look) if not missing else []
    if campaign.looked is None or timezone.now() >= campaign.looked.decided_at + FRESH:
        missing.append(_("Look at the audience: the last look is too old, or there was none."))
    elif not campaign.looked.permitted:
        missing.append(
            _("The law permits this message to nobody on the list. The audience says why, and what would help.")
        )
    return missing


def _may_write(staff: Staff, campaign: Campaign) -> bool:
    """Say whether a role of theirs opens all that these messages are made from; it is asked again at each hand-over."""
    wanted = [FieldClass.CONTACT]
    if campaign.content and calls_by_name(Content.from_json(campaign.content)):
        wanted.append(FieldClass.NAME)
    return all(
        may_handle(staff, operation="contact", purpose=campaign.purpose, field_class=each, entity=campaign.entity_id)
        for each in wanted
    )


def _of_words(campaign: Campaign, look: Look) -> list[str]:
    if not campaign.content or any(one.level == "error" for one in problems(Content.from_json(campaign.content))):
        return [_("Finish the words: something in them must be mended.")]
    if campaign.looked and not lint_of(campaign, look).cleared(campaign.ticks):
        return [_("Look through the findings about the words: some must be mended, or ticked.")]
    return []


def _note(verb: str, campaign: Campaign, by: Staff, **more: UUID | None) -> None:
    body: dict[str, JSON] = {
        "campaign": campaign.ref,
        "entity": campaign.entity_id,
        "purpose": campaign.purpose,
        **more,
    }
    record(kind=f"outreach.campaign-{verb}", staff=by.ref, body=body)


def tick(*, campaign: Campaign, keys: Collection[str], by: Staff) -> Campaign:
    """Say of findings that somebody looked at them and stands for the words."""
    return change_campaign(campaign=campaign, by=by, ticks=sorted({*campaign.ticks, *keys}))
