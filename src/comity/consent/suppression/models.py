"""Addresses that must not be written to, registers of those who want no calls, and the keys that hash them.

Nothing here can be read: an address is a keyed hash (`marks`). So a refusal outlives the person's erasure, and says to
nobody whose it was.
"""

from __future__ import annotations

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from comity.book.models import Reach
from comity.refs import new_ref
from comity.staff.models import Entity, Staff


class Serves(models.TextChoices):
    """What a key outside the database is for; also how its file is called."""

    SUPPRESSION = "suppression", _("Hashes addresses")
    LINKS = "links", _("Makes links")


class KeptKey(models.Model):
    """What the database knows of a key outside it: enough to know it again, and nothing that helps to find it."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    serves = models.CharField(max_length=12, choices=Serves)
    number = models.PositiveSmallIntegerField()
    check_value = models.BinaryField()
    begun_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint("serves", "number", name="consent_key_once"),
            models.CheckConstraint(
                condition=~Q(serves="suppression") | Q(number=1), name="consent_suppression_key_is_made_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.serves} {self.number}"


class Cause(models.TextChoices):
    """Why an address is suppressed."""

    OPTED_OUT = "opted-out", _("Refused")
    COMPLAINED = "complained", _("Reported as spam")
    BOUNCED = "bounced", _("Undeliverable")
    LISTED = "listed", _("From a list")


class SuppressedRows(models.QuerySet["Suppressed"]):
    """The list, in the words of those who ask it."""

    def standing(self) -> Self:
        """Leave out what was released."""
        return self.filter(released_at=None)

    def keeping_from(self, purpose: str, channel: str) -> Self:
        """Return what keeps from this use: an address that does not work does so whatever we have to say."""
        return self.standing().filter(Q(cause=Cause.BOUNCED) | Q(uses__contains=[f"{purpose}/{channel}"]))


class Suppressed(models.Model):
    """An address that one of our entities must not use for some purposes and channels. It outlives whoever it is of.

    A row is never taken away: a fresh yes of that address releases it, and the row says by which consent. A release for
    some of its uses leaves a row of its own for the rest.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    reach = models.CharField(max_length=10, choices=Reach)
    digest = models.BinaryField()
    cause = models.CharField(max_length=10, choices=Cause)
    uses = ArrayField(models.CharField(max_length=61))  # a purpose and a channel: "marketing/sms"
    since = models.DateTimeField()
    source = models.CharField(max_length=60, blank=True)
    added_at = models.DateTimeField(db_default=Now())
    added_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(null=True)
    released_by = models.UUIDField(null=True)  # the consent; no foreign key: the person may be erased

    objects = SuppressedRows.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "entity", "digest", "reach", "cause", condition=Q(released_at=None), name="consent_suppressed_once"
            ),
            models.CheckConstraint(
                condition=Q(released_at=None, released_by=None)
                | Q(released_at__isnull=False, released_by__isnull=False),
                name="consent_released_by_a_yes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reach}, {self.cause} ({self.ref})"


class Subscribers(models.TextChoices):
    """Whose numbers or addresses a register holds."""

    ANY = "", _("Of anybody")
    INDIVIDUAL = "individual", _("Of human beings")
    CORPORATE = "corporate", _("Of companies")


class Register(models.Model):
    """A register of numbers or addresses whose owners want no advertising, as one of our entities holds it.

    Two of our entities hold it twice: a licence to it is of one of them.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    name = models.CharField(_("name"), max_length=80)
    place = models.CharField(_("place"), max_length=6)  # whose law it belongs to
    reach = models.CharField(max_length=10, choices=Reach)
    channels = ArrayField(models.CharField(max_length=20))  # that it keeps from
    subscriber = models.CharField(max_length=10, choices=Subscribers, blank=True, default="")
    version_on = models.DateField(null=True)  # the day of the version that is in `Listed`
    imported_at = models.DateTimeField(null=True)
    imported_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    entries = models.PositiveIntegerField(default=0)
    checked_at = models.DateTimeField(null=True)  # when people were last compared with it, all of them
    ended_at = models.DateTimeField(null=True)  # the register is no more, or we read it no more

    class Meta:
        ordering = ["place", "name"]
        constraints = [models.UniqueConstraint("entity", "place", "name", name="consent_register_once")]

    def __str__(self) -> str:
        return self.name


class Listed(models.Model):
    """One entry of the version of a register that counts."""

    pk = models.CompositePrimaryKey("register", "digest")
    register = models.ForeignKey(Register, models.PROTECT, related_name="listed", db_index=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+", db_index=False)
    digest = models.BinaryField()


class Looked(models.Model):
    """That a contact point was looked for in a version of a register, and whether it stood there.

    It goes when the number under the contact point becomes another one: PostgreSQL sees to it (0005_suppression).
    """

    pk = models.CompositePrimaryKey("point", "register")
    point = models.UUIDField()
    register = models.ForeignKey(Register, models.PROTECT, related_name="+")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+", db_index=False)
    person = models.UUIDField(db_index=True)
    version_on = models.DateField()
    found = models.BooleanField()
    looked_at = models.DateTimeField(db_default=Now())
