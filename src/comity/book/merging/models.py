"""The tables of merging: pairs who may be one person, and what was made one, with all that it takes to undo it."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from comity.refs import new_ref
from comity.staff.models import Entity, Staff


class Judged(models.TextChoices):
    """What somebody said of a pair."""

    OPEN = "", _("Not looked at")
    SAME = "same", _("The same")
    OTHERS = "others", _("Not the same")


class Pair(models.Model):
    """Two people of an entity who may be one, and why one may think so. Nothing here names them."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    one = models.UUIDField()
    other = models.UUIDField()
    score = models.PositiveSmallIntegerField()  # of a hundred
    reasons = ArrayField(models.CharField(max_length=20))  # ids of merging.duplicates.REASONS
    found_at = models.DateTimeField(db_default=Now())
    judged = models.CharField(max_length=6, choices=Judged, blank=True)
    judged_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    judged_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-score", "ref"]
        indexes = [
            models.Index(fields=["one"], name="book_pair_one"),
            models.Index(fields=["other"], name="book_pair_other"),
        ]
        constraints = [
            models.UniqueConstraint("entity", "one", "other", name="book_pair_once"),
            models.CheckConstraint(condition=Q(one__lt=F("other")), name="book_pair_in_order"),
        ]

    def __str__(self) -> str:
        return str(self.ref)


class Merge(models.Model):
    """Two people were made one: who stayed, who went into them, and what must be put back to undo it."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    kept = models.UUIDField()
    gone = models.UUIDField()
    made_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now())
    moved = models.JSONField(default=dict)  # refs of rows that changed hands, by table
    before = models.JSONField(default=dict)  # plain facts that were changed: what they were, and what was written
    rooms = models.JSONField(default=dict)  # what other rooms need to undo their part
    sealed = models.JSONField(default=list)  # labels that were made under the key of who stayed
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    final_at = models.DateTimeField(null=True)  # since then the key of who went is destroyed, and nothing is undone

    class Meta:
        ordering = ["-made_at"]
        indexes = [
            models.Index(fields=["kept"], name="book_merge_kept"),
            models.Index(fields=["gone"], name="book_merge_gone"),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(kept=F("gone")), name="book_merge_of_two"),
            models.CheckConstraint(condition=Q(undone_at=None) | Q(final_at=None), name="book_merge_undone_or_final"),
        ]

    def __str__(self) -> str:
        return str(self.ref)
