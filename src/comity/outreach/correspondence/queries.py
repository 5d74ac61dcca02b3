"""Reading mails to one person: where each is, and what it said, for whoever may open that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone

from comity.outreach.campaigns.queries import EXAMPLE_LINKS, WHY
from comity.outreach.composing.lint import Looked, Readers, look_over
from comity.outreach.correspondence.models import Mail, Occasion
from comity.post.models import Gateway, Message, Stage

if TYPE_CHECKING:
    from comity.counsel.asking import Answer
    from comity.outreach.composing.content import Content
    from comity.outreach.composing.parties import Sender
    from comity.staff.models import Entity, Staff

VERDICT_AT: Final = {
    Stage.SENT: "permit", Stage.REFUSED: "deny", Stage.FAILED: "deny", Stage.UNCERTAIN: "ask", Stage.STOPPED: "",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Where:
    """Where a mail is, in words, and why."""

    stage: str
    says: str
    why: str = ""
    decision: UUID | None = None

    @property
    def waits(self) -> bool:
        """Whether it has not gone out yet."""
        return self.stage == Stage.INTENDED


def mails_to(person: UUID, entity: Entity) -> QuerySet[Mail]:
    """Return the mails that an entity wrote to a person, the latest first."""
    mails = Mail.objects.filter(person=person, entity=entity).select_related("dispatch", "dispatch__staff")
    return mails.order_by("-written_at", "-ref")


def own_mail(viewer: Staff, entity: Entity, person: UUID, ref: UUID) -> Mail:
    """Return a mail that somebody wrote to a person themselves. Raises Http404."""
    found = mails_to(person, entity).filter(ref=ref, dispatch__staff=viewer).first()
    if found is None:
        raise Http404
    return found


def whereabouts(mails: Iterable[Mail]) -> Mapping[UUID, Where]:
    """Return where each of these mails is, by its ref."""
    of = {mail.dispatch_id: mail.ref for mail in mails}
    return {of[one.dispatch_id]: _where(one) for one in Message.objects.filter(dispatch__in=list(of))}


def _where(one: Message) -> Where:
    why = str(WHY.get(one.why, one.why)) if one.why and one.stage != Stage.STOPPED else ""
    return Where(stage=one.stage, says=str(Stage(one.stage).label), why=why, decision=one.decision)


def ways_of(entity: Entity) -> QuerySet[Gateway]:
    """Return the gateways by which an entity writes e-mail."""
    return Gateway.objects.filter(entity=entity, channel="email", ended_at=None)


ADVERTISES: Final = frozenset({Occasion.MARKETING, Occasion.CONSENT})
"""Occasions on which the rules about words of advertising hold; an answer about an order is none."""


def lint_of(*, content: Content, occasion: str, home: str, answer: Answer, sender: Sender) -> Looked:
    """Return what the law of somebody's home says of the words, as they would get them."""
    if occasion not in ADVERTISES:
        return Looked()
    reader = Readers(
        places=frozenset(filter(None, home.split("|"))), language=content.language, persons=1,
        obligations=tuple(answer.decision.finding.obligations),
    )  # fmt: skip
    return look_over(content=content, readers=[reader], sender=sender, links=EXAMPLE_LINKS, day=timezone.localdate())
