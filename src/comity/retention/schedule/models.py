"""The tables of policies: after how long quiet prospects are erased, and when keys are turned over and destroyed."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from comity.refs import new_ref
from comity.staff.models import Entity, Staff

HOUSE_MONTHS = 36
"""How long nothing may be heard of a prospect where nobody says otherwise; a law may say less, and then it counts."""
LEAST_MONTHS, MOST_MONTHS = 6, 120


class QuietPolicy(models.Model):
    """After how many months without a word one entity of ours erases its prospects; off until somebody turns it on."""

    entity = models.OneToOneField(Entity, models.PROTECT, primary_key=True, related_name="+")
    on = models.BooleanField(_("erase prospects gone quiet"), default=False)
    months = models.PositiveSmallIntegerField(
        _("months without a word"), default=HOUSE_MONTHS,
        validators=[MinValueValidator(LEAST_MONTHS), MaxValueValidator(MOST_MONTHS)],
    )  # fmt: skip
    ahead = models.PositiveSmallIntegerField(
        _("days between the preview and the erasure"), default=7,
        validators=[MinValueValidator(1), MaxValueValidator(90)],
    )  # fmt: skip
    set_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    set_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return str(self.entity_id)


class QuietRound(models.Model):
    """One clean-up of prospects gone quiet: first a preview, then, on its day, the erasure, unless somebody stops it.

    `counts` are the people by home as the preview found them, `cutoffs` the days by home and the rules that set them.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    counts: models.JSONField[Any, Any] = models.JSONField()
    cutoffs: models.JSONField[Any, Any] = models.JSONField()
    people = models.PositiveIntegerField()
    made_at = models.DateTimeField(db_default=Now())
    goes_on = models.DateField()
    mailed = models.PositiveSmallIntegerField(default=0)  # to how many of the staff
    stopped_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)
    erased = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-made_at", "-ref"]
        constraints = [
            models.UniqueConstraint("entity", condition=Q(ended_at=None), name="retention_one_round_open"),
        ]

    def __str__(self) -> str:
        return str(self.ref)


class KeyPolicy(models.Model):
    """How often keys are turned over, and how long backups are kept: with a second person's approval.

    The newest is the one that counts. Its approval stands for those that the end of each single key would take.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    turn_every = models.PositiveSmallIntegerField(
        _("turn the keys over every … days"), validators=[MinValueValidator(1), MaxValueValidator(1_000)]
    )
    backups_kept = models.PositiveSmallIntegerField(
        _("backups of the database are kept for … days"), validators=[MinValueValidator(1), MaxValueValidator(3_700)]
    )
    copies_kept = models.PositiveSmallIntegerField(
        _("copies of the keys' folder are kept for … days"), validators=[MaxValueValidator(3_700)]
    )
    asked_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    approval = models.UUIDField()
    made_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)  # another came, or nothing is turned over by itself any more

    class Meta:
        ordering = ["-made_at", "-ref"]
        constraints = [
            models.UniqueConstraint(
                "ended_at", condition=Q(ended_at=None), nulls_distinct=False, name="retention_one_key_policy"
            ),
            models.CheckConstraint(condition=~Q(asked_by=F("approved_by")), name="retention_key_policy_four_eyes"),
        ]

    def __str__(self) -> str:
        return str(self.ref)


class Emptied(models.Model):
    """When it was first seen that nobody's key is wrapped in an epoch any more: from then on its backups grow old."""

    epoch = models.PositiveSmallIntegerField(primary_key=True)
    emptied_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.epoch)
