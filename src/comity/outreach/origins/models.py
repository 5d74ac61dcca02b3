"""The tables of origins: from whom data came, whose data these are, and that somebody was told."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from comity.refs import new_ref
from comity.staff.models import Entity, Staff


class Origin(models.Model):
    """Somebody else, or a public source, from whom data of some people came: in words that these people read."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    about = models.UUIDField(null=True)  # the import that brought them
    source = models.CharField(_("from whom"), max_length=200)
    used_for = models.CharField(max_length=40)  # the purpose for which they are kept
    noted_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    noted_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-noted_at", "-ref"]
        constraints = [
            models.UniqueConstraint("entity", "about", condition=Q(about__isnull=False), name="outreach_origin_once")
        ]

    def __str__(self) -> str:
        return self.source


class Came(models.Model):
    """That a person's data came from an origin, and whether the person was told so, and by which dispatch."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    person = models.UUIDField()
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+", db_index=False)
    origin = models.ForeignKey(Origin, models.PROTECT, related_name="came")
    told_at = models.DateTimeField(null=True)
    told_by = models.UUIDField(null=True)  # the dispatch

    class Meta:
        constraints = [models.UniqueConstraint("person", "origin", name="outreach_came_once")]

    def __str__(self) -> str:
        return str(self.ref)
