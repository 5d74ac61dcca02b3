"""What happened between a person and an entity of ours, a page at a time: activities, and what they said to us."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from comity.book.models import Activity, Doing
from comity.book.queries import activities_of
from comity.consent.models import Consent, Said
from comity.outreach.correspondence.models import Mail, Occasion
from comity.outreach.correspondence.queries import VERDICT_AT, Where, mails_to, whereabouts
from comity.outreach.correspondence.writing import mail_label
from comity.post.models import Stage
from comity.refs import read_ref, shown
from comity.vault.sealing import FieldClass, Label

if TYPE_CHECKING:
    from comity.book.models import Person
    from comity.book.opening import Look, Seen

A_PAGE: Final = 20
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
ICONS: Final = {
    Doing.CALL: "phone", Doing.MAIL: "mail", Doing.MEETING: "users-round", Doing.NOTE: "sticky-note",
    Doing.ORDER: "shopping-cart",
}  # fmt: skip
VERDICT_OF: Final = {
    Said.GIVEN: "permit", Said.REFUSED: "deny", Said.WITHDRAWN: "deny", Said.EXPIRED: "ask", Said.OBJECTED: "deny",
    Said.MISTAKEN: "",
}  # fmt: skip
SAID_ICONS: Final = {Said.GIVEN: "circle-check", Said.OBJECTED: "octagon-x", Said.MISTAKEN: "eraser"}


@dataclass(frozen=True, kw_only=True)
class Rows:
    """One page of what happened, not opened yet; and where the next one begins, if there is one."""

    activities: Sequence[Activity] = ()
    consents: Sequence[Consent] = ()
    mails: Sequence[Mail] = ()
    next: str = ""

    @property
    def labels(self) -> list[Label]:
        """Where the texts of the activities and mails are sealed."""
        return [*self.of_activities, *map(mail_label, self.mails)]

    @property
    def of_activities(self) -> list[Label]:
        """Where the texts of the activities are sealed."""
        return [Label(each.person_id, FieldClass.NOTE, "activity", each.ref) for each in self.activities]


@dataclass(frozen=True, kw_only=True)
class Happened:
    """One thing that happened, as the page shows it."""

    ref: UUID
    at: datetime
    title: str
    icon: str
    text: str = ""
    sealed: bool = False
    by: str = ""
    verdict: str = ""
    purpose: str = ""
    channel: str = ""
    notice: str = ""
    own: bool = False
    said: bool = False  # by the person, and it counts
    mistaken: bool = False
    where: Where | None = None  # a mail of ours is
    subject: str = ""
    wrote: bool = False  # the viewer did


@dataclass(frozen=True, kw_only=True)
class Day:
    """A day with what happened on it, in the reader's time zone."""

    day: date
    entries: Sequence[Happened] = field(default_factory=list)


def rows_before(person: Person, look: Look, cursor: str) -> Rows:
    """Return the page that begins after `cursor`: what `next` of the page before says; empty for the first."""
    wrote = mails_to(person.ref, look.entity)
    happened = activities_of(person, [look.entity.ref]).exclude(ref__in=wrote.values("ref"))  # a mail stands once
    activities, mails = _before(happened, "at", cursor), _before(wrote, "written_at", cursor)
    said = Consent.objects.filter(person=person.ref, entity=look.entity).select_related("correction", "corrects")
    consents = _before(said.order_by("-said_at", "-ref"), "said_at", cursor)
    stamped = [(each.at, each.ref, each) for each in activities] + [(each.said_at, each.ref, each) for each in consents]
    stamped += [(each.written_at, each.ref, each) for each in mails]
    page = sorted(stamped, key=lambda row: row[:2], reverse=True)
    more, page = len(page) > A_PAGE, page[:A_PAGE]
    return Rows(
        activities=[row for _at, _ref, row in page if isinstance(row, Activity)],
        consents=[row for _at, _ref, row in page if isinstance(row, Consent)],
        mails=[row for _at, _ref, row in page if isinstance(row, Mail)],
        next=_cursor(*page[-1][:2]) if more else "",
    )


def _before(rows: QuerySet[Any], moment: str, cursor: str) -> list[Any]:
    if place := _place(cursor):
        at, ref = place
        rows = rows.filter(Q(**{f"{moment}__lt": at}) | Q(**{moment: at, "ref__lt": ref}))
    return list(rows[: A_PAGE + 1])


def _cursor(at: datetime, ref: UUID) -> str:
    return f"{(at - EPOCH) // MICROSECOND}_{shown(ref)}"


def _place(cursor: str) -> tuple[datetime, UUID] | None:
    """Read a cursor. One that is none begins at the top."""
    at, _sign, ref = cursor.partition("_")
    try:
        return EPOCH + int(at) * MICROSECOND, read_ref(ref)
    except (ValueError, OverflowError):
        return None


def days_of(rows: Rows, look: Look, seen: Seen) -> list[Day]:
    """Return what happened by days, the latest first."""
    happened = [*_activities(rows, look, seen), *_said(rows), *_written(rows, look, seen)]
    happened.sort(key=lambda entry: (entry.at, entry.ref), reverse=True)
    by_day = groupby(happened, key=lambda entry: timezone.localtime(entry.at).date())
    return [Day(day=day, entries=list(entries)) for day, entries in by_day]


def _activities(rows: Rows, look: Look, seen: Seen) -> Iterator[Happened]:
    for each, label in zip(rows.activities, rows.of_activities, strict=True):
        fields = seen.opened.get(label)
        title = str(Doing(each.doing).label)
        if each.minutes:
            title = _("%(what)s, %(n)d minutes") % {"what": title, "n": each.minutes}
        yield Happened(
            ref=each.ref, at=each.at, title=title, icon=ICONS[Doing(each.doing)], sealed=fields is None,
            text=str(fields.get("text", "")) if fields else "", by=each.staff.name if each.staff else "",
            own=fields is not None and each.staff_id == look.viewer.ref,
        )  # fmt: skip


def _said(rows: Rows) -> Iterator[Happened]:
    for each in rows.consents:
        said, mistaken = Said(each.said), hasattr(each, "correction")
        yield Happened(
            ref=each.ref, at=each.said_at, title=str(said.label), icon=SAID_ICONS.get(said, "ban"), by=each.source,
            verdict="" if mistaken else VERDICT_OF[said], purpose=each.purpose, channel=each.channel,
            notice=each.notice, text=_what_was_wrong(each), mistaken=mistaken,
            said=not mistaken and said != Said.MISTAKEN,
        )  # fmt: skip


def _written(rows: Rows, look: Look, seen: Seen) -> Iterator[Happened]:
    """Give our mails to this person, with where each is."""
    where = whereabouts(rows.mails)
    for each in rows.mails:
        fields, stands = seen.opened.get(mail_label(each)), where.get(each.ref)
        yield Happened(
            ref=each.ref, at=each.written_at, title=str(Occasion(each.occasion).label), icon="mail", where=stands,
            sealed=fields is None, by=each.dispatch.staff.name, wrote=each.dispatch.staff_id == look.viewer.ref,
            subject=str((fields or {}).get("subject", "")), text=str((fields or {}).get("body", "")),
            verdict=VERDICT_AT.get(Stage(stands.stage), "") if stands else "",
        )  # fmt: skip


def _what_was_wrong(correction: Consent) -> str:
    """Say which row a correction is about, and why."""
    if correction.corrects is None:
        return ""
    mistaken = correction.corrects
    told = {
        "what": str(Said(mistaken.said).label), "day": date_format(timezone.localtime(mistaken.said_at)),
        "why": correction.get_why_display(),
    }  # fmt: skip
    return _("“%(what)s” of %(day)s. %(why)s.") % told
