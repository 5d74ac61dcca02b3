"""The tables of other systems: which there are, and what each was asked of somebody and did.

No row that was found stands here, nor anything by which somebody is known there: see `keeping`.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from comity.refs import new_ref
from comity.rights.requests.models import Request
from comity.staff.models import Entity, Staff


class Sort(models.TextChoices):
    """What kind of place a system is."""

    SQL = "sql", _("A database")
    FOLDER = "folder", _("A folder of files")
    HTTP = "http", _("A service that answers for itself")


class System(models.Model):
    """Another place that holds the same people. Its password lies in a file beside the keys."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    name = models.CharField(_("name"), max_length=60)
    sort = models.CharField(_("kind"), max_length=8, choices=Sort)
    address = models.CharField(_("address"), max_length=500)
    describes = models.TextField(_("what it holds"), blank=True)
    made_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now())
    tested_at = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=300, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name", "ref"]
        constraints = [
            models.UniqueConstraint("entity", "name", condition=Q(ended_at=None), name="rights_system_name"),
            models.CheckConstraint(condition=Q(sort="http") | ~Q(describes=""), name="rights_system_is_described"),
        ]

    def __str__(self) -> str:
        return self.name


class Run(models.Model):
    """One person sought in all other systems of an entity, and, once somebody says so, erased there."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    request = models.ForeignKey(Request, models.PROTECT, null=True, related_name="+")
    person = models.UUIDField()
    asked_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(db_default=Now())
    looked_at = models.DateTimeField(null=True)
    begun_at = models.DateTimeField(null=True)
    begun_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-asked_at", "-ref"]
        indexes = [
            models.Index(fields=["person", "-asked_at"], name="rights_run_person"),
            models.Index(
                fields=["begun_at"], name="rights_run_open", condition=Q(begun_at__isnull=False, done_at=None)
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(done_at=None) | Q(begun_at__isnull=False), name="rights_run_begun_first"
            ),
            models.UniqueConstraint(
                "entity", "person", condition=Q(begun_at__isnull=False, done_at=None), name="rights_one_run_at_once"
            ),
        ]

    def __str__(self) -> str:
        return str(self.ref)


class State(models.TextChoices):
    """How far one system is with one run."""

    WAITING = "waiting", pgettext_lazy("system", "Not asked yet")
    FOUND = "found", pgettext_lazy("system", "Looked at")
    FAILED = "failed", pgettext_lazy("system", "Did not work")
    WORKING = "working", pgettext_lazy("system", "At work on it")
    AGAIN = "again", pgettext_lazy("system", "Says it is erased, and still finds it")
    REFUSED = "refused", pgettext_lazy("system", "Refused")
    DONE = "done", pgettext_lazy("system", "Done")


class Leg(models.Model):
    """What one system has to do with a run: how much was found there, by collection, and what went."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    run = models.ForeignKey(Run, models.CASCADE, related_name="legs")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    system = models.ForeignKey(System, models.PROTECT, related_name="legs")
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    rows = models.PositiveIntegerField(default=0)  # to be erased
    shared = models.PositiveIntegerField(default=0)
    others = models.PositiveIntegerField(default=0)
    found: models.JSONField[Any, Any] = models.JSONField(
        default=dict
    )  # of each collection how many, by what becomes of it
    erased: models.JSONField[Any, Any] = models.JSONField(default=dict)
    left: models.JSONField[Any, Any] = models.JSONField(default=dict)  # what a service keeps, and why
    trouble = models.CharField(max_length=300, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["system__name", "ref"]
        constraints = [models.UniqueConstraint("run", "system", name="rights_leg_once_a_run")]

    def __str__(self) -> str:
        return f"{self.state} ({self.ref})"
