"""Reading forms: by those who may see them, and by everybody once they are published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db.models import Count, Max, Prefetch, Q, QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.check.as_json import place_name
from comity.consent.notices.models import CONSENTS, Kind, NoticeVersion
from comity.consent.notices.queries import wording_of
from comity.consent.preferences.wording import CHANNELS, Wording
from comity.outreach.forms.asking import offered
from comity.outreach.forms.models import FormVersion, Submission, WebForm, Young
from comity.post.models import Gateway
from comity.staff.guards import entities_of
from comity.staff.models import Entity

if TYPE_CHECKING:
    from comity.staff.models import Staff

A_MONTH: Final = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class Box:
    """One box of a form, in one language: what a tick of it says yes to."""

    number: int
    channel: str
    version: NoticeVersion
    language: str

    @property
    def purpose(self) -> str:
        """What it is for."""
        return self.version.purpose

    @property
    def use(self) -> tuple[str, str]:
        """Its purpose and channel."""
        return self.purpose, self.channel

    @property
    def label(self) -> str:
        """The words of the yes; where one wording is about several channels, which of them this box is."""
        words = next((part["text"] for part in self._parts if part["block"] == "wording"), "")
        return f"{words} ({CHANNELS[self.channel]})" if len(self.version.channels) > 1 else words

    @property
    def more(self) -> list[dict[str, str]]:
        """What else is told beside it."""
        return [part for part in self._parts if part["block"] != "wording"]

    @property
    def _parts(self) -> list[dict[str, str]]:
        parts: list[dict[str, str]] = self.version.texts.get(self.language, [])
        return parts

    @property
    def wording(self) -> Wording:
        """The same as a consent keeps it."""
        text = wording_of(self.version, self.language)
        if len(self.version.channels) > 1:
            text = f"{text} ({CHANNELS[self.channel]})"
        return Wording(text=text, notice=str(self.version), language=self.language, version=self.version)


def boxes_of(version: FormVersion, language: str) -> list[Box]:
    """Return the boxes of a form in their order; one whose wording is gone is left out."""
    refs = [UUID(one["notice"]) for one in version.asks]
    known = NoticeVersion.objects.select_related("notice").in_bulk(refs)
    return [
        Box(number=number, channel=one["channel"], version=known[ref], language=language)
        for number, (one, ref) in enumerate(zip(version.asks, refs, strict=True))
        if ref in known
    ]


def places_of(version: FormVersion, language: str) -> list[tuple[str, str]]:
    """Return the places that somebody can choose, by name: those to whose people a confirmation may be sent today."""
    asks_age = version.young != Young.NOT_ASKED
    codes = offered(version.entity_id, version.places, timezone.localdate(), asks_age=asks_age)
    return sorted(
        ((code, place_name(code, chinese=language.startswith("zh"))) for code in codes), key=lambda one: one[1]
    )


# ---------------------------------------------------------------- by staff


def forms_seen_by(viewer: Staff) -> QuerySet[WebForm]:
    """Return the forms of the entities for which somebody acts."""
    published = Q(versions__published_at__isnull=False)
    return (
        WebForm.objects.filter(entity__in=entities_of(viewer))
        .select_related("entity", "sender", "gateway")
        .annotate(
            version=Max("versions__number", filter=published),
            drafts=Count("versions", filter=Q(versions__published_at=None), distinct=True),
            changed_at=Max("versions__changed_at"),
        )
    )


def one_form(viewer: Staff, ref: UUID) -> WebForm:
    """Return one form with its versions, the latest first. Raises Http404."""
    versions = FormVersion.objects.select_related("entity", "form", "published_by", "notice__notice")
    found = forms_seen_by(viewer).filter(pk=ref).prefetch_related(Prefetch("versions", versions)).first()
    if found is None:
        raise Http404(_("There is no such form. The draft may have been thrown away."))
    return found


def draft_of(form: WebForm) -> FormVersion | None:
    """Return what is being drafted of a form that `one_form` returned."""
    return next((each for each in form.versions.all() if each.published_at is None), None)


def shown_of(form: WebForm) -> FormVersion | None:
    """Return what people are shown of a form that `one_form` returned."""
    return next((each for each in form.versions.all() if each.published_at), None)


def counts_of(form: WebForm) -> dict[str, int]:
    """Return how many came in by a form within a month, how many of them wait, and how many guardians are to check."""
    rows = Submission.objects.filter(version__form=form)
    lately = rows.filter(said_at__gt=timezone.now() - A_MONTH)
    return {"came": lately.count(), "waiting": rows.waiting().count(), "to_check": rows.to_check().count()}


def to_check_of(form: WebForm) -> list[Submission]:
    """Return what guardians confirmed of whom nobody looked yet whether they are such."""
    return list(Submission.objects.to_check().filter(version__form=form).select_related("version__form", "entity"))


def one_to_check(viewer: Staff, ref: UUID) -> Submission:
    """Return one of them. Raises Http404."""
    rows = Submission.objects.to_check().filter(entity__in=entities_of(viewer), pk=ref)
    found = rows.select_related("version__form", "entity").first()
    if found is None:
        raise Http404(_("Nothing waits here: it was settled, or never there."))
    return found


# ---------------------------------------------------------------- what a form may be made of


def wordings_to_ask(entity: Entity) -> list[tuple[str, str]]:
    """Return the boxes that a form of this entity can have: each published wording that is shown now, by channel."""
    rows = NoticeVersion.objects.shown_at(timezone.now()).filter(entity=entity, notice__kind__in=CONSENTS)
    latest = _latest(rows.select_related("notice").order_by("notice__name", "-number"))
    return [
        (f"{row.ref}/{channel}", f"{row} · {CHANNELS.get(channel, channel)}")
        for row in latest
        for channel in row.channels
    ]


def notices_to_show(entity: Entity) -> list[tuple[str, str]]:
    """Return the privacy notices that a form of this entity can show."""
    rows = NoticeVersion.objects.shown_at(timezone.now()).filter(entity=entity, notice__kind=Kind.DIRECT)
    latest = _latest(rows.select_related("notice").order_by("notice__name", "-number"))
    return [(str(row.ref), str(row)) for row in latest]


def notice_chosen(chosen: str) -> NoticeVersion | None:
    """Return what `notices_to_show` offered under this ref."""
    rows = NoticeVersion.objects.published().select_related("notice")
    return rows.filter(pk=chosen).first() if chosen else None


def _latest(rows: Sequence[NoticeVersion] | QuerySet[NoticeVersion]) -> list[NoticeVersion]:
    seen: dict[UUID, NoticeVersion] = {}
    for row in rows:
        seen.setdefault(row.notice_id, row)
    return list(seen.values())


def is_latest(version: NoticeVersion) -> bool:
    """Tell whether a version is the one that its notice shows now."""
    rows = NoticeVersion.objects.shown_at(timezone.now()).filter(notice=version.notice_id)
    return rows.first() == version


def ways_of(entity: Entity) -> QuerySet[Gateway]:
    """Return the gateways by which an entity's confirmations can go out."""
    return Gateway.objects.filter(entity=entity, channel="email", ended_at=None)


# ---------------------------------------------------------------- by everybody


def walls_of_forms() -> list[UUID]:
    """Return the refs of all our entities: whoever has its address may fill in what one of them published."""
    return list(Entity.objects.values_list("ref", flat=True))


def public_form(ref: UUID) -> FormVersion | None:
    """Return what a form shows now, by the ref in the address; a withdrawn one has `form.withdrawn_at`."""
    rows = FormVersion.objects.published().select_related("form__entity", "form__sender", "form__gateway", "entity")
    return rows.select_related("notice__notice").filter(form=ref).order_by("-number").first()
