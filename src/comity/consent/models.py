"""Consents and refusals: events that are never changed, and the standing row that senders lock."""

from __future__ import annotations

from datetime import datetime
from typing import Self

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
    MISTAKEN = "mistaken", _("Recorded by mistake")  # by us: the row that `corrects` names does not count any more


class Why(models.TextChoices):
    """Why something that was recorded was never said."""

    PERSON = "wrong-person", _("It was somebody else who said so")
    WORDS = "misheard", _("They said something else")
    CLICK = "wrong-button", _("Nobody said anything: it was recorded by accident")
    TWICE = "twice", _("It is on record already")


class Consents(models.QuerySet["Consent"]):
    """What was said, in the words of the pages and actions that read it."""

    def counting(self) -> Self:
        """Leave out what was recorded by mistake, and the rows that say so."""
        return self.filter(correction=None).exclude(said=Said.MISTAKEN)

    def counted_at(self, at: datetime) -> Self:
        """Return what was recorded by then, without what had by then been found to be a mistake."""
        known = self.filter(recorded_at__lte=at).exclude(said=Said.MISTAKEN)
        return known.exclude(correction__recorded_at__lte=at)


class Consent(models.Model):
    """One thing a person said, or that ran out. Never changed: what is said later is a row of its own.

    What was recorded by mistake stays too. A row of its own says which one it was and why, and takes it out of what
    counts.
    """

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
    source = models.CharField(max_length=60, blank=True)  # the form, page, event or import; of a mistake, how we know
    notice_version = models.ForeignKey("NoticeVersion", models.PROTECT, null=True, related_name="+", db_index=False)
    notice_language = models.CharField(max_length=20, blank=True, default="", db_default="")
    corrects = models.OneToOneField(  # both go with the person, or neither: PostgreSQL sees to it
        "self", models.DO_NOTHING, null=True, related_name="correction"
    )
    why = models.CharField(max_length=12, choices=Why, blank=True, default="", db_default="")  # it was a mistake
    heard_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")

    objects = Consents.as_manager()

    class Meta:
        ordering = ["-said_at", "-ref"]
        indexes = [
            models.Index(fields=["person", "-said_at"], name="consent_of_person"),
            models.Index(
                fields=["notice_version"], condition=Q(notice_version__isnull=False), name="consent_by_notice_version"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(said=Said.MISTAKEN, corrects__isnull=False) & ~Q(why="")
                | ~Q(said=Said.MISTAKEN) & Q(corrects=None, why=""),
                name="consent_mistake_names_its_row",
            )
        ]

    def __str__(self) -> str:
        return f"{self.said} ({self.ref})"


class Standing(models.Model):
    """Where a person stands with one entity, purpose and channel.

    INVARIANT: a sender holds a share lock on this row while it hands over; a withdrawal takes it for itself. So once a
    withdrawal has returned, no hand-over begins.

    What the law asks of the yes that counts stands here, too, and PostgreSQL itself copies it (migration 0006): a yes
    is never changed, and to look each up for a million people takes longer than to ask the law.
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
    given_on = models.DateField(null=True, editable=False)
    express = models.BooleanField(null=True, editable=False)
    separate = models.BooleanField(null=True, editable=False)
    written = models.BooleanField(null=True, editable=False)
    parental = models.BooleanField(null=True, editable=False)
    names_caller = models.BooleanField(null=True, editable=False)
    wording_kept = models.BooleanField(null=True, editable=False)
    source_kept = models.BooleanField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint("person", "entity", "purpose", "channel", name="consent_one_standing"),
            models.CheckConstraint(
                condition=Q(given=None) | Q(withdrawn=False, opted_out_on=None), name="consent_yes_or_no"
            ),
        ]

    def __str__(self) -> str:
        return str(self.ref)
