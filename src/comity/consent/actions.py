"""What a person says about a purpose and channel, put on record: one row of history, and where they stand since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from comity.book.editing.history import keep_past
from comity.book.models import Person, Reach, Relation
from comity.consent.models import Consent, Said, Standing
from comity.consent.notices.models import NoticeVersion
from comity.consent.notices.queries import check_shown
from comity.consent.notices.renewal import ended_by, run_out
from comity.consent.outlasting import note_addresses
from comity.consent.suppression.uses import uses_of
from comity.ledger.actions import record
from comity.ledger.bodies import JSON
from comity.ledger.journal.keeping import keep_after_commit
from comity.staff.models import Entity, Staff

MARKETING: Final = "marketing"
NO_CHANNEL: Final = "none"


@dataclass(frozen=True, kw_only=True)
class About:
    """What it is about: a person, an entity of ours, a purpose and a channel."""

    person: UUID
    entity: Entity
    purpose: str
    channel: str


@transaction.atomic
def give_consent(
    *, about: About, said_at: datetime, notice: str = "", source: str, heard_by: Staff | None,
    express: bool | None = None, separate: bool = False, written: bool = False, parental: bool = False,
    names_caller: bool = False, double_opt_in: bool = False, notice_version: NoticeVersion | None = None,
    notice_language: str = "",
) -> Consent:  # fmt: skip
    """Record a yes: to what wording, where and how. It counts from `said_at`, until something else is said.

    The wording is a published `notice_version` in the language in which it was shown; of others, such as old paper, it
    is named by `notice`. Raises NotShown for a version that was not shown then. A yes to a wording that a later version
    ended runs out at once.
    """
    if notice_version is not None:
        check_shown(notice_version, entity=about.entity, language=notice_language, at=said_at)
        notice = str(notice_version)
    standing = _lock(about)
    consent = _say(
        about, Said.GIVEN, said_at, heard_by, notice=notice, source=source, express=express, separate=separate,
        written=written, parental=parental, names_caller=names_caller, double_opt_in=double_opt_in,
        notice_version=notice_version, notice_language=notice_language,
    )  # fmt: skip
    if _is_latest(consent):
        standing.given, standing.withdrawn, standing.opted_out_on = consent, False, None
        standing.save()
        _run_out_if_ended(standing, notice_version)
    return consent


def _run_out_if_ended(standing: Standing, version: NoticeVersion | None) -> None:
    later = ended_by(version, channel=standing.channel, at=timezone.now()) if version else None
    if later is not None:
        run_out([standing], version=later)


@transaction.atomic
def withdraw_consent(
    *, about: About, said_at: datetime, source: str, heard_by: Staff | None, to_us: bool = True
) -> Consent:
    """Take back a yes, or say no where none was given. The earlier yes stays on record; it stops counting.

    Who says so `to_us` has spoken to us: opt-outs that they did not mention are known not to be. Where the yes bears an
    instant that has not come yet, since some clock was ahead, the no bears it too: no clock makes it the earlier one.
    """
    standing = _lock(about)  # senders hold a share lock on this row
    if standing.given and standing.given.said_at > timezone.now():
        said_at = max(said_at, standing.given.said_at)
    said = Said.WITHDRAWN if standing.given else Said.REFUSED
    consent = _say(about, said, said_at, heard_by, to_us=to_us, source=source)
    if heard_by is not None:
        note_addresses(person=about.person, entity=about.entity, uses=[f"{about.purpose}/{about.channel}"])
    keep_after_commit()
    if _is_latest(consent):
        standing.withdrawn = standing.withdrawn or standing.given is not None
        standing.given, standing.opted_out_on = None, said_at.date()
        standing.save()
    return consent


@transaction.atomic
def object_to_marketing(
    *, person: UUID, entity: Entity, said_at: datetime, source: str, heard_by: Staff | None, to_us: bool = True
) -> Consent:
    """Record that a person objects to direct marketing, by whatever words (GDPR Art. 21(2) and (3)).

    It ends marketing by every channel, and counts from the first time that it was said. It needs no leave of the law:
    to take it down is what the law asks.
    """
    held = Person.objects.select_for_update(of=("self",)).get(ref=person)
    about = About(person=person, entity=entity, purpose=MARKETING, channel=NO_CHANNEL)
    consent = _say(about, Said.OBJECTED, said_at, heard_by, to_us=to_us, source=source)
    if heard_by is not None:
        note_addresses(person=person, entity=entity, uses=[use for reach in Reach for use in uses_of(reach)])
    keep_after_commit()
    if held.objected_at is None or said_at < held.objected_at:
        keep_past([held])
        Person.objects.filter(ref=person).update(objected_at=said_at, changed_at=Now())
    return consent


def _lock(about: About) -> Standing:
    which: dict[str, Any] = {
        "person": about.person,
        "entity": about.entity,
        "purpose": about.purpose,
        "channel": about.channel,
    }
    Standing.objects.get_or_create(**which)
    return Standing.objects.select_for_update().get(**which)


def _say(
    about: About, said: Said, said_at: datetime, heard_by: Staff | None, *, to_us: bool = True, **more: object
) -> Consent:
    consent = Consent.objects.create(
        person=about.person, entity=about.entity, purpose=about.purpose, channel=about.channel,
        said=said, said_at=said_at, heard_by=heard_by, **more,
    )  # fmt: skip
    body = body_of(consent=consent.ref, said=said, purpose=about.purpose, channel=about.channel, entity=about.entity)
    record(kind="consent.said", staff=heard_by.ref if heard_by else None, persons=[about.person], body=body)
    if to_us:
        _heard_from(about)
    return consent


def body_of(*, consent: UUID, said: str, purpose: str, channel: str, entity: Entity) -> dict[str, JSON]:
    """Return what the ledger keeps of one thing said, under `consent.said`."""
    return {
        "consent": str(consent), "said": str(said), "purpose": purpose, "channel": channel, "entity": str(entity.ref)
    }  # fmt: skip


def _heard_from(about: About) -> None:
    """Note that somebody spoke to us: what they did not say no to since, they did not say no to."""
    relations = Relation.objects.select_for_update().filter(person=about.person, entity=about.entity)
    unknown = list(relations.exclude(opt_outs_known=None))
    if unknown:
        keep_past(unknown)
        relations.update(opt_outs_known=None)


def _is_latest(consent: Consent) -> bool:
    """Tell whether nothing overrules this: what was said later does, and at the same instant a no does."""
    same = Consent.objects.counting().filter(
        person=consent.person, entity=consent.entity, purpose=consent.purpose, channel=consent.channel
    )
    overruling = Q(said_at__gt=consent.said_at)
    if consent.said == Said.GIVEN:
        overruling |= Q(said_at=consent.said_at) & ~Q(said=Said.GIVEN)
    return not same.filter(overruling).exists()
