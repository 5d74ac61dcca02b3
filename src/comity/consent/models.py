"""Consents and refusals: events that are never changed, and the standing row that senders lock."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from comity.refs import new_ref
from comity.staff.models import Entity, Staff


class Said(models.TextChoices):
    """What somebody said about a purpose and channel."""

    GIVEN = "given", _("Said yes")
    REFUSED = "refused", _("Said no")
    WITHDRAWN = "withdrawn", _("Took it back")
    EXPIRED = "expired", _("Ran out")
    OBJECTED = "objected", _("Objected to advertising")  # by whatever channel; stands with no standing row


class Consent(models.Model):
    """One thing a person said, or that ran out. Never changed: what is said later is a row of its own."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    person = models.UUIDField()
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=40)
    channel = models.CharField(max_length=20)
    said = models.CharField(max_length=10, choices=Said)
    said_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    express = models.BooleanField(null=True)
    separate = models.BooleanField(default=False)
    written = models.BooleanField(default=False)
    parental = models.BooleanField(default=False)
    names_caller = models.BooleanField(default=False)
    double_opt_in = models.BooleanField(default=False)
    notice = models.CharField(max_length=60, blank=True)  # the wording shown, with its version
    source = models.CharField(max_length=60, blank=True)  # the form, page, event or import
    heard_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-said_at", "-ref"]
        indexes = [models.Index(fields=["person", "-said_at"], name="consent_of_person")]

    def __str__(self) -> str:
        return f"{self.said} ({self.ref})"


class Standing(models.Model):
    """Where a person stands with one entity, purpose and channel.

    INVARIANT: a sender holds a share lock on this row while it hands over; a withdrawal takes it for itself. So once a
    withdrawal has returned, no hand-over begins.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    person = models.UUIDField()
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=40)
    channel = models.CharField(max_length=20)
    given = models.ForeignKey(Consent, models.PROTECT, null=True, related_name="+")  # the yes that counts, if one does
    withdrawn = models.BooleanField(default=False)
    opted_out_on = models.DateField(null=True)
    last_used_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("person", "entity", "purpose", "channel", name="consent_one_standing"),
            models.CheckConstraint(
                condition=Q(given=None) | Q(withdrawn=False, opted_out_on=None), name="consent_yes_or_no"
            ),
        ]

    def __str__(self) -> str:
        return str(self.ref)
