"""The table of holds."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from comity.refs import new_ref
from comity.staff.models import Entity, Staff


class Holds(models.QuerySet["Hold"]):
    """Holds, in the words of the pages and actions that read them."""

    def standing(self) -> Self:
        """Return those that nobody lifted."""
        return self.filter(lifted_at=None)

    def to_review(self) -> Self:
        """Return those whose day to be looked at again has come."""
        return self.standing().filter(review_on__lte=timezone.localdate())


class Hold(models.Model):
    """A legal reason not to erase one person's data, or anybody's of an entity. It stands until somebody lifts it."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    person = models.UUIDField(null=True)  # nobody in particular: everybody of the entity
    reason = models.TextField(_("reason"))
    owner = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    review_on = models.DateField(_("look at it again on"))
    placed_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    placed_at = models.DateTimeField(db_default=Now())
    lifted_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    lifted_at = models.DateTimeField(null=True)
    lifted_because = models.TextField(_("reason"), blank=True)

    objects = Holds.as_manager()

    class Meta:
        ordering = ["review_on", "ref"]
        indexes = [models.Index(fields=["person"], name="retention_hold_person", condition=Q(lifted_at=None))]
        constraints = [
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by=None) | Q(lifted_at__isnull=False, lifted_by__isnull=False),
                name="retention_hold_lifted_by_somebody",
            )
        ]

    def __str__(self) -> str:
        return str(self.ref)


class Restriction(models.Model):
    """Why a person's record is stored and not used, for one entity of ours, until somebody lifts it.

    What the law engine asks is `Person.restricted_at`; it stands while one of these does.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    person = models.UUIDField()
    reason = models.TextField(_("reason"))
    placed_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    placed_at = models.DateTimeField(db_default=Now())
    told_on = models.DateField(_("they were told on"), null=True)  # that it would be lifted
    lifted_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    lifted_at = models.DateTimeField(null=True)
    lifted_because = models.TextField(_("reason"), blank=True)

    class Meta:
        ordering = ["-placed_at", "-ref"]
        constraints = [
            models.UniqueConstraint(
                "person", "entity", condition=Q(lifted_at=None), name="retention_one_restriction_standing"
            ),
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by=None) | Q(lifted_at__isnull=False, lifted_by__isnull=False),
                name="retention_restriction_lifted_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return str(self.ref)
