"""Reading what people keep of their lists. Whoever looks comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import Http404

from comity.book.lists.models import FirstView, SavedView, Together
from comity.refs import new_ref
from comity.staff.guards import entities_of
from comity.staff.once import Once

if TYPE_CHECKING:
    from comity.staff.models import Entity, Staff


def views_seen_by(viewer: Staff) -> QuerySet[SavedView]:
    """Return the viewer's own views, and those that are shared with an entity for which they act."""
    mine = Q(owner=viewer) | Q(shared=True)
    return SavedView.objects.filter(mine, entity__in=entities_of(viewer)).select_related("owner")


VIEWS: Final = Once(
    lambda viewer, entity: SavedView.objects.filter(Q(owner=viewer) | Q(shared=True), entity=entity),
    new_ref(), new_ref(),
)  # fmt: skip


def views_on(viewer: Staff, entity: Entity) -> list[SavedView]:
    """Return those of `views_seen_by` that are of one entity."""
    return VIEWS(viewer.ref, entity.ref) if entity.ref in entities_of(viewer) else []


def one_view(viewer: Staff, ref: UUID) -> SavedView:
    """Return one view. Raises Http404."""
    found = views_seen_by(viewer).filter(ref=ref).select_related("owner", "entity").first()
    if found is None:
        raise Http404
    return found


def own_view(viewer: Staff, ref: UUID) -> SavedView:
    """Return a view that is the viewer's to change. Raises Http404."""
    found = one_view(viewer, ref)
    if found.owner_id != viewer.ref:
        raise Http404
    return found


def first_view_of(viewer: Staff) -> SavedView | None:
    """Return the view that opens first for the viewer, if they chose one and may still see it."""
    chosen = FirstView.objects.filter(staff=viewer).values_list("view_id", flat=True).first()
    return views_seen_by(viewer).filter(ref=chosen).first() if chosen else None


def one_together(viewer: Staff, ref: UUID) -> Together:
    """Return one thing that the viewer did with many at once. Raises Http404."""
    found = Together.objects.filter(ref=ref, staff=viewer, entity__in=entities_of(viewer)).first()
    if found is None:
        raise Http404
    return found
