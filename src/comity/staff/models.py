"""Who logs in, for which entity of ours, in which role, and what a second person must approve."""

from __future__ import annotations

import zoneinfo
from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from comity.refs import new_ref
from comity.staff.roles import roles

APPROVAL_STANDS = timedelta(hours=24)
"""How long a request waits for its second person, and how long an approval may then be used."""


def check_time_zone(name: str) -> None:
    """Refuse what the time zone database does not have."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(_("There is no time zone %(name)s; write it like Europe/Dublin."), params={"name": name})


def check_role(name: str) -> None:
    """Refuse a role that roles.toml does not have."""
    if name not in roles().roles:
        raise ValidationError(_("There is no role %(name)s."), params={"name": name})


class StaffRows(BaseUserManager["Staff"]):
    """Staff by e-mail address, in whatever case it is written."""

    def get_by_natural_key(self, username: str | None) -> Staff:
        return self.get(email__iexact=username)


class Staff(AbstractBaseUser):
    """Somebody who logs in."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=200)
    language = models.CharField(_("language"), max_length=20, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[check_time_zone])
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[StaffRows] = StaffRows()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        ordering = ["name", "ref"]
        constraints = [models.UniqueConstraint(Lower("email"), name="staff_email_in_any_case")]

    def __str__(self) -> str:
        return self.name


class Entity(models.Model):
    """A legal entity of ours: the controller of what it keeps about people."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    name = models.CharField(_("name"), max_length=200, unique=True)
    place = models.CharField(_("established in"), max_length=6)
    facts = models.JSONField(default=dict, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Team(models.Model):
    """Staff of one entity who share lists and views."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="teams")
    name = models.CharField(_("name"), max_length=200)
    members: models.ManyToManyField[Staff, Membership] = models.ManyToManyField(
        Staff, through="Membership", related_name="teams"
    )

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint("entity", Lower("name"), name="team_name_once_an_entity")]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """One of the staff in one team."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    team = models.ForeignKey(Team, models.CASCADE, related_name="memberships")
    staff = models.ForeignKey(Staff, models.CASCADE, related_name="memberships")

    class Meta:
        constraints = [models.UniqueConstraint("team", "staff", name="in_a_team_once")]


class RoleGrants(models.QuerySet["RoleGrant"]):
    """Grants in the words of those who ask for them."""

    def standing(self, at: datetime) -> Self:
        """Those that count at that moment."""
        return self.filter(
            Q(ends_at=None) | Q(ends_at__gt=at),
            Q(revoked_at=None) | Q(revoked_at__gt=at),
            begins_at__lte=at,
            staff__is_active=True,
        )


class RoleGrant(models.Model):
    """A role that somebody has, for one entity or for all, from and until."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    staff = models.ForeignKey(Staff, models.PROTECT, related_name="grants")
    role = models.CharField(_("role"), max_length=40, validators=[check_role])
    entity = models.ForeignKey(Entity, models.PROTECT, null=True, blank=True, related_name="grants")
    reason = models.TextField(_("reason"))
    asked_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    granted_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")

    objects = RoleGrants.as_manager()

    class Meta:
        ordering = ["begins_at", "ref"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at=None) | Q(ends_at__gt=F("begins_at")), name="grant_ends_later"),
        ]

    def __str__(self) -> str:
        return f"{self.role} ({self.ref})"


class Approval(models.Model):
    """What somebody asks for and somebody else must approve, bound to the very request by its digest."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    kind = models.CharField(max_length=60)
    request = models.JSONField()
    digest = models.BinaryField(max_length=32)
    reason = models.TextField(_("reason"))
    entity = models.ForeignKey(Entity, models.PROTECT, null=True, related_name="+")
    asked_by = models.ForeignKey(Staff, models.PROTECT, related_name="asked_approvals")
    asked_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    settled_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    settled_at = models.DateTimeField(null=True)
    approved = models.BooleanField(null=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-asked_at", "-ref"]
        constraints = [
            # INVARIANT: nobody approves what they asked for.
            models.CheckConstraint(condition=Q(settled_by=None) | ~Q(settled_by=F("asked_by")), name="four_eyes"),
            models.CheckConstraint(condition=Q(used_at=None) | Q(approved=True), name="used_only_once_approved"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.ref})"


class BrokenGlass(models.Model):
    """Somebody opened one person's data beyond their role, in an emergency: why, for how long, and who has seen it."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    staff = models.ForeignKey(Staff, models.PROTECT, related_name="broken_glass")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    person = models.UUIDField()
    purpose = models.CharField(max_length=40)
    reason = models.TextField(_("reason"))
    began_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField()
    seen_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    seen_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-began_at"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("began_at")), name="glass_mends"),
            # INVARIANT: whoever broke the glass is not the one who looked into it.
            models.CheckConstraint(condition=Q(seen_by=None) | ~Q(seen_by=F("staff")), name="glass_seen_by_another"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} ({self.ref})"
