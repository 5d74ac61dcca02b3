"""Reading who got lists of ours: recipients, sharings, what the law says of a list, who was given what, and when."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.db.models import Max, Q, QuerySet
from django.http import Http404, QueryDict

from comity.book.exports.models import ExportPart
from comity.book.lists.filters import chosen
from comity.book.queries import persons_seen_by
from comity.counsel.asking import book
from comity.law.obligations import Merged
from comity.outreach.campaigns.queries import Audience, audience_of
from comity.outreach.origins.queries import untold
from comity.outreach.sharing.letting import ORIGIN, PROVABLE, unmet
from comity.outreach.sharing.models import PassedOn, Recipient, Sharing, Telling
from comity.staff.approvals import digest
from comity.staff.guards import entities_with
from comity.staff.models import Approval

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from comity.book.models import Person
    from comity.book.opening import Look
    from comity.outreach.campaigns.models import Campaign
    from comity.staff.models import Entity, Staff

SEES = "sharing.view"


def recipients_seen_by(viewer: Staff) -> QuerySet[Recipient]:
    """Return who may get, or got, lists of the entities for which somebody may see it."""
    return Recipient.objects.filter(entity__in=entities_with(viewer, SEES)).select_related("entity", "made_by")


def one_recipient(viewer: Staff, ref: UUID) -> Recipient:
    """Return one recipient. Raises Http404."""
    found = recipients_seen_by(viewer).filter(ref=ref).first()
    if found is None:
        raise Http404
    return found


def sharings_seen_by(viewer: Staff) -> QuerySet[Sharing]:
    """Return what was shared, or is about to be, the latest first."""
    seen = Sharing.objects.filter(entity__in=entities_with(viewer, SEES))
    return seen.select_related("entity", "recipient", "looked", "before", "export", "made_by")


def one_sharing(viewer: Staff, ref: UUID) -> Sharing:
    """Return one sharing. Raises Http404."""
    found = sharings_seen_by(viewer).filter(ref=ref).first()
    if found is None:
        raise Http404
    return found


def recipients_for(entity: Entity, day: date) -> QuerySet[Recipient]:
    """Return to whom an entity may give lists today."""
    return Recipient.objects.filter(entity=entity, ended_at=None, review_on__gt=day)


def people_of(sharing: Sharing, look: Look) -> QuerySet[Person]:
    """Return the people of a list, as they are now. Raises BadRequest for a list that cannot be any more."""
    return chosen(look, QueryDict(sharing.query)).narrow(persons_seen_by(look.viewer, sharing.entity))


def listed(sharing: Sharing) -> Audience | None:
    """Return what the last look at a list brought, as a campaign's audience is shown; nothing before the first."""
    return audience_of(cast("Campaign", sharing))  # it is looked at alike, and has both looks


# ---------------------------------------------------------------- what the law wants beside


@dataclass(frozen=True, kw_only=True)
class Wanting:
    """Something that the law wants of some people's sharing beside a permit."""

    kind: str
    says: str
    people: int
    met: bool
    proof: str = ""

    @property
    def provable(self) -> bool:
        """Whether it is met elsewhere, so that whoever shares says where the proof lies."""
        return self.kind in PROVABLE


def wanting(sharing: Sharing) -> list[Wanting]:
    """Return what the law wants beside for those whom it permits: for how many, and whether it is met.

    Of the notice that says where data came from, each person is asked about when the file is made.
    """
    people: Counter[str] = Counter()
    kinds: dict[str, Merged] = {}
    for told, many in _permitted(sharing):
        for one in _obligations(told):
            kinds[one.kind] = one
            people[one.kind] += many
    all_told = ORIGIN in kinds and _told_origin(sharing)
    return [
        Wanting(
            kind=kind, says=kinds[kind].says, people=many, proof=sharing.proofs.get(kind, ""),
            met=not unmet(sharing, [kinds[kind]], told_origin=all_told),
        )
        for kind, many in people.most_common()
    ]  # fmt: skip


def _told_origin(sharing: Sharing) -> bool:
    """Say whether everybody who must be told from whom we have their data was told."""
    return sharing.looked is not None and not untold(sharing.looked)


def proofs_wanted(sharing: Sharing) -> list[Wanting]:
    """Return for what whoever shares must say where its proof lies."""
    return [one for one in wanting(sharing) if one.provable]


def _permitted(sharing: Sharing) -> Iterator[tuple[Mapping[str, Any], int]]:
    if sharing.looked is not None:
        for finding in sharing.looked.findings.filter(verdict="permit"):
            yield finding.told, finding.people


def _obligations(told: Mapping[str, Any]) -> list[Merged]:
    kinds = book().obligations
    return [
        Merged(
            kind=one["kind"], says=kinds[one["kind"]].says, parameters=one["parameters"], rules=tuple(one["rules"]),
            certain=True,
        )
        for one in told["obligations"]
        if one["kind"] in kinds
    ]  # fmt: skip


def approval_of(sharing: Sharing) -> Approval | None:
    """Return the last request to a second person about just what this sharing is now."""
    from comity.outreach.sharing.actions import APPROVED, request_of

    asked = Approval.objects.filter(kind=APPROVED, digest=digest(APPROVED, request_of(sharing)))
    return asked.order_by("-asked_at").first()


# ---------------------------------------------------------------- who was given what


@dataclass(frozen=True, kw_only=True)
class Given:
    """That a recipient got one person's data: what of it, when, for what; and what they were told of since."""

    recipient: Recipient
    sharing: Sharing
    at: datetime
    passed_on: tuple[str, ...] = ()


def given_of(person: UUID, entity: Entity) -> list[Given]:
    """Return who got a person's data from an entity, the latest first: what an access request asks for."""
    exports = ExportPart.objects.filter(exported__contains=[person], entity=entity).values("export")
    rows = Sharing.objects.filter(export__in=exports, export__fetched_at__isnull=False)
    told = PassedOn.objects.filter(person=person, entity=entity)
    since: dict[UUID, list[str]] = {}
    for one in told:
        since.setdefault(one.sharing_id, []).append(str(one.get_what_display()))
    return [
        Given(
            recipient=row.recipient, sharing=row, at=cast("datetime", cast("Any", row.export).fetched_at),
            passed_on=tuple(since.get(row.ref, ())),
        )
        for row in rows.select_related("recipient", "export").order_by("-export__fetched_at")
    ]  # fmt: skip


# ---------------------------------------------------------------- what recipients were told of


def tellings_seen_by(viewer: Staff) -> QuerySet[Telling]:
    """Return the notices to recipients, the latest first."""
    seen = Telling.objects.filter(entity__in=entities_with(viewer, SEES))
    return seen.select_related("recipient", "entity", "told_by", "acknowledged_by")


def one_telling(viewer: Staff, ref: UUID) -> Telling:
    """Return one notice. Raises Http404."""
    found = tellings_seen_by(viewer).filter(ref=ref).first()
    if found is None:
        raise Http404
    return found


def overdue(tellings: QuerySet[Telling], day: date, patience: date) -> QuerySet[Telling]:
    """Return those that the recipient should have been told by now, or should have acknowledged since."""
    late = Q(told_at=None) & (Q(due_on__lt=day) | Q(made_at__date__lt=day))
    return tellings.filter(late | Q(told_at__date__lt=patience, acknowledged_at=None))


def next_number(recipient: Recipient) -> int:
    """Return the number of the next notice to a recipient; whoever asks has locked them."""
    last = Telling.objects.filter(recipient=recipient).aggregate(last=Max("number"))["last"]
    return (last or 0) + 1
