"""Notices and their versions. A published version never changes: PostgreSQL itself refuses it."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from comity.refs import new_ref
from comity.staff.models import Entity, Staff


class Kind(models.TextChoices):
    """What a notice is for; the words are those of `comity.law.texts.Form`."""

    DIRECT = "notice", _("Privacy notice: they give us the data")
    INDIRECT = "indirect-notice", _("Privacy notice: we have the data from elsewhere")
    CONSENT = "consent-wording", _("Wording of a consent")
    SEPARATE = "separate-consent", _("Wording of a separate consent (单独同意)")


CONSENTS = frozenset({Kind.CONSENT, Kind.SEPARATE})
"""What somebody says yes to."""


class Notice(models.Model):
    """A wording of one entity that people are shown, in all its versions. Consents refer to its name."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20, choices=Kind)
    name = models.CharField(max_length=48)  # with its version it fits where a consent names it
    made_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["name", "ref"]
        constraints = [models.UniqueConstraint("entity", Lower("name"), name="consent_notice_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def asks(self) -> bool:
        """Tell whether one says yes to it."""
        return self.kind in CONSENTS


class Versions(models.QuerySet["NoticeVersion"]):
    """Versions, in the words of the pages and actions that read them."""

    def published(self) -> Self:
        """Leave out drafts."""
        return self.exclude(published_at=None)

    def shown_at(self, at: datetime) -> Self:
        """Return those that may be shown to people at that moment, the latest first."""
        return self.filter(begins_at__lte=at, published_at__isnull=False).order_by("-begins_at", "-number")


class NoticeVersion(models.Model):
    """One text of a notice, in each of its languages: a draft, or published and unchangeable.

    `texts` has for each language the blocks in the order in which they are shown: {"block", "title", "text"}.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    notice = models.ForeignKey(Notice, models.PROTECT, related_name="versions")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")  # whose notice it is
    number = models.PositiveSmallIntegerField()
    languages = ArrayField(models.CharField(max_length=20))  # the first is the one that the others follow
    texts = models.JSONField(default=dict)
    places = ArrayField(models.CharField(max_length=12), default=list, blank=True)  # beside the entity's own
    purpose = models.CharField(max_length=40, blank=True)
    channels = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    recipient = models.CharField(max_length=200, blank=True)
    drafted_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    drafted_at = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(db_default=Now())
    published_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(null=True)
    begins_at = models.DateTimeField(null=True)
    fingerprint = models.BinaryField(max_length=32, null=True)  # SHA-256 of what people are shown and said yes to
    ticked = models.JSONField(default=list, blank=True)  # what a human looked at instead of us, and why it is in order
    ends_for = ArrayField(models.CharField(max_length=20), default=list, blank=True)  # channels: earlier yeses end
    ends_why = models.CharField(max_length=500, blank=True)

    objects = Versions.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint("notice", "number", name="consent_version_number"),
            models.UniqueConstraint("notice", condition=Q(published_at=None), name="consent_one_draft"),
            models.CheckConstraint(
                condition=Q(published_at=None, begins_at=None, fingerprint=None)
                | Q(published_at__isnull=False, begins_at__isnull=False, fingerprint__isnull=False),
                name="consent_version_whole",
            ),
            models.CheckConstraint(condition=Q(ends_for=[]) | ~Q(ends_why=""), name="consent_version_ends_why"),
        ]

    def __str__(self) -> str:
        return f"{self.notice.name} v{self.number}"
