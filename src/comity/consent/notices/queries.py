"""Reading notices: by those who may see them, by everybody once they are published, and for what consents refer to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Count, Max, Prefetch, Q, QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.consent.models import Standing
from comity.consent.notices.blocks import language_name
from comity.consent.notices.models import CONSENTS, Kind, Notice, NoticeVersion
from comity.staff.guards import entities_of
from comity.staff.models import Entity

if TYPE_CHECKING:
    from comity.staff.models import Staff


class NotShown(ValidationError):
    """Nobody can have said yes to this wording then; the message says why."""


# ---------------------------------------------------------------- by staff


def notices_seen_by(viewer: Staff) -> QuerySet[Notice]:
    """Return the notices of the entities for which somebody acts."""
    published = Q(versions__published_at__isnull=False)
    return (
        Notice.objects.filter(entity__in=entities_of(viewer))
        .select_related("entity")
        .annotate(
            version=Max("versions__number", filter=published),
            drafts=Count("versions", filter=Q(versions__published_at=None)),
            changed_at=Max("versions__changed_at"),
        )
    )


def one_notice(viewer: Staff, ref: UUID) -> Notice:
    """Return one notice with its versions, the latest first. Raises Http404."""
    versions = NoticeVersion.objects.select_related("entity", "notice", "published_by", "drafted_by")
    found = notices_seen_by(viewer).filter(pk=ref).prefetch_related(Prefetch("versions", versions)).first()
    if found is None:
        raise Http404(_("There is no such notice. The draft may have been thrown away."))
    return found


def one_version(viewer: Staff, ref: UUID, number: int) -> NoticeVersion:
    """Return one version of a notice. Raises Http404."""
    found = next((each for each in one_notice(viewer, ref).versions.all() if each.number == number), None)
    if found is None:
        raise Http404(_("This notice has no such version."))
    return found


def draft_of(notice: Notice) -> NoticeVersion | None:
    """Return what is being drafted of a notice that `one_notice` returned."""
    return next((each for each in notice.versions.all() if each.published_at is None), None)


def standing_on(versions: Sequence[NoticeVersion]) -> dict[UUID, int]:
    """Return how many standing yeses rest on each of these versions."""
    rows = Standing.objects.filter(given__notice_version__in=versions).values_list("given__notice_version")
    return dict(rows.annotate(many=Count("pk")))


# ---------------------------------------------------------------- by everybody


def walls_of_notices() -> list[UUID]:
    """Return the refs of all our entities: whoever has its address may read what one of them published."""
    return list(Entity.objects.values_list("ref", flat=True))


def public_version(ref: UUID) -> NoticeVersion | None:
    """Return a published version, or of a notice the one that is shown now, by the ref in the address."""
    rows = NoticeVersion.objects.select_related("notice", "entity")
    one = rows.published().filter(pk=ref).first()
    return one or rows.shown_at(timezone.now()).filter(notice=ref).first()


def shown_by(entity: Entity, kind: Kind) -> Notice | None:
    """Return the notice of that kind that an entity shows people now; of several, the one that began last."""
    rows = NoticeVersion.objects.shown_at(timezone.now()).filter(entity=entity, notice__kind=kind)
    version = rows.select_related("notice").first()
    return version.notice if version else None


def other_versions(version: NoticeVersion) -> list[NoticeVersion]:
    """Return the published versions of its notice, the latest first."""
    return list(NoticeVersion.objects.published().filter(notice=version.notice_id).order_by("-number"))


# ---------------------------------------------------------------- what consents refer to


def wordings_offered(entity: Entity) -> list[tuple[str, str]]:
    """Return the published wordings that one can have said yes to, in each language, the latest first.

    Each is what `wording_chosen` reads, and how it is called: "Newsletter v3 · Deutsch".
    """
    rows = NoticeVersion.objects.published().select_related("notice").filter(entity=entity, notice__kind__in=CONSENTS)
    return [
        (f"{row.ref}/{language}", f"{row} · {language_name(language)}")
        for row in rows.order_by("notice__name", "-number")
        for language in row.languages
    ]


def wording_chosen(entity: Entity, chosen: str) -> tuple[NoticeVersion | None, str]:
    """Return the version and language that `wordings_offered` offered under these words."""
    ref, _slash, language = chosen.partition("/")
    rows = NoticeVersion.objects.published().select_related("notice", "entity")
    version = rows.filter(entity=entity, pk=ref).first() if chosen else None
    return version, language if version else ""


def wording_of(version: NoticeVersion, language: str = "") -> str:
    """Return what people were shown, as text: each block under its title; in the first language if none is named."""
    parts = version.texts.get(language or version.languages[0], [])
    return "\n\n".join("\n".join(filter(None, [part["title"], part["text"]])) for part in parts)


def check_shown(version: NoticeVersion, *, entity: Entity, language: str, at: datetime) -> None:
    """Refuse what nobody can have been shown then. Raises NotShown."""
    if version.published_at is None or version.begins_at is None or version.entity_id != entity.ref:
        raise NotShown(_("%(name)s is no wording that %(entity)s has published.") % _names(version, entity))
    if at < version.begins_at.replace(second=0, microsecond=0):  # forms know minutes
        raise NotShown(_("%(name)s was not shown to anybody then. Choose the version of that day.") % _names(version))
    if language not in version.languages:
        raise NotShown(_("%(name)s is not written in this language.") % _names(version))


def _names(version: NoticeVersion, entity: Entity | None = None) -> dict[str, str]:
    return {"name": str(version), "entity": entity.name if entity else ""}
