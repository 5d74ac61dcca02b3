"""The tables of campaigns: what is to be said to whom, and in whose name. Nothing here is about a person."""

from __future__ import annotations

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

    def __str__(self) -> str:
        return self.address


class Campaign(models.Model):
    """One message to many people: the list they come from, what it says, and what became of it.

    `query` is the address of a list of people, as a saved view keeps it. `looked` is the last decision about all of
    them, `before` the one that was looked at before. Once there is a dispatch, nothing of it changes any more.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    name = models.CharField(_("name"), max_length=80)
    purpose = models.CharField(_("purpose"), max_length=40)
    query = models.CharField(max_length=LONGEST_QUERY, blank=True)
    content = models.JSONField(default=dict)
    gateway = models.ForeignKey(Gateway, models.PROTECT, null=True, blank=True, related_name="+")
    ticks = ArrayField(models.CharField(max_length=24), default=list)  # what somebody looked at in the lint's findings
    looked = models.ForeignKey(SegmentDecision, models.PROTECT, null=True, related_name="+")
    before = models.ForeignKey(SegmentDecision, models.PROTECT, null=True, related_name="+")
    approval = models.UUIDField(null=True)
    dispatch = models.OneToOneField(Dispatch, models.PROTECT, null=True, related_name="campaign")
    made_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-made_at", "-ref"]

    def __str__(self) -> str:
        return self.name
