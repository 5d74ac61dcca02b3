"""What is done with staff, entities and roles: one verb, one transaction, one ledger entry each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from comity.law.vocabulary import FactError
from comity.ledger.actions import record
from comity.staff.approvals import Kind, Said, ask_approval
from comity.staff.facts import facts_of_entity
from comity.staff.guards import demand, may_do, may_handle
from comity.staff.models import Approval, BrokenGlass, Entity, Membership, RoleGrant, Staff, Team, check_role
from comity.staff.roles import roles

if TYPE_CHECKING:
    from allauth.usersessions.models import UserSession
    from django.utils.functional import _StrPromise

LONGEST_GLASS = timedelta(hours=1)
"""For how long glass stays broken at most."""


class TooLate(ValidationError):
    """The time for something is over, or it was done before."""


# ---------------------------------------------------------------- staff


@transaction.atomic
def set_up_first(*, name: str, email: str, password: str) -> Staff:
    """Make the first administrator, of an installation that has no staff. Raises ValidationError."""
    if Staff.objects.exists():
        raise ValidationError(_("There are staff already; an administrator invites more."))
    staff = _new_staff(name=name, email=email)
    validate_password(password, staff)
    staff.set_password(password)
    staff.save()
    grant = _grant(staff=staff, role="administrator", entity=None, reason="first", asked_by=None, granted_by=None)
    record(kind="staff.set-up", body={"staff": staff.ref, "grant": grant.ref, "role": "administrator"})
    return staff


@transaction.atomic
def invite(*, name: str, email: str, invited_by: Staff) -> Staff:
    """Add one of the staff, who sets a password by the link of `comity.staff.queries.way_in`, and has no role yet."""
    demand(invited_by, "staff.change")
    staff = _new_staff(name=name, email=email)
    staff.set_unusable_password()
    staff.save()
    record(kind="staff.invite", body={"staff": staff.ref}, staff=invited_by.ref)
    return staff


@transaction.atomic
def change_staff(*, staff: Staff, name: str, email: str, changed_by: Staff) -> None:
    """Set the name and address of one of the staff. Raises ValidationError."""
    demand(changed_by, "staff.change")
    staff.name, staff.email = name.strip(), email.strip().casefold()
    staff.full_clean(exclude=["password"])
    staff.save()
    record(kind="staff.change", body={"staff": staff.ref}, staff=changed_by.ref)


@transaction.atomic
def shut_out(*, staff: Staff, shut_out_by: Staff) -> None:
    """End somebody's access at once: no more signing in, all sessions closed. What they recorded stays."""
    demand(shut_out_by, "staff.change")
    if staff == shut_out_by:
        raise ValidationError(_("Nobody can shut themselves out; another administrator can."))
    staff.is_active = False
    staff.save()
    _end_sessions(staff)
    record(kind="staff.shut-out", body={"staff": staff.ref}, staff=shut_out_by.ref)


@transaction.atomic
def let_in_again(*, staff: Staff, let_in_by: Staff) -> None:
    """Take shutting out back."""
    demand(let_in_by, "staff.change")
    staff.is_active = True
    staff.save()
    record(kind="staff.let-in", body={"staff": staff.ref}, staff=let_in_by.ref)


@transaction.atomic
def choose_for_oneself(*, staff: Staff, language: str, time_zone: str) -> None:
    """Keep one's own language and time zone. Raises ValidationError."""
    staff.language, staff.time_zone = language, time_zone
    staff.full_clean(exclude=["password"])
    staff.save(update_fields=["language", "time_zone"])
    record(kind="staff.choose", body={"staff": staff.ref}, staff=staff.ref)


# ---------------------------------------------------------------- roles


@transaction.atomic
def ask_for_role(
    *,
    staff: Staff,
    role: str,
    entity: Entity | None,
    reason: str,
    asked_by: Staff,
    begins_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> Approval | RoleGrant:
    """Ask that somebody get a role; a second person approves. As long as nobody else could, it is granted at once."""
    demand(asked_by, "staff.grant", entity)
    check_role(role)
    begins = begins_at or timezone.now()
    if ends_at is not None and ends_at <= begins:
        raise ValidationError(_("A role cannot end before it begins."))
    if not _somebody_else_could_approve(asked_by, staff):
        return _grant_alone(staff=staff, role=role, entity=entity, reason=reason, asked_by=asked_by, ends_at=ends_at)
    request: dict[str, Said] = {
        "staff": staff.ref,
        "role": role,
        "entity": entity.ref if entity else None,
        "begins_at": begins,
        "ends_at": ends_at,
        "reason": reason,
    }
    return ask_approval(kind="role.grant", request=request, reason=reason, asked_by=asked_by, entity=entity)


def _grant_as_asked(approval: Approval) -> None:
    """Grant what an approval allows; the moment it was to begin may have passed meanwhile."""
    asked = approval.request
    staff = Staff.objects.get(pk=asked["staff"])
    if staff.pk == approval.settled_by_id:
        raise ValidationError(_("Nobody approves a role for themselves."))
    grant = _grant(
        staff=staff,
        role=asked["role"],
        entity=Entity.objects.get(pk=asked["entity"]) if asked["entity"] else None,
        reason=approval.reason,
        asked_by=approval.asked_by,
        granted_by=approval.settled_by,
        begins_at=max(datetime.fromisoformat(asked["begins_at"]), timezone.now()),
        ends_at=datetime.fromisoformat(asked["ends_at"]) if asked["ends_at"] else None,
    )
    _record_grant("grant", grant, approval.settled_by, approval=approval.ref)


def _grant_in_words(approval: Approval) -> Iterator[tuple[_StrPromise, object]]:
    asked = approval.request
    entity = Entity.objects.filter(pk=asked["entity"]).first() if asked["entity"] else None
    yield _("Member of the staff"), Staff.objects.filter(pk=asked["staff"]).first()
    yield _("Role"), gettext(roles().roles[asked["role"]].name) if asked["role"] in roles().roles else asked["role"]
    yield _("For"), entity or _("all our entities")
    yield _("From"), date_format(timezone.localtime(datetime.fromisoformat(asked["begins_at"])), "DATETIME_FORMAT")
    if asked["ends_at"]:
        yield _("Until"), date_format(timezone.localtime(datetime.fromisoformat(asked["ends_at"])), "DATETIME_FORMAT")


KINDS_OF_OURS = {
    "role.grant": Kind(
        says=_("Give somebody a role"), ask="staff.grant", effect=_grant_as_asked, shows=_grant_in_words
    ),
    "export.many": Kind(says=_("Export more people than one may alone"), ask="person.export"),
    "erase.many": Kind(says=_("Erase many people"), ask="person.erase"),
    "key.destroy": Kind(says=_("Destroy a key, and with it what it seals"), ask="key.rotate"),
}


@transaction.atomic
def revoke_role(*, grant: RoleGrant, revoked_by: Staff) -> None:
    """Take a role away, at once; that needs no second person."""
    demand(revoked_by, "staff.grant", grant.entity_id)
    if grant.revoked_at is not None:
        raise TooLate(_("This role was taken away before."))
    grant.revoked_at, grant.revoked_by = timezone.now(), revoked_by
    grant.save()
    _record_grant("revoke", grant, revoked_by)


# ---------------------------------------------------------------- entities and teams


@transaction.atomic
def save_entity(
    *, entity: Entity | None, name: str, place: str, facts: Mapping[str, object], saved_by: Staff
) -> Entity:
    """Keep a legal entity of ours, with what the law asks of it. Raises ValidationError, naming fact and choices."""
    demand(saved_by, "entity.change", entity)
    kept = entity or Entity()
    kept.name, kept.place = name.strip(), place
    try:
        kept.facts = facts_of_entity(place, facts)
    except FactError as error:
        raise ValidationError(str(error)) from None
    kept.full_clean()
    kept.save()
    record(kind="staff.entity", body={"entity": kept.ref, "place": place}, staff=saved_by.ref)
    return kept


@transaction.atomic
def form_team(*, entity: Entity, name: str, members: list[Staff], formed_by: Staff) -> Team:
    """Put staff of one entity into a team."""
    demand(formed_by, "staff.change", entity)
    team = Team.objects.create(entity=entity, name=name.strip())
    Membership.objects.bulk_create([Membership(team=team, staff=one) for one in members])
    record(
        kind="staff.team",
        body={"team": team.ref, "entity": entity.ref, "members": [one.ref for one in members]},
        staff=formed_by.ref,
    )
    return team


# ---------------------------------------------------------------- emergencies


@transaction.atomic
def break_glass(
    *,
    staff: Staff,
    entity: Entity,
    person: UUID,
    purpose: str,
    reason: str,
    lasts: timedelta,
    proved_at: datetime | None,
) -> BrokenGlass:
    """Open one person's data beyond one's role, for a while. Raises ValidationError.

    `proved_at` is when a second factor was last shown in this session; it must be fresh. The privacy officer sees every
    broken glass until one has looked into it.
    """
    demand(staff, "glass.break", entity)
    if not reason.strip():
        raise ValidationError(_("Say why: the privacy officer will read it."))
    if not timedelta(0) < lasts <= LONGEST_GLASS:
        raise ValidationError(_("Glass stays broken for an hour at most."))
    now = timezone.now()
    if proved_at is None or not timedelta(0) <= now - proved_at <= FRESH:
        raise ValidationError(_("Show your second factor once more first."))
    may_handle(staff, operation="view", purpose=purpose, field_class="name", entity=entity)  # refuses unknown purposes
    glass = BrokenGlass.objects.create(
        staff=staff,
        entity=entity,
        person=person,
        purpose=purpose,
        reason=reason.strip(),
        began_at=now,
        ends_at=now + lasts,
    )
    record(
        kind="staff.break-glass",
        body={"glass": glass.ref, "entity": entity.ref, "purpose": purpose, "ends_at": glass.ends_at},
        staff=staff.ref,
        persons=[person],
    )
    return glass


FRESH = timedelta(minutes=5)
"""For how long a second factor that was shown counts as just shown."""


@transaction.atomic
def see_glass(*, glass: BrokenGlass, seen_by: Staff) -> None:
    """Say, as the privacy officer, that one has looked into it."""
    demand(seen_by, "ruling.make", glass.entity)
    if glass.staff == seen_by:
        raise ValidationError(_("Another privacy officer must look into this one."))
    glass.seen_by, glass.seen_at = seen_by, timezone.now()
    glass.save()
    record(kind="staff.glass-seen", body={"glass": glass.ref}, staff=seen_by.ref, persons=[glass.person])


# ---------------------------------------------------------------- steps


def _new_staff(*, name: str, email: str) -> Staff:
    staff = Staff(name=name.strip(), email=email.strip().casefold())
    staff.full_clean(exclude=["password"])
    return staff


def _end_sessions(staff: Staff) -> None:
    from allauth.usersessions.models import UserSession

    open_ones: list[UserSession] = list(UserSession.objects.filter(user=staff))
    Session.objects.filter(session_key__in=[one.session_key for one in open_ones]).delete()
    UserSession.objects.filter(user=staff).delete()


def _somebody_else_could_approve(asked_by: Staff, staff: Staff) -> bool:
    others = Staff.objects.filter(is_active=True).exclude(pk__in=[asked_by.pk, staff.pk])
    return any(
        may_do(other, KINDS_OF_OURS["role.grant"].approve) for other in others.filter(grants__isnull=False).distinct()
    )


def _grant_alone(
    *, staff: Staff, role: str, entity: Entity | None, reason: str, asked_by: Staff, ends_at: datetime | None
) -> RoleGrant:
    grant = _grant(
        staff=staff, role=role, entity=entity, reason=reason, asked_by=asked_by, granted_by=None, ends_at=ends_at
    )
    _record_grant("grant-alone", grant, asked_by)
    return grant


def _grant(
    *,
    staff: Staff,
    role: str,
    entity: Entity | None,
    reason: str,
    asked_by: Staff | None,
    granted_by: Staff | None,
    begins_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> RoleGrant:
    return RoleGrant.objects.create(
        staff=staff,
        role=role,
        entity=entity,
        reason=reason,
        asked_by=asked_by,
        granted_by=granted_by,
        begins_at=begins_at or timezone.now(),
        ends_at=ends_at,
    )


def _record_grant(verb: str, grant: RoleGrant, staff: Staff | None, **more: UUID) -> None:
    body = {"grant": grant.ref, "staff": grant.staff_id, "role": grant.role, "entity": grant.entity_id, **more}
    record(kind=f"staff.{verb}", body=body, staff=staff.ref if staff else None)
