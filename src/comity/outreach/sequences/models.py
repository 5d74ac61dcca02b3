"""The tables of sequences: what is to happen to whom and when, who is under way in one, and what was done with each.

Nothing here says anything about anybody but that they are in a sequence, and where. A version that began never changes.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from comity.counsel.models import SegmentDecision
from comity.post.models import Gateway
from comity.refs import new_ref
from comity.staff.models import Entity, Staff

LONGEST_CONDITION = 500


class State(models.TextChoices):
    """Where a sequence is."""

    DRAFT = "draft", _("Draft")
    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    STOPPED = "stopped", _("Stopped for good")


class Sequence(models.Model):
    """Something that goes on by itself, for one entity and one purpose.

    `once` says that nobody goes through it a second time. A message that is later than `grace` hours is not sent.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    name = models.CharField(_("name"), max_length=80)
    purpose = models.CharField(_("purpose"), max_length=40)
    gateway = models.ForeignKey(Gateway, models.PROTECT, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=8, choices=State, default=State.DRAFT)
    once = models.BooleanField(default=True)
    grace = models.PositiveSmallIntegerField(default=48)
    made_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now())
    paused_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["name", "ref"]

    def __str__(self) -> str:
        return self.name


class Version(models.Model):
    """What a sequence is from a day on: what begins it, its steps, and what ends it early.

    INVARIANT: once it began, nothing of it changes, nor of its steps: PostgreSQL refuses. Whoever began in a version
    goes on in it.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    sequence = models.ForeignKey(Sequence, models.PROTECT, related_name="versions")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    number = models.PositiveSmallIntegerField()
    trigger = models.JSONField(default=dict)  # {"kind": …} and what that kind wants to know: see `triggers`
    exits = ArrayField(models.CharField(max_length=20), default=list)
    unless = models.CharField(max_length=LONGEST_CONDITION, blank=True)
    significant = models.BooleanField(default=False)  # what it decides has a legal effect on people, or one as serious
    ticks = ArrayField(models.CharField(max_length=24), default=list)
    looked = models.ForeignKey(SegmentDecision, models.PROTECT, null=True, related_name="+")
    approval = models.UUIDField(null=True)
    begun_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")  # in whose name it goes on
    begun_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint("sequence", "number", name="outreach_version_number"),
            models.UniqueConstraint("sequence", condition=Q(begun_at=None), name="outreach_one_draft"),
        ]

    def __str__(self) -> str:
        return f"{self.sequence_id} {self.number}"


class Kind(models.TextChoices):
    """What a step does."""

    MAIL = "mail", _("Send an e-mail")
    WORK = "work", _("Give us something to do")
    CHECK = "check", _("Go on only if")


class Step(models.Model):
    """One thing that is done, and how long after the one before."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    version = models.ForeignKey(Version, models.CASCADE, related_name="steps")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    place = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=5, choices=Kind)
    wait = models.PositiveIntegerField(default=0)  # minutes after the step before, or after the beginning
    content = models.JSONField(default=dict)
    says = models.CharField(max_length=300, blank=True)  # what we are to do
    only_if = models.CharField(max_length=LONGEST_CONDITION, blank=True)

    class Meta:
        ordering = ["place"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "place"], name="outreach_step_place", deferrable=models.Deferrable.DEFERRED
            )
        ]

    def __str__(self) -> str:
        return f"{self.place} {self.kind}"


class Under(models.TextChoices):
    """Where somebody is who is, or was, in a sequence."""

    UNDER_WAY = "under-way", _("Under way")
    THROUGH = "through", _("Went through all of it")
    LEFT = "left", _("Left it")


class Enrolment(models.Model):
    """One person in one sequence: in which version they began, which step is next, and when.

    INVARIANT: the same cause begins a sequence once for a person, and nobody is under way in one twice.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    sequence = models.ForeignKey(Sequence, models.PROTECT, related_name="enrolments", db_index=False)
    version = models.ForeignKey(Version, models.PROTECT, related_name="enrolments")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+", db_index=False)
    person = models.UUIDField(db_index=True)
    cause = models.CharField(max_length=60)
    state = models.CharField(max_length=9, choices=Under, default=Under.UNDER_WAY)
    why = models.CharField(max_length=20, blank=True, default="", db_default="")
    step = models.ForeignKey(Step, models.PROTECT, null=True, related_name="+", db_index=False)  # the next
    due_at = models.DateTimeField(null=True)
    begun_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("sequence", "person", "cause", name="outreach_one_cause"),
            models.UniqueConstraint("sequence", "person", condition=Q(state="under-way"), name="outreach_under_way"),
            models.CheckConstraint(
                condition=Q(state="under-way", step__isnull=False, due_at__isnull=False) | ~Q(state="under-way"),
                name="outreach_under_way_to_a_step",
            ),
        ]
        indexes = [models.Index(fields=["entity", "due_at"], name="outreach_due", condition=Q(state="under-way"))]

    def __str__(self) -> str:
        return f"{self.state} ({self.ref})"


class Taken(models.Model):
    """A step that was taken with somebody, written in the one transaction with what it did.

    INVARIANT: there is one row for each step of an enrolment, so no step is taken twice.
    """

    pk = models.CompositePrimaryKey("enrolment", "step")
    enrolment = models.ForeignKey(Enrolment, models.CASCADE, related_name="taken", db_index=False)
    step = models.ForeignKey(Step, models.PROTECT, related_name="taken")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+", db_index=False)
    what = models.CharField(max_length=8)  # "sent", "work", "on", "late"
    dispatch = models.UUIDField(null=True)
    at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.what


class Errand(models.Model):
    """Something that one of us is to do about a person, because a sequence came to that step."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+", db_index=False)
    person = models.UUIDField(db_index=True)
    step = models.ForeignKey(Step, models.PROTECT, related_name="errands")
    made_at = models.DateTimeField(db_default=Now())
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["made_at", "ref"]
        indexes = [models.Index(fields=["entity", "made_at"], name="outreach_errand_open", condition=Q(done_at=None))]

    def __str__(self) -> str:
        return str(self.ref)
