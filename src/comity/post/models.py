"""What is on its way to somebody: dispatches, their messages, each attempt to hand one over, and the gateways.

Nothing here holds an address or a text. A message is composed at the moment in which it is handed over, from what the
vault opens then, and is forgotten.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from comity.refs import new_ref
from comity.staff.models import Entity, Staff


class Gateway(models.Model):
    """A way out into the world for one entity of ours: a mail relay, an interface for text messages, a folder of files.

    What it needs to sign in lies in a file beside the keys (`secrets`), never here.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    channel = models.CharField(max_length=20)
    kind = models.CharField(max_length=10)  # of the ways in `gateways`
    name = models.CharField(_("name"), max_length=80)
    settings = models.JSONField(default=dict)
    made_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name", "ref"]

    def __str__(self) -> str:
        return self.name


class State(models.TextChoices):
    """Where a dispatch is."""

    RUNNING = "running", _("On its way")
    PAUSED = "paused", _("Paused")
    STOPPED = "stopped", _("Stopped for good")
    ENDED = "ended", _("Ended")


class Dispatch(models.Model):
    """Messages of one kind that go out together: in whose name, by which gateway, for which purpose.

    INVARIANT: whoever hands a message over shares an advisory lock of this ref, which whoever pauses or stops it takes
    alone. So once it was paused or stopped, no hand-over begins.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    staff = models.ForeignKey(Staff, models.PROTECT, related_name="+")  # in whose name
    kind = models.CharField(max_length=20)  # who composes its messages: see `composers`
    about = models.UUIDField()  # what they compose them from
    purpose = models.CharField(max_length=40)
    channel = models.CharField(max_length=20)
    gateway = models.ForeignKey(Gateway, models.PROTECT, related_name="dispatches")
    state = models.CharField(max_length=8, choices=State, default=State.RUNNING)
    begun_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["about"], name="post_dispatch_about")]

    def __str__(self) -> str:
        return f"{self.kind} ({self.ref})"


class Stage(models.TextChoices):
    """Where a message is. From all but the first nothing leads back: nobody gets a message twice."""

    INTENDED = "intended", _("Waits to go out")
    SENT = "sent", _("Handed over")
    REFUSED = "refused", _("Not sent")
    FAILED = "failed", _("Not accepted")
    UNCERTAIN = "uncertain", _("Nobody knows whether it went out")
    STOPPED = "stopped", _("Stopped before it went out")


class Message(models.Model):
    """One message to one person. Written down, and committed, before anything is done about it."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    dispatch = models.ForeignKey(Dispatch, models.PROTECT, related_name="messages", db_index=False)  # the constraint's
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+", db_index=False)
    person = models.UUIDField(db_index=True)
    stage = models.CharField(max_length=9, choices=Stage, default=Stage.INTENDED)
    tries = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(db_default=Now())
    why = models.CharField(max_length=20, blank=True, default="", db_default="")  # it is where it is: a declared word
    decision = models.UUIDField(null=True)  # the last one about it
    intended_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)
    noted = models.BooleanField(default=False, db_default=False)  # rooms wrote down that it was sent

    class Meta:
        constraints = [models.UniqueConstraint("dispatch", "person", name="post_one_message_a_person")]
        indexes = [
            models.Index(fields=["dispatch", "due_at"], name="post_due", condition=Q(stage="intended")),
            models.Index(fields=["dispatch"], name="post_to_note", condition=Q(stage="sent", noted=False)),
        ]

    def __str__(self) -> str:
        return f"{self.stage} ({self.ref})"


class Attempt(models.Model):
    """One attempt to hand a message over, committed before it begins. Without an outcome nobody knows what came of it.

    INVARIANT: there is one row for each number of a message, so no two senders make the same attempt.
    """

    pk = models.CompositePrimaryKey("message", "number")
    message = models.UUIDField()  # no foreign key: its check would wait for the lock of whoever makes the attempt
    number = models.PositiveSmallIntegerField()
    begun_at = models.DateTimeField(db_default=Now())
    outcome = models.CharField(max_length=9, blank=True, default="", db_default="")
    code = models.CharField(max_length=20, blank=True, default="", db_default="")  # what the gateway answered, a number

    def __str__(self) -> str:
        return f"{self.message} {self.number}"


class ClosedList(models.Model):
    """A file that was made of the rows of a dispatch, for whoever calls or prints. It holds addresses; this does not.

    Between the hand-over of a row and the closing of its file the law was asked once more: `struck` rows are not in it.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    dispatch = models.ForeignKey(Dispatch, models.PROTECT, related_name="lists")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    rows = models.PositiveIntegerField()
    struck = models.PositiveIntegerField()
    closed_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(db_default=Now())
    deleted_at = models.DateTimeField(null=True)  # the file

    class Meta:
        ordering = ["closed_at", "ref"]

    def __str__(self) -> str:
        return f"{self.rows} ({self.ref})"


class Struck(models.Model):
    """A row that was taken out again before its file was closed: its message was handed over, and reached nobody."""

    message = models.UUIDField(primary_key=True)
    closed = models.ForeignKey(ClosedList, models.CASCADE, related_name="taken_out")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+", db_index=False)
    why = models.CharField(max_length=20)

    def __str__(self) -> str:
        return f"{self.why} ({self.message})"
