"""The table of erasures: what was to go and to stay, and what went. It names nobody, and stays as the proof."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from comity.ledger.models import Entry
from comity.refs import new_ref
from comity.staff.models import Entity, Staff


class Why(models.TextChoices):
    """Why somebody is erased."""

    ASKED = "asked", _("They asked for it")
    OVERDUE = "overdue", _("The time for which we keep it is over")
    QUIET = "quiet", _("Nothing was heard of them for long")
    MISTAKE = "mistake", _("They should never have come into the book")


class Erasure(models.Model):
    """One person's erasure from one entity of ours: planned, then run whole or not at all.

    `plan` is what `plans.as_json` wrote: for each table how many rows, what becomes of them, and by which rule what
    stays is kept. `whole` says that no other entity of ours knows the person, so that the key goes too.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    person = models.UUIDField()
    request = models.UUIDField(null=True)  # of rights.Request; this room does not know that one
    why = models.CharField(max_length=8, choices=Why)
    plan: models.JSONField[Any, Any] = models.JSONField()
    whole = models.BooleanField()
    planned_at = models.DateTimeField(db_default=Now())
    planned_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    begun_at = models.DateTimeField(null=True)  # somebody said go: from here on it completes by itself
    done_at = models.DateTimeField(null=True)
    done: models.JSONField[Any, Any] = models.JSONField(default=dict)  # what went, counted by the run itself
    entry = models.ForeignKey(Entry, models.PROTECT, null=True, related_name="+")  # of the run, in the ledger
    stays_until = models.DateField(null=True)  # the last day of what a law has us keep
    forgotten_on = models.DateField(null=True)  # from when on no backup opens what is gone, as the schedule says

    class Meta:
        ordering = ["-planned_at", "-ref"]
        indexes = [
            models.Index(fields=["person"], name="retention_erasure_person"),
            models.Index(
                fields=["begun_at"], name="retention_erasure_begun", condition=Q(begun_at__isnull=False, done_at=None)
            ),
        ]
        constraints = [
            models.UniqueConstraint("person", "entity", condition=Q(done_at=None), name="retention_one_erasure_open"),
            models.CheckConstraint(
                condition=Q(done_at=None, entry=None) | Q(begun_at__isnull=False, entry__isnull=False),
                name="retention_erasure_done_is_recorded",
            ),
        ]

    def __str__(self) -> str:
        return str(self.ref)


class Kept(models.Model):
    """What a law has us keep of a row that went: what it said, and of which erasure. It leads to nobody.

    `certain` says that the law wants it kept whatever else is true; otherwise `missing` are the facts that would tell.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    erasure = models.ForeignKey(Erasure, models.CASCADE, related_name="kept")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    table = models.CharField(max_length=60)  # book.Relation
    records = models.CharField(max_length=40)  # what the law calls it
    rule = models.CharField(max_length=120)
    certain = models.BooleanField()
    missing: models.JSONField[Any, Any] = models.JSONField(default=list)
    until = models.DateField()
    facts: models.JSONField[Any, Any] = models.JSONField()

    class Meta:
        ordering = ["table", "ref"]
        indexes = [models.Index(fields=["until"], name="retention_kept_until")]

    def __str__(self) -> str:
        return f"{self.table} until {self.until}"
