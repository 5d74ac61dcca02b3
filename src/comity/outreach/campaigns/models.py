"""The tables of campaigns: what is to be said to whom, and in whose name. Nothing here is about a person."""

from __future__ import annotations

import secrets

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from comity.book.lists.models import LONGEST_QUERY
from comity.counsel.models import SegmentDecision
from comity.post.models import Dispatch, Gateway
from comity.refs import new_ref
from comity.staff.models import Entity, Staff


class Imprint(models.Model):
    """How an entity of ours signs what it sends: who it is and how it is reached, true and plain."""

    entity = models.OneToOneField(Entity, models.CASCADE, primary_key=True, related_name="imprint")
    address = models.EmailField(_("e-mail address of the sender"))
    reply_to = models.EmailField(_("answers go to"), blank=True)
    postal_address = models.TextField(_("postal address"), max_length=500)
    language = models.CharField(_("language"), max_length=20, default="en")
    email = models.EmailField(_("e-mail for questions"), blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    website = models.URLField(_("website"), max_length=200, blank=True)
    register = models.CharField(_("entry in a public register"), max_length=200, blank=True)
    mark = models.CharField(_("signature of text messages"), max_length=30, blank=True)
    stop_number = models.CharField(_("number that takes STOP"), max_length=20, blank=True)

    def __str__(self) -> str:
        return self.address


def new_split() -> bytes:
    """Return a key by which people are divided among variants."""
    return secrets.token_bytes(16)


class Campaign(models.Model):
    """One message to many people: the list they come from, what it says, and what became of it.

    `query` is the address of a list of people, as a saved view keeps it. `looked` is the last decision about all of
    them, `before` the one that was looked at before. Once there is a dispatch, nothing of it changes any more.
    `asked_by` is whoever wishes it to be sent, while a worker decides; `unsent` says why it was not, the last time.

    `variants` are further contents beside the first; who gets which follows from `split`, and from nothing about them.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    name = models.CharField(_("name"), max_length=80)
    purpose = models.CharField(_("purpose"), max_length=40)
    query = models.CharField(max_length=LONGEST_QUERY, blank=True)
    channel = models.CharField(_("channel"), max_length=20, default="email", db_default="email")
    content = models.JSONField(default=dict)
    variants = models.JSONField(default=list, db_default=[])
    split = models.BinaryField(max_length=16, default=new_split)
    gateway = models.ForeignKey(Gateway, models.PROTECT, null=True, blank=True, related_name="+")
    ticks = ArrayField(models.CharField(max_length=24), default=list)  # what somebody looked at in the lint's findings
    looked = models.ForeignKey(SegmentDecision, models.PROTECT, null=True, related_name="+")
    before = models.ForeignKey(SegmentDecision, models.PROTECT, null=True, related_name="+")
    approval = models.UUIDField(null=True)
    asked_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField(null=True)
    unsent = models.TextField(blank=True, default="", db_default="")
    dispatch = models.OneToOneField(Dispatch, models.PROTECT, null=True, related_name="campaign")
    made_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-made_at", "-ref"]

    def __str__(self) -> str:
        return self.name


class Template(models.Model):
    """Words that are kept to be used again: in campaigns, and in letters to one person. What it says is in versions."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    name = models.CharField(_("name"), max_length=80)
    channel = models.CharField(_("channel"), max_length=20)
    made_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name", "ref"]

    def __str__(self) -> str:
        return self.name


class TemplateVersion(models.Model):
    """What a template says since then, in all its languages. Never changed: other words are a version of their own."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    template = models.ForeignKey(Template, models.PROTECT, related_name="versions")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    content = models.JSONField()
    made_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint("template", "number", name="outreach_one_version_a_number")]

    def __str__(self) -> str:
        return f"{self.template_id} {self.number}"


class Trial(models.Model):
    """A campaign's message that somebody of the staff sent to themselves. It is nobody's message, and counts nowhere.

    The row is there before anything goes out; without an outcome nobody knows what came of it.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="trials")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    gateway = models.ForeignKey(Gateway, models.PROTECT, related_name="+")
    staff = models.ForeignKey(Staff, models.PROTECT, related_name="+")  # who sent it, and to whom it went
    variant = models.PositiveSmallIntegerField(default=0)
    language = models.CharField(max_length=20)
    tried_at = models.DateTimeField(db_default=Now())
    outcome = models.CharField(max_length=9, blank=True, default="", db_default="")
    why = models.CharField(max_length=20, blank=True, default="", db_default="")
    code = models.CharField(max_length=20, blank=True, default="", db_default="")

    class Meta:
        ordering = ["-tried_at"]

    def __str__(self) -> str:
        return f"{self.outcome or '?'} ({self.ref})"
