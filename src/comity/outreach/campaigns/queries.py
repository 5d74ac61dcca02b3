"""Reading campaigns: whom they mean, what the law says of them all, what is wrong with the words, what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.policy import default
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db.models import Count, QuerySet
from django.http import Http404, QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from comity.book.lists.filters import chosen
from comity.book.queries import persons_seen_by
from comity.counsel.actions import STRICTEST
from comity.counsel.asking import book
from comity.counsel.bulk import Reasons, reasons_of
from comity.counsel.questions import ADVERTISING
from comity.counsel.reading import RESPECT, Said, means, said_of
from comity.law import Verdict
from comity.law.obligations import Merged
from comity.outreach.campaigns.models import Campaign, Imprint, Template, Trial
from comity.outreach.campaigns.writing import ORIGIN, cannot_meet, sender_of
from comity.outreach.composing.content import Content
from comity.outreach.composing.lint import Looked, Readers, look_over
from comity.outreach.composing.parties import Links
from comity.outreach.origins.queries import without_origin
from comity.post.models import Gateway, Message, Stage
from comity.staff.approvals import digest
from comity.staff.guards import entities_with
from comity.staff.models import Approval
from comity.staff.once import rows_of

if TYPE_CHECKING:
    from comity.book.models import Person
    from comity.book.opening import Look
    from comity.counsel.models import SegmentDecision
    from comity.staff.models import Entity, Staff

MOST_CITED: Final = 4
"""Rules that are shown of one reason; the rest are in the decision."""
EXAMPLE_LINKS: Final = Links(
    unsubscribe="https://example.com/stop/example", preferences="https://example.com/choices/example",
    privacy="https://example.com/privacy",
)  # fmt: skip
"""What stands for everybody's own links where a content is looked through."""


def campaigns_seen_by(viewer: Staff) -> QuerySet[Campaign]:
    """Return the campaigns of the entities for which somebody may see them, the latest first."""
    seen = entities_with(viewer, "campaign.view")
    return Campaign.objects.filter(entity__in=seen).select_related("entity", "dispatch", "looked")


def one_campaign(viewer: Staff, ref: UUID) -> Campaign:
    """Return one campaign. Raises Http404."""
    found = campaigns_seen_by(viewer).select_related("gateway", "before", "made_by").filter(ref=ref).first()
    if found is None:
        raise Http404
    return found


def people_of(campaign: Campaign, look: Look) -> QuerySet[Person]:
    """Return the people of a campaign's list, as they are now. Raises BadRequest for a list that cannot be any more."""
    return chosen(look, QueryDict(campaign.query)).narrow(persons_seen_by(look.viewer, campaign.entity))


# ---------------------------------------------------------------- what the law says of all of them


@dataclass(frozen=True, kw_only=True)
class Because:
    """Some people with one verdict for the same reasons, with the articles that say so."""

    verdict: str
    people: int
    said: Sequence[Said]
    more: int
    cures: Sequence[str]
    missing: Sequence[str]
    change: int = 0  # how many more they are than at the look before


@dataclass(frozen=True, kw_only=True)
class Cure:
    """Something that would help, and how many people have a reason that it lifts."""

    id: str
    says: str
    people: int


@dataclass(frozen=True, kw_only=True)
class Audience:
    """What the law says of everybody on a list."""

    decided: SegmentDecision
    because: Sequence[Because]
    cures: Sequence[Cure]
    before: Mapping[str, int]  # by verdict, how many more than at the look before; empty if there was none

    @property
    def shares(self) -> list[tuple[str, int, int, int]]:
        """Verdict, people, hundredths of all, and the change since the look before."""
        counts = {"permit": self.decided.permitted, "deny": self.decided.denied, "ask": self.decided.asked}
        all_ = max(self.decided.people, 1)
        return [
            (verdict, many, round(100 * many / all_), self.before.get(verdict, 0)) for verdict, many in counts.items()
        ]

    @property
    def changed(self) -> bool:
        """Say whether something stands in brackets."""
        return any(self.before.values()) or any(one.change for one in self.because)


def audience_of(campaign: Campaign) -> Audience | None:
    """Return what the last look at a campaign's people brought; nothing before the first."""
    if campaign.looked is None:
        return None
    reasons = sorted(reasons_of(campaign.looked), key=lambda one: STRICTEST.index(one.verdict))
    earlier = reasons_of(campaign.before) if campaign.before else []
    before = Counter({(one.verdict, one.because): one.people for one in earlier})
    because = [_because(one, before, compared=bool(campaign.before)) for one in reasons]
    return Audience(
        decided=campaign.looked,
        because=because,
        cures=_cures(reasons),
        before=_changes(campaign.looked, campaign.before),
    )


def _because(reasons: Reasons, before: Counter[tuple[Verdict, tuple[str, ...]]], *, compared: bool) -> Because:
    known = book().cures
    return Because(
        verdict=reasons.verdict.value, people=reasons.people,
        said=[said_of(one) for one in reasons.because[:MOST_CITED]],
        more=max(0, len(reasons.because) - MOST_CITED), missing=[one["says"] for one in means(reasons.missing)],
        cures=[known[one].says for one in _that_help(reasons) if one in known],
        change=reasons.people - before[reasons.verdict, reasons.because] if compared else 0,
    )  # fmt: skip


def _that_help(reasons: Reasons) -> tuple[str, ...]:
    """Return what would help these people; where somebody said no, nothing does."""
    return reasons.cures if reasons.verdict is not Verdict.PERMIT and not set(RESPECT) & set(reasons.cures) else ()


def _cures(reasons: Iterable[Reasons]) -> list[Cure]:
    people: Counter[str] = Counter()
    for each in reasons:
        people.update(dict.fromkeys(_that_help(each), each.people))
    known = book().cures
    return [Cure(id=id_, says=known[id_].says, people=many) for id_, many in people.most_common() if id_ in known]


def _changes(now: SegmentDecision, before: SegmentDecision | None) -> dict[str, int]:
    if before is None:
        return {}
    return {
        "permit": now.permitted - before.permitted, "deny": now.denied - before.denied, "ask": now.asked - before.asked
    }  # fmt: skip


# ---------------------------------------------------------------- the words


KINDS: Final = """
    SELECT row.finding, person.home, person.language, count(*)
    FROM counsel_segmentrow AS row JOIN book_person AS person ON person.ref = row.person
    WHERE row.segment_id = %s AND row.verdict = 'permit' GROUP BY 1, 2, 3
"""
"""Of a decision with a row for everybody, what a count says without any."""


def readers_of(segment: SegmentDecision, language: str) -> list[Readers]:
    """Return who would read, by laws, language and obligations: those whom the law permits to write to."""
    findings = {one.number: _obligations(one.told) for one in segment.findings.filter(verdict="permit")}
    counted: Counter[tuple[str, str, int]] = Counter()
    for finding, home, spoken, many in segment.kinds or rows_of(KINDS, [segment.ref]):
        if finding in findings:
            counted[home, spoken or language, finding] += many
    return [
        Readers(
            places=frozenset(home.split("|")) if home else frozenset(), language=spoken,
            obligations=findings[finding], persons=many,
        )
        for (home, spoken, finding), many in counted.items()
    ]  # fmt: skip


def _obligations(told: Mapping[str, Any]) -> tuple[Merged, ...]:
    kinds = book().obligations
    return tuple(
        Merged(
            kind=one["kind"], says=kinds[one["kind"]].says, parameters=one["parameters"], rules=tuple(one["rules"]),
            certain=True,
        )
        for one in told["obligations"]
        if one["kind"] in kinds
    )  # fmt: skip


def contents_of(campaign: Campaign) -> list[Content]:
    """Return what a campaign says, in each of its wordings; the first is the one that everybody gets if it is alone."""
    return [Content.from_json(one) for one in (campaign.content, *campaign.variants) if one]


def lint_of_all(campaign: Campaign, look: Look) -> list[Looked]:
    """Look through each wording of a campaign."""
    return [lint_of(campaign, look, content) for content in contents_of(campaign)]


def lint_of(campaign: Campaign, look: Look, content: Content | None = None) -> Looked:
    """Look through a campaign's words as each kind of reader would get them.

    What the law wants in every advertisement is not missed where it is none, as in a notice that a law asks for; what
    must be in it beside stands among its readers' obligations.
    """
    content, sender = content or Content.from_json(campaign.content), sender_of(look.entity)
    readers = readers_of(campaign.looked, sender.language) if campaign.looked else []
    looked = look_over(content=content, readers=readers, sender=sender, links=EXAMPLE_LINKS, day=timezone.localdate())
    if campaign.purpose in ADVERTISING:
        return looked
    return replace(looked, found=tuple(one for one in looked.found if not one.missing))


@dataclass(frozen=True, kw_only=True)
class Unmet:
    """What the law of some readers wants beside the message, and nothing here can give yet: they get none."""

    says: str
    people: int
    at_most: bool = False


def unmet_of(campaign: Campaign, look: Look) -> list[Unmet]:
    """Return for how many of those whom the law permits no message can be made, and what is lacking."""
    people: Counter[str] = Counter()
    for finding in campaign.looked.findings.filter(verdict="permit") if campaign.looked else ():
        lacking = next((one.says for one in _obligations(finding.told) if cannot_meet(one, campaign.channel)), "")
        people.update({lacking: finding.people} if lacking else {})
    found = [Unmet(says=says, people=many) for says, many in people.most_common()]
    if many := _without_origin(campaign, look):
        found.append(Unmet(says=book().obligations[ORIGIN].says, people=many, at_most=True))
    return found


def _without_origin(campaign: Campaign, look: Look) -> int:
    """Return how many must be told from whom we have their data, and nobody knows it: at most so many."""
    permitted = campaign.looked.findings.filter(verdict="permit") if campaign.looked else ()
    wanted = sum(one.people for one in permitted if any(each.kind == ORIGIN for each in _obligations(one.told)))
    return min(wanted, without_origin(people_of(campaign, look), campaign.entity_id)) if wanted else 0


def imprint_of(entity: Entity) -> Imprint | None:
    """Return how an entity signs, if somebody said so."""
    return Imprint.objects.filter(entity=entity).first()


# ---------------------------------------------------------------- what became of it

WHY: Final = {
    "law": _("The law denies it now."), "ask": _("The law asks for a human now."),
    "suppressed": _("The address is on the list of those that must not be used."),
    "gone": _("They are not in the book any more."), "no-address": _("There is no address."),
    "no-such-address": _("There is no such address."),
    "unmet": _("Their law wants something in the message that is not known, such as from whom we have their data."),
    "sender": _("The imprint is not in order, or the address of this book."),
    "role": _("Whoever sends has no role for it any more."), "policy": _("The relay refuses such messages."),
    "refused": _("The relay refuses us."), "busy": _("The relay was busy."), "timeout": _("The relay took too long."),
    "broken-off": _("The connection broke off."), "no-answer": _("The relay did not answer."),
    "sign-in": _("The relay did not let us sign in."), "tls": _("The relay could not be trusted."),
    "hours": _("It is not the hour for it where they live."), "limit": _("They heard from us often enough for now."),
    "no-hour": _("No hour is known that suits wherever they may live."),
    "clock": _("The clocks of our machines differ: nobody knows the hour."),
    "domain": _("Their mail provider asked us for patience."),
    "elsewhere": _("The provider's address leads elsewhere, and that is not followed."),
    "opted-out": _("They told the provider that they want no more."),
    "interrupted": _("The sender was interrupted in the middle."), "stopped": _("It was stopped before."),
    "held": _("They answered in words that may be a no, and nobody has read them yet."),
    "put-back": _("The database was put back to an earlier day; it may have gone out since."),
}  # fmt: skip
"""Why a message is where it is, by the words of `post`."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a campaign is: messages by where they are, and why."""

    stages: Mapping[str, int]
    why: Sequence[tuple[str, int]]  # why messages are not sent, in words, and how many

    @property
    def all(self) -> int:
        return sum(self.stages.values())

    @property
    def parts(self) -> list[tuple[str, str, int, int]]:
        """Stage, its name, messages, and hundredths of all."""
        return [
            (stage.value, str(stage.label), many, round(100 * many / max(self.all, 1)))
            for stage in Stage
            if (many := self.stages.get(stage.value, 0))
        ]


def progress_of(campaign: Campaign) -> Progress | None:
    """Return how far a campaign is; nothing before it began."""
    if campaign.dispatch is None:
        return None
    rows = Message.objects.filter(dispatch=campaign.dispatch).values_list("stage", "why").annotate(many=Count("*"))
    stages: Counter[str] = Counter()
    for stage, _why, many in rows:
        stages[stage] += many
    return Progress(stages=stages, why=[(str(WHY.get(why, why)), many) for stage, why, many in sorted(rows) if why])


def approval_of(campaign: Campaign) -> Approval | None:
    """Return the last request to a second person about just what this campaign is now."""
    from comity.outreach.campaigns.actions import APPROVED, request_of

    asked = Approval.objects.filter(kind=APPROVED, digest=digest(APPROVED, request_of(campaign)))
    return asked.order_by("-asked_at").first()


def name_of(campaign: object) -> str:
    """Return what a campaign is called."""
    return str(Campaign.objects.filter(ref=str(campaign)).values_list("name", flat=True).first() or campaign)


def subjects_of(campaign: object) -> str:
    """Return under which subjects a campaign goes out."""
    found = Campaign.objects.filter(ref=str(campaign)).first()
    wordings = [one for each in contents_of(found) for one in each.wordings.values()] if found else []
    return " · ".join(one.subject or one.body[:60] for one in wordings)


def text_of(message: bytes, channel: str = "email") -> str:
    """Return a message as a reader of plain text sees it, with the headers that tell whose it is and how to refuse."""
    if channel != "email":
        return message.decode()
    read = message_from_bytes(message, policy=default)
    body = read.get_body(("plain",))
    heads = [f"{name}: {read[name]}" for name in SHOWN_HEADS if read[name]]
    return "\n".join(heads) + "\n\n" + (str(body.get_content()) if body else "")


SHOWN_HEADS: Final = ("From", "Reply-To", "Subject", "List-Unsubscribe", "List-Unsubscribe-Post")


def imprints_of(entities: Iterable[Entity]) -> dict[UUID, Imprint]:
    """Return how these entities sign, by their refs."""
    return {one.entity_id: one for one in Imprint.objects.filter(entity__in=list(entities))}


def ways_of(entity: Entity) -> QuerySet[Gateway]:
    """Return the gateways by which an entity writes."""
    return Gateway.objects.filter(entity=entity, ended_at=None)


def templates_of(viewer: Staff, word: str = "campaign.view") -> QuerySet[Template]:
    """Return the templates in use of the entities for which somebody may see campaigns."""
    seen = entities_with(viewer, word)
    return Template.objects.filter(entity__in=seen, ended_at=None).select_related("entity", "made_by")


def one_template(viewer: Staff, ref: UUID) -> Template:
    """Return one template. Raises Http404."""
    found = templates_of(viewer).filter(ref=ref).first()
    if found is None:
        raise Http404
    return found


def content_of(template: Template) -> Content | None:
    """Return what a template says now; nothing while it has no version."""
    version = template.versions.first()
    return Content.from_json(version.content) if version else None


def trials_of(campaign: Campaign, viewer: Staff) -> list[Trial]:
    """Return what somebody sent to themselves of a campaign, the last first."""
    return list(Trial.objects.filter(campaign=campaign, staff=viewer)[:5])
