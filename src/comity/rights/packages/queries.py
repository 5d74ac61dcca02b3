"""Who may see which packages. The viewer comes first: it is their entities that count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from comity.rights.packages.links import read_link
from comity.rights.packages.models import Fetch, Package
from comity.rights.packages.planning import KIND
from comity.rights.requests.models import Request
from comity.staff.guards import entities_with
from comity.staff.models import Approval, Entity

if TYPE_CHECKING:
    from comity.staff.models import Staff

SEES: Final = "request.view"


def request_seen_by(viewer: Staff, ref: UUID) -> Request:
    """Return a request of an entity for which the viewer has the word. Raises Http404."""
    rows = Request.objects.filter(entity__in=entities_with(viewer, SEES)).select_related("entity")
    found = rows.filter(pk=ref).first()
    if found is None:
        raise Http404(_("There is nothing here, or it is about an entity for which you do not act."))
    return found


def packages_of(viewer: Staff, request: Request) -> QuerySet[Package]:
    """Return the packages of a request, the latest first."""
    seen = Package.objects.filter(request=request, entity__in=entities_with(viewer, SEES))
    return seen.select_related("entity", "request", "planned_by", "begun_by")


def one_package(viewer: Staff, ref: UUID) -> Package:
    """Return a package of an entity for which the viewer has the word. Raises Http404."""
    seen = Package.objects.filter(entity__in=entities_with(viewer, SEES))
    found = seen.select_related("entity", "request", "planned_by", "begun_by").filter(pk=ref).first()
    if found is None:
        raise Http404(_("There is nothing here, or it is about an entity for which you do not act."))
    return found


def fetches_of(package: Package) -> QuerySet[Fetch]:
    """Return when a package was opened, the latest first."""
    return Fetch.objects.filter(package=package).select_related("by")


def approval_of(package: Package) -> Approval | None:
    """Return what was laid before a second person for this package, the latest, if anything was."""
    return Approval.objects.filter(kind=KIND, request__package=str(package.ref)).order_by("-asked_at").first()


# ---------------------------------------------------------------- for whoever has a link


def entity_behind(link: str) -> UUID:
    """Return of which entity of ours a link is. Raises BadLink."""
    return read_link(link)[1]


def package_behind(link: str) -> Package | None:
    """Return the package that a link leads to, behind the wall of its entity; none if it is no more. Raises BadLink."""
    package, entity, _day = read_link(link)
    return Package.objects.select_related("entity", "request").filter(pk=package, entity=entity).first()


def entity_of(ref: UUID) -> Entity | None:
    """Return an entity of ours."""
    return Entity.objects.filter(ref=ref).first()
