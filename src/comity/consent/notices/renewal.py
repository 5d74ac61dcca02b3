"""Asking again: yeses to an earlier wording stop counting where a later version says that what was agreed to changed.

What was said stays on record. For each person a row says from when their yes ran out and which version ended it; the
standing row, which the law's facts are read from and which senders lock, has no yes any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import transaction

from comity.consent.models import Consent, Said, Standing
from comity.consent.notices.models import NoticeVersion
from comity.ledger.actions import Draft, record_many

if TYPE_CHECKING:
    from comity.staff.models import Entity

BATCH: Final = 500
"""Persons a transaction: senders wait for no longer than that takes."""


def end_later(*, version: NoticeVersion) -> None:
    """Let a worker end the earlier yeses when the version begins, once this transaction is committed."""
    from comity.consent.notices.jobs import end_earlier

    at_once = version.begins_at == version.published_at
    job = end_earlier.configure(schedule_at=None if at_once else version.begins_at)
    job.defer(version=str(version.ref), entity=str(version.entity_id))


def ended_by(version: NoticeVersion, *, channel: str, at: datetime) -> NoticeVersion | None:
    """Return the later version that ended yeses to this one by that channel before `at`, if one did."""
    later = NoticeVersion.objects.published().filter(
        notice=version.notice_id, number__gt=version.number, begins_at__lte=at, ends_for__contains=[channel]
    )
    return later.order_by("begins_at").first()


@transaction.atomic
def end_some(*, version: NoticeVersion, many: int = BATCH) -> int:
    """End the yeses of so many persons who agreed to an earlier version; return of how many, 0 when all are done.

    Rows are locked in the order in which senders lock them, so that neither waits for the other for ever.
    """
    earlier = NoticeVersion.objects.published().filter(notice=version.notice_id, number__lt=version.number)
    rows = Standing.objects.select_for_update(of=("self",)).select_related("given").filter(
        entity=version.entity_id, channel__in=version.ends_for, given__notice_version__in=earlier
    ).order_by("person")[:many]  # fmt: skip
    standing = list(rows)
    run_out(standing, version=version)
    return len(standing)


def run_out(standing: Iterable[Standing], *, version: NoticeVersion) -> None:
    """Say of each that its yes ran out, because of this version; the caller holds the rows."""
    ending = [(row, _expiry(row, row.given, version)) for row in standing if row.given is not None]
    Consent.objects.bulk_create([consent for _, consent in ending])
    Standing.objects.filter(pk__in=[row.pk for row, _ in ending]).update(given=None)
    record_many(drafts=[_entry(consent, version.entity_id) for _, consent in ending])


def _expiry(row: Standing, given: Consent, version: NoticeVersion) -> Consent:
    begins_at = version.begins_at or given.said_at
    return Consent(
        person=row.person, entity_id=row.entity_id, purpose=row.purpose, channel=row.channel, said=Said.EXPIRED,
        said_at=max(begins_at, given.said_at), notice=str(version), notice_version=version,
    )  # fmt: skip


def _entry(consent: Consent, entity: UUID) -> Draft:
    body = {
        "consent": str(consent.ref), "said": str(consent.said), "purpose": consent.purpose, "channel": consent.channel,
        "entity": str(entity),
    }  # fmt: skip
    return Draft(kind="consent.said", persons=[consent.person], body=body)


def agreeing(version: NoticeVersion, entity: Entity) -> int:
    """Return how many standing yeses rest on this version."""
    return Standing.objects.filter(entity=entity, given__notice_version=version).count()
