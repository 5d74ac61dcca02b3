"""Lists of people by how they came: by which import, and whether they were told from whom we have their data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.core.exceptions import BadRequest
from django.db.models import Exists, OuterRef, Q
from django.db.models.expressions import RawSQL
from django.utils.formats import date_format
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from comity.book.imports.models import Import
from comity.book.lists.filters import Filter, Group
from comity.book.models import Relation
from comity.outreach.origins.models import Came
from comity.outreach.origins.queries import NOT_THEIRS

if TYPE_CHECKING:
    from comity.book.opening import Look

BROUGHT: Final = (
    "SELECT unnest(persons) FROM book_importbatch WHERE imported_id = ANY (%s::uuid[]) AND undone_at IS NULL"
)


def _by_import(_look: Look, values: Sequence[str]) -> Q:
    try:
        refs = [UUID(value) for value in values]
    except ValueError:
        raise BadRequest("an import is named by its ref; take the filter out of the address") from None
    return Q(ref__in=RawSQL(BROUGHT, [refs]))  # noqa: S611 - our own words; the refs are given beside them


def _import_told(look: Look, value: str) -> str:
    found = Import.objects.filter(ref=value, entity=look.entity).first()
    return date_format(found.begun_at, "DATETIME_FORMAT") if found else say("an import")


def _told(look: Look, values: Sequence[str]) -> Q:
    """Keep those whose data came from others, and who were told so of each origin that we know; or were not."""
    here = Relation.objects.filter(person=OuterRef("pk"), entity=look.entity, source__in=NOT_THEIRS)
    came = Came.objects.filter(person=OuterRef("pk"), entity=look.entity)
    told = Q(Exists(came)) & ~Q(Exists(came.filter(told_at=None)))
    kept = Q()
    for value in values:
        kept |= told if value == "yes" else ~told
    return Q(Exists(here)) & kept


FILTERS: Final = (
    Filter(
        id="import", title=_("Brought in by"), choices=lambda _look: (), told=_import_told, fixed=False,
        keeps=_by_import, group=Group.DEALINGS,
    ),
    Filter(
        id="told", title=_("Told from whom we have it"), keeps=_told, group=Group.DEALINGS,
        choices=lambda _look: [("no", _("Not told yet")), ("yes", _("Told"))],
    ),
)  # fmt: skip
