"""Where things come back to, what came, and to which address each message went.

Nothing here names anybody: an address is a keyed hash, and what somebody wrote is sealed, beside the person, or, where
nobody knows whose it is, in a parcel of its own until a human has read it.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from comity.post.models import Gateway
from comity.refs import new_ref
from comity.staff.models import Entity, Staff


class Sort(models.TextChoices):
    """How things come in."""

    IMAP = "imap", _("Mailbox (IMAP)")
    FOLDER = "folder", _("Folder of messages")
    HOOK = "hook", _("Webhook of a gateway")


class Inbox(models.Model):
    """A way in for one entity of ours: a mailbox that is read, a folder, or a webhook that a gateway calls.

    What it needs to sign in, or to check signatures, lies in a file beside the keys (`secrets`), never here.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    channel = models.CharField(max_length=20)
    sort = models.CharField(max_length=6, choices=Sort)
    name = models.CharField(_("name"), max_length=80)
    address = models.CharField(max_length=60, blank=True)  # to which servers report; with marks behind a plus
    settings = models.JSONField(default=dict)
    gateway = models.ForeignKey(Gateway, models.PROTECT, null=True, related_name="+")  # whose webhook it is
    place = models.CharField(max_length=40, blank=True, default="", db_default="")  # up to where a mailbox was read
    trouble = models.CharField(max_length=20, blank=True, default="", db_default="")  # of the last look: a word
    made_at = models.DateTimeField(db_default=Now())
    looked_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name", "ref"]

    def __str__(self) -> str:
        return self.name


class Did(models.TextChoices):
    """What was done about something that came."""

    NOTED = "noted", _("Noted")
    COUNTED = "counted", _("Counted: it may pass")
    SHUT = "shut", _("The address is not used any more")
    STOPPED = "stopped", _("They said no: nothing more is sent")
    LEFT_ALONE = "left-alone", _("The address is left alone")
    HELD = "held", _("Advertising is held until somebody has read it")
    KEPT = "kept", _("Kept with the person")
    UNMATCHED = "unmatched", _("Belongs to no message of ours: nothing was done")
    UNPLACED = "unplaced", _("Nobody knows whose it is")
    BROKEN = "broken", _("Could not be acted on")


class Arrival(models.Model):
    """One thing that came, once: however often it is told, its key is the same."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    inbox = models.ForeignKey(Inbox, models.PROTECT, related_name="arrivals", db_index=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+", db_index=False)
    key = models.BinaryField()
    came = models.CharField(max_length=10)  # of `understanding.Came`
    outcome = models.CharField(max_length=10, blank=True, default="", db_default="")  # of a bounce: `bounces.Sort`
    code = models.CharField(max_length=12, blank=True, default="", db_default="")
    did = models.CharField(max_length=10, choices=Did, default=Did.NOTED)
    message = models.UUIDField(null=True)
    person = models.UUIDField(null=True)
    reach = models.CharField(max_length=10, blank=True, default="", db_default="")
    digest = models.BinaryField(null=True)  # the address it is about, as the suppression list knows it
    occurred_at = models.DateTimeField()
    arrived_at = models.DateTimeField(db_default=Now())
    waits = models.BooleanField(default=False, db_default=False)  # for a human
    parcel_key = models.BinaryField(null=True)  # opens what came, in a file of this ref; without it nothing does
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-arrived_at", "-ref"]
        constraints = [models.UniqueConstraint("entity", "key", name="post_arrival_once")]
        indexes = [
            models.Index(fields=["message"], name="post_arrival_message", condition=Q(message__isnull=False)),
            models.Index(fields=["digest"], name="post_arrival_digest", condition=Q(digest__isnull=False)),
            models.Index(fields=["person"], name="post_arrival_person", condition=Q(person__isnull=False)),
            models.Index(fields=["entity", "-arrived_at"], name="post_arrival_waits", condition=Q(waits=True)),
            models.Index(fields=["inbox", "-arrived_at"], name="post_arrival_inbox"),
        ]

    def __str__(self) -> str:
        return f"{self.came} ({self.ref})"


class Addressed(models.Model):
    """To which address a message went: a keyed hash, so that what comes back finds it and nobody can read it."""

    message = models.UUIDField(primary_key=True)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+", db_index=False)
    person = models.UUIDField()
    purpose = models.CharField(max_length=40)
    channel = models.CharField(max_length=20)
    reach = models.CharField(max_length=10)
    digest = models.BinaryField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(fields=["digest"], name="post_addressed_digest"),
            models.Index(fields=["person"], name="post_addressed_person"),
        ]

    def __str__(self) -> str:
        return str(self.message)
