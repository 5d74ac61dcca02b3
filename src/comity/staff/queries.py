"""Who may see which staff, grants, approvals and entities. The viewer comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from django.db.models import Max, Model, Q, QuerySet
from django.http import Http404
from django.urls import reverse
from django.utils import timezone

from comity.staff.approvals import KINDS
from comity.staff.guards import demand, entities_of, may_do
from comity.staff.models import Approval, BrokenGlass, Entity, RoleGrant, Staff

if TYPE_CHECKING:
    from collections.abc import Iterable

Row = TypeVar("Row", bound=Model)


def staff_seen_by(viewer: Staff) -> QuerySet[Staff]:
    """Return all staff, for those who may see who works here; else oneself."""
    seen = Staff.objects.all() if may_do(viewer, "staff.view") else Staff.objects.filter(pk=viewer.pk)
    return seen.annotate(seen_at=Max("last_login"))


def one_of_staff(viewer: Staff, ref: UUID) -> Staff:
    """Return one of the staff. Raises Http404."""
    return _one(staff_seen_by(viewer), ref)


def roles_of(staff: Iterable[Staff]) -> dict[UUID, list[RoleGrant]]:
    """Return the standing grants of each."""
    found: dict[UUID, list[RoleGrant]] = {one.ref: [] for one in staff}
    for grant in RoleGrant.objects.standing(timezone.now()).filter(staff__in=list(found)).select_related("entity"):
        found[grant.staff_id].append(grant)
    return found


def grants_of(viewer: Staff, staff: Staff) -> QuerySet[RoleGrant]:
    """Return every role somebody has or had, newest first."""
    if viewer != staff:
        demand(viewer, "staff.view")
    return staff.grants.select_related("entity", "asked_by", "granted_by", "revoked_by").order_by("-begins_at")


def one_grant(viewer: Staff, ref: UUID) -> RoleGrant:
    """Return one grant. Raises Http404."""
    demand(viewer, "staff.view")
    return _one(RoleGrant.objects.select_related("staff", "entity"), ref)


def entities_seen_by(viewer: Staff) -> QuerySet[Entity]:
    """Return the entities for which somebody acts."""
    return Entity.objects.filter(pk__in=entities_of(viewer))


def one_entity(viewer: Staff, ref: UUID) -> Entity:
    """Return one entity. Raises Http404."""
    return _one(entities_seen_by(viewer), ref)


def approvals_seen_by(viewer: Staff) -> QuerySet[Approval]:
    """Return what was laid before a second person, newest first: all, or what one asked for oneself."""
    every = Approval.objects.select_related("asked_by", "settled_by", "entity")
    return every if may_do(viewer, "approval.view") else every.filter(asked_by=viewer)


def waiting_for(viewer: Staff) -> QuerySet[Approval]:
    """Return what somebody could settle now: not their own, and in time."""
    kinds = [name for name, kind in KINDS.items() if may_do(viewer, kind.approve)]
    open_ones = approvals_seen_by(viewer).filter(settled_at=None, expires_at__gt=timezone.now(), kind__in=kinds)
    mine = Q(entity=None) | Q(entity__in=entities_of(viewer))
    return open_ones.filter(mine).exclude(asked_by=viewer)


def one_approval(viewer: Staff, ref: UUID) -> Approval:
    """Return one request. Raises Http404."""
    return _one(approvals_seen_by(viewer), ref)


def usable_approval(viewer: Staff, kind: str, digest: bytes) -> Approval | None:
    """Return what the viewer asked for in just these words, if it waits or was approved and can still be used."""
    asked = Approval.objects.filter(kind=kind, digest=digest, asked_by=viewer, used_at=None)
    return asked.filter(expires_at__gt=timezone.now()).exclude(approved=False).first()


def glass_to_see(viewer: Staff) -> QuerySet[BrokenGlass]:
    """Return the broken glass that a privacy officer has not looked into."""
    if not may_do(viewer, "ruling.make"):
        return BrokenGlass.objects.none()
    return BrokenGlass.objects.filter(seen_at=None, entity__in=entities_of(viewer)).select_related("staff", "entity")


def one_glass(viewer: Staff, ref: UUID) -> BrokenGlass:
    """Return one broken glass. Raises Http404."""
    return _one(glass_to_see(viewer), ref)


def way_in(viewer: Staff, staff: Staff) -> str:
    """Return the path by which somebody sets a password, once: to be given to them by whoever invited them."""
    from allauth.account.forms import default_token_generator
    from allauth.account.utils import user_pk_to_url_str

    demand(viewer, "staff.change")
    named = {"uidb36": user_pk_to_url_str(staff), "key": default_token_generator.make_token(staff)}
    return reverse("account_reset_password_from_key", kwargs=named)


def _one(rows: QuerySet[Row], ref: UUID) -> Row:
    found = rows.filter(pk=ref).first()
    if found is None:
        raise Http404
    return found
