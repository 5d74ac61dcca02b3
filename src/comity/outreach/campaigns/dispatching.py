"""Sending a campaign: what must be there, the decision about everybody on its list, and the dispatch that follows.

To decide about a million people takes longer than anybody waits for a page. So where they are many, Send is a wish:
it is written down, a worker decides and begins the dispatch, or writes down why not. Until then it can be taken back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from comity.book.opening import Look
from comity.counsel.actions import FRESH
from comity.counsel.bulk import decide_segment, persons_with
from comity.law import Verdict
from comity.outreach.campaigns.actions import (
    APPROVED,
    HERE,
    NotSent,
    draft_of,
    needs_approval,
    note,
    request_of,
    rounded_up,
)
from comity.outreach.campaigns.models import Campaign, Imprint
from comity.outreach.campaigns.queries import contents_of, lint_of_all, people_of
from comity.outreach.campaigns.writing import KIND, calls_by_name, classes_of, question_of
from comity.outreach.composing.content import problems
from comity.post.actions import begin_dispatch
from comity.post.jobs import defer_dispatch
from comity.staff.approvals import use_approval
from comity.staff.guards import demand, may_handle

if TYPE_CHECKING:
    from comity.counsel.models import SegmentDecision
    from comity.staff.models import Staff

AT_ONCE: Final = 20_000
"""People on a list about whom the law is asked while somebody waits for the page."""


@transaction.atomic
def send_campaign(*, campaign: Campaign, look: Look) -> Campaign:
    """Begin to send a campaign, or have a worker begin it where its list is long.

    Raises what `begin_campaign` does; what a worker meets later is told in `unsent`.
    """
    from comity.outreach.campaigns.jobs import defer_beginning

    demand(look.viewer, "campaign.send", campaign.entity_id)
    locked = _ready(campaign, look)
    if locked.looked is None or locked.looked.people <= AT_ONCE:
        return begin_campaign(campaign=locked, look=look)
    locked.asked_by, locked.asked_at, locked.unsent = look.viewer, timezone.now(), ""
    locked.save(update_fields=["asked_by", "asked_at", "unsent"])
    note("asked", locked, look.viewer)
    defer_beginning(campaign=locked)
    return locked


@transaction.atomic
def take_back(*, campaign: Campaign, by: Staff) -> bool:
    """Take back the wish to send while nothing was begun; return whether it came in time."""
    demand(by, "campaign.stop", campaign.entity_id)
    locked = Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)
    if locked.dispatch_id or locked.asked_by_id is None:
        return False
    _forget_wish(locked)
    note("taken-back", locked, by)
    return True


def begin_asked(*, campaign: Campaign) -> None:
    """Do what somebody asked for, if they did not take it back; write down why it was not done, in their language."""
    staff = campaign.asked_by
    if staff is None or campaign.dispatch_id:
        return
    wish = Campaign.objects.filter(pk=campaign.pk, asked_by=staff, asked_at=campaign.asked_at)
    with translation.override(staff.language or None):
        try:
            with transaction.atomic():
                _forget_wish(wish.select_for_update(of=("self",)).get())
                look = Look(viewer=staff, entity=campaign.entity, purpose=campaign.purpose)
                begin_campaign(campaign=campaign, look=look)
        except Campaign.DoesNotExist:
            return
        except (ValidationError, PermissionDenied, BadRequest) as error:
            wish.update(asked_by=None, asked_at=None, unsent=_why_not(error))


def _why_not(error: Exception) -> str:
    if isinstance(error, PermissionDenied):
        return _("You may not do that any more.")
    return " ".join(error.messages) if isinstance(error, ValidationError) else str(error)


def _forget_wish(campaign: Campaign) -> None:
    campaign.asked_by, campaign.asked_at, campaign.unsent = None, None, ""
    campaign.save(update_fields=["asked_by", "asked_at", "unsent"])


@transaction.atomic
def begin_campaign(*, campaign: Campaign, look: Look) -> Campaign:
    """Send it: to those whom the law permits now, and who are asked about once more when their turn comes.

    Raises NotSent where something is missing, with what; NotApproved where a second person must agree first.
    """
    demand(look.viewer, "campaign.send", campaign.entity_id)
    locked = _ready(campaign, look)
    if needs_approval(locked):
        locked.approval = use_approval(kind=APPROVED, request=request_of(locked), asked_by=look.viewer).ref
    if locked.looked is None or locked.gateway is None:  # two of what is missing
        raise NotSent(_("Something is missing."))
    locked.looked = _decided(locked, look)
    locked.dispatch = begin_dispatch(
        kind=KIND, about=locked.ref, entity=locked.entity, purpose=locked.purpose, gateway=locked.gateway,
        staff=look.viewer, persons=persons_with(locked.looked, Verdict.PERMIT),
    )  # fmt: skip
    locked.save(update_fields=["dispatch", "approval", "looked"])
    note("begun", locked, look.viewer, dispatch=locked.dispatch.ref, segment=locked.looked_id)
    defer_dispatch(dispatch=locked.dispatch)
    return locked


def _ready(campaign: Campaign, look: Look) -> Campaign:
    """Lock a campaign of which nothing is missing. Raises NotSent with what is."""
    locked = draft_of(campaign, look.viewer)
    if reasons := what_is_missing(locked, look):
        raise NotSent(list(reasons))
    return locked


def _decided(campaign: Campaign, look: Look) -> SegmentDecision:
    """Decide about everybody on the list, as the look counted them. Raises NotSent where many more came meanwhile."""
    decided = decide_segment(
        question=question_of(campaign.entity_id, campaign.purpose, campaign.channel),
        persons=people_of(campaign, look), staff=look.viewer,
    )  # fmt: skip
    if campaign.looked and decided.permitted > rounded_up(campaign.looked.permitted):
        raise NotSent(_("The list has changed since you looked: more people would get it. Look at the audience again."))
    return decided


def what_is_missing(campaign: Campaign, look: Look) -> list[str]:
    """Return what must be done before a campaign can be sent, in the order in which one would do it."""
    missing = []
    if not (settings.ADDRESS.scheme == "https" or settings.ADDRESS.hostname in HERE):
        missing.append(_("Nobody could stop by a link: this book has no https address. COMITY_ADDRESS says which."))
    if not Imprint.objects.filter(entity=campaign.entity_id).exists():
        missing.append(_("Say who sends: the law of everybody wants to know it. Settings, sender."))
    if campaign.gateway is None or campaign.gateway.ended_at or campaign.gateway.channel != campaign.channel:
        missing.append(_("Choose the gateway by which it goes out."))
    if not _may_write(look.viewer, campaign):
        missing.append(_("None of your roles may write to people for this purpose."))
    missing += _of_words(campaign, look) if not missing else []
    if campaign.looked is None or not _stands(campaign.looked):
        missing.append(_("Look at the audience: the last look is too old, or there was none."))
    elif not campaign.looked.permitted:
        missing.append(
            _("The law permits this message to nobody on the list. The audience says why, and what would help.")
        )
    return missing


def _stands(looked: SegmentDecision) -> bool:
    """Say whether a look is recent, and tells which laws the readers of the words have."""
    return looked.counted and timezone.now() < looked.decided_at + FRESH


def _may_write(staff: Staff, campaign: Campaign) -> bool:
    """Say whether a role of theirs opens all that these messages are made from; it is asked again at each hand-over."""
    wanted = classes_of(campaign.channel, calls=any(map(calls_by_name, contents_of(campaign))))
    return all(
        may_handle(staff, operation="contact", purpose=campaign.purpose, field_class=each, entity=campaign.entity_id)
        for each in wanted
    )


def _of_words(campaign: Campaign, look: Look) -> list[str]:
    if not campaign.content or any(one.level == "error" for each in contents_of(campaign) for one in problems(each)):
        return [_("Finish the words: something in them must be mended.")]
    if campaign.looked and not all(each.cleared(campaign.ticks) for each in lint_of_all(campaign, look)):
        return [_("Look through the findings about the words: some must be mended, or ticked.")]
    return []
